"""Tables of today's columns from what was stored, whichever columns there were then."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from collectors.signals import SCHEMAS, Signal

IDENTITY: dict[Signal, tuple[str, ...]] = {
    Signal.METRICS: ("app", "series", "time"),
    Signal.SPANS: ("app", "trace_id", "span_id", "time"),
    Signal.DEPLOYS: ("app", "id", "time"),
}
"""Columns that make two rows one and the same, delivered twice; two equal log lines are two."""

ORDER: dict[Signal, tuple[str, ...]] = {
    Signal.METRICS: ("name", "series", "time"),
    Signal.LOGS: ("time",),
    Signal.SPANS: ("time",),
    Signal.DEPLOYS: ("time",),
}
"""Columns by which the rows of a segment are sorted, so that files' statistics tell them apart."""

_SQL_TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint64(): "UBIGINT",
    pa.float64(): "DOUBLE",
}


def fingerprint(schema: pa.Schema) -> str:
    """A short text that tells schemas apart by their columns' names and types."""
    text = "\n".join(f"{field.name} {sql_type(field.type)}" for field in schema)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def sql_type(kind: pa.DataType) -> str:
    """What DuckDB calls a type of a column."""
    if isinstance(kind, pa.ListType):
        return f"{sql_type(kind.value_type)}[]"
    return _SQL_TYPES[kind]


def conform(signal: Signal, table: pa.Table) -> pa.Table:
    """A table with the columns of a signal: those it lacks are null, those unknown are dropped.

    Raises ``ValueError`` where a value does not fit its column, or a required one is missing.
    """
    schema = SCHEMAS[signal]
    if table.schema.equals(schema):
        _require(table)
        return table
    present = set(table.column_names)
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in present
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    made = pa.Table.from_arrays(columns, schema=schema)
    _require(made)
    return made


def time_range(table: pa.Table) -> tuple[int, int]:
    """The earliest and the latest time of a table that has rows."""
    times = table.column("time")
    return int(pc.min(times).as_py()), int(pc.max(times).as_py())


def apps_of(table: pa.Table) -> tuple[str | None, ...]:
    """The apps of a table's rows, in alphabetical order, None at the end."""
    return in_order(table.column("app").unique().to_pylist())


def in_order(apps: Iterable[str | None]) -> tuple[str | None, ...]:
    """Apps in alphabetical order, None at the end."""
    return tuple(sorted(apps, key=lambda app: (app is None, app or "")))


def _require(table: pa.Table) -> None:
    for field, column in zip(table.schema, table.columns, strict=True):
        if not field.nullable and column.null_count:
            raise ValueError(f'a row has no "{field.name}", which every row needs')
