"""Walking back in time through files of which only statistics are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

_ROWS = 250_000
_GROWTH = 8


class Extent(Protocol):
    """How many rows a file has, and from when to when."""

    @property
    def start(self) -> int:
        """The time of its first row."""

    @property
    def end(self) -> int:
        """The time of its last row."""

    @property
    def rows(self) -> int:
        """Their number."""


def windows_back(
    files: Sequence[Extent],
    start: int | None,
    end: int | None,
    *,
    rows: int = _ROWS,
    growth: int = _GROWTH,
) -> Iterator[tuple[int, int]]:
    """Left-closed windows from the newest row to the oldest, which together hold all rows.

    The first holds about so many ``rows`` and each one ``growth`` times more, so that a frequent
    word is found soon and a rare one with few questions.
    """
    if not files:
        return
    first = min(each.start for each in files)
    last = max(each.end for each in files)
    low = first if start is None else max(start, first)
    high = last + 1 if end is None else min(end, last + 1)
    starts = np.array([each.start for each in files], dtype=np.float64)
    ends = np.array([each.end for each in files], dtype=np.float64) + 1
    density = np.array([each.rows for each in files]) / np.maximum(ends - starts, 1)
    wanted = rows
    while high > low:
        cut = _cut(starts, ends, density, low, high, wanted)
        yield cut, high
        high = cut
        wanted *= growth


def _cut(
    starts: np.ndarray, ends: np.ndarray, density: np.ndarray, low: int, high: int, wanted: int
) -> int:
    """The latest time from which to ``high`` there are about as many rows as wanted."""
    late, early = high - 1, low
    while early < late:
        middle = (early + late + 1) // 2
        covered = np.minimum(ends, high) - np.maximum(starts, middle)
        if float(np.sum(np.maximum(covered, 0) * density)) >= wanted:
            early = middle
        else:
            late = middle - 1
    return early
