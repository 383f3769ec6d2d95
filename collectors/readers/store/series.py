"""Rows of stored metrics, cut into series and given the values that PromQL works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collectors.promql import STALE, NativeHistogram, Samples, matching
from collectors.promql.native import add
from collectors.store import Numbers, Points
from collectors.store import StoredSeries as Stored
from slo.promql import Matcher
from slo.records import dataclass

NAME = "__name__"
MILLISECOND = 1_000_000

_BOUND = "le"
_VALUES = {"": "value", "_bucket": "buckets", "_count": "count", "_sum": "sum"}
"""The column of what a series stands for: a plain one's value, or one part of a histogram."""

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


class _Rows:
    """The rows of one series, ascending in time."""

    def __init__(self, points: Points, first: int, last: int) -> None:
        self._columns = points.columns
        self._here = slice(first, last)
        self.size = last - first

    def longs(self, name: str) -> Times:
        """A column of whole numbers; null is 0."""
        found: Times = self._numbers(name).values[self._here]
        return found

    def floats(self, name: str) -> Floats:
        """A column of numbers; null ends a series."""
        column = self._numbers(name)
        found: Floats = column.values[self._here].astype(np.float64)
        if column.missing is not None:
            found[column.missing[self._here]] = STALE
        return found

    def lists(self, name: str) -> pa.ListArray[Any]:
        """A column of lists."""
        column = self._columns[name]
        assert isinstance(column, pa.ListArray), "the column holds lists"
        return column.slice(self._here.start, self.size)

    def dictionaries(self) -> list[dict[str, Any]]:
        """Every row with all that was read of it."""
        columns = {}
        for name, column in self._columns.items():
            if isinstance(column, Numbers):
                missing = None if column.missing is None else column.missing[self._here]
                columns[name] = pa.array(column.values[self._here], mask=missing)
            else:
                columns[name] = self.lists(name)
        return pa.table(columns).to_pylist()

    def _numbers(self, name: str) -> Numbers:
        column = self._columns[name]
        assert isinstance(column, Numbers), "the column holds numbers"
        return column


def split(points: Points, suffix: str, matchers: Sequence[Matcher]) -> Iterator[Samples]:
    """Give each stored series the values that its name with a suffix stands for."""
    bounds = [each for each in matchers if each.name == _BOUND]
    value = _VALUES[suffix]
    borders = pairwise(points.borders.tolist())
    for one, (first, last) in zip(points.series, borders, strict=True):
        if first == last:
            continue
        rows = _Rows(points, first, last)
        labels = {NAME: one.name + suffix, **one.labels}
        if suffix == "_bucket":
            yield from _buckets(one, labels, rows, bounds)
        elif not all(matching(each, [one.labels.get(_BOUND, "")])[0] for each in bounds):
            continue
        elif one.kind == "exponential":
            yield _native(one, labels, rows)
        else:
            yield _plain(one, labels, _Clock.of(rows), rows.floats(value))


def within(one: Samples, start: int) -> Samples:
    """Return the samples after an instant, in milliseconds."""
    first = int(np.searchsorted(one.times, start, side="right"))
    if not first:
        return one
    held = one.histograms
    return Samples(
        labels=one.labels,
        times=one.times[first:],
        values=one.values[first:],
        histograms=None if held is None else held[first:],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """When samples were taken, and when what they count began: 0 where nobody said so."""

    times: Times
    began: Times

    @classmethod
    def of(cls, rows: _Rows) -> _Clock:
        times, began = (rows.longs(name) // MILLISECOND for name in ("time", "start"))
        return cls(times=times, began=began)

    def chosen(self, kept: NDArray[np.bool_]) -> _Clock:
        return _Clock(times=self.times[kept], began=self.began[kept])


def _plain(one: Stored, labels: Mapping[str, str], clock: _Clock, values: Floats) -> Samples:
    times = clock.times
    if one.delta:
        times, values = _from_zero(clock, np.cumsum(np.nan_to_num(values)))
    elif one.kind in {"counter", "histogram"}:
        times, values = _with_starts(clock, values)
    return Samples(labels=labels, times=times, values=values)


def _from_zero(clock: _Clock, values: Floats) -> tuple[Times, Floats]:
    """Put a zero where the first delta of all began to count."""
    times, began = clock.times, int(clock.began[0])
    if not 0 < began < times[0]:
        return times, values
    return np.insert(times, 0, began), np.insert(values, 0, 0.0)


def _with_starts(clock: _Clock, values: Floats) -> tuple[Times, Floats]:
    """Put a zero where a counter says that it began, unless it was seen before or just then.

    Prometheus calls it the created timestamp: births and resets lose nothing that way.
    """
    times, began = clock.times, clock.began
    if not began.any():
        return times, values
    previous = np.concatenate(([np.iinfo(np.int64).min], times[:-1]))
    # The first row's own start may lie before the range that was read; then it is no birth here.
    fresh = (began > previous) & (began < times) & (began > 0)
    fresh[1:] &= began[1:] != began[:-1]
    where = np.flatnonzero(fresh)
    if not len(where):
        return times, values
    return np.insert(times, where, began[where]), np.insert(values, where, 0.0)


def _buckets(
    one: Stored, labels: Mapping[str, str], rows: _Rows, matchers: Sequence[Matcher]
) -> Iterator[Samples]:
    """The cumulative buckets of a classic histogram, one series for each bound.

    Rows whose bounds differ from the first ones' give the buckets of a shape of its own.
    """
    clock, counted = _Clock.of(rows), rows.lists("buckets")
    for shape, mine in _shapes(rows.lists("bounds")):
        names = [*map(spelled, shape), "+Inf"]
        wanted = [place for place, name in enumerate(names) if _is_meant(name, matchers)]
        if not wanted:
            continue
        whole = len(mine) == mine.sum()
        found = counted if whole else counted.filter(pa.array(mine))
        flat = found.flatten().to_numpy().astype(np.float64)
        if len(flat) != len(names) * len(found):
            continue
        below = np.cumsum(flat.reshape(len(found), len(names)), axis=1)
        taken = clock if whole else clock.chosen(mine)
        for place in wanted:
            yield _plain(one, {**labels, _BOUND: names[place]}, taken, below[:, place].copy())


def _shapes(
    bounds: pa.ListArray[Any],
) -> Iterator[tuple[tuple[float, ...], NDArray[np.bool_]]]:
    """Each list of bounds with the rows that have it; null is as good as an empty one."""
    lengths = pc.list_value_length(bounds).fill_null(0).to_numpy()
    flat = bounds.flatten().to_numpy(zero_copy_only=False)
    left = np.ones(len(lengths), bool)
    starts = np.cumsum(lengths) - lengths
    while left.any():
        first = int(np.argmax(left))
        size = int(lengths[first])
        shape = flat[starts[first] : starts[first] + size]
        mine = left & (lengths == size)
        if size:
            places = np.flatnonzero(mine)
            here = flat[starts[places][:, np.newaxis] + np.arange(size)]
            mine[places] = (here == shape).all(axis=1)
        # Bounds that are no numbers equal nothing, not even themselves.
        mine[first] = True
        left &= ~mine
        yield tuple(shape.tolist()), mine


def spelled(bound: float) -> str:
    """Return a bucket's bound as Prometheus 3 stores it."""
    return repr(float(bound))


def _is_meant(name: str, matchers: Sequence[Matcher]) -> bool:
    """Whether matchers of ``le`` mean a bucket, in either spelling of a whole number."""
    spellings = [name, name.removesuffix(".0")]
    return all(
        (all if each.op in {"!=", "!~"} else any)(matching(each, spellings)) for each in matchers
    )


def _native(one: Stored, labels: Mapping[str, str], rows: _Rows) -> Samples:
    histograms: list[NativeHistogram | None] = [
        None if row["count"] is None else _histogram(row) for row in rows.dictionaries()
    ]
    if one.delta:
        told = [each for each in histograms if each is not None]
        sums = accumulate(told, add)
        histograms = [None if each is None else next(sums) for each in histograms]
    values = np.full(len(histograms), np.nan)
    values[[each is None for each in histograms]] = STALE
    times = rows.longs("time") // MILLISECOND
    return Samples(labels=labels, times=times, values=values, histograms=histograms)


def _histogram(row: Mapping[str, object]) -> NativeHistogram:
    def number(name: str) -> float:
        value = row[name]
        return float(value) if isinstance(value, int | float) else 0.0

    return NativeHistogram(
        schema=int(number("scale")),
        zero_threshold=number("zero_threshold"),
        zero_count=number("zero_count"),
        count=number("count"),
        sum=number("sum"),
        positive=_indexed(row["positive"], int(number("positive_offset"))),
        negative=_indexed(row["negative"], int(number("negative_offset"))),
    )


def _indexed(counts: object, offset: int) -> dict[int, float]:
    # Prometheus counts a bucket by its upper bound, OpenTelemetry by its lower one.
    found = counts if isinstance(counts, list) else []
    return {offset + 1 + place: float(count) for place, count in enumerate(found) if count}
