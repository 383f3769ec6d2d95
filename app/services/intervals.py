"""How sure a difference between two samples is. Pure.

Sources: Newcombe (Statistics in Medicine 17, 1998), method 10, for shares; Zou and Donner
(Statistics in Medicine 27, 2008) for any two estimates with intervals of their own; the order
statistics of a sample for its quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from statistics import NormalDist

from app.services.results import Estimate
from slo.records import dataclass

CONFIDENCE = 0.99
"""How often an interval holds the truth: three are looked at for each deploy."""

_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An estimate with its interval; ``count`` is the size of the sample."""

    value: float
    low: float
    high: float
    count: float


def share(bad: float, total: float) -> Known | None:
    """Return the share of bad events with Wilson's interval; ``None`` without events."""
    if total <= 0:
        return None
    ratio = min(1.0, max(0.0, bad / total))
    square = _Z * _Z
    middle = (ratio + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * sqrt(ratio * (1 - ratio) / total + square / (4 * total**2))
    return Known(
        value=ratio,
        low=min(ratio, max(0.0, middle - half)),
        high=max(ratio, min(1.0, middle + half)),
        count=total,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """A sample by buckets: ``counts[i]`` values from ``bounds[i - 1]`` to below ``bounds[i]``."""

    bounds: Sequence[float]
    counts: Sequence[float]

    @property
    def total(self) -> float:
        """The size of the sample."""
        return sum(self.counts)

    def at(self, rank: float) -> float:
        """Return the value that ``rank`` of the sample, 0 to its size, lies below."""
        below = 0.0
        for place, count in enumerate(self.counts):
            if count and below + count >= rank:
                low = self.bounds[place - 1] if place else 0.0
                high = self.bounds[place] if place < len(self.bounds) else self.bounds[-1]
                return low + (high - low) * max(0.0, rank - below) / count
            below += count
        return self.bounds[-1]


def quantile(sample: Histogram, q: float, size: float, value: float | None) -> Known | None:
    """Return a quantile with the interval of its order statistics.

    ``size`` is how many values were looked at, which may be fewer than they stand for; ``value``
    the quantile where it is known better than from buckets. Where the sample is too small for a
    bound it is as far away as can be: 0, or infinity. ``None`` without values.
    """
    total = sample.total
    if total <= 0 or size <= 0:
        return None
    half = _Z * sqrt(q * (1 - q) / size)
    found = sample.at(q * total) if value is None else value
    low = 0.0 if q * size - _Z * sqrt(q * (1 - q) * size) < 1 else sample.at((q - half) * total)
    too_few = (1 - q) * size - _Z * sqrt(q * (1 - q) * size) < 1
    high = inf if too_few else sample.at((q + half) * total)
    return Known(value=found, low=min(low, found), high=max(high, found), count=size)


def difference(before: Known | None, after: Known | None) -> Estimate:
    """Return after less before with an interval made of both intervals; none without both."""
    if before is None or after is None:
        return Estimate(
            before=None if before is None else before.value,
            after=None if after is None else after.value,
            before_count=0 if before is None else before.count,
            after_count=0 if after is None else after.count,
            low=None,
            high=None,
        )
    middle = after.value - before.value
    low = middle - sqrt((after.value - after.low) ** 2 + (before.high - before.value) ** 2)
    high = middle + sqrt((after.high - after.value) ** 2 + (before.value - before.low) ** 2)
    return Estimate(
        before=before.value,
        after=after.value,
        before_count=before.count,
        after_count=after.count,
        low=None if low == -inf else low,
        high=None if high == inf else high,
    )
