"""Log records out of the embedded store."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors.readers.store.asking import Asker, Question
from collectors.readers.store.conditions import (
    LEVEL_SQL,
    Parameters,
    bad_span,
    counted_spans,
    log_where,
    slice_of,
    where,
)
from collectors.readers.telemetry import Answered, Badness, LogQuery, Where
from collectors.signals import Signal

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (
    "time",
    "severity",
    "severity_text",
    "body",
    "component",
    "service",
    "version",
    "pod",
    "host",
    "trace_id",
    "span_id",
    "event",
    "attributes",
    "resource",
    "rung",
)

MOST_BAD_TRACES = 20_000
"""How many failing traces are remembered when log lines are told apart by them."""


def logs(asker: Asker, query: LogQuery) -> Answered[pd.DataFrame]:
    """Return the newest records that a query selects; stops reading when there are enough."""
    parameters = Parameters()
    condition = log_where(query, parameters)
    span = query.where.range
    question = Question(
        signal=Signal.LOGS,
        sql=f"SELECT {', '.join(_COLUMNS)}, observed AS cursor FROM records "
        f"WHERE {condition} ORDER BY time DESC LIMIT {query.limit}",
        parameters=parameters,
        apps=(query.where.app,),
        range=span,
    )
    began = time.perf_counter()
    snapshot, found = asker.newest(
        question, condition, columns=(*_COLUMNS, "observed"), limit=query.limit
    )
    frame = found.to_pandas().rename(columns={"observed": "cursor"})
    cut = len(frame) >= query.limit
    notes = (f"the newest {query.limit} records; there may be more",) if cut else ()
    return asker.answered(
        frame, question, snapshot, seconds=time.perf_counter() - began, notes=notes
    )


def histogram(asker: Asker, query: LogQuery, buckets: int) -> Answered[pd.DataFrame]:
    """Return how many records each slice of time has, by level."""
    parameters = Parameters()
    condition = log_where(query, parameters)
    span = query.where.range
    return asker.frame(
        Question(
            signal=Signal.LOGS,
            sql=f"SELECT {slice_of(span, buckets, parameters)} AS time, {LEVEL_SQL} AS level, "
            f"count(*) AS count FROM records WHERE {condition} GROUP BY ALL ORDER BY ALL",
            parameters=parameters,
            apps=(query.where.app,),
            range=span,
        )
    )


def failing_bodies(asker: Asker, asked: Where, bad: Badness, limit: int) -> Answered[pd.DataFrame]:
    """Return log lines of bad requests and as many of others."""
    spans = Parameters()
    _, table = asker.table(
        Question(
            signal=Signal.SPANS,
            sql=f"SELECT DISTINCT trace_id FROM records WHERE {where(asked, Signal.SPANS, spans)} "
            f"AND {counted_spans(bad, spans)} AND {bad_span(bad, spans)} LIMIT {MOST_BAD_TRACES}",
            parameters=spans,
            apps=(asked.app,),
            range=asked.range,
        )
    )
    parameters = Parameters()
    traces = parameters.bind(table.column(0).to_pylist())
    # Filters are of spans; lines are told apart by their trace.
    condition = where(replace(asked, filters=()), Signal.LOGS, parameters)
    return asker.frame(
        Question(
            signal=Signal.LOGS,
            sql=f"WITH bad AS (SELECT unnest({traces}::VARCHAR[]) AS bad_trace), lines AS ("
            "SELECT time, body, severity, bad_trace IS NOT NULL AS failing, trace_id "
            f"FROM records LEFT JOIN bad ON trace_id = bad_trace WHERE {condition}) "
            "SELECT * FROM lines QUALIFY row_number() OVER (PARTITION BY failing "
            f"ORDER BY hash(time, body)) <= {limit}",
            parameters=parameters,
            apps=(asked.app,),
            range=asked.range,
        )
    )
