"""Rates and differences: what a counter grew by in a range, as Prometheus extrapolates it.

Formulae: ``extrapolatedRate``, ``instantValue`` and ``linearRegression`` of Prometheus 3,
``promql/functions.go``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collectors.promql.over_time import RangeFunction
from collectors.promql.values import Floats, Mask, Times
from collectors.promql.windows import Window, fold, fold_one, trends
from slo.records import dataclass

_PAIR = 2
_FAR = 1.1
_MS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What decides how far a difference is extrapolated; one entry per range that has a pair."""

    first_time: Times
    last_time: Times
    starts: Times
    ends: Times
    pairs: Times

    def factor(self, *, zero_share: Floats | None) -> Floats:
        """Return what a difference is multiplied by to cover the whole range.

        ``zero_share`` is, for counters, the value of the first sample over the growth since: no
        counter is taken back to below zero.
        """
        sampled = (self.last_time - self.first_time) / _MS
        average = sampled / self.pairs
        far = average * _FAR
        before = (self.first_time - self.starts) / _MS
        before = np.where(before >= far, average / 2, before)
        if zero_share is not None:
            to_zero = sampled * zero_share
            before = np.where(to_zero < before, to_zero, before)
        after = (self.ends - self.last_time) / _MS
        after = np.where(after >= far, average / 2, after)
        return (sampled + before + after) / sampled


def stretch(window: Window, places: Times) -> Stretch:
    """Return the stretches of some ranges of at least two samples."""
    first, last = window.first[places], window.last[places]
    return Stretch(
        first_time=window.times[first],
        last_time=window.times[last - 1],
        starts=window.starts[places],
        ends=window.ends[places],
        pairs=last - first - 1,
    )


def _extrapolated(window: Window, *, counter: bool, per_second: bool) -> tuple[Floats, Mask]:
    present = window.at_least(_PAIR)
    places = np.flatnonzero(present)
    first, last = window.first[places], window.last[places]
    before = window.values[first]
    grown = window.values[last - 1] - before
    zero_share: Floats | None = None
    if counter:
        grown = grown + _lost_in_resets(window.values, first, last)
        # With no growth, or from below zero, nothing says when the counter began.
        known = (grown > 0) & (before >= 0)
        zero_share = np.where(known, before / np.where(known, grown, 1.0), np.inf)
    factor = stretch(window, places).factor(zero_share=zero_share)
    if per_second:
        factor = factor / ((window.ends[places] - window.starts[places]) / _MS)
    answer = np.full(len(present), np.nan)
    answer[places] = grown * factor
    return answer, present


def _lost_in_resets(values: Floats, first: Times, last: Times) -> Floats | float:
    """Add up what the counter had reached before each reset inside the ranges."""
    falls = values[1:] < values[:-1]
    if not falls.any():
        return 0.0
    reached = np.where(falls, values[:-1], 0.0)
    return fold_one(np.add, reached, first, last - 1)


def _rate(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _extrapolated(window, counter=True, per_second=True)


def _increase(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _extrapolated(window, counter=True, per_second=False)


def _delta(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _extrapolated(window, counter=False, per_second=False)


def _last_pair(window: Window, *, counter: bool) -> tuple[Floats, Mask]:
    present = window.at_least(_PAIR)
    last = window.last[present] - 1
    newest, before = window.values[last], window.values[last - 1]
    answer = np.full(len(present), np.nan)
    grown = newest - before
    if counter:
        grown = np.where(newest < before, newest, grown)
        grown = grown / ((window.times[last] - window.times[last - 1]) / _MS)
    answer[present] = grown
    return answer, present


def _irate(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _last_pair(window, counter=True)


def _idelta(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    return _last_pair(window, counter=False)


def _trend(window: Window) -> tuple[Floats, Floats, Floats, Mask]:
    """Fit a line to each range: its slope per second, and its mean in seconds and value."""
    present = window.at_least(_PAIR)
    origin = window.times[:1]
    seconds = (window.times - origin) / _MS
    values = window.values
    state = np.stack([np.ones(len(values)), seconds, values, values * 0.0, values * 0.0])
    _, mean_x, mean_y, wide, product = fold(trends, state, window.first, window.last)
    slope = product / wide
    ends = (window.ends - (origin if len(origin) else 0)) / _MS
    return slope, mean_x - ends, mean_y, present


def _slope(window: Window, _: Sequence[Floats]) -> tuple[Floats, Mask]:
    slope, _x, _y, present = _trend(window)
    return slope, present


def _predicted(window: Window, arguments: Sequence[Floats]) -> tuple[Floats, Mask]:
    slope, mean_x, mean_y, present = _trend(window)
    return mean_y + slope * (arguments[0] - mean_x), present


RATES: dict[str, RangeFunction] = {
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
    "irate": _irate,
    "idelta": _idelta,
    "deriv": _slope,
    "predict_linear": _predicted,
}
"""Functions of one range; ``predict_linear`` gets how many seconds ahead as its only argument."""
