"""Series in memory as a source of samples, made from short notes."""

from collections.abc import Iterable, Sequence

import numpy as np

from collectors.promql import STALE, Matcher, Samples, matches


class Stored:
    """A source of samples that remembers what it was asked for."""

    def __init__(self, series: Iterable[Samples]) -> None:
        self.series = tuple(series)
        self.asked: list[tuple[tuple[Matcher, ...], int, int]] = []

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Samples]:
        """Return the series that all matchers match, cut to (start, end]."""
        self.asked.append((tuple(matchers), start_ms, end_ms))
        found = []
        for one in self.series:
            if all(matches(matcher, one.labels) for matcher in matchers):
                first, last = np.searchsorted(one.times, [start_ms, end_ms], side="right")
                held = one.histograms
                found.append(
                    Samples(
                        labels=one.labels,
                        times=one.times[first:last],
                        values=one.values[first:last],
                        histograms=None if held is None else held[first:last],
                    )
                )
        return found


def series(labels: dict[str, str], points: Iterable[tuple[float, float | str]]) -> Samples:
    """A series of points in seconds; the value ``"stale"`` ends it."""
    pairs = [(round(at * 1000), STALE if value == "stale" else value) for at, value in points]
    return Samples(
        labels=labels,
        times=np.array([at for at, _ in pairs], dtype=np.int64),
        values=np.array([value for _, value in pairs], dtype=np.float64),
    )


def every(step: float, *values: float | str, start: float = 0) -> list[tuple[float, float | str]]:
    """Points at equal distances."""
    return [(start + place * step, value) for place, value in enumerate(values)]
