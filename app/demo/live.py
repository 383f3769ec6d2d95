"""The process that keeps the demo's present coming, through the OpenTelemetry SDK.

``python -m app.demo.live --url http://127.0.0.1:4318`` sends until it is told to stop, or until
its standard input ends because whoever started it is gone. It has pods of its own, one per service
and cluster, which carry all of the traffic; so their counters begin at zero, as after a restart.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from threading import Event

import numpy as np
from opentelemetry.context import Context

from app.demo.airline import CLUSTERS, SERVICES, Route
from app.demo.incidents import Plan
from app.demo.logs import BATCH_MINUTES, HOUSEKEEPING_PER_HOUR, ticket_batch
from app.demo.messages import HOUSEKEEPING, Words
from app.demo.metrics import median_of, sigma_of
from app.demo.senders import Probe, Sender, senders
from app.demo.surroundings import Surroundings
from app.demo.timeline import MINUTE, Span
from app.demo.traffic import Outcome, profile

_TICK = 1.0
_BATCH = BATCH_MINUTES * MINUTE


class Present:
    """Plays the present, second by second."""

    def __init__(
        self,
        running: Sequence[Sender],
        around: Surroundings,
        plan: Plan,
        scale: float,
        random: np.random.Generator,
    ) -> None:
        self._around = around
        self._senders = {(each.pod.service.name, each.pod.cluster): each for each in running}
        self._plan = plan
        self._scale = scale
        self._random = random

    def play(self, start_ns: int, end_ns: int) -> None:
        """Send the requests of a stretch of time."""
        seconds = (end_ns - start_ns) / 1e9
        for cluster in CLUSTERS:
            shape = float(profile(cluster, np.array([end_ns / MINUTE]))[0])
            expected = shape * seconds * self._scale / len(CLUSTERS)
            for service in SERVICES:
                sender = self._senders[service.name, cluster]
                for route in service.routes:
                    for _ in range(int(self._random.poisson(route.rate * expected))):
                        self._request(sender, route, end_ns)
                if self._random.random() < HOUSEKEEPING_PER_HOUR * seconds / 3600:
                    severity, text = HOUSEKEEPING[int(self._random.integers(len(HOUSEKEEPING)))]
                    body = Words(self._random, 1).fill(text, 0)
                    sender.log(severity, body, None, end_ns, Context())
            if start_ns // _BATCH < end_ns // _BATCH:
                severity, body, said = ticket_batch(self._random)
                ticketing = self._senders["ticketing-api", cluster]
                ticketing.log(severity, body, said, end_ns, Context())

    def _request(self, sender: Sender, route: Route, end_ns: int) -> None:
        outcome = self._outcome(sender, route)
        seconds = float(
            self._random.lognormal(np.log(median_of(route, outcome)), sigma_of(route, outcome))
        )
        answered = sender.answer(route, outcome, end_ns, seconds)
        cluster = sender.pod.cluster
        if outcome is Outcome.OK and route.calls is not None:
            target = self._senders[route.calls.service, cluster]
            answered.call(target, target.pod.service.route(route.calls.route))
        if outcome is Outcome.OK and route.publishes is not None:
            for service in SERVICES:
                if service.consumes == route.publishes:
                    answered.publish(route.publishes, self._senders[service.name, cluster])
        answered.end()
        self._around.answered(sender.pod.service.app, answered.status, end_ns)

    def _outcome(self, sender: Sender, route: Route) -> Outcome:
        chance = float(self._random.random())
        for outcome, share in (
            (Outcome.DEFECT, self._plan.defect(sender.pod, route.name)),
            (Outcome.REFUSED, route.refused),
            (Outcome.FAILURE, route.failing),
        ):
            if chance < share:
                return outcome
            chance -= share
        return Outcome.OK


def main(argv: Sequence[str] | None = None) -> int:
    """Send until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m app.demo.live", description=__doc__)
    parser.add_argument("--url", required=True, help="the receiver, without /v1")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    args = parser.parse_args(argv)
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    began = time.time_ns()
    plan = Plan(whole=Span.before(began, 1))
    running = senders(args.url, began, np.random.default_rng([args.seed, 3]))
    probes = [Probe(cluster, args.url) for cluster in CLUSTERS]
    around = Surroundings(args.url, np.random.default_rng([args.seed, 5]))
    present = Present(running, around, plan, args.scale, np.random.default_rng([args.seed, 4]))
    try:
        _play(present, began, stop)
    finally:
        for sender in running:
            sender.close()
        for probe in probes:
            probe.close()
        around.close()
    return 0


def _play(present: Present, at: int, stop: Event) -> None:
    while not stop.wait(_TICK) and not _abandoned():
        now = time.time_ns()
        present.play(at, now)
        at = now


def _abandoned() -> bool:
    """Whether standard input has ended; whoever started this process holds its other end."""
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


if __name__ == "__main__":
    sys.exit(main())
