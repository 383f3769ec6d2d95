"""Metrics of a snapshot, read file by file without SQL, and what of them is kept in memory.

Series are found in an index of each file, their samples by their place in it. Both are read once:
files never change. That makes a second question a matter of milliseconds, which planning SQL over
hundreds of files is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from collectors.store.held import Held
from collectors.store.points import Chosen, Column, Numbers, Piece, Points, gathered, parts, within
from collectors.store.series import (
    FileSeries,
    KnownSeries,
    StoredSeries,
    read_columns,
    read_series,
)
from slo.errors import QueryRejected, SourceTimeout
from slo.records import dataclass

_MOST_KNOWN = 200_000
_UNREADABLE = (OSError, pa.ArrowException, ValueError)

Key = tuple[Path, int | None, str]
"""A column of one row group of a file, or of a whole file whose rows were put in order."""


class MetricCache:
    """What the readers of one process share: half of ``most`` bytes each for series and samples."""

    def __init__(self, most: int) -> None:
        self.series: Held[Path, FileSeries] = Held(most // 2, lambda each: each.nbytes)
        self.columns: Held[Key, Column] = Held(most // 2, lambda each: each.nbytes)
        self.known = KnownSeries(_MOST_KNOWN)


Found = Callable[[Collection[str | None] | None, int | None, int | None], Sequence[Path]]
"""Gives the files that may have rows of these apps, from a time to before another.

What was stored first comes first.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFiles:
    """The metrics of one snapshot; threads may share it.

    ``leave_out`` is told of files that do not parse; ``until``, of the monotonic clock, bounds all
    reading. Every method raises ``SourceTimeout`` after it, and ``SnapshotExpired``.
    """

    found: Found
    leave_out: Callable[[Path], None]
    cache: MetricCache
    until: float | None

    def files(
        self,
        apps: Collection[str | None] | None = None,
        *,
        start: int | None = None,
        end: int | None = None,
    ) -> list[FileSeries]:
        """Return the series of each file that may have samples with ``start <= time < end``."""
        read = []
        for path in self.found(apps, start, end):
            self._check_time()
            one = self.cache.series.get(path)
            if one is None:
                try:
                    one = read_series(path, self.cache.known)
                except _UNREADABLE:
                    self.leave_out(path)
                    continue
                self.cache.series.put(path, one)
            read.append(one)
        return read

    def points(
        self,
        series: Sequence[StoredSeries],
        chosen: Sequence[Chosen],
        names: Sequence[str],
        span: tuple[int, int],
        *,
        most: int,
    ) -> Points:
        """Return the samples of chosen runs, at most so many, from a time to before another.

        ``names`` are the columns; the time is always one.
        """
        names = tuple(dict.fromkeys(("time", *names)))
        pieces: list[Piece] = []
        total = 0
        for one in chosen:
            self._check_time()
            try:
                mine = list(self._pieces(one, names, span))
            except _UNREADABLE:
                self.leave_out(one.file.path)
                continue
            total += sum(int(each.lengths.sum()) for each in mine)
            if total > most:
                raise QueryRejected(
                    f"the selector reads more than {most:,} samples",
                    source="store",
                    hint="name fewer series or a shorter range",
                )
            pieces += mine
        if not pieces:
            return Points(series=(), borders=np.zeros(1, np.int64), columns={})
        return gathered(series, pieces, names)

    def has_samples(self, file: FileSeries, run: int, start: int, end: int) -> bool:
        """Whether a run has a sample with ``start <= time < end``."""
        first, last = int(file.start[run]), int(file.end[run])
        if last < start or first >= end:
            return False
        if first >= start or last < end:
            return True
        try:
            runs = np.array([run], np.intp)
            found = self._pieces(
                Chosen(file=file, runs=runs, places=np.zeros(1, np.int64)), ("time",), (start, end)
            )
            return any(piece.lengths.any() for piece in found)
        except _UNREADABLE:
            self.leave_out(file.path)
            return False

    def _pieces(
        self, chosen: Chosen, names: Sequence[str], span: tuple[int, int]
    ) -> Iterator[Piece]:
        for group, first, last, here in parts(chosen):
            columns = self._columns(chosen.file, group, names)
            times = columns["time"]
            assert isinstance(times, Numbers), "times are numbers"
            low, high = within(times.values, first, last, *span)
            kept = np.flatnonzero(high > low)
            if len(kept):
                yield Piece(
                    columns=columns,
                    first=low[kept],
                    lengths=high[kept] - low[kept],
                    places=chosen.places[here[kept]],
                )

    def _columns(
        self, file: FileSeries, group: int | None, names: Sequence[str]
    ) -> dict[str, Column]:
        held = {name: self.cache.columns.get((file.path, group, name)) for name in names}
        if missing := [name for name, column in held.items() if column is None]:
            table = read_columns(pq.ParquetFile(file.path), group, missing)
            for name in missing:
                held[name] = made = _column(table.column(name), file)
                self.cache.columns.put((file.path, group, name), made)
        return {name: column for name, column in held.items() if column is not None}

    def _check_time(self) -> None:
        if self.until is not None and monotonic() > self.until:
            raise SourceTimeout("the store did not answer in time", source="store")


def _column(found: pa.ChunkedArray[Any], file: FileSeries) -> Column:
    array = found.combine_chunks()
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if file.order is not None:
        array = array.take(file.order)
    if isinstance(array, pa.ListArray):
        return array
    if not array.null_count:
        return Numbers(values=array.to_numpy(), missing=None)
    return Numbers(
        values=array.fill_null(0).to_numpy(),
        missing=array.is_null().to_numpy(zero_copy_only=False),
    )
