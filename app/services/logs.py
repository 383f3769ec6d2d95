"""Log records of an application: search and histogram. Patterns are `app.services.patterns`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.patterns import patterns
from app.services.subjects import allowed
from app.services.world import World
from collectors.readers.telemetry import Answered, LogQuery
from slo.errors import UsageError
from slo.logquery import LogQueryError, parse

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["histogram", "patterns", "search"]

MOST = 5_000
"""How many records one answer has at most."""

BUCKETS = 60


def search(world: World, scope: Scope, query: LogQuery) -> Answered[pd.DataFrame]:
    """Return the newest records that a query selects; `TelemetryReader.logs` has the columns.

    Raises ``UsageError`` for a text that is no query.
    """
    return world.reader("logs").logs(_checked(world, scope, query))


def histogram(
    world: World, scope: Scope, query: LogQuery, buckets: int = BUCKETS
) -> Answered[pd.DataFrame]:
    """Return how many records there are per slice of the range, by level: time, level, count.

    Slices without records have no rows.
    """
    if buckets < 1:
        raise UsageError("a histogram has at least one bucket")
    return world.reader("logs").log_histogram(_checked(world, scope, query), buckets)


def _checked(world: World, scope: Scope, query: LogQuery) -> LogQuery:
    where = allowed(world, scope, query.where)
    try:
        parse(query.text)
    except LogQueryError as error:
        raise UsageError(f"the query cannot be read: {error}") from None
    return replace(query, where=where, limit=max(1, min(query.limit, MOST)))
