"""Rows of stored metrics, cut into series and given the values that PromQL works on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from collectors.promql import STALE, NativeHistogram, Samples, matching
from collectors.promql.native import add
from slo.promql import Matcher
from slo.records import dataclass

NAME = "__name__"
MILLISECOND = 1_000_000

_BOUND = "le"

Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One stored series: its digest, what it is, and its labels without the name."""

    series: int
    name: str
    kind: str
    delta: bool
    labels: Mapping[str, str]


def split(
    table: pa.Table, chosen: Mapping[int, Stored], suffix: str, matchers: Sequence[Matcher]
) -> Iterator[Samples]:
    """Cut rows that are ordered by series and time into series."""
    bounds = [each for each in matchers if each.name == _BOUND]
    of = table.column("series").to_numpy()
    changes = np.flatnonzero(of[1:] != of[:-1]) + 1 if len(of) else of[:0]
    for first, last in pairwise([0, *changes.tolist(), len(of)] if len(of) else []):
        one = chosen[int(of[first])]
        rows = table.slice(first, last - first)
        labels = {NAME: one.name + suffix, **one.labels}
        if suffix == "_bucket":
            yield from _buckets(one, labels, rows, bounds)
        elif not all(matching(each, [one.labels.get(_BOUND, "")])[0] for each in bounds):
            continue
        elif one.kind == "exponential":
            yield _native(one, labels, rows)
        else:
            yield _plain(one, labels, rows, _floats(rows, "value"))


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


def _plain(one: Stored, labels: Mapping[str, str], rows: pa.Table, values: Floats) -> Samples:
    times = _longs(rows, "time")
    if one.delta:
        times, values = _from_zero(times, np.cumsum(np.nan_to_num(values)), rows)
    elif one.kind in {"counter", "histogram"}:
        times, values = _with_starts(times, values, rows)
    return Samples(labels=labels, times=times, values=values)


def _from_zero(times: Times, values: Floats, rows: pa.Table) -> tuple[Times, Floats]:
    """Put a zero where the first delta of all began to count."""
    began = int(_longs(rows, "start")[0])
    if not 0 < began < times[0]:
        return times, values
    return np.insert(times, 0, began), np.insert(values, 0, 0.0)


def _with_starts(times: Times, values: Floats, rows: pa.Table) -> tuple[Times, Floats]:
    """Put a zero where a counter says that it began, unless it was seen before or just then.

    Prometheus calls it the created timestamp: births and resets lose nothing that way.
    """
    began = _longs(rows, "start")
    if not began.any():
        return times, values
    previous = np.concatenate(([np.iinfo(np.int64).min], times[:-1]))
    # The first row's own start may lie before the range that was read; then it is no birth here.
    fresh = (began > previous) & (began < times) & (began > 0)
    fresh[1:] &= began[1:] != began[:-1]
    where = np.flatnonzero(fresh)
    return np.insert(times, where, began[where]), np.insert(values, where, 0.0)


def _buckets(
    one: Stored, labels: Mapping[str, str], rows: pa.Table, matchers: Sequence[Matcher]
) -> Iterator[Samples]:
    """The cumulative buckets of a classic histogram, one series for each bound.

    Rows whose bounds differ from the first ones' give the buckets of a shape of its own.
    """
    shapes = rows.column("bounds").to_pylist()
    for shape in dict.fromkeys(tuple(each or ()) for each in shapes):
        mine = rows.filter(pa.array([tuple(each or ()) == shape for each in shapes]))
        names = [*map(spelled, shape), "+Inf"]
        wanted = [place for place, name in enumerate(names) if _is_meant(name, matchers)]
        if not wanted:
            continue
        flat = pc.list_flatten(mine.column("buckets")).to_numpy().astype(np.float64)
        if len(flat) != len(names) * mine.num_rows:
            continue
        below = np.cumsum(flat.reshape(mine.num_rows, len(names)), axis=1)
        for place in wanted:
            yield _plain(one, {**labels, _BOUND: names[place]}, mine, below[:, place].copy())


def spelled(bound: float) -> str:
    """Return a bucket's bound as Prometheus 3 stores it."""
    return repr(float(bound))


def _is_meant(name: str, matchers: Sequence[Matcher]) -> bool:
    """Whether matchers of ``le`` mean a bucket, in either spelling of a whole number."""
    spellings = [name, name.removesuffix(".0")]
    return all(
        (all if each.op in {"!=", "!~"} else any)(matching(each, spellings)) for each in matchers
    )


def _native(one: Stored, labels: Mapping[str, str], rows: pa.Table) -> Samples:
    histograms: list[NativeHistogram | None] = [
        None if row["count"] is None else _histogram(row) for row in rows.to_pylist()
    ]
    if one.delta:
        told = [each for each in histograms if each is not None]
        sums = accumulate(told, add)
        histograms = [None if each is None else next(sums) for each in histograms]
    values = np.full(len(histograms), np.nan)
    values[[each is None for each in histograms]] = STALE
    return Samples(labels=labels, times=_longs(rows, "time"), values=values, histograms=histograms)


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


def _longs(rows: pa.Table, name: str) -> Times:
    found: Times = rows.column(name).to_numpy().astype(np.int64, copy=False)
    return found


def _floats(rows: pa.Table, name: str) -> Floats:
    """A column of numbers; null ends a series."""
    column = rows.column(name)
    found: Floats = column.to_numpy().astype(np.float64)
    if column.null_count:
        found[column.is_null().to_numpy()] = STALE
    return found
