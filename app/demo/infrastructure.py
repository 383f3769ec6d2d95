"""What is around the services: probes, queues, hosts, a shared load balancer, untagged things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.demo import wire
from app.demo.airline import (
    APPS,
    BY_NAME,
    CLUSTERS,
    ENVIRONMENT,
    KAFKA,
    LEGACY_HOST,
    LOAD_BALANCER,
    OUTCOMES,
    OWN_HOST,
    PROBED,
    RENDERER,
    SERVICES,
    TOPIC,
)
from app.demo.logs import ERROR, INFO, record
from app.demo.messages import LEGACY, RENDERED, Words
from app.demo.resources import Payload, Resource
from app.demo.timeline import MINUTE, Chunk, Pod
from app.demo.traffic import BAD, Counts, Flow

Values = NDArray[np.float64]

_PROBE_FAILS = 0.005
_SELDOM = 30
"""Every so many minutes pods and hosts tell how busy they are."""

_BALANCED = {True: 256, False: 8192}
"""Of so many requests the load balancer logs one."""

_QUIET_LINES_PER_HOUR = {True: 20.0, False: 1.0}
_CUMULATIVE = 2


class Infrastructure:
    """Writes what is not a service's own; remembers what the load balancer has counted."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._balanced: dict[tuple[str, str], int] = defaultdict(int)

    def metrics(
        self,
        chunk: Chunk,
        flows: Sequence[Flow],
        pods: Sequence[Pod],
        slow: range,
        random: np.random.Generator,
    ) -> Iterator[Payload]:
        """Yield gauges and counters."""
        every = _exports(chunk)
        for cluster in CLUSTERS:
            up = (random.random(len(every)) >= _PROBE_FAILS).astype(np.float64)
            sender = Resource.named(probe_attributes(cluster), "blackbox")
            yield gauges(sender, "probe.success", "", [({"target": PROBED}, every, up)])
        for pod in pods:
            yield from self._of_pod(chunk, pod, random)
        yield self._hosts(chunk, random)
        yield self._database(chunk, slow, random)
        yield self._queue(every, random)
        yield self._balancer(chunk, flows)

    def _of_pod(self, chunk: Chunk, pod: Pod, random: np.random.Generator) -> Iterator[Payload]:
        at = _seldom(chunk)
        memory = 2e8 + random.normal(0, 4e6, len(at)).cumsum() % 6e7
        sender = Resource.of(pod)
        yield gauges(sender, MEMORY, "By", [({}, at, np.round(memory))])
        if pod.service.idle_counter is not None:
            every = _exports(chunk)
            none = np.zeros(len(every), np.int64)
            idle = [({"outcome": outcome}, every, none) for outcome in OUTCOMES]
            yield counters(sender, pod.service.idle_counter, pod.since, idle)
        if pod.service.consumes is not None:
            every = _exports(chunk)
            lag = random.poisson(14, len(every)).astype(np.float64)
            yield gauges(
                sender,
                "kafka.consumer.records_lag_max",
                "{record}",
                [({"messaging.destination.name": TOPIC}, every, lag)],
            )

    @staticmethod
    def _hosts(chunk: Chunk, random: np.random.Generator) -> Payload:
        at = _seldom(chunk)
        busy = np.clip(random.normal(USUAL_CPU, 0.06, len(at)), 0.02, 0.98)
        return gauges(_host(OWN_HOST), CPU, "1", [({}, at, busy)])

    @staticmethod
    def _database(chunk: Chunk, slow: range, random: np.random.Generator) -> Payload:
        """How busy the shared database server is, by the schema that keeps it busy."""
        at = _exports(chunk)
        crowded = np.zeros(chunk.intervals)
        crowded[slow.start : slow.stop] = 60
        series = []
        for schema, usual in USUAL_BACKENDS.items():
            backends = random.poisson(usual, len(at)) + crowded[chunk.stride - 1 :: chunk.stride]
            series.append((backend_attributes(schema), at, backends))
        return gauges(_DATABASE, BACKENDS, "1", series)

    @staticmethod
    def _queue(at: Counts, random: np.random.Generator) -> Payload:
        lag = random.poisson(USUAL_LAG, len(at)).astype(np.float64)
        return gauges(_KAFKA, LAG, "{message}", [(LAG_OF, at, lag)])

    def _balancer(self, chunk: Chunk, flows: Sequence[Flow]) -> Payload:
        times = _exports(chunk)
        points: list[tuple[dict[str, str], Counts, Counts]] = []
        for (app, code), counts in _balanced(flows, chunk).items():
            grown = self._balanced[app, code] + np.cumsum(counts)[chunk.stride - 1 :: chunk.stride]
            self._balanced[app, code] = int(grown[-1])
            points.append((response_attributes(app, code), times, grown))
        return counters(_BALANCER, RESPONSES, self._since, points)

    def logs(
        self, chunk: Chunk, flows: Sequence[Flow], random: np.random.Generator
    ) -> Iterator[Payload]:
        """Yield the load balancer's log, and what nobody or more than one app can claim."""
        lines = []
        for (app, code), counts in _balanced(flows, chunk).items():
            drawn = random.binomial(counts, 1 / _BALANCED[chunk.fine])
            at = np.repeat(np.arange(chunk.intervals), drawn)
            within = random.integers(0, chunk.step * MINUTE, len(at))
            said = wire.attributes(6, {"haproxy.backend": app, "haproxy.frontend": "https"})
            words = Words(random, len(at))
            status = "500" if code == "5xx" else "200" if code == "2xx" else "404"
            for i, time in enumerate(((chunk.start + at * chunk.step) * MINUTE + within).tolist()):
                body = f"198.51.100.{words.pick(i, 250)}:{words.number(i)} https~ {app} {status}"
                lines.append(record(time, ERROR if code == "5xx" else INFO, body, attributes=said))
        if lines:
            yield Payload(resource=_BALANCER, content=b"".join(lines), records=len(lines))
        yield from _quiet(_host(LEGACY_HOST), LEGACY, chunk, random)
        yield from _quiet(_RENDERER, (RENDERED,), chunk, random)


def _balanced(flows: Sequence[Flow], chunk: Chunk) -> dict[tuple[str, str], Counts]:
    """The requests from outside by app and class of status; every app is there."""
    found = {(app, code): np.zeros(chunk.intervals, np.int64) for app in APPS for code in CODES}
    for flow in flows:
        if not flow.called:
            code = "5xx" if flow.outcome in BAD else f"{flow.status // 100}xx"
            found[flow.pod.service.app, code] += flow.counts
    return found


def gauges(
    sender: Resource,
    name: str,
    unit: str,
    series: Sequence[tuple[dict[str, str], Counts, Values]],
) -> Payload:
    """Write a gauge with one run of values for each set of attributes."""
    points = []
    for said, times, values in series:
        parts = (wire.attributes(7, said), wire.column64(3, times), wire.column64(4, values))
        points.append(wire.framed(1, wire.rows(parts, len(times))).tobytes())
    written = wire.text(1, name) + wire.text(3, unit) if unit else wire.text(1, name)
    metric = written + wire.message(5, b"".join(points))
    return Payload(
        resource=sender,
        content=wire.message(2, metric),
        records=sum(len(times) for _, times, _ in series),
    )


def _exports(chunk: Chunk) -> Counts:
    """When metrics are exported, in Unix nanoseconds."""
    return _every(chunk, chunk.step * chunk.stride)


def _seldom(chunk: Chunk) -> Counts:
    """When that is exported which changes slowly."""
    return _every(chunk, 5 if chunk.recent else _SELDOM)


def _every(chunk: Chunk, minutes: int) -> Counts:
    return np.arange(chunk.start + minutes, chunk.end + 1, minutes, dtype=np.int64) * MINUTE


def _quiet(
    sender: Resource, lines: Sequence[str], chunk: Chunk, random: np.random.Generator
) -> Iterator[Payload]:
    minutes = chunk.end - chunk.start
    count = int(random.poisson(_QUIET_LINES_PER_HOUR[chunk.fine] * minutes / 60))
    times = np.sort(chunk.start * MINUTE + random.integers(0, minutes * MINUTE, count)).tolist()
    words = Words(random, count)
    written = [
        record(time, INFO, words.fill(lines[words.pick(i, len(lines))], i))
        for i, time in enumerate(times)
    ]
    if written:
        yield Payload(resource=sender, content=b"".join(written), records=count)


def counters(
    sender: Resource,
    name: str,
    since: int,
    series: Sequence[tuple[dict[str, str], Counts, Counts]],
) -> Payload:
    """Write a cumulative counter that began at a minute, as ``gauges`` does."""
    points = []
    for said, times, values in series:
        fixed = wire.attributes(7, said) + wire.fixed64(2, since * MINUTE)
        parts = (fixed, wire.column64(3, times), wire.column64(6, values))
        points.append(wire.framed(1, wire.rows(parts, len(times))).tobytes())
    counter = b"".join(points) + wire.number(2, _CUMULATIVE) + wire.number(3, 1)
    return Payload(
        resource=sender,
        content=wire.message(2, wire.text(1, name) + wire.message(7, counter)),
        records=sum(len(times) for _, times, _ in series),
    )


def probe_attributes(cluster: str) -> dict[str, str]:
    """What the probe of check-in says of itself."""
    service = BY_NAME["check-in-api"]
    return {
        "service.namespace": service.app,
        "service.name": "blackbox-exporter",
        "service.instance.id": f"blackbox-{cluster}",
        "deployment.environment.name": ENVIRONMENT,
        "org.team": service.team,
        "k8s.cluster.name": cluster,
        "k8s.namespace.name": service.app,
    }


def host_attributes(name: str) -> dict[str, str]:
    """What a host says of itself."""
    return {"host.name": name, "os.type": "linux"}


BALANCER = {"service.name": "haproxy", "server.address": LOAD_BALANCER, "host.name": "lb-1"}
DATABASE = {
    "service.name": "postgresql",
    "db.system.name": "postgresql",
    "server.address": next(
        service.database.address
        for service in SERVICES
        if service.database and service.database.shared
    ),
    "server.port": "5432",
}
BROKER = {"messaging.system": "kafka", "server.address": KAFKA, "server.port": "9092"}
"""What the shared things say of themselves."""

RESPONSES, BACKENDS, LAG, CPU, MEMORY = (
    "haproxy.backend.responses",
    "postgresql.backends",
    "kafka.consumer_group.lag",
    "system.cpu.utilization",
    "process.memory.usage",
)
"""The metrics of the load balancer, the database, the queue, hosts and pods."""

CODES = ("2xx", "4xx", "5xx")
USUAL_BACKENDS = {"ticketing": 11, "cargo": 7}
USUAL_LAG, USUAL_CPU = 20, 0.31


def backend_attributes(schema: str) -> dict[str, str]:
    """What tells the sessions of a schema from others of its database."""
    return {"postgresql.schema.name": schema, "postgresql.database.name": "airline"}


def response_attributes(app: str, code: str) -> dict[str, str]:
    """What tells the responses of a backend from others of the load balancer."""
    return {"haproxy.backend": app, "code": code}


LAG_OF = {"topic": TOPIC, "group": "loyalty"}
"""Whose lag the queue tells."""


def _host(name: str) -> Resource:
    return Resource.named(host_attributes(name), "hostmetrics")


_BALANCER = Resource.named(BALANCER, "haproxy")
_DATABASE = Resource.named(DATABASE, "postgresqlreceiver")
_KAFKA = Resource.named(BROKER, "kafkametricsreceiver")
_RENDERER = Resource.named(
    {"service.name": RENDERER, "deployment.environment.name": ENVIRONMENT}, "airline.renderer"
)
