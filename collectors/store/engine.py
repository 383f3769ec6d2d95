"""DuckDB, told to read one folder and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TypeVar

import duckdb

from slo.errors import QueryRejected, SourceTimeout

_T = TypeVar("_T")


def connect(
    folder: Path, *, memory: str, threads: int, spill: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that reads files below ``folder`` and can do nothing else.

    Without ``spill`` a query that needs more memory fails; with it, it uses files there.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": threads,
            "memory_limit": memory,
            "temp_directory": "" if spill is None else str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "preserve_insertion_order": False,
        },
    )
    connection.execute("SET allowed_directories = $folders", {"folders": [str(folder)]})
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def define(cursor: duckdb.DuckDBPyConnection, variables: Mapping[str, object]) -> None:
    """Set variables of a cursor by value; SQL reads them with ``getvariable``."""
    for name, value in variables.items():
        cursor.execute(f"SET VARIABLE {name} = $value", {"value": value})


def within(cursor: duckdb.DuckDBPyConnection, deadline: float | None, work: Callable[[], _T]) -> _T:
    """Do work with a cursor and interrupt it after so many seconds."""
    if deadline is None:
        return work()
    if deadline <= 0:
        raise SourceTimeout("the store had no time left to answer", source="store")
    timer = Timer(deadline, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        return work()
    finally:
        timer.cancel()


@contextmanager
def translated() -> Iterator[None]:
    """Turn DuckDB's errors into ours, except those that may come from a damaged or missing file."""
    try:
        yield
    except duckdb.InterruptException as cause:
        raise SourceTimeout("the store did not answer in time", source="store") from cause
    except duckdb.OutOfMemoryException as cause:
        raise QueryRejected(
            "the question needs more memory than the store may use",
            source="store",
            hint="ask for fewer apps, a shorter range or fewer rows",
        ) from cause
