"""Request histograms as OTLP: cumulative, one series per route and status of every pod."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.demo import wire
from app.demo.airline import BOUNDS, Route
from app.demo.incidents import SLOWNESS
from app.demo.operations import request_attributes
from app.demo.resources import Payload, Resource
from app.demo.timeline import MINUTE, Chunk, Pod
from app.demo.traffic import Counts, Flow, Key, Outcome
from slo.records import dataclass

NAME = "http.server.request.duration"
_CUMULATIVE = 2
_BUCKETS = len(BOUNDS) + 1
_LONGEST = 12.0

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A traced request that a histogram's point may show: Unix nanoseconds and seconds."""

    end: int
    seconds: float
    trace_id: bytes
    span_id: bytes


def median_of(route: Route, outcome: Outcome) -> float:
    """The median of the durations with which requests of a route end that way, in seconds."""
    match outcome:
        case Outcome.TIMEOUT:
            return 5.3  # the database cancels statements after five seconds
        case Outcome.DEFECT | Outcome.REFUSED:
            return route.median * 0.4
    return route.median


def sigma_of(route: Route, outcome: Outcome) -> float:
    """The spread of those durations."""
    return 0.02 if outcome is Outcome.TIMEOUT else route.sigma


def is_slowed(flow: Flow) -> bool:
    """Whether requests wait for the shared database while it is slow."""
    database = flow.pod.service.database
    waits = flow.outcome in {Outcome.OK, Outcome.REFUSED, Outcome.FAILURE} and not flow.called
    return waits and flow.route.query is not None and database is not None and database.shared


def _cumulative(bound: float, median: float, sigma: float) -> float:
    return 0.5 * math.erfc(-math.log(bound / median) / (sigma * math.sqrt(2)))


def bucket_shares(median: float, sigma: float) -> Shares:
    """The share of log-normal durations in each bucket."""
    below = [_cumulative(bound, median, sigma) for bound in BOUNDS]
    return np.diff([0.0, *below, 1.0])


class RequestMetrics:
    """Counts requests into histograms and writes them; remembers what was counted so far."""

    def __init__(self) -> None:
        self._counted: dict[Key, Counts] = {}

    def write(
        self,
        chunk: Chunk,
        flows: Iterable[Flow],
        slow: range,
        random: np.random.Generator,
        examples: Mapping[Key, Example],
    ) -> Iterator[Payload]:
        """Yield what each pod exports in a chunk."""
        points: defaultdict[str, list[bytes]] = defaultdict(list)
        counts: defaultdict[str, int] = defaultdict(int)
        counted, pods = {}, {}
        histograms = self._histograms(chunk, flows, slow, random)
        for key, (pod, route, buckets) in histograms.items():
            instance, _, status = key
            pods[instance] = pod
            before = self._counted.get(key)
            grown = _grown(before, buckets, chunk.stride)
            counted[key] = grown[-1]
            every = chunk.step * chunk.stride
            first = chunk.start if before is None else chunk.start + every
            times = np.arange(first, chunk.end + 1, every, dtype=np.int64) * MINUTE
            fixed = _fixed(pod, route, status)
            points[instance] += _points(fixed, times, grown, examples.get(key))
            counts[instance] += len(times)
        self._counted = counted  # pods that are gone take their counters with them
        for instance, written in points.items():
            histogram = b"".join(written) + wire.number(2, _CUMULATIVE)
            metric = wire.text(1, NAME) + wire.text(3, "s") + wire.message(9, histogram)
            yield Payload(
                resource=Resource.of(pods[instance]),
                content=wire.message(2, metric),
                records=counts[instance],
            )

    @staticmethod
    def _histograms(
        chunk: Chunk, flows: Iterable[Flow], slow: range, random: np.random.Generator
    ) -> dict[Key, tuple[Pod, Route, Counts]]:
        found: dict[Key, tuple[Pod, Route, Counts]] = {}
        for flow in flows:
            if flow.key not in found:
                empty = np.zeros((chunk.intervals, _BUCKETS), np.int64)
                found[flow.key] = (flow.pod, flow.route, empty)
            if flow.counts.any():
                median = median_of(flow.route, flow.outcome)
                sigma = sigma_of(flow.route, flow.outcome)
                shares = np.tile(bucket_shares(median, sigma), (chunk.intervals, 1))
                if slow and is_slowed(flow):
                    shares[slow.start : slow.stop] = bucket_shares(median * SLOWNESS, sigma)
                buckets = found[flow.key][2]
                buckets += random.multinomial(flow.counts, shares)
        return found


def _grown(before: Counts | None, buckets: Counts, stride: int) -> Counts:
    """The cumulative buckets at each export; a new series begins with its zeros."""
    exported = np.cumsum(buckets, axis=0)[stride - 1 :: stride]
    if before is None:
        return np.concatenate((np.zeros((1, _BUCKETS), np.int64), exported))
    grown: Counts = before + exported
    return grown


# What a request counts in the sum: about the middle of its bucket.
_MIDDLES = np.array(
    [math.sqrt(low * high) for low, high in zip((0.01, *BOUNDS), (*BOUNDS, _LONGEST), strict=True)]
)


def _fixed(pod: Pod, route: Route, status: int) -> bytes:
    said = request_attributes(route, status)
    return wire.attributes(9, said) + wire.doubles(7, BOUNDS) + wire.fixed64(2, pod.since * MINUTE)


def _points(fixed: bytes, times: Counts, grown: Counts, example: Example | None) -> Sequence[bytes]:
    content = wire.rows(
        (
            fixed,
            wire.column64(3, times),
            wire.column64(4, grown.sum(axis=1)),
            wire.column64(5, grown @ _MIDDLES),
            wire.packed64(6, grown),
        ),
        len(times),
    )
    if example is None:
        return (wire.framed(1, content).tobytes(),)
    at = int(np.searchsorted(times, example.end))
    if at >= len(times):
        return (wire.framed(1, content).tobytes(),)
    shown = content[at].tobytes() + wire.message(8, _exemplar(example))
    return (
        wire.framed(1, content[:at]).tobytes(),
        wire.message(1, shown),
        wire.framed(1, content[at + 1 :]).tobytes(),
    )


def _exemplar(example: Example) -> bytes:
    return (
        wire.fixed64(2, example.end)
        + wire.double(3, example.seconds)
        + wire.message(4, example.span_id)
        + wire.message(5, example.trace_id)
    )
