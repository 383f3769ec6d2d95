"""Quantiles and fractions of histograms: classic ones in buckets by series, and native ones.

Formulae: Prometheus 3, ``promql/quantile.go``. Inside a native bucket observations are taken to be
spread exponentially; servers before 3.0 took them to be spread evenly.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from collectors.promql.native import NativeHistogram
from collectors.promql.values import (
    NAME,
    Floats,
    Labels,
    Mask,
    Matrix,
    distinct,
    histogram_cells,
    nameless,
    stack,
    without,
)

_BUCKET = frozenset({NAME, "le"})
_TOLERANCE = 1e-12
_TINY = float(np.finfo(np.float64).tiny)
_FEWEST = 2
_MIDDLE = 0.5

Bounded = tuple[float, int]
"""The upper bound of a classic bucket, and the place of its series."""


def quantile(wanted: Floats, matrix: Matrix) -> Matrix:
    """Return the quantile of each histogram, classic and native alike; one wish per step."""
    classic = _classic(
        matrix, lambda bounds, counts, at: _bucket_quantile(wanted[at], bounds, counts)
    )
    native = of_native(matrix, lambda one, step: native_quantile(float(wanted[step]), one))
    return distinct(stack([classic, native], matrix.steps))


def fraction(low: Floats, high: Floats, matrix: Matrix) -> Matrix:
    """Return the share of observations between two bounds in each histogram."""
    classic = _classic(
        matrix, lambda bounds, counts, at: _bucket_fraction(low[at], high[at], bounds, counts)
    )
    native = of_native(
        matrix, lambda one, step: native_fraction(float(low[step]), float(high[step]), one)
    )
    return distinct(stack([classic, native], matrix.steps))


def of_native(matrix: Matrix, number: Callable[[NativeHistogram, int], float]) -> Matrix:
    """Return a number of each native histogram, given it and its step; other cells fall out."""
    values = np.zeros(matrix.values.shape)
    present = np.zeros(matrix.values.shape, bool)
    for row, step, held in histogram_cells(matrix):
        values[row, step] = number(held, step)
        present[row, step] = True
    return distinct(
        Matrix(labels=tuple(map(nameless, matrix.labels)), values=values, present=present)
    )


Buckets = Callable[[list[float], Floats, Mask], Floats]
"""Gives a number per step from bounds, counts by bound and step, and which steps they are."""


def _classic(matrix: Matrix, number: Buckets) -> Matrix:
    plain = matrix.floats()
    pieces = []
    for labels, members in _by_histogram(plain).items():
        values, present = np.zeros(plain.steps), np.zeros(plain.steps, bool)
        rows = [place for _, place in members]
        for which, steps in _patterns(plain.present[rows]):
            bounds, counts = _coalesced(
                [member for member, there in zip(members, which, strict=True) if there],
                plain.values[:, steps],
            )
            values[steps] = number(bounds, counts, steps)
            present[steps] = True
        pieces.append(
            Matrix(labels=(labels,), values=values[np.newaxis], present=present[np.newaxis])
        )
    return stack(pieces, plain.steps)


def _by_histogram(matrix: Matrix) -> Mapping[Labels, list[Bounded]]:
    """Group buckets by the histogram they belong to, lowest bound first."""
    found: dict[Labels, list[Bounded]] = {}
    for place, labels in enumerate(matrix.labels):
        bound = _bound(dict(labels).get("le", ""))
        if bound is not None:
            found.setdefault(without(labels, _BUCKET), []).append((bound, place))
    return {labels: sorted(members) for labels, members in found.items()}


def _bound(text: str) -> float | None:
    try:
        bound = float(text.replace("_", "x"))
    except ValueError:
        return None
    return None if math.isnan(bound) else bound


def _patterns(present: Mask) -> Iterator[tuple[Mask, Mask]]:
    """Yield each set of buckets that occurs, and the steps at which it is the one there."""
    kinds, of_step = np.unique(present, axis=1, return_inverse=True)
    for place in range(kinds.shape[1]):
        if kinds[:, place].any():
            yield kinds[:, place], of_step.reshape(-1) == place


def _coalesced(members: Sequence[Bounded], values: Floats) -> tuple[list[float], Floats]:
    """Add up buckets of one bound, and take back every fall from a bucket to the next."""
    bounds: list[float] = []
    rows: list[Floats] = []
    for bound, place in members:
        if bounds and bounds[-1] == bound:
            rows[-1] = rows[-1] + values[place]
        else:
            bounds.append(bound)
            rows.append(values[place])
    for place in range(1, len(rows)):
        before, here = rows[place - 1], rows[place]
        rows[place] = np.where((here < before) | _almost_equal(before, here), before, here)
    return bounds, np.stack(rows)


def _almost_equal(one: Floats, other: Floats) -> Mask:
    apart, total = np.abs(one - other), np.abs(one) + np.abs(other)
    small = (one == 0) | (other == 0) | (total < _TINY)
    return np.where(small, apart < _TOLERANCE * _TINY, apart / total < _TOLERANCE)


def _bucket_quantile(wanted: Floats, bounds: list[float], counts: Floats) -> Floats:
    answer = np.full(len(wanted), np.nan)
    if math.isinf(bounds[-1]) and bounds[-1] > 0 and len(bounds) >= _FEWEST:
        rank = wanted * counts[-1]
        # The first bucket that reaches the rank; buckets never fall.
        place = (~(counts[:-1] >= rank)).sum(axis=0)
        columns = np.arange(len(wanted))
        upper = np.array(bounds)
        below = np.maximum(place - 1, 0)
        lowest = place == 0
        start = np.where(lowest, 0.0, upper[below])
        before = np.where(lowest, 0.0, counts[below, columns])
        inside = counts[place, columns] - before
        answer = start + (upper[place] - start) * ((rank - before) / inside)
        answer = np.where(place == len(bounds) - 1, upper[-2], answer)
        answer = np.where(lowest & (upper[0] <= 0), upper[0], answer)
        answer = np.where(counts[-1] == 0, np.nan, answer)
    answer = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, answer))
    return np.where(np.isnan(wanted), np.nan, answer)


def _bucket_fraction(low: Floats, high: Floats, bounds: list[float], counts: Floats) -> Floats:
    if not (math.isinf(bounds[-1]) and bounds[-1] > 0 and len(bounds) >= _FEWEST):
        return np.full(len(low), np.nan)
    total = counts[-1]
    share = (_rank(high, bounds, counts) - _rank(low, bounds, counts)) / total
    share = np.where(low >= high, 0.0, share)
    return np.where((total == 0) | np.isnan(low) | np.isnan(high), np.nan, share)


def _rank(at: Floats, bounds: list[float], counts: Floats) -> Floats:
    """How many observations lie below a bound, spread evenly inside a bucket."""
    answer = counts[-1].copy()
    done = np.zeros(len(at), bool)
    before: Floats | float = 0.0
    for place, upper in enumerate(bounds):
        lower = bounds[place - 1] if place else (0.0 if upper > 0 else -math.inf)
        inside = (at > lower) & (at < upper) & ~done
        part = (at - lower) / (upper - lower) if math.isfinite(upper - lower) else 0.0
        answer = np.where(inside, before + (counts[place] - before) * part, answer)
        answer = np.where((at <= lower) & ~done, before, answer)
        done |= inside | (at <= lower)
        before = counts[place]
    return np.asarray(np.minimum(answer, counts[-1]))


def native_quantile(wanted: float, held: NativeHistogram) -> float:
    """Return a quantile of a native histogram."""
    if wanted < 0 or wanted > 1:
        return math.copysign(math.inf, wanted)
    if held.count == 0 or math.isnan(wanted):
        return math.nan
    forward = math.isnan(held.sum) or wanted < _MIDDLE
    rank = (wanted if forward else 1 - wanted) * held.count
    seen, found = 0.0, (0.0, 0.0, 0.0, True)
    stretches = [one for one in held.stretches() if one[2]]
    for found in stretches if forward else reversed(stretches):
        seen += found[2]
        if seen >= rank:
            break
    lower, upper, count, is_zero = found
    seen = min(seen, held.count)
    if seen < rank:
        return upper
    share = (rank - (seen - count) if forward else seen - rank) / count
    return _between(lower, upper, share, even=is_zero)


def _between(lower: float, upper: float, share: float, *, even: bool) -> float:
    if even:
        return lower + (upper - lower) * share
    low, high = math.log2(abs(lower)), math.log2(abs(upper))
    if lower > 0:
        return float(2 ** (low + (high - low) * share))
    return float(-(2 ** (high + (low - high) * (1 - share))))


def native_fraction(low: float, high: float, held: NativeHistogram) -> float:
    """Return the share of a native histogram's observations between two bounds."""
    if held.count == 0 or math.isnan(low) or math.isnan(high):
        return math.nan
    if low >= high:
        return 0.0
    return (_native_rank(high, held) - _native_rank(low, held)) / held.count


def _native_rank(at: float, held: NativeHistogram) -> float:
    seen = 0.0
    for lower, upper, count, is_zero in held.stretches():
        if lower >= at:
            return min(seen, held.count)
        if lower < at < upper:
            return min(seen + count * _share(at, lower, upper, even=is_zero), held.count)
        seen += count
    return held.count


def _share(at: float, lower: float, upper: float, *, even: bool) -> float:
    if even:
        return (at - lower) / (upper - lower)
    low, high, here = (math.log2(abs(each)) for each in (lower, upper, at))
    return (here - low) / (high - low) if at > 0 else 1 - (here - high) / (low - high)
