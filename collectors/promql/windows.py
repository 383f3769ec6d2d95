"""Series with the range of samples that belongs to each step, and folds over those ranges."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from collectors.promql.values import Floats, Histograms, Labels, Mask, Times
from slo.records import dataclass

Merge = Callable[[Floats, Floats], Floats]
"""Joins the states of two neighbouring stretches of samples; states are columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The samples of one series; step ``i`` has those in ``first[i]:last[i]``.

    ``starts`` and ``ends`` are the borders of each step's range: a sample at the start is outside.
    """

    labels: Labels
    times: Times
    values: Floats
    first: Times
    last: Times
    starts: Times
    ends: Times
    histograms: Histograms | None = None

    @property
    def counts(self) -> Times:
        """How many samples each step has."""
        return self.last - self.first

    def at_least(self, count: int) -> Mask:
        """Tell which steps have so many samples."""
        enough: Mask = self.counts >= count
        return enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """What a range selector or a subquery gives to a function."""

    windows: Sequence[Window]
    length_ms: int


def window(
    labels: Labels,
    times: Times,
    values: Floats,
    borders: tuple[Times, Times],
    histograms: Histograms | None = None,
) -> Window:
    """Find the samples of each step in a series without stale markers."""
    starts, ends = borders
    return Window(
        labels=labels,
        times=times,
        values=values,
        first=np.searchsorted(times, starts, side="right"),
        last=np.searchsorted(times, ends, side="right"),
        starts=starts,
        ends=ends,
        histograms=histograms,
    )


def fold(merge: Merge, state: Floats, first: Times, last: Times) -> Floats:
    """Merge the states of the samples in ``first[i]:last[i]`` for each ``i``.

    ``state`` is [parts, samples], the answer [parts, ranges]; an empty range gives NaN. Ranges are
    put together from aligned blocks of 1, 2, 4 … samples, as in a segment tree: the work hardly
    depends on how far ranges overlap, nothing is subtracted, and sums err as pairwise ones do.
    """
    low, high, level = first.copy(), last.copy(), state
    left, right = _Partial(state, len(first)), _Partial(state, len(first))
    open_ranges = low < high
    while open_ranges.any():
        # A block that begins or ends here and has no partner inside the range is taken now.
        odd = np.flatnonzero(open_ranges & (low & 1 == 1))
        left.append(merge, odd, level[:, low[odd]])
        low[odd] += 1
        odd = np.flatnonzero(open_ranges & (high & 1 == 1))
        high[odd] -= 1
        right.prepend(merge, odd, level[:, high[odd]])
        low >>= 1
        high >>= 1
        open_ranges = low < high
        whole = level.shape[1] // 2 * 2
        level = merge(level[:, 0:whole:2], level[:, 1:whole:2])
    ended = np.flatnonzero(right.started)
    left.append(merge, ended, right.state[:, ended])
    return left.state


class _Partial:
    """What has been merged so far of each range, from one side."""

    def __init__(self, like: Floats, ranges: int) -> None:
        self.state = np.full((like.shape[0], ranges), np.nan)
        self.started = np.zeros(ranges, bool)

    def append(self, merge: Merge, places: Times, blocks: Floats) -> None:
        going = self._begin(places, blocks)
        here = places[going]
        self.state[:, here] = merge(self.state[:, here], blocks[:, going])

    def prepend(self, merge: Merge, places: Times, blocks: Floats) -> None:
        going = self._begin(places, blocks)
        here = places[going]
        self.state[:, here] = merge(blocks[:, going], self.state[:, here])

    def _begin(self, places: Times, blocks: Floats) -> Mask:
        going: Mask = self.started[places]
        fresh = places[~going]
        self.state[:, fresh] = blocks[:, ~going]
        self.started[fresh] = True
        return going


def fold_one(merge: Merge, values: Floats, first: Times, last: Times) -> Floats:
    """Fold a state that is a single number."""
    return np.asarray(fold(merge, values[np.newaxis], first, last)[0])


def moments(state: Floats, other: Floats) -> Floats:
    """Merge states of count, mean and sum of squared deviations.

    Chan, Golub, LeVeque: Updating formulae and a pairwise algorithm for computing variances, 1979.
    """
    answer = np.empty_like(state)
    count, mean, squares = answer
    np.add(state[0], other[0], out=count)
    apart = other[1] - state[1]
    shift = apart * (other[0] / count)
    np.add(state[1], shift, out=mean)
    shift *= apart
    shift *= state[0]
    np.add(state[2], other[2], out=squares)
    squares += shift
    return answer


def trends(state: Floats, other: Floats) -> Floats:
    """Merge states of count, mean x, mean y, and the sums of xx and xy deviations."""
    answer = np.empty_like(state)
    np.add(state[0], other[0], out=answer[0])
    wide, high = other[1] - state[1], other[2] - state[2]
    share = other[0] / answer[0]
    np.add(state[1], wide * share, out=answer[1])
    np.add(state[2], high * share, out=answer[2])
    wide *= state[0] * share
    np.add(state[3], other[3], out=answer[3])
    np.add(state[4], other[4], out=answer[4])
    answer[4] += wide * high
    wide *= other[1] - state[1]
    answer[3] += wide
    return answer
