"""Which series a file of metrics holds, and where in it their samples are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from collectors.signals import SCHEMAS, Signal
from slo.records import dataclass

Longs = NDArray[np.int64]

_SCHEMA = SCHEMAS[Signal.METRICS]
_TEXTS = ("app", "name", "kind", "labels")
_INDEXED = (*_TEXTS, "delta", "series", "time")
_RUN_BYTES = 64
_NAME_BYTES = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSeries:
    """One stored series: its digest, what it is, and its labels without the name."""

    series: int
    name: str
    kind: str
    delta: bool
    labels: Mapping[str, str]


Known = Callable[[int, str, str, bool, str], StoredSeries]
"""Gives the series of a digest, name, kind, whether of deltas, and labels as they are stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSeries:
    """The runs of a file: neighbouring rows of one series and app, in the order of time.

    Run ``i`` has ``rows[i]`` rows from ``first[i]`` on, from the time ``start[i]`` to ``end[i]``.
    ``order`` is how rows must be put to stand like that, ``None`` where they do; ``groups`` are
    the borders of the row groups.
    """

    path: Path
    series: tuple[StoredSeries, ...]
    apps: tuple[str | None, ...]
    names: Mapping[str, NDArray[np.intp]]
    first: Longs
    rows: Longs
    start: Longs
    end: Longs
    groups: Longs
    order: Longs | None

    @property
    def nbytes(self) -> int:
        """About how much memory it takes; series are shared with other files."""
        order = 0 if self.order is None else self.order.nbytes
        return _RUN_BYTES * len(self.series) + _NAME_BYTES * len(self.names) + order + 1000


def read_series(path: Path, known: Known) -> FileSeries:
    """Read what series a file holds; raises ``OSError`` or ``ArrowException`` where it cannot."""
    file = pq.ParquetFile(path, read_dictionary=list(_TEXTS))
    meta = file.metadata
    sizes = [meta.row_group(place).num_rows for place in range(meta.num_row_groups)]
    table = read_columns(file, None, _INDEXED)
    codes = {name: _codes(table, name) for name in ("app", "kind")}
    keys = [
        table.column("series").to_numpy(),
        codes["app"],
        codes["kind"],
        table.column("delta").to_numpy(),
    ]
    times = table.column("time").to_numpy()
    order: Longs | None = None
    changes = _changes(keys)
    if not _is_ordered(times, changes) or len(np.unique(keys[0])) < len(changes) // 2:
        order = np.lexsort((times, *reversed(keys))).astype(np.int64)
        keys, times = [key[order] for key in keys], times[order]
        changes = _changes(keys)
    first = np.concatenate(([0], changes)).astype(np.int64) if len(times) else changes
    rows = np.diff(np.append(first, len(times)))
    heads = table.take(first if order is None else order[first]).select([*_TEXTS, "delta"])
    made = _series(keys[0][first], heads, known)
    return FileSeries(
        path=path,
        series=made,
        apps=tuple(heads.column("app").to_pylist()),
        names=_by_name(made),
        first=first,
        rows=rows,
        start=times[first],
        end=times[first + rows - 1],
        groups=np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        order=order,
    )


def read_columns(file: pq.ParquetFile, group: int | None, names: Sequence[str]) -> pa.Table:
    """Read columns of a row group or of all; those that the file does not have are null."""
    there = set(file.schema_arrow.names)
    mine = [name for name in names if name in there]
    found = (
        file.read(columns=mine, use_threads=False)
        if group is None
        else file.read_row_group(group, columns=mine, use_threads=False)
    )
    if found.num_columns == len(names):
        return found.select(list(names))
    columns = [
        found.column(name)
        if name in there
        else pa.chunked_array([pa.nulls(found.num_rows, _SCHEMA.field(name).type)])
        for name in names
    ]
    return pa.table(columns, names=list(names))


def _codes(table: pa.Table, name: str) -> NDArray[Any]:
    """A number for each distinct text of a column; null has one of its own."""
    column = table.column(name).combine_chunks()
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    found: NDArray[Any] = column.indices.fill_null(-1).to_numpy()
    return found


def _changes(keys: Sequence[NDArray[Any]]) -> Longs:
    """The places where any key differs from the one before."""
    different = np.zeros(max(0, len(keys[0]) - 1), bool)
    for key in keys:
        different |= key[1:] != key[:-1]
    return np.flatnonzero(different).astype(np.int64) + 1


def _is_ordered(times: Longs, changes: Longs) -> bool:
    """Whether times ascend between changes."""
    falls = times[1:] < times[:-1]
    falls[changes - 1] = False
    return not falls.any()


def _series(digests: NDArray[np.uint64], heads: pa.Table, known: Known) -> tuple[StoredSeries, ...]:
    columns = (heads.column(name).to_pylist() for name in ("name", "kind", "delta", "labels"))
    return tuple(
        known(int(digest), name, kind, bool(delta), labels)
        for digest, name, kind, delta, labels in zip(digests.tolist(), *columns, strict=True)
    )


def _by_name(series: Sequence[StoredSeries]) -> Mapping[str, NDArray[np.intp]]:
    found: dict[str, list[int]] = {}
    for place, one in enumerate(series):
        found.setdefault(one.name, []).append(place)
    return {name: np.array(places, dtype=np.intp) for name, places in found.items()}


class KnownSeries:
    """Series by what identifies them, so that many files share one object each.

    Forgets all of them when there are ``most``: files keep those that they name.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[tuple[int, str, str, bool], StoredSeries] = {}

    def __call__(self, series: int, name: str, kind: str, delta: bool, labels: str) -> StoredSeries:  # noqa: FBT001 - as `Known` has it
        """Return the series."""
        key = series, name, kind, delta
        found = self._known.get(key)
        if found is None:
            found = StoredSeries(
                series=series, name=name, kind=kind, delta=delta, labels=json.loads(labels)
            )
            if len(self._known) >= self._most:
                self._known = {}
            self._known[key] = found
        return found
