"""Traces out of the embedded store: lists, one whole, heatmaps, rates and durations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collectors.readers.store.asking import Asks, Question
from collectors.readers.store.conditions import ENTRY, Parameters, slice_of, where
from collectors.readers.telemetry import Answered, TimeRange, TraceOrder, TraceQuery, Where
from collectors.signals import SCHEMAS, Signal
from slo.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

HOUR = 3_600_000_000_000

MOST_SPANS = 5000
"""How many spans of one trace are read."""

_LISTED = (
    "trace_id",
    "span_id",
    "time",
    "duration",
    "name",
    "service",
    "component",
    "route",
    "method",
    "http_status",
    "status",
    "version",
    "pod",
)
_WHOLE = (
    "span_id",
    "parent_id",
    "time",
    "end",
    "duration",
    "name",
    "kind",
    "status",
    "status_message",
    "app",
    "env",
    "component",
    "service",
    "version",
    "route",
    "peer",
    "peer_kind",
    "pod",
    "attributes",
    "events",
    "links",
)


def entries(asked: Where, parameters: Parameters) -> str:
    """SQL of a common table ``entries``: the spans by which work enters an app.

    A span that another one of the same app called is inside already and is left out.
    """
    condition = f"{where(asked, Signal.SPANS, parameters)} AND {ENTRY}"
    return (
        f"entries AS (SELECT s.* FROM (SELECT * FROM records WHERE {condition}) s "
        "ANTI JOIN (SELECT trace_id, span_id FROM records) p "
        "ON s.trace_id = p.trace_id AND s.parent_id = p.span_id)"
    )


def traces(asker: Asks, query: TraceQuery) -> Answered[pd.DataFrame]:
    """Return a row for each trace that entered the app, with its first entry span."""
    parameters = Parameters()
    found = [f"WITH {entries(query.where, parameters)}"]
    condition = _chosen(query, parameters)
    order = "duration DESC" if query.order is TraceOrder.SLOWEST else "time DESC"
    columns = ", ".join(_LISTED)
    found.append(
        f", chosen AS (SELECT {columns} FROM entries WHERE {condition} "
        "QUALIFY row_number() OVER (PARTITION BY trace_id ORDER BY time) = 1 "
        f"ORDER BY {order}, trace_id LIMIT {query.limit}) "
        ", sizes AS (SELECT trace_id, count(*) AS spans FROM records "
        "WHERE trace_id IN (SELECT trace_id FROM chosen) GROUP BY trace_id) "
        f"SELECT {columns}, spans FROM chosen JOIN sizes USING (trace_id) "
        f"ORDER BY {order}, trace_id"
    )
    return asker.frame(_question(query.where, "".join(found), parameters))


def trace(asker: Asks, trace_id: str, around: TimeRange | None) -> Answered[pd.DataFrame]:
    """Return the spans of one trace, whosever they are."""
    parameters = Parameters()
    span = around and TimeRange(start=around.start - HOUR, end=around.end + HOUR)
    columns = ", ".join(f'"{name}"' for name in _WHOLE)
    return asker.frame(
        Question(
            signal=Signal.SPANS,
            sql=f"SELECT {columns} FROM records WHERE trace_id = {parameters.bind(trace_id)} "
            f"ORDER BY time, span_id LIMIT {MOST_SPANS}",
            parameters=parameters,
            apps=None,
            range=span,
        )
    )


def heatmap(
    asker: Asks, query: TraceQuery, slices: int, bounds: Sequence[int]
) -> Answered[pd.DataFrame]:
    """Return how many entry spans fall into each slice of time and of duration."""
    parameters = Parameters()
    common = entries(query.where, parameters)
    bucket = " + ".join(f"(duration >= {int(bound)})::INTEGER" for bound in bounds) or "0"
    condition = _chosen(query, parameters)
    return asker.frame(
        _question(
            query.where,
            f"WITH {common} SELECT {slice_of(query.where.range, slices, parameters)} AS time, "
            f"{bucket} AS bucket, sum(weight) AS count, "
            f"coalesce(sum(weight) FILTER (status = 'error'), 0) AS errors FROM entries "
            f"WHERE {condition} GROUP BY ALL ORDER BY ALL",
            parameters,
        )
    )


def _chosen(query: TraceQuery, parameters: Parameters) -> str:
    """SQL for the entry spans that a query keeps."""
    conditions = ["true"]
    if query.failed:
        conditions.append("status = 'error'")
    if query.at_least is not None:
        conditions.append(f"duration >= {parameters.bind(query.at_least)}")
    if query.below is not None:
        conditions.append(f"duration < {parameters.bind(query.below)}")
    return " AND ".join(conditions)


def red(asker: Asks, asked: Where, by: str | None, slices: int) -> Answered[pd.DataFrame]:
    """Return rate, errors and durations of entry spans over time."""
    parameters = Parameters()
    common = entries(asked, parameters)
    key = "''" if by is None else f"coalesce(CAST({column(by)} AS VARCHAR), '')"
    return asker.frame(
        _question(
            asked,
            f"WITH {common} SELECT {slice_of(asked.range, slices, parameters)} AS time, "
            f"{key} AS key, sum(weight) AS count, "
            "coalesce(sum(weight) FILTER (status = 'error'), 0) AS errors, "
            "quantile_cont(duration, 0.5) AS p50, quantile_cont(duration, 0.9) AS p90, "
            "quantile_cont(duration, 0.99) AS p99 FROM entries GROUP BY ALL ORDER BY ALL",
            parameters,
        )
    )


def column(name: str) -> str:
    """Return a column of spans as SQL; raises ``UsageError`` for one that spans do not have."""
    if name not in SCHEMAS[Signal.SPANS].names:
        raise UsageError(f'spans have no column "{name}"')
    return f'"{name}"'


def _question(asked: Where, sql: str, parameters: Parameters) -> Question:
    return Question(
        signal=Signal.SPANS,
        sql=sql,
        parameters=parameters,
        apps=(asked.app,),
        range=asked.range,
    )
