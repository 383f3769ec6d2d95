"""The world: from a seed and a time to OTLP requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

import numpy as np

from app.demo.incidents import Incident, Plan
from app.demo.infrastructure import Infrastructure
from app.demo.logs import Logs
from app.demo.metrics import RequestMetrics
from app.demo.resources import Payload, requests
from app.demo.sampling import drawn
from app.demo.spans import Traces
from app.demo.timeline import MINUTE, Chunk, Span, pods
from app.demo.traffic import Flow, Traffic
from slo.records import dataclass


class Path(StrEnum):
    """Where a request goes on a receiver; the value is the last part of the path."""

    METRICS = "metrics"
    TRACES = "traces"
    LOGS = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One OTLP export request; ``at`` is the Unix time in nanoseconds of its newest record."""

    path: Path
    body: bytes
    records: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """An airline's telemetry of ``days`` days that end at ``now_ns``.

    ``scale`` multiplies the traffic. Equal worlds write equal bytes.
    """

    seed: int
    now_ns: int
    days: int
    scale: float = 1.0

    @property
    def whole(self) -> Span:
        """From when to when it reaches."""
        return Span.before(self.now_ns, self.days)

    @property
    def truth(self) -> tuple[Incident, ...]:
        """What was planted in it."""
        return Plan(whole=self.whole).truth()

    @property
    def steps(self) -> int:
        """How many chunks its history has, all about the same work."""
        return sum(1 for _ in self.whole.chunks())

    def flows(self) -> Iterator[tuple[Chunk, tuple[Flow, ...]]]:
        """Yield what truly happened: the requests of every chunk, the oldest first."""
        for chunk in self.whole.chunks():
            yield chunk, self._flows(chunk)

    def batches(self) -> Iterator[Batch]:
        """Yield its telemetry, the oldest first."""
        for batches in self.chunks():
            yield from batches

    def chunks(self, clock: Callable[[], int] | None = None) -> Iterator[tuple[Batch, ...]]:
        """Yield its telemetry chunk by chunk; there are `steps` of them.

        With a ``clock`` of Unix nanoseconds, what has passed since ``now_ns`` by the time that the
        history was taken follows as one chunk more.
        """
        written = _Written(Plan(whole=self.whole))
        for chunk, flows in self.flows():
            yield tuple(written.chunk(chunk, flows, self._random(chunk, _DETAILS)))
        if clock is not None and (after := self.whole.after(clock())) is not None:
            yield tuple(written.chunk(after, self._flows(after), self._random(after, _DETAILS)))

    def _flows(self, chunk: Chunk) -> tuple[Flow, ...]:
        traffic = Traffic(Plan(whole=self.whole), self.scale)
        here = pods(self.whole, chunk.start)
        return traffic.flows(chunk, here, self._random(chunk, _TRAFFIC))

    def _random(self, chunk: Chunk, part: int) -> np.random.Generator:
        # Each chunk has numbers of its own, so that a longer history does not change its end.
        return np.random.default_rng([self.seed, part, chunk.number])


_TRAFFIC, _DETAILS = 1, 2


class _Written:
    """Turns what happened into telemetry; keeps what counters have counted."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._metrics = RequestMetrics()
        self._around = Infrastructure(plan.whole.start)

    def chunk(
        self, chunk: Chunk, flows: tuple[Flow, ...], random: np.random.Generator
    ) -> Iterator[Batch]:
        here = pods(self._plan.whole, chunk.start)
        slow = self._plan.slow_minutes(chunk)
        traces, logs = Traces(chunk, here, random), Logs(chunk, here, random)
        for found in drawn(chunk, flows, slow, random):
            traces.add(found)
            logs.add(found)
        around = self._around
        payloads: dict[Path, list[Payload]] = {
            Path.METRICS: [
                *self._metrics.write(chunk, flows, slow, random, traces.examples),
                *around.metrics(chunk, flows, here, slow, random),
            ],
            Path.TRACES: [*traces.payloads()],
            Path.LOGS: [*logs.payloads(), *around.logs(chunk, flows, random)],
        }
        for path, parts in payloads.items():
            for body, records in requests(parts):
                yield Batch(path=path, body=body, records=records, at=chunk.end * MINUTE)
