"""Range functions over whole series: a row of the answer for each series that was read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from collectors.promql.errors import PromqlError
from collectors.promql.native import NativeHistogram, add, growth, resets
from collectors.promql.over_time import OVER_TIME, RangeFunction
from collectors.promql.rate import RATES, stretch
from collectors.promql.values import (
    Floats,
    Histograms,
    Mask,
    Matrix,
    Times,
    distinct,
    empty,
    holding,
    nameless,
)
from collectors.promql.windows import Ranges, Window

RANGE_FUNCTIONS: dict[str, RangeFunction] = {**OVER_TIME, **RATES}
"""All functions of one range."""

_KEEP_NAME = frozenset({"last_over_time", "first_over_time"})
_BLIND = frozenset({"count_over_time", "present_over_time"})
_GROWING = frozenset({"rate", "increase", "delta"})
_PAIR = 2
_MS = 1000.0

Row = tuple[Floats, Mask, Histograms | None]


def over_ranges(name: str, ranges: Ranges, arguments: Sequence[Floats], steps: int) -> Matrix:
    """Apply a range function; the names of metrics go, unless it hands on a sample as it is.

    Raises `PromqlError` when two series are the same without their names.
    """
    if not ranges.windows:
        return empty(steps)
    rows = [_row(name, one, arguments) for one in ranges.windows]
    held: Histograms | None = None
    if any(row[2] is not None for row in rows):
        nothing: Histograms = np.full(steps, None, dtype=object)
        held = np.stack([nothing if row[2] is None else row[2] for row in rows])
    labels = tuple(
        one.labels if name in _KEEP_NAME else nameless(one.labels) for one in ranges.windows
    )
    made = Matrix(
        labels=labels,
        values=np.stack([row[0] for row in rows]),
        present=np.stack([row[1] for row in rows]),
        histograms=held,
    )
    return distinct(made, overlap_only=False)


def absent_over(ranges: Ranges, steps: int) -> Mask:
    """Tell at which steps no series has a sample."""
    found = np.zeros(steps, bool)
    for one in ranges.windows:
        found |= one.at_least(1)
    return ~found


def _row(name: str, one: Window, arguments: Sequence[Floats]) -> Row:
    # A step without samples would read behind the end of an empty series.
    if not len(one.times):
        return np.zeros(len(one.first)), np.zeros(len(one.first), bool), None
    if one.histograms is None or name in _BLIND:
        return (*RANGE_FUNCTIONS[name](one, arguments), None)
    return _histogram_row(name, one)


def _histogram_row(name: str, one: Window) -> Row:
    """Apply a function to a series that holds histograms; ranges that mix kinds have no answer."""
    if name not in _OF_HISTOGRAMS:
        raise PromqlError(
            f"{name} of native histograms is not supported",
            hint="rate, increase, delta and the sums and averages over time are",
        )
    assert one.histograms is not None, "the caller has looked"
    count = len(one.first)
    held: Histograms = np.full(count, None, dtype=object)
    present = np.zeros(count, bool)
    values = np.full(count, np.nan)
    kinds = np.concatenate([[0], np.cumsum(holding(one.histograms))])
    plain, plain_present = RANGE_FUNCTIONS[name](one, ())
    some = one.at_least(_PAIR if name in _GROWING else 1)
    inside = kinds[one.last] - kinds[one.first]
    whole = np.flatnonzero(some & (inside == one.counts))
    held[whole] = _OF_HISTOGRAMS[name](one, whole)
    present[whole] = True
    only_numbers = some & (inside == 0)
    values[only_numbers] = plain[only_numbers]
    present[only_numbers] = plain_present[only_numbers]
    if name in _KEEP_NAME:
        mixed = np.flatnonzero(some & ~present)
        held[mixed] = _OF_HISTOGRAMS[name](one, mixed)
        values[mixed], present[mixed] = plain[mixed], True
    return values, present, held


OfHistograms = Callable[[Window, Times], Histograms]
"""Gives a histogram for each of some steps, whose ranges hold histograms alone."""


def _points(one: Window, step: int) -> list[NativeHistogram]:
    assert one.histograms is not None, "only called for series that hold histograms"
    return list(one.histograms[one.first[step] : one.last[step]])


def _column(found: Sequence[NativeHistogram]) -> Histograms:
    column: Histograms = np.empty(len(found), dtype=object)
    column[:] = found
    return column


def _grown(one: Window, steps: Times, *, counter: bool) -> Histograms:
    assert one.histograms is not None, "only called for series that hold histograms"
    reset = resets(list(one.histograms)) if counter else None
    grown, shares = [], []
    for step in steps:
        points = _points(one, step)
        first, last = one.first[step], one.last[step]
        found = growth(points, None if reset is None else reset[first : last - 1])
        known = found.count > 0 and points[0].count >= 0
        shares.append(points[0].count / found.count if known else np.inf)
        grown.append(found)
    factors = stretch(one, steps).factor(zero_share=np.array(shares) if counter else None)
    return _column([each.scaled(float(by)) for each, by in zip(grown, factors, strict=True)])


def _increase(one: Window, steps: Times) -> Histograms:
    return _grown(one, steps, counter=True)


def _delta(one: Window, steps: Times) -> Histograms:
    return _grown(one, steps, counter=False)


def _rate(one: Window, steps: Times) -> Histograms:
    seconds = (one.ends[steps] - one.starts[steps]) / _MS
    grown = _increase(one, steps)
    return _column([each.scaled(1 / by) for each, by in zip(grown, seconds, strict=True)])


def _sum(one: Window, steps: Times) -> Histograms:
    return _column([reduce(add, _points(one, step)) for step in steps])


def _average(one: Window, steps: Times) -> Histograms:
    counts = one.counts[steps]
    sums = _sum(one, steps)
    return _column([each.scaled(1 / by) for each, by in zip(sums, counts, strict=True)])


def _newest(one: Window, steps: Times) -> Histograms:
    assert one.histograms is not None, "only called for series that hold histograms"
    return np.asarray(one.histograms[one.last[steps] - 1])


def _oldest(one: Window, steps: Times) -> Histograms:
    assert one.histograms is not None, "only called for series that hold histograms"
    return np.asarray(one.histograms[one.first[steps]])


_OF_HISTOGRAMS: dict[str, OfHistograms] = {
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
    "sum_over_time": _sum,
    "avg_over_time": _average,
    "last_over_time": _newest,
    "first_over_time": _oldest,
}
