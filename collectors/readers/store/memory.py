"""Series read once for the many questions of one piece of work."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from collectors.promql import Matcher, Samples, SampleSource

MARGIN_MS = 3_600_000
"""How much earlier is read than was asked, since the next question often looks further back."""

_Held = tuple[int, int, Sequence[Samples]]


class Remembered:
    """A `SampleSource` that keeps what it read; one reading of service levels lives that long.

    Not for longer: what arrives meanwhile is not seen.
    """

    def __init__(self, source: SampleSource) -> None:
        self._source = source
        self._held: dict[tuple[Matcher, ...], _Held] = {}

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Sequence[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        key = tuple(matchers)
        held = self._held.get(key)
        if held is None or start_ms < held[0] or end_ms > held[1]:
            first = start_ms - MARGIN_MS if held is None else min(start_ms - MARGIN_MS, held[0])
            last = end_ms if held is None else max(end_ms, held[1])
            held = (first, last, self._source.select(matchers, first, last))
            self._held[key] = held
        cut = (_between(one, start_ms, end_ms) for one in held[2])
        return [one for one in cut if len(one.times)]


def _between(one: Samples, start_ms: int, end_ms: int) -> Samples:
    first, last = np.searchsorted(one.times, (start_ms, end_ms), side="right")
    if first == 0 and last == len(one.times):
        return one
    histograms = None if one.histograms is None else one.histograms[first:last]
    return Samples(
        labels=one.labels,
        times=one.times[first:last],
        values=one.values[first:last],
        histograms=histograms,
    )
