"""How many requests every pod answers in every interval of a chunk, and how they end.

This is the truth that metrics, spans and logs are all written from. Arrivals are Poisson; day and
night and the days of the week shape their rate, in each cluster by the clocks of its customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.demo.airline import CLUSTERS, SERVICES, Route
from app.demo.incidents import TIMEOUT_SHARE, Plan
from app.demo.timeline import Chunk, Pod
from slo.records import dataclass

Counts = NDArray[np.int64]

Key = tuple[str, str, int]
"""What tells request series apart: a pod's instance, a route's name and a status."""

_PEAK_HOUR = 15
_SWING = 0.55
_WEEKDAYS = np.array([1.08, 1.0, 1.0, 1.04, 1.2, 0.88, 0.8])  # Thursday first, as 1970 began


class Outcome(StrEnum):
    """How a request ends; the last three are 500s."""

    OK = "ok"
    REFUSED = "refused"
    FAILURE = "failure"
    DEFECT = "defect"
    TIMEOUT = "timeout"


BAD = frozenset({Outcome.FAILURE, Outcome.DEFECT, Outcome.TIMEOUT})


def status_of(route: Route, outcome: Outcome) -> int:
    """The HTTP status of the answers to requests that end that way."""
    if outcome in BAD:
        return 500
    return route.status if outcome is Outcome.OK else route.refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The requests of one kind that one pod answers, per interval.

    ``called`` says that other services of the airline ask them, whose traces they are part of.
    """

    pod: Pod
    route: Route
    outcome: Outcome
    counts: Counts
    called: bool = False

    @property
    def key(self) -> Key:
        """The series that counts it."""
        return self.pod.instance, self.route.name, self.status

    @property
    def status(self) -> int:
        """The HTTP status of the answers."""
        return status_of(self.route, self.outcome)


def profile(cluster: str, minutes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The traffic of a cluster against its average, at minutes since 1970."""
    local = minutes / 60 + CLUSTERS[cluster]
    day = 1 + _SWING * np.cos(2 * np.pi * (local - _PEAK_HOUR) / 24)
    shaped: NDArray[np.float64] = day * _WEEKDAYS[(local // 24).astype(int) % 7]
    return shaped


class Traffic:
    """Draws the traffic of chunks; ``scale`` multiplies all rates."""

    def __init__(self, plan: Plan, scale: float) -> None:
        self._plan = plan
        self._scale = scale

    def flows(
        self, chunk: Chunk, pods: Sequence[Pod], random: np.random.Generator
    ) -> tuple[Flow, ...]:
        """Every flow of a chunk, those without any request included."""
        middles = np.arange(chunk.intervals, dtype=np.float64) + 0.5
        middles = chunk.start + chunk.step * middles
        slow = np.zeros(chunk.intervals)
        slow[list(self._plan.slow_minutes(chunk))] = TIMEOUT_SHARE
        found: list[Flow] = []
        for cluster in CLUSTERS:
            shape = profile(cluster, middles) * (chunk.step * 60 * self._scale / len(CLUSTERS))
            here = [each for each in pods if each.cluster == cluster]
            drawing = _Drawing(self._plan, slow, random)
            for service in SERVICES:
                own = [each for each in here if each.service is service]
                for route in service.routes:
                    found += drawing.route(route, own, route.rate * shape)
        return tuple(found)


class _Drawing:
    """The traffic of one cluster; callers are drawn before those they call."""

    def __init__(self, plan: Plan, slow: NDArray[np.float64], random: np.random.Generator) -> None:
        self._plan = plan
        self._slow = slow
        self._random = random
        self._asked: defaultdict[tuple[str, str], list[Counts]] = defaultdict(list)

    def route(
        self, route: Route, pods: Sequence[Pod], expected: NDArray[np.float64]
    ) -> Iterator[Flow]:
        """Draw one route on all pods of its service, from outside and from other services."""
        outside = self._split(self._random.poisson(expected), len(pods))
        service = pods[0].service
        asked = self._asked[service.name, route.name]
        called = self._split(sum(asked, np.zeros_like(outside[0])), len(pods))
        for pod, from_outside, from_inside in zip(pods, outside, called, strict=True):
            yield from self._outcomes(pod, route, from_outside)
            if (service.name, route.name) in TARGETS:
                yield Flow(
                    pod=pod, route=route, outcome=Outcome.OK, counts=from_inside, called=True
                )

    def _outcomes(self, pod: Pod, route: Route, counts: Counts) -> Iterator[Flow]:
        left = counts
        for outcome, share in self._shares(pod, route):
            drawn = self._random.binomial(left, share)
            left = left - drawn
            yield Flow(pod=pod, route=route, outcome=outcome, counts=drawn)
        yield Flow(pod=pod, route=route, outcome=Outcome.OK, counts=left)
        if route.calls is not None:
            self._asked[route.calls.service, route.calls.route].append(left)

    def _shares(
        self, pod: Pod, route: Route
    ) -> Iterator[tuple[Outcome, float | NDArray[np.float64]]]:
        """How many of the requests that are left end otherwise than well, in order."""
        database = pod.service.database
        if defect := self._plan.defect(pod, route.name):
            yield Outcome.DEFECT, defect
        if route.query and database and database.shared and self._slow.any():
            yield Outcome.TIMEOUT, self._slow
        if route.refused:
            yield Outcome.REFUSED, route.refused
        yield Outcome.FAILURE, route.failing

    def _split(self, counts: Counts, parts: int) -> list[Counts]:
        """Share requests among pods at random."""
        found = []
        for others in range(parts - 1, 0, -1):
            drawn = self._random.binomial(counts, 1 / (others + 1))
            found.append(drawn)
            counts = counts - drawn
        return [*found, counts]


TARGETS = frozenset(
    (route.calls.service, route.calls.route)
    for service in SERVICES
    for route in service.routes
    if route.calls is not None
)
"""The routes that services of the airline ask of each other."""
