"""What the services log: requests that are traced, everything that fails, and housekeeping."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from app.demo import wire
from app.demo.airline import Route, Service
from app.demo.messages import (
    DEFECT_LINES,
    HOUSEKEEPING,
    LINE_OF_DEFECT,
    TIMEOUT_LINE,
    Words,
)
from app.demo.operations import request_attributes
from app.demo.resources import Payload, Resource
from app.demo.sampling import Requests
from app.demo.timeline import MINUTE, Chunk, Pod
from app.demo.traffic import BAD, Outcome

INFO, WARN, ERROR = 9, 13, 17
LEVELS = {INFO: "INFO", WARN: "WARN", ERROR: "ERROR"}
_SLOW_QUERY = 1_500_000_000
BATCH_MINUTES = 5
"""Ticketing issues electronic tickets so often."""

_BATCH_FAILS = 0.003
_FALLBACKS_PER_HOUR = 2.0
HOUSEKEEPING_PER_HOUR = 6.0
_HOUSEKEEPING = {True: HOUSEKEEPING_PER_HOUR, False: 1.0}


def record(
    time: int,
    severity: int,
    body: str,
    *,
    attributes: bytes = b"",
    trace: bytes = b"",
    span: bytes = b"",
    sampled: bool = False,
) -> bytes:
    """Write a log record as a field of its scope; ``attributes`` are encoded already."""
    context = b""
    if trace:
        context = _FLAGS[sampled] + b"\x4a\x10" + trace + b"\x52\x08" + span
    times = _TIMES.pack(_TIME, time, _OBSERVED, time)
    said = wire.message(5, wire.text(1, body))
    content = times + _SEVERITIES[severity] + said + attributes + context
    return wire.message(2, content)


_TIMES = struct.Struct("<BQBQ")
_TIME, _OBSERVED = 0x09, 0x59  # the tags of fixed64 fields 1 and 11
_FLAGS = {kept: wire.fixed32(8, int(kept)) for kept in (False, True)}
_SEVERITIES = {
    severity: wire.number(2, severity) + wire.text(3, name) for severity, name in LEVELS.items()
}


class Logs:
    """Writes the logs of one chunk."""

    def __init__(self, chunk: Chunk, pods: Sequence[Pod], random: np.random.Generator) -> None:
        self._chunk = chunk
        self._random = random
        self._pods = pods
        self._lines: dict[str, list[bytes]] = defaultdict(list)

    def payloads(self) -> Iterator[Payload]:
        """Yield what each pod logs; add the requests before."""
        self._housekeeping()
        for pod in self._pods:
            lines = self._lines[pod.instance]
            if lines:
                yield Payload(
                    resource=Resource.of(pod), content=b"".join(lines), records=len(lines)
                )

    def add(self, found: Requests) -> None:
        """Write a line for each request, and one more where its query was slow."""
        flow = found.flow
        severity = ERROR if flow.outcome in BAD else INFO
        line = request_line(flow.pod.service, flow.route, flow.outcome, flow.status)
        attributes = _request_attributes(flow.route, flow.status, flow.outcome)
        words = Words(self._random, len(found.ends))
        lines = self._lines[flow.pod.instance]
        ends, durations, slow = found.ends.tolist(), found.durations.tolist(), found.slow.tolist()
        for i, end in enumerate(ends):
            context = {"trace": found.traces[i], "span": found.spans[i]}
            lines.append(
                record(
                    end,
                    severity,
                    line(words, i, durations[i] // 1_000_000),
                    attributes=attributes,
                    sampled=found.sampled[i],
                    **context,
                )
            )
            if slow[i] and severity == INFO and durations[i] > _SLOW_QUERY:
                body = f"slow query took {durations[i] // 1_000_000} ms: {flow.route.query}"
                lines.append(record(end - 1_000_000, WARN, body, sampled=True, **context))

    def _housekeeping(self) -> None:
        for pod in self._pods:
            lines = self._lines[pod.instance]
            if pod.since == self._chunk.start:
                at = pod.since * MINUTE + 1_000_000_000
                lines.append(record(at, INFO, f"starting {pod.service.name} {pod.version}"))
            rate = _HOUSEKEEPING[self._chunk.fine]
            moments = self._moments(rate)
            words = Words(self._random, len(moments))
            for i, time in enumerate(moments):
                severity, said = HOUSEKEEPING[words.pick(i, len(HOUSEKEEPING))]
                lines.append(record(time, severity, words.fill(said, i)))
            if pod.service.name == "ticketing-api":
                self._ticketing(pod, lines)

    def _ticketing(self, pod: Pod, lines: list[bytes]) -> None:
        if pod.version == "2.15.0":
            moments = self._moments(_FALLBACKS_PER_HOUR)
            words = Words(self._random, len(moments))
            for i, time in enumerate(moments):
                lines.append(record(time, WARN, words.fill(LINE_OF_DEFECT, i)))
        if pod.name == self._first(pod):
            minutes = range(self._chunk.start, self._chunk.end, BATCH_MINUTES)
            lines += map(self._batch, minutes)

    def _first(self, pod: Pod) -> str:
        """The pod of a service and cluster that runs its scheduled work."""
        same = (pod.service.name, pod.cluster)
        return next(each.name for each in self._pods if (each.service.name, each.cluster) == same)

    def _batch(self, minute: int) -> bytes:
        severity, body, said = ticket_batch(self._random)
        time = minute * MINUTE + 7_000_000_000
        return record(time, severity, body, attributes=wire.attributes(6, said))

    def _moments(self, per_hour: float) -> list[int]:
        """Random times in the chunk, in order."""
        minutes = self._chunk.end - self._chunk.start
        count = int(self._random.poisson(per_hour * minutes / 60))
        times = self._chunk.start * MINUTE + self._random.integers(0, minutes * MINUTE, count)
        found: list[int] = np.sort(times).tolist()
        return found


def ticket_batch(random: np.random.Generator) -> tuple[int, str, dict[str, str | int]]:
    """What ticketing logs of a batch of electronic tickets: severity, text and attributes."""
    failed = bool(random.random() < _BATCH_FAILS)
    size, took = (int(n) for n in random.integers((20, 90), (300, 2_400)))
    said: dict[str, str | int] = {
        "event.action": "eticket-batch",
        "event.outcome": "failure" if failed else "success",
        "batch.size": size,
    }
    if failed:
        return ERROR, f"e-ticket batch of {size} was rejected", said
    return INFO, f"e-ticket batch of {size} issued in {took} ms", said


Line = Callable[[Words, int, int], str]


def request_line(service: Service, route: Route, outcome: Outcome, status: int) -> Line:
    """How a service logs a request that ends in a certain way; the last number is milliseconds."""
    if outcome is Outcome.DEFECT:
        return lambda words, i, _: words.fill(DEFECT_LINES[words.pick(i, len(DEFECT_LINES))], i)
    if outcome is Outcome.TIMEOUT:
        return lambda words, i, _: words.fill(TIMEOUT_LINE.replace("{query}", str(route.query)), i)
    if outcome is Outcome.FAILURE:
        lines = service.failures
        return lambda words, i, _: words.fill(lines[words.pick(i, len(lines))], i)
    before, _, after = route.path.partition("{")
    after = after.partition("}")[2]
    if before == route.path:
        return lambda _words, _i, ms: f"{route.method} {route.path} {status} {ms}ms"
    return lambda words, i, ms: f"{route.method} {before}{words.number(i)}{after} {status} {ms}ms"


def _request_attributes(route: Route, status: int, outcome: Outcome) -> bytes:
    said = request_attributes(route, status)
    if outcome in BAD:
        said["exception.type"] = _EXCEPTIONS[outcome]
    return wire.attributes(6, said)


_EXCEPTIONS: Mapping[Outcome, str] = {
    Outcome.DEFECT: "KeyError",
    Outcome.TIMEOUT: "QueryCanceled",
    Outcome.FAILURE: "UpstreamError",
}
