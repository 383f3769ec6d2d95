"""What a query reads: each kind of selector once, over all the time that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import promql_parser as lib

from collectors.promql.errors import PromqlError
from collectors.promql.parsing import Clock, Parsed, check_cells, children, milliseconds
from collectors.promql.samples import Samples, SampleSource, is_stale
from collectors.promql.values import (
    Floats,
    Grid,
    Histograms,
    Labels,
    Mask,
    Matrix,
    Times,
    empty,
    labels_of,
    written,
)
from collectors.promql.windows import Ranges, Window, window
from slo.promql import Matcher
from slo.records import dataclass

Matchers = tuple[Matcher, ...]
Span = tuple[int, int]
"""The time after the first and up to the second instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series that was read; ``stale`` tells its stale markers, ``None`` where it has none."""

    labels: Labels
    times: Times
    values: Floats
    stale: Mask | None
    histograms: Histograms | None


class Places:
    """Finds instants among the times of samples; each search is made once.

    Series that are sampled together share one array of times, which `shared` gives them.
    """

    def __init__(self) -> None:
        self._times: dict[tuple[int, int, int], list[Times]] = {}
        self._found: dict[tuple[int, int, int, int], Times] = {}

    def shared(self, times: Times) -> Times:
        """Return equal times that were given before, or else these."""
        if not len(times):
            return times
        alike = self._times.setdefault((len(times), int(times[0]), int(times[-1])), [])
        for known in alike:
            if known is times or np.array_equal(known, times):
                return known
        alike.append(times)
        return times

    def after(self, times: Times, reference: Times) -> Times:
        """Return how many of the shared times are not later than each evenly spaced instant."""
        if not len(times) or not len(reference):
            return np.searchsorted(times, reference, side="right")
        key = id(times), int(reference[0]), int(reference[-1]), len(reference)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = np.searchsorted(times, reference, side="right")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that a query reads, by what selects it, and where instants lie among times."""

    found: dict[tuple[Matchers, Span], tuple[Series, ...]]
    places: Places

    def series(self, matchers: Matchers, span: Span) -> tuple[Series, ...]:
        """Return the series of a selector, with all samples of its span and perhaps others."""
        for (selected, (start, end)), series in self.found.items():
            if selected == matchers and start <= span[0] and span[1] <= end:
                return series
        raise AssertionError("every selector was read")


def read(source: SampleSource, parsed: Parsed, clock: Clock, grid: Grid, most: int) -> Reading:
    """Select what a query needs; selectors that overlap in time are read together.

    Raises `PromqlError` when there are more than so many samples.
    """
    wanted: dict[Matchers, list[Span]] = {}
    for matchers, span in _spans(parsed.root, parsed, clock, grid, most):
        wanted.setdefault(matchers, []).append(span)
    found: dict[tuple[Matchers, Span], tuple[Series, ...]] = {}
    places = Places()
    samples = 0
    for matchers, spans in wanted.items():
        for start, end in _joined(spans):
            selected = source.select(matchers, start, end)
            samples += sum(len(one.times) for one in selected)
            check_cells(samples, most)
            found[matchers, (start, end)] = _series(selected, places)
    return Reading(found=found, places=places)


def _spans(
    node: lib.Expr, parsed: Parsed, clock: Clock, grid: Grid, most: int
) -> Iterator[tuple[Matchers, Span]]:
    if not grid.size:
        return
    match node:
        case lib.VectorSelector():
            yield parsed.matchers(node), instant_span(clock, node, grid)
        case lib.MatrixSelector():
            yield parsed.matchers(node.vector_selector), range_span(clock, node, grid)
        case lib.SubqueryExpr():
            yield from _spans(node.expr, parsed, clock, clock.inner(node, grid, most), most)
        case _:
            for child in children(node):
                yield from _spans(child, parsed, clock, grid, most)


def instant_span(clock: Clock, node: lib.VectorSelector, grid: Grid) -> Span:
    """Return the time that an instant selector looks at."""
    reference = clock.reference(node, grid)
    return int(reference[0]) - clock.lookback_ms, int(reference[-1])


def range_span(clock: Clock, node: lib.MatrixSelector, grid: Grid) -> Span:
    """Return the time that a range selector looks at."""
    reference = clock.reference(node.vector_selector, grid)
    return int(reference[0]) - milliseconds(node.range), int(reference[-1])


def _joined(spans: Sequence[Span]) -> Iterator[Span]:
    """Yield spans that cover the given ones, joined where they touch."""
    start, end = None, 0
    for one in sorted(set(spans)):
        if start is not None and one[0] <= end:
            end = max(end, one[1])
            continue
        if start is not None:
            yield start, end
        start, end = one
    if start is not None:
        yield start, end


def _series(selected: Sequence[Samples], places: Places) -> tuple[Series, ...]:
    found = {}
    for one in selected:
        labels = labels_of(one.labels)
        if labels in found:
            raise PromqlError(f"the source gave the series {written(labels)} twice")
        values = np.asarray(one.values, dtype=np.float64)
        stale = is_stale(values)
        found[labels] = Series(
            labels=labels,
            times=places.shared(np.asarray(one.times, dtype=np.int64)),
            values=values,
            stale=stale if stale.any() else None,
            histograms=None if one.histograms is None else _objects(one.histograms),
        )
    return tuple(found[labels] for labels in sorted(found))


def _objects(given: Sequence[object]) -> Histograms:
    held: Histograms = np.empty(len(given), dtype=object)
    held[:] = given
    return held


def instant(
    series: Sequence[Series],
    reference: Times,
    lookback_ms: int,
    places: Places,
    *,
    times: bool = False,
) -> Matrix:
    """Return the newest sample of each series at each instant, unless too old or stale.

    With ``times`` the values are when the samples were taken, in seconds.
    """
    if not series:
        return empty(len(reference))
    shape = len(series), len(reference)
    values, present = np.empty(shape), np.zeros(shape, bool)
    held: Histograms | None = None
    if not times and any(one.histograms is not None for one in series):
        held = np.full(shape, None, dtype=object)
    newest: dict[int, tuple[Times, Mask]] = {}
    for row, one in enumerate(series):
        if not len(one.times):
            continue
        if id(one.times) not in newest:
            place = places.after(one.times, reference) - 1
            recent = (place >= 0) & (one.times[place] > reference - lookback_ms)
            newest[id(one.times)] = place, recent
        place, present[row] = newest[id(one.times)]
        values[row] = one.times[place] / 1000.0 if times else one.values[place]
        if one.stale is not None:
            present[row] &= ~one.stale[place]
        if held is not None and one.histograms is not None:
            held[row] = one.histograms[place]
    return Matrix(
        labels=tuple(one.labels for one in series), values=values, present=present, histograms=held
    )


def ranges(series: Sequence[Series], reference: Times, length_ms: int, places: Places) -> Ranges:
    """Return the samples of each series in the range before each instant, without stale markers."""
    borders = reference - length_ms, reference
    windows = []
    for one in series:
        held, times, values = one.histograms, one.times, one.values
        if one.stale is not None:
            kept = ~one.stale
            held = None if held is None else held[kept]
            times, values = places.shared(times[kept]), values[kept]
        starts, ends = borders
        windows.append(
            Window(
                labels=one.labels,
                times=times,
                values=values,
                first=places.after(times, starts),
                last=places.after(times, ends),
                starts=starts,
                ends=ends,
                histograms=held,
            )
        )
    return Ranges(windows=windows, length_ms=length_ms)


def subquery_ranges(inner: Matrix, steps: Grid, reference: Times, length_ms: int) -> Ranges:
    """Return the values of a subquery's steps in the range before each instant."""
    borders = reference - length_ms, reference
    windows = []
    for row, labels in enumerate(inner.labels):
        here = inner.present[row]
        held = None if inner.histograms is None else inner.histograms[row][here]
        windows.append(window(labels, steps.times[here], inner.values[row][here], borders, held))
    return Ranges(windows=windows, length_ms=length_ms)
