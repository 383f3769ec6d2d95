"""Stored metrics as series for PromQL: counters, gauges and histograms by their Prometheus names.

A classic histogram is stored whole and answers as ``NAME_bucket``, ``NAME_count`` and
``NAME_sum``, the way a scrape of it would. Deltas answer as the running sum of themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial

import numpy as np

from collectors.promql import Samples, matching
from collectors.readers.store.asking import Asker
from collectors.readers.store.series import MILLISECOND, NAME, split, within
from collectors.readers.telemetry import TimeRange
from collectors.store import Chosen, FileSeries, MetricFiles, StoredSeries
from slo.promql import Matcher

MOST_SAMPLES = 50_000_000
"""How many samples one selector may read."""

_COLUMNS = {
    "": ("start", "value"),
    "_count": ("start", "count"),
    "_sum": ("start", "sum"),
    "_bucket": ("start", "bounds", "buckets"),
}
"""What is read of a plain series, or of a classic histogram for one of its parts."""

_EXPONENTIAL = (
    "count",
    "sum",
    "scale",
    "zero_count",
    "zero_threshold",
    "positive_offset",
    "positive",
    "negative_offset",
    "negative",
)

_IsMeant = Callable[[Sequence[str]], frozenset[str]]
_Runs = list[tuple[FileSeries, list[int]]]
"""Files with the places of some of their runs."""


class StoredSamples:
    """A `SampleSource` over the embedded store.

    ``apps`` restricts what is looked at, when only their series can be meant; ``None`` is all.
    """

    def __init__(self, asker: Asker, apps: Collection[str | None] | None = None) -> None:
        self._asker = asker
        self._apps = apps

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        return self._asker.metrics(lambda store: self._select(store, matchers, start_ms, end_ms))

    def labels(self, matchers: Sequence[Matcher], span: TimeRange) -> Iterator[dict[str, str]]:
        """Give the label sets of the series that match, buckets' ``le`` left out."""
        found = self._asker.metrics(lambda store: self._labels(store, matchers, span))
        yield from found

    def _labels(
        self, store: MetricFiles, matchers: Sequence[Matcher], span: TimeRange
    ) -> list[dict[str, str]]:
        files = store.files(self._apps, start=span.start, end=span.end)
        found = []
        for suffix, is_meant in _readings(matchers):
            seen: dict[int, StoredSeries] = {}
            for file, runs in self._matched(files, matchers, suffix, is_meant):
                for run in runs:
                    one = file.series[run]
                    if one.series not in seen and store.has_samples(
                        file, run, span.start, span.end
                    ):
                        seen[one.series] = one
            ordered = sorted(seen.values(), key=lambda one: (one.name, sorted(one.labels.items())))
            found += [{NAME: one.name + suffix, **one.labels} for one in ordered]
        return found

    def _select(
        self, store: MetricFiles, matchers: Sequence[Matcher], start_ms: int, end_ms: int
    ) -> list[Samples]:
        span = start_ms * MILLISECOND + 1, end_ms * MILLISECOND + 1
        files = store.files(self._apps, start=span[0], end=span[1])
        found: list[Samples] = []
        for suffix, is_meant in _readings(matchers):
            runs = self._matched(files, matchers, suffix, is_meant)
            # Sums of deltas must not depend on where a range begins: each selector of a query
            # has a range of its own.
            deltas = {each.series for each in _series(runs) if each.delta}
            plain = _only(runs, lambda one: one.series not in deltas)  # noqa: B023 - called at once
            made = self._samples(store, plain, suffix, matchers, span)
            if deltas:
                whole = store.files(self._apps, end=span[1])
                mine = _only(
                    self._matched(whole, matchers, suffix, is_meant),
                    lambda one: one.series in deltas,  # noqa: B023 - called at once
                )
                made += self._samples(store, mine, suffix, matchers, (0, span[1]))
            found += (within(one, start_ms) for one in made)
        return [one for one in found if len(one.times)]

    def _matched(
        self,
        files: Sequence[FileSeries],
        matchers: Sequence[Matcher],
        suffix: str,
        is_meant: _IsMeant,
    ) -> _Runs:
        """The runs of the series that match, by file, among those of the apps."""
        meant = is_meant(list({name for file in files for name in file.names}))
        runs = [
            (file, [run for name in file.names.keys() & meant for run in file.names[name].tolist()])
            for file in files
        ]
        series = {id(one): one for one in _series(runs)}
        chosen = _chosen(list(series.values()), matchers, is_histogram=bool(suffix))
        apps = None if self._apps is None else frozenset(self._apps)
        kept = (
            (
                file,
                [
                    run
                    for run in places
                    if id(file.series[run]) in chosen and (apps is None or file.apps[run] in apps)
                ],
            )
            for file, places in runs
            if places
        )
        return [each for each in kept if each[1]]

    def _samples(
        self,
        store: MetricFiles,
        runs: _Runs,
        suffix: str,
        matchers: Sequence[Matcher],
        span: tuple[int, int],
    ) -> list[Samples]:
        if not runs:
            return []
        # The newest of the runs says what a series is.
        series = {one.series: one for one in _series(runs)}
        places = {digest: place for place, digest in enumerate(sorted(series))}
        ordered = [series[digest] for digest in places]
        columns = _COLUMNS[suffix]
        if any(one.kind == "exponential" for one in ordered):
            columns = (*columns, *_EXPONENTIAL)
        chosen = [
            Chosen(
                file=file,
                runs=np.array(mine, np.intp),
                places=np.array([places[file.series[run].series] for run in mine], np.int64),
            )
            for file, mine in runs
        ]
        points = store.points(ordered, chosen, columns, span, most=MOST_SAMPLES)
        return list(split(points, suffix, matchers))


def _series(runs: Iterable[tuple[FileSeries, Sequence[int]]]) -> Iterator[StoredSeries]:
    return (file.series[run] for file, places in runs for run in places)


def _only(runs: _Runs, wanted: Callable[[StoredSeries], bool]) -> _Runs:
    """Those of the runs whose series are wanted."""
    kept = ((file, [run for run in mine if wanted(file.series[run])]) for file, mine in runs)
    return [each for each in kept if each[1]]


def _readings(matchers: Sequence[Matcher]) -> Iterator[tuple[str, _IsMeant]]:
    """Every way in which a stored name can answer the matchers of the name."""
    of_name = [matcher for matcher in matchers if matcher.name == NAME]
    exact = next((each.value for each in of_name if each.op == "="), None)
    for suffix in ("", "_bucket", "_count", "_sum"):
        if exact is None or exact.endswith(suffix):
            yield suffix, partial(_meant, suffix, of_name)


def _meant(suffix: str, of_name: Sequence[Matcher], names: Sequence[str]) -> frozenset[str]:
    """Those of the names that match all at once: a regular expression is compiled once."""
    keep = np.ones(len(names), bool)
    for matcher in of_name:
        keep &= matching(matcher, [name + suffix for name in names])
    return frozenset(name for name, kept in zip(names, keep.tolist(), strict=True) if kept)


def _chosen(
    series: Sequence[StoredSeries], matchers: Sequence[Matcher], *, is_histogram: bool
) -> frozenset[int]:
    """The series whose labels match, by identity.

    A bucket's ``le`` is judged where buckets are made.
    """
    kinds = ((one.kind == "histogram") is is_histogram for one in series)
    keep = np.fromiter(kinds, bool, len(series))
    for matcher in matchers:
        if matcher.name not in {NAME, "le"}:
            keep &= matching(matcher, [one.labels.get(matcher.name, "") for one in series])
    return frozenset(id(one) for one, kept in zip(series, keep.tolist(), strict=True) if kept)
