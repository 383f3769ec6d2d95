"""Rows that were delivered twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from collectors.signals import Signal
from collectors.store.manifest import Segment
from collectors.store.schemas import IDENTITY, apps_of, time_range

_PLACE = "place"


def first_of_each(signal: Signal, rows: pa.Table) -> pa.Table:
    """The rows without those that repeat an earlier one."""
    keys = IDENTITY.get(signal)
    if keys is None or rows.num_rows <= 1:
        return rows
    places = _places(rows, keys).group_by(list(keys)).aggregate([(_PLACE, "min")])
    if places.num_rows == rows.num_rows:
        return rows
    firsts = np.sort(places.column(f"{_PLACE}_min").to_numpy())
    return rows.take(pa.array(firsts))


def without_stored(
    connection: duckdb.DuckDBPyConnection,
    root: Path,
    signal: Signal,
    rows: pa.Table,
    segments: Sequence[Segment],
) -> pa.Table:
    """The rows without those that a segment holds already."""
    keys = IDENTITY.get(signal)
    if keys is None or not rows.num_rows:
        return rows
    low, high = time_range(rows)
    apps = frozenset(apps_of(rows))
    files = [
        str(root / each.path)
        for each in segments
        if each.start <= high and each.end >= low and not apps.isdisjoint(each.apps)
    ]
    if not files:
        return rows
    same = " AND ".join(f"stored.{key} IS NOT DISTINCT FROM incoming.{key}" for key in keys)
    cursor = connection.cursor()
    try:
        cursor.register("incoming", _places(rows, keys))
        answer = cursor.sql(
            "SELECT DISTINCT incoming.place"  # noqa: S608 - names of columns only
            f" FROM read_parquet($files) AS stored JOIN incoming ON {same}"
            " WHERE stored.time BETWEEN $low AND $high",
            params={"files": files, "low": low, "high": high},
        )
        places = answer.to_arrow_table().column(0).to_numpy()
    finally:
        cursor.close()
    keep = np.ones(rows.num_rows, dtype=bool)
    keep[places] = False
    return rows.filter(pa.array(keep)) if len(places) else rows


def _places(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    numbers = pa.array(np.arange(rows.num_rows, dtype=np.int64))
    return rows.select(list(keys)).append_column(_PLACE, numbers)
