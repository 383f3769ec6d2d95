"""Samples of chosen series, put together from the columns of many files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from collectors.store.series import FileSeries, Longs, StoredSeries
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """A column of numbers; where one is ``missing`` its value means nothing."""

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return self.values.nbytes + (0 if self.missing is None else self.missing.nbytes)


Column: TypeAlias = "Numbers | pa.Array[Any]"
"""Numbers, or an array of lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Samples of some series: those of ``series[i]`` are rows ``borders[i]`` to ``borders[i+1]``.

    They ascend in time, and no two of a series have the same.
    """

    series: tuple[StoredSeries, ...]
    borders: Longs
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The runs of a file that are asked for, and the place of each one's series in the answer."""

    file: FileSeries
    runs: NDArray[np.intp]
    places: Longs


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Rows of one part of a file: ``lengths[i]`` rows from ``first[i]`` on for each place."""

    columns: Mapping[str, Column]
    first: Longs
    lengths: Longs
    places: Longs


def parts(chosen: Chosen) -> Iterator[tuple[int | None, Longs, Longs, NDArray[np.intp]]]:
    """Give the row groups that have rows of chosen runs, with the rows of each run in them.

    A file whose rows are put in order is one part, ``None``.
    """
    file = chosen.file
    first = file.first[chosen.runs]
    last = first + file.rows[chosen.runs]
    if file.order is not None:
        yield None, first, last, np.arange(len(first))
        return
    for group, (begin, end) in enumerate(zip(file.groups[:-1], file.groups[1:], strict=True)):
        here = np.flatnonzero((first < end) & (last > begin))
        if len(here):
            low, high = np.maximum(first[here], begin), np.minimum(last[here], end)
            yield group, low - begin, high - begin, here


def within(times: Longs, first: Longs, last: Longs, start: int, end: int) -> tuple[Longs, Longs]:
    """Narrow stretches of ascending times to those from ``start`` to before ``end``."""
    early = np.flatnonzero(times[first] < start)
    late = np.flatnonzero(times[last - 1] >= end)
    if len(early):
        first = first.copy()
        for place in early:
            here = slice(int(first[place]), int(last[place]))
            first[place] += np.searchsorted(times[here], start)
    if len(late):
        last = last.copy()
        for place in late:
            here = slice(int(first[place]), int(last[place]))
            last[place] = first[place] + np.searchsorted(times[here], end)
    return first, last


def gathered(
    series: Sequence[StoredSeries], pieces: Sequence[Piece], names: Sequence[str]
) -> Points:
    """Put pieces together; of two samples at one time that of the earlier piece counts."""
    places = _joined([each.places for each in pieces])
    lengths = _joined([each.lengths for each in pieces])
    offsets = np.cumsum(lengths) - lengths
    order = np.argsort(places, kind="stable")
    rows = _stretches(offsets[order], lengths[order])
    of = np.repeat(places[order], lengths[order])
    columns = {name: _column([_taken(each, name) for each in pieces], rows) for name in names}
    times = columns["time"]
    assert isinstance(times, Numbers), "times are numbers"
    rises = times.values[1:] > times.values[:-1]
    same = of[1:] == of[:-1]
    if (same & ~rises).any():
        again = np.lexsort((times.values, of))
        at, whose = times.values[again], of[again]
        again = again[np.concatenate(([True], (at[1:] != at[:-1]) | (whose[1:] != whose[:-1])))]
        columns = {name: _put(column, again) for name, column in columns.items()}
        of = of[again]
    borders = np.searchsorted(of, np.arange(len(series) + 1))
    return Points(series=tuple(series), borders=borders, columns=columns)


def _stretches(first: Longs, lengths: Longs) -> Longs:
    """The numbers of all rows of stretches, one after the other."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(first - (ends - lengths), lengths) + np.arange(total, dtype=np.int64)


def _joined(arrays: Sequence[Longs]) -> Longs:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)


def _taken(piece: Piece, name: str) -> Column:
    """The rows of a piece in one column; neighbouring stretches are not copied."""
    column = piece.columns[name]
    first, lengths = piece.first, piece.lengths
    if not len(first):
        return _cut(column, 0, 0)
    if (first[1:] == first[:-1] + lengths[:-1]).all():
        return _cut(column, int(first[0]), int(lengths.sum()))
    return _put(column, _stretches(first, lengths))


def _cut(column: Column, first: int, rows: int) -> Column:
    if not isinstance(column, Numbers):
        return column.slice(first, rows)
    missing = None if column.missing is None else column.missing[first : first + rows]
    return Numbers(values=column.values[first : first + rows], missing=missing)


def _put(column: Column, rows: Longs) -> Column:
    if not isinstance(column, Numbers):
        return column.take(rows)
    missing = None if column.missing is None else column.missing[rows]
    return Numbers(values=column.values[rows], missing=missing)


def _column(found: Sequence[Column], rows: Longs) -> Column:
    numbers = [each for each in found if isinstance(each, Numbers)]
    if len(numbers) < len(found):
        lists = pa.concat_arrays([each for each in found if not isinstance(each, Numbers)])
        return _put(lists, rows)
    values = np.concatenate([each.values for each in numbers])
    if all(each.missing is None for each in numbers):
        return Numbers(values=values[rows], missing=None)
    missing = np.concatenate(
        [
            np.zeros(len(each.values), bool) if each.missing is None else each.missing
            for each in numbers
        ]
    )
    return Numbers(values=values[rows], missing=missing[rows])
