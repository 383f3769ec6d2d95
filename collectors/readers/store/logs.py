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
    texts_of,
    where,
)
from collectors.readers.telemetry import Answered, Badness, LogQuery, Where
from collectors.signals import Signal

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COLUMNS = (
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

_BRIEF = ("time", "severity_text", "body", "trace_id")

MOST_TRACES = 2_000
"""How many failing and how many other traces are looked at to tell their log lines apart."""


def logs(asker: Asker, query: LogQuery) -> Answered[pd.DataFrame]:
    """Return the newest records that a query selects; stops reading when there are enough."""
    parameters = Parameters()
    condition = log_where(query, parameters)
    span = query.where.range
    columns = _BRIEF if query.brief else COLUMNS
    question = Question(
        signal=Signal.LOGS,
        sql=f"SELECT {', '.join(columns)}, observed AS cursor FROM records "
        f"WHERE {condition} ORDER BY time DESC LIMIT {query.limit}",
        parameters=parameters,
        apps=(query.where.app,),
        range=span,
        texts=texts_of(query),
    )
    began = time.perf_counter()
    snapshot, found = asker.newest(
        question, condition, columns=(*columns, "observed"), limit=query.limit
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
            texts=texts_of(query),
        )
    )


def failing_bodies(asker: Asker, asked: Where, bad: Badness, limit: int) -> Answered[pd.DataFrame]:
    """Return log lines of bad requests that the filters select, and of good ones of the app.

    Only lines of stored traces are compared: failures are logged more often than they are traced,
    and lines whose request is not known would count as those of good ones.
    """
    _, traces = asker.table(judged_traces(asked, bad))
    return asker.frame(bodies_of(asked, traces, limit))


def judged_traces(asked: Where, bad: Badness) -> Question:
    """Ask which traces hold bad requests that the filters select, and which hold no bad ones."""
    spans = Parameters()
    everyone = where(replace(asked, filters=()), Signal.SPANS, spans)
    fails, counted = bad_span(bad, spans), counted_spans(bad, spans)
    return Question(
        signal=Signal.SPANS,
        sql="SELECT trace_id, bool_or(chosen) AS failing FROM ("
        f"SELECT trace_id, {fails} AS bad, {fails} AND {where(asked, Signal.SPANS, spans)} "
        f"AS chosen FROM records WHERE {everyone} AND {counted}) "
        "GROUP BY trace_id HAVING bool_or(chosen) OR NOT bool_or(bad) "
        "QUALIFY row_number() OVER (PARTITION BY failing ORDER BY hash(trace_id)) "
        f"<= {MOST_TRACES}",
        parameters=spans,
        apps=(asked.app,),
        range=asked.range,
    )


def bodies_of(asked: Where, traces: pa.Table, limit: int) -> Question:
    """Ask for log lines of traces, as many of failing ones as of others at most."""
    parameters = Parameters()
    known = parameters.bind(traces.column("trace_id").to_pylist())
    failing = parameters.bind(traces.column("failing").to_pylist())
    condition = where(replace(asked, filters=()), Signal.LOGS, parameters)
    return Question(
        signal=Signal.LOGS,
        sql=f"WITH known AS (SELECT unnest({known}::VARCHAR[]) AS trace_id, "
        f"unnest({failing}::BOOLEAN[]) AS failing) "
        "SELECT time, body, severity, failing, trace_id "
        f"FROM records JOIN known USING (trace_id) WHERE {condition} "
        "QUALIFY row_number() OVER (PARTITION BY failing "
        f"ORDER BY hash(time, body)) <= {limit}",
        parameters=parameters,
        apps=(asked.app,),
        range=asked.range,
    )
