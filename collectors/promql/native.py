"""Native (exponential) histograms as values: sums, differences, resets.

Formulae: ``FloatHistogram`` of Prometheus 3, ``model/histogram/float_histogram.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slo.records import dataclass

Buckets = Mapping[int, float]
"""Counts by index; bucket ``i`` ends at ``2 ** (i * 2 ** -schema)`` and does so inclusively."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeHistogram:
    """A native histogram with counts as floats.

    Indices are those of Prometheus: an OpenTelemetry bucket with the index ``i`` is ``i + 1``
    here. ``negative`` mirrors ``positive`` below zero.
    """

    schema: int
    zero_threshold: float
    zero_count: float
    count: float
    sum: float
    positive: Buckets
    negative: Buckets

    def scaled(self, factor: float) -> NativeHistogram:
        """Return this histogram with everything multiplied."""
        return NativeHistogram(
            schema=self.schema,
            zero_threshold=self.zero_threshold,
            zero_count=self.zero_count * factor,
            count=self.count * factor,
            sum=self.sum * factor,
            positive={index: count * factor for index, count in self.positive.items()},
            negative={index: count * factor for index, count in self.negative.items()},
        )

    def at_schema(self, schema: int) -> NativeHistogram:
        """Return this histogram in another schema, which must not be a finer one."""
        if schema == self.schema:
            return self
        shift = self.schema - schema
        return self._with(
            schema=schema,
            positive=_coarser(self.positive, shift),
            negative=_coarser(self.negative, shift),
        )

    def with_zero(self, threshold: float) -> NativeHistogram:
        """Return this histogram with at least so wide a zero bucket.

        It ends up wider still when the threshold lies inside a bucket that is not empty.
        """
        # Nearly always: layouts differ between kinds of clients only.
        wide = self.zero_threshold if threshold == self.zero_threshold else self._reach(threshold)
        if wide == self.zero_threshold:
            return self
        inside = 0.0
        kept: list[dict[int, float]] = []
        for buckets in (self.positive, self.negative):
            kept.append({i: n for i, n in buckets.items() if bound(i, self.schema) > wide})
            inside += sum(n for i, n in buckets.items() if bound(i, self.schema) <= wide)
        return NativeHistogram(
            schema=self.schema,
            zero_threshold=wide,
            zero_count=self.zero_count + inside,
            count=self.count,
            sum=self.sum,
            positive=kept[0],
            negative=kept[1],
        )

    def stretches(self) -> Iterator[tuple[float, float, float, bool]]:
        """Yield lower and upper bound, count, and whether it is the zero bucket, from below."""
        for index in sorted(self.negative, reverse=True):
            yield (
                -bound(index, self.schema),
                -bound(index - 1, self.schema),
                self.negative[index],
                False,
            )
        if self.zero_count:
            # All on one side: the other half of the zero bucket cannot have seen anything.
            low = 0.0 if self.positive and not self.negative else -self.zero_threshold
            high = 0.0 if self.negative and not self.positive else self.zero_threshold
            yield low, high, self.zero_count, True
        for index in sorted(self.positive):
            yield (
                bound(index - 1, self.schema),
                bound(index, self.schema),
                self.positive[index],
                False,
            )

    def is_reset_after(self, before: NativeHistogram) -> bool:
        """Tell whether the counter was reset since an earlier histogram of the series."""
        if self.count < before.count or self.schema > before.schema:
            return True
        if self.zero_threshold < before.zero_threshold:
            return True
        widened = before.with_zero(self.zero_threshold)
        if widened.zero_threshold != self.zero_threshold or self.zero_count < widened.zero_count:
            return True
        widened = widened.at_schema(self.schema)
        return any(
            mine.get(index, 0.0) < count
            for mine, theirs in (
                (self.positive, widened.positive),
                (self.negative, widened.negative),
            )
            for index, count in theirs.items()
        )

    def _reach(self, threshold: float) -> float:
        """The least zero threshold from the given one up that cuts through no filled bucket."""
        wide = max(threshold, self.zero_threshold)
        while True:
            cut = [
                bound(index, self.schema)
                for buckets in (self.positive, self.negative)
                for index, count in buckets.items()
                if count and bound(index - 1, self.schema) < wide < bound(index, self.schema)
            ]
            if not cut:
                return wide
            wide = max(cut)

    def _with(
        self, *, schema: int, positive: dict[int, float], negative: dict[int, float]
    ) -> NativeHistogram:
        return NativeHistogram(
            schema=schema,
            zero_threshold=self.zero_threshold,
            zero_count=self.zero_count,
            count=self.count,
            sum=self.sum,
            positive=positive,
            negative=negative,
        )


def bound(index: int, schema: int) -> float:
    """Return the upper bound of a bucket; beyond what a float holds it is infinite."""
    try:
        return float(2.0 ** (index * 2.0**-schema))
    except OverflowError:
        return float("inf")


def add(left: NativeHistogram, right: NativeHistogram, sign: float = 1.0) -> NativeHistogram:
    """Add two histograms, or subtract with a sign of -1, at the coarser layout of the two."""
    while left.zero_threshold != right.zero_threshold:
        left, right = left.with_zero(right.zero_threshold), right.with_zero(left.zero_threshold)
    schema = min(left.schema, right.schema)
    left, right = left.at_schema(schema), right.at_schema(schema)
    return NativeHistogram(
        schema=schema,
        zero_threshold=left.zero_threshold,
        zero_count=left.zero_count + sign * right.zero_count,
        count=left.count + sign * right.count,
        sum=left.sum + sign * right.sum,
        positive=_merged(left.positive, right.positive, sign),
        negative=_merged(left.negative, right.negative, sign),
    )


def growth(points: Sequence[NativeHistogram], resets: Sequence[bool] | None) -> NativeHistogram:
    """Return what a series of at least two histograms grew by.

    For a counter ``resets`` tells before which points it was reset, the first one aside.
    """
    schema = min(points[0].schema, points[-1].schema)
    if resets is not None:
        schema = min(point.schema for point in points)
    grown = add(points[-1].at_schema(schema), points[0], -1.0)
    for before, reset in zip(points, resets or (), strict=False):
        if reset:
            grown = add(grown, before)
    return grown


def resets(points: Sequence[NativeHistogram | None]) -> list[bool]:
    """Tell for each point but the first whether a counter was reset before it."""
    return [
        before is not None and after is not None and after.is_reset_after(before)
        for before, after in pairwise(points)
    ]


def scaled_by(
    held: NDArray[Any], where: NDArray[np.bool_], factors: NDArray[np.float64]
) -> NDArray[Any]:
    """Multiply the histograms of a matrix by one factor per step."""
    answer = np.full(held.shape, None, dtype=object)
    for row, step in zip(*np.nonzero(where), strict=True):
        answer[row, step] = held[row, step].scaled(float(factors[step]))
    return answer


def _coarser(buckets: Buckets, shift: int) -> dict[int, float]:
    found: dict[int, float] = {}
    for index, count in buckets.items():
        target = ((index - 1) >> shift) + 1
        found[target] = found.get(target, 0.0) + count
    return found


def _merged(left: Buckets, right: Buckets, sign: float) -> dict[int, float]:
    found = dict(left)
    for index, count in right.items():
        found[index] = found.get(index, 0.0) + sign * count
    return {index: count for index, count in found.items() if count}
