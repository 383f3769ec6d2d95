"""Which requests are told one by one: a consistent sample of all, and every failure.

A trace is kept when the last seven bytes of its id are at least a threshold, which its trace state
carries as ``ot=th:…``; so anybody can tell how many requests it stands for. Source: OpenTelemetry,
"TraceState: Probability Sampling".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.demo.incidents import SLOWNESS
from app.demo.metrics import is_slowed, median_of, sigma_of
from app.demo.timeline import MINUTE, Chunk
from app.demo.traffic import BAD, Counts, Flow
from slo.records import dataclass

_BITS = 56
_RECENT_POWER, _FINE_POWER, _COARSE_POWER = 5, 6, 9
_SECOND = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One of ``2 ** power`` traces is kept."""

    power: int

    @classmethod
    def of(cls, chunk: Chunk) -> Rate:
        """The rate in a chunk: less is kept of what is older."""
        if chunk.recent:
            return cls(power=_RECENT_POWER)
        return cls(power=_FINE_POWER if chunk.fine else _COARSE_POWER)

    @property
    def weight(self) -> int:
        """How many requests a trace stands for."""
        return 1 << self.power

    @property
    def threshold(self) -> int:
        """The least randomness of a trace that is kept."""
        return (1 << _BITS) - (1 << _BITS - self.power)

    @property
    def state(self) -> str:
        """The trace state of all that is kept."""
        return "ot=th:" + f"{self.threshold:014x}".rstrip("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Single requests of a flow: when they ended and how long they took, in nanoseconds.

    ``slow`` are those that waited for the shared database. Of failures all are there, and
    ``sampled`` says which have a trace; of the others only those that have one.
    """

    flow: Flow
    ends: Counts
    durations: Counts
    slow: NDArray[np.bool_]
    traces: Sequence[bytes]
    spans: Sequence[bytes]
    sampled: Sequence[bool]


def drawn(
    chunk: Chunk, flows: Iterable[Flow], slow: range, random: np.random.Generator
) -> Iterator[Requests]:
    """Draw single requests of the flows that come from outside, and that have any."""
    rate = Rate.of(chunk)
    for flow in flows:
        if not flow.called and flow.counts.any():
            found = _requests(chunk, flow, slow, rate, random)
            if len(found.ends):
                yield found


def _requests(
    chunk: Chunk, flow: Flow, slow: range, rate: Rate, random: np.random.Generator
) -> Requests:
    bad = flow.outcome in BAD
    counts = flow.counts if bad else random.binomial(flow.counts, 1 / rate.weight)
    at = np.repeat(np.arange(chunk.intervals), counts)
    size = len(at)
    within = random.random(size) * (chunk.step * MINUTE)
    ends = (chunk.start + at * chunk.step) * MINUTE + within.astype(np.int64)
    waited = (at >= slow.start) & (at < slow.stop) if is_slowed(flow) else np.zeros(size, np.bool_)
    seconds = random.lognormal(
        np.log(median_of(flow.route, flow.outcome)), sigma_of(flow.route, flow.outcome), size
    ) * np.where(waited, SLOWNESS, 1.0)
    randomness = random.integers(0, 1 << _BITS, size, dtype=np.uint64)
    if not bad:
        randomness |= np.uint64(rate.threshold)
    tails = randomness.astype(">u8").tobytes()
    heads, spans = random.bytes(9 * size), random.bytes(8 * size)
    return Requests(
        flow=flow,
        ends=ends,
        durations=(seconds * _SECOND).astype(np.int64),
        slow=waited,
        traces=[heads[9 * i : 9 * i + 9] + tails[8 * i + 1 : 8 * i + 8] for i in range(size)],
        spans=[spans[8 * i : 8 * i + 8] for i in range(size)],
        sampled=(randomness >= np.uint64(rate.threshold)).tolist(),
    )
