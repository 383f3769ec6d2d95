"""The SQL of ``records``: the rows of many files as one table, each row once.

Names of files and apps never stand in the SQL; they are variables of the connection, bound by
value.
"""

# ruff: noqa: S608 - the SQL is made of names of columns, numbers and variables' names
from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from collectors.signals import SCHEMAS, Signal
from collectors.store.fresh import Fresh
from collectors.store.manifest import Segment
from collectors.store.schemas import IDENTITY, fingerprint, sql_type
from collectors.store.textindex import Block
from slo.logquery import Expression
from slo.records import dataclass

Variables = dict[str, object]

_WITH = re.compile(r"\s*WITH\s+(?P<recursive>RECURSIVE\s+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which rows are asked for: those of ``apps``, with ``start <= time < end``.

    With ``texts``, only log records that meet this query matter; others may be left out.
    """

    apps: frozenset[str | None] | None
    start: int | None
    end: int | None
    texts: Expression | None = None

    def touches(self, apps: Collection[str | None], first: int, last: int) -> bool:
        """Whether a file with these apps, from the first to the last time, may have such rows."""
        return (
            (self.start is None or last >= self.start)
            and (self.end is None or first < self.end)
            and (self.apps is None or not self.apps.isdisjoint(apps))
        )

    def condition(self, variables: Variables) -> str:
        """The SQL that keeps such rows; what it compares with goes to the variables."""
        parts = []
        if self.start is not None:
            parts.append(f"time >= {int(self.start)}")
        if self.end is not None:
            parts.append(f"time < {int(self.end)}")
        if self.apps is not None:
            named = sorted(app for app in self.apps if app is not None)
            variables |= {f"app_{place}": app for place, app in enumerate(named)}
            texts = [f"getvariable('app_{place}')" for place in range(len(named))]
            own = f"app IN ({', '.join(texts)})" if texts else "false"
            parts.append(f"({own} OR app IS NULL)" if None in self.apps else own)
        return " AND ".join(parts) or "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that may have such rows: commits, segments, and where those are.

    Of segments whose path is in ``parts`` only these blocks may have some.
    """

    root: Path
    signal: Signal
    segments: Sequence[Segment]
    fresh: Sequence[Fresh]
    parts: Mapping[str, Sequence[Block]] = field(default_factory=dict)

    @property
    def extents(self) -> tuple[Segment | Fresh | Block, ...]:
        """What there is to read: whole files, and blocks of others."""
        whole = [each for each in self.segments if each.path not in self.parts]
        blocks = [block for each in self.segments for block in self.parts.get(each.path, ())]
        return (*whole, *blocks, *self.fresh)

    def paths(self) -> list[Path]:
        """All of them."""
        return [self.of_segment(each) for each in self.segments] + [
            self.of_fresh(each) for each in self.fresh
        ]

    def of_segment(self, segment: Segment) -> Path:
        """Where a segment is."""
        return self.root / segment.path

    def of_fresh(self, commit: Fresh) -> Path:
        """Where a commit is."""
        return self.root / "fresh" / self.signal.value / commit.name


def records_sql(files: Files, wanted: Slice, *, only_fresh: bool = False) -> tuple[str, Variables]:
    """The SQL that selects the wanted rows, and the variables it needs.

    ``only_fresh`` leaves out the rows of segments.
    """
    variables: Variables = {}
    condition = wanted.condition(variables)
    parts = []
    whole = [each for each in files.segments if each.path not in files.parts]
    if whole and not only_fresh:
        source = segments_sql(files, whole, "segments", variables)
        parts.append(f"SELECT * FROM ({source}) WHERE {condition}")
    some = [each for each in files.segments if each.path in files.parts]
    if some and not only_fresh:
        source = segments_sql(files, some, "parts", variables)
        times = _times(block for each in some for block in files.parts[each.path])
        parts.append(f"SELECT * FROM ({source}) WHERE {condition} AND ({times})")
    if files.fresh:
        parts.append(_fresh_sql(files, condition, variables))
    if not parts:
        parts.append(f"SELECT {_nulls(files.signal)} WHERE false")
    return " UNION ALL ".join(parts), variables


def _times(blocks: Iterable[Block]) -> str:
    """The SQL that keeps the times of blocks, by which DuckDB skips other row groups."""
    merged: list[list[int]] = []
    for start, end in sorted((each.start, each.end) for each in blocks):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(end, merged[-1][1])
        else:
            merged.append([start, end])
    return " OR ".join(f"time BETWEEN {start} AND {end}" for start, end in merged) or "false"


def with_records(sql: str, source: str) -> str:
    """SQL in which ``records`` is what a source selects; it may have a ``WITH`` of its own."""
    own = _WITH.match(sql)
    head = f"WITH {own['recursive'] or ''}records" if own else "WITH records"
    rest = f", {sql[own.end() :]}" if own else f" {sql}"
    return f"{head} AS NOT MATERIALIZED ({source}){rest}"


def segments_sql(files: Files, segments: Sequence[Segment], name: str, variables: Variables) -> str:
    """The SQL that selects all rows of segments."""
    found = [(str(files.of_segment(each)), each.columns) for each in segments]
    return _source(files.signal, found, name, variables)


def _fresh_sql(files: Files, condition: str, variables: Variables) -> str:
    found = [(str(files.of_fresh(each)), each.columns) for each in files.fresh]
    source = _source(files.signal, found, "fresh", variables, numbered=True)
    keys = IDENTITY.get(files.signal)
    columns = _columns(files.signal)
    if keys is None:
        return f"SELECT {columns} FROM ({source}) WHERE {condition}"
    once = (
        f"SELECT * FROM ({source}) WHERE {condition} QUALIFY row_number() OVER"
        f" (PARTITION BY {', '.join(keys)} ORDER BY filename, file_row_number) = 1"
    )
    first = min(each.start for each in files.fresh)
    last = max(each.end for each in files.fresh)
    rivals = [
        each for each in files.segments if any(_may_share(each, commit) for commit in files.fresh)
    ]
    if not rivals:
        return f"SELECT {columns} FROM ({once})"
    stored = segments_sql(files, rivals, "rivals", variables)
    same = " AND ".join(f"stored.{key} IS NOT DISTINCT FROM incoming.{key}" for key in keys)
    return (
        f"SELECT {columns} FROM ({once}) AS incoming WHERE NOT EXISTS"
        f" (SELECT 1 FROM ({stored}) AS stored"
        f" WHERE {same} AND stored.time BETWEEN {first} AND {last})"
    )


def _may_share(segment: Segment, commit: Fresh) -> bool:
    return (
        segment.start <= commit.end
        and segment.end >= commit.start
        and not frozenset(segment.apps).isdisjoint(commit.apps)
    )


def _source(
    signal: Signal,
    files: Sequence[tuple[str, str]],
    name: str,
    variables: Variables,
    *,
    numbered: bool = False,
) -> str:
    """The rows of files; older ones may lack columns that there are now."""
    now = fingerprint(SCHEMAS[signal])
    extra = ", filename = true, file_row_number = true" if numbered else ""
    more = ", filename, file_row_number" if numbered else ""
    parts = []
    if current := [path for path, columns in files if columns == now]:
        variables[name] = current
        parts.append(
            f"SELECT {_columns(signal)}{more} FROM read_parquet(getvariable('{name}'){extra})"
        )
    if older := [path for path, columns in files if columns != now]:
        variables[f"{name}_older"] = older
        read = f"read_parquet(getvariable('{name}_older'), union_by_name = true{extra})"
        parts.append(
            f"SELECT {_cast(signal)}{more} FROM (SELECT {_nulls(signal)} WHERE false"
            f" UNION ALL BY NAME SELECT * FROM {read})"
        )
    return " UNION ALL ".join(parts)


def _columns(signal: Signal) -> str:
    return ", ".join(f'"{name}"' for name in SCHEMAS[signal].names)


def _cast(signal: Signal) -> str:
    return ", ".join(
        f'"{field.name}"::{sql_type(field.type)} AS "{field.name}"' for field in SCHEMAS[signal]
    )


def _nulls(signal: Signal) -> str:
    return ", ".join(f'NULL::{sql_type(field.type)} AS "{field.name}"' for field in SCHEMAS[signal])
