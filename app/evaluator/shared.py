"""Raw series read once for many rules: those of one metric are few questions, not one a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from app.evaluator.head import NAME
from collectors.promql import Matcher, Samples, SampleSource, matches, matching
from slo.records import dataclass

_BOUND = "le"
_WORTH_SHARING = 3
_MARGIN_MS = 3_600_000
"""How much earlier is read than was asked, since the next question often looks further back."""

_Key = tuple[tuple[Matcher, ...], int, int]


class SharedReads:
    """A `SampleSource` that reads a metric whole where many rules of one instant ask for it.

    Whether they do is learned from the instant before. ``begin`` starts the next one.
    """

    def __init__(self, stored: SampleSource) -> None:
        self._stored = stored
        self._asked: Counter[tuple[Matcher, ...]] = Counter()
        self._popular: frozenset[tuple[Matcher, ...]] = frozenset()
        self._whole: dict[_Key, _Table] = {}
        self._found: dict[_Key, Sequence[Samples]] = {}

    def begin(self) -> None:
        """Forget what was read: the next instant has samples of its own."""
        # Instants with many rules and with few take turns: what was popular once stays so.
        asked = {key for key, times in self._asked.items() if times >= _WORTH_SHARING}
        self._popular |= asked
        self._asked.clear()
        self._whole.clear()
        self._found.clear()

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Sequence[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        key = (tuple(matchers), start_ms, end_ms)
        if key not in self._found:
            self._found[key] = self._select(*key)
        return self._found[key]

    def _select(
        self, matchers: tuple[Matcher, ...], start_ms: int, end_ms: int
    ) -> Sequence[Samples]:
        # A bound decides what is read of a histogram, so it belongs to the metric.
        shared = tuple(each for each in matchers if each.name in {NAME, _BOUND})
        self._asked[shared] += 1
        if shared not in self._popular or not any(each.name == NAME for each in shared):
            return self._stored.select(matchers, start_ms, end_ms)
        key = (shared, start_ms, end_ms)
        if key not in self._whole:
            self._whole[key] = _Table(self._stored.select(shared, start_ms, end_ms))
        return self._whole[key].chosen([each for each in matchers if each not in shared])


class Kept:
    """A `SampleSource` for one piece of work: it answers from what it has read where it can.

    A selector with more matchers than one that was read chooses among its series.
    """

    def __init__(self, stored: SampleSource) -> None:
        self._stored = stored
        self._held: list[_Read] = []

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Sequence[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        wanted = frozenset(matchers)
        held = next((each for each in self._held if each.holds(wanted, start_ms, end_ms)), None)
        if held is None:
            first = start_ms - _MARGIN_MS
            series = self._stored.select(matchers, first, end_ms)
            held = _Read(matchers=wanted, first=first, last=end_ms, series=series)
            self._held.append(held)
        rest = wanted - held.matchers
        chosen = (one for one in held.series if all(matches(each, one.labels) for each in rest))
        cut = (_between(one, start_ms, end_ms) for one in chosen)
        return [one for one in cut if len(one.times)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What was read: all series of these matchers with their samples in (first, last]."""

    matchers: frozenset[Matcher]
    first: int
    last: int
    series: Sequence[Samples]

    def holds(self, wanted: frozenset[Matcher], start_ms: int, end_ms: int) -> bool:
        """Tell whether it holds all of what is wanted, and of a histogram the same buckets."""
        if start_ms < self.first or end_ms > self.last or not self.matchers <= wanted:
            return False
        return not any(each.name == _BOUND for each in wanted - self.matchers)


def _between(one: Samples, start_ms: int, end_ms: int) -> Samples:
    first, last = np.searchsorted(one.times, (start_ms, end_ms), side="right")
    return Samples(
        labels=one.labels,
        times=one.times[first:last],
        values=one.values[first:last],
        histograms=None if one.histograms is None else one.histograms[first:last],
    )


class _Table:
    """All series of a metric, found by their labels."""

    def __init__(self, series: Sequence[Samples]) -> None:
        self._series = series
        self._places: dict[str, dict[str, list[int]]] = {}

    def chosen(self, matchers: Sequence[Matcher]) -> list[Samples]:
        """Return the series that all matchers match."""
        places = self._all
        for each in matchers:
            by_value = self._by_value(each.name)
            values = list(by_value)
            hits = np.flatnonzero(matching(each, values))
            found = [place for hit in hits for place in by_value[values[hit]]]
            places = places & frozenset(found)
        return [self._series[place] for place in sorted(places)]

    @cached_property
    def _all(self) -> frozenset[int]:
        return frozenset(range(len(self._series)))

    def _by_value(self, label: str) -> dict[str, list[int]]:
        if label not in self._places:
            found: dict[str, list[int]] = {}
            for place, one in enumerate(self._series):
                found.setdefault(one.labels.get(label, ""), []).append(place)
            self._places[label] = found
        return self._places[label]
