"""Functions of the samples in a range: sums, extremes, quantiles and the like."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from collectors.promql.values import Floats, Mask, Times
from collectors.promql.windows import Window, fold, fold_one, moments

RangeFunction = Callable[[Window, Sequence[Floats]], tuple[Floats, Mask]]
"""Gives a value for each step and whether there is one, from a series and scalar arguments."""

_CELLS_AT_ONCE = 4_000_000
# Beyond this a sum may overflow where the mean does not.
_LARGE, _SCALE = 1e290, 2.0**-64


def _sum(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return fold_one(np.add, window.values, window.first, window.last), window.at_least(1)


def _count(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return window.counts.astype(float), window.at_least(1)


def _present(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return np.ones(len(window.first)), window.at_least(1)


def _average(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    finite = np.abs(window.values[np.isfinite(window.values)])
    scale = _SCALE if finite.max(initial=0) > _LARGE else 1.0
    total = fold_one(np.add, window.values * scale, window.first, window.last)
    return total / window.counts / scale, window.at_least(1)


def _least(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return fold_one(np.fmin, window.values, window.first, window.last), window.at_least(1)


def _most(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return fold_one(np.fmax, window.values, window.first, window.last), window.at_least(1)


def _newest(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _at(window, window.last - 1), window.at_least(1)


def _oldest(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _at(window, window.first), window.at_least(1)


def _at(window: Window, places: Times) -> Floats:
    answer = np.full(len(places), np.nan)
    some = window.at_least(1)
    answer[some] = window.values[places[some]]
    return answer


def _variance(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    values = window.values
    state = np.stack([np.ones(len(values)), values, values * 0.0])
    merged = fold(moments, state, window.first, window.last)
    return merged[2] / merged[0], window.at_least(1)


def _deviation(window: Window, arguments: Sequence[Floats]) -> tuple[Floats, Mask]:
    variance, present = _variance(window, arguments)
    return np.sqrt(variance), present


def _quantile(window: Window, arguments: Sequence[Floats]) -> tuple[Floats, Mask]:
    answer = np.full(len(window.first), np.nan)
    counts = window.counts
    for count in np.unique(counts[counts > 0]):
        places = np.flatnonzero(counts == count)
        pieces = -(-len(places) * int(count) // _CELLS_AT_ONCE)
        for piece in np.array_split(places, pieces):
            samples = window.values[window.first[piece][:, np.newaxis] + np.arange(count)]
            answer[piece] = quantiles(arguments[0][piece], samples)
    return answer, window.at_least(1)


def quantiles(wanted: Floats, values: Floats, present: Mask | None = None) -> Floats:
    """Give the quantile of each row of values, interpolated; NaN sorts below everything.

    Below 0 and above 1 the answer is an infinity, as it is in Prometheus.
    """
    here = np.ones(values.shape, bool) if present is None else present
    ordered = np.sort(np.where(here, values, np.nan), axis=1)
    count = here.sum(axis=1)
    strange = (here & np.isnan(values)).sum(axis=1)
    rank = np.where(np.isnan(wanted), 0, np.clip(wanted, 0, 1)) * (count - 1)
    low = np.maximum(np.floor(rank), 0).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    share = rank - np.floor(rank)
    rows = np.arange(values.shape[0])

    def at(place: Times) -> Floats:
        shifted = place - strange
        return np.where(shifted < 0, np.nan, ordered[rows, np.maximum(shifted, 0)])

    answer = at(low) * (1 - share) + at(high) * share
    answer = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, answer))
    return np.where(np.isnan(wanted) | (count == 0), np.nan, answer)


def _changes(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    before, after = window.values[:-1], window.values[1:]
    return _counted((before != after) & ~(np.isnan(before) & np.isnan(after)), window)


def _resets(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _counted(window.values[1:] < window.values[:-1], window)


def _counted(flags: Mask, window: Window) -> tuple[Floats, Mask]:
    """Count the pairs of neighbours in each range for which a flag is set."""
    total = np.concatenate([[0, 0], np.cumsum(flags)])
    some = window.at_least(1)
    answer = np.zeros(len(window.first))
    answer[some] = total[window.last[some]] - total[window.first[some] + 1]
    return answer, some


OVER_TIME: dict[str, RangeFunction] = {
    "sum_over_time": _sum,
    "count_over_time": _count,
    "present_over_time": _present,
    "avg_over_time": _average,
    "min_over_time": _least,
    "max_over_time": _most,
    "last_over_time": _newest,
    "first_over_time": _oldest,
    "stdvar_over_time": _variance,
    "stddev_over_time": _deviation,
    "quantile_over_time": _quantile,
    "changes": _changes,
    "resets": _resets,
}
"""Functions of one range; ``quantile_over_time`` gets its quantile as the only argument."""
