"""The columns of each signal.

What the tag table names, and what people filter and group by, are columns of their own. All else
is kept with its types as a JSON object in ``attributes``, ``resource`` and ``scope``. Times are
Unix nanoseconds, identifiers lower-case hexadecimal text; what is unknown is null, never empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import pyarrow as pa


class Signal(StrEnum):
    """A kind of telemetry; the value is its name in folders, commands and answers."""

    METRICS = "metrics"
    LOGS = "logs"
    SPANS = "spans"
    DEPLOYS = "deploys"


_TEXT, _LONG, _DOUBLE = pa.string(), pa.int64(), pa.float64()

COMMON: tuple[pa.Field[Any], ...] = (
    pa.field("time", _LONG, nullable=False),
    # Whose it is. ``rung`` is the step of the join ladder (1 to 5) that said so; ``claimants``
    # is a JSON list of the apps that claimed it when none got it; ``missing`` the key that would
    # have told.
    pa.field("app", _TEXT),
    pa.field("env", _TEXT),
    pa.field("component", _TEXT),
    pa.field("rung", pa.int8()),
    pa.field("claimants", _TEXT),
    pa.field("missing", _TEXT),
    pa.field("team", _TEXT),
    pa.field("service", _TEXT),
    pa.field("version", _TEXT),
    pa.field("cluster", _TEXT),
    pa.field("namespace", _TEXT),
    pa.field("pod", _TEXT),
    pa.field("host", _TEXT),
)
"""Columns of every signal. ``service`` is the ``service.name`` that was sent."""

_DETAIL: tuple[pa.Field[Any], ...] = (
    pa.field("attributes", _TEXT),
    pa.field("resource", _TEXT),
    pa.field("scope", _TEXT),
)

_LOGS: tuple[pa.Field[Any], ...] = (
    pa.field("observed", _LONG),
    pa.field("severity", pa.int16()),  # OpenTelemetry's 1 to 24
    pa.field("severity_text", _TEXT),
    pa.field("event", _TEXT),
    pa.field("body", _TEXT),  # a structured body is its JSON
    pa.field("trace_id", _TEXT),
    pa.field("span_id", _TEXT),
    pa.field("flags", pa.int32()),
)

_SPANS: tuple[pa.Field[Any], ...] = (  # ``time`` is the start
    pa.field("end", _LONG, nullable=False),
    pa.field("duration", _LONG, nullable=False),
    pa.field("trace_id", _TEXT, nullable=False),
    pa.field("span_id", _TEXT, nullable=False),
    pa.field("parent_id", _TEXT),
    pa.field("name", _TEXT),
    pa.field("kind", _TEXT),  # internal, server, client, producer, consumer
    pa.field("status", _TEXT),  # unset, ok, error
    pa.field("status_message", _TEXT),
    pa.field("route", _TEXT),
    pa.field("method", _TEXT),
    pa.field("http_status", pa.int16()),
    # What a client, producer or consumer span talks to, and what kind of thing that is:
    # service, database, messaging, or external.
    pa.field("peer", _TEXT),
    pa.field("peer_kind", _TEXT),
    pa.field("weight", _DOUBLE, nullable=False),  # requests this span stands for, 1 unsampled
    pa.field("events", _TEXT),  # JSON lists
    pa.field("links", _TEXT),
    pa.field("trace_state", _TEXT),
)

_METRICS: tuple[pa.Field[Any], ...] = (
    pa.field("name", _TEXT, nullable=False),  # as Prometheus names it
    pa.field("otel_name", _TEXT),
    pa.field("kind", _TEXT, nullable=False),  # gauge, counter, updown, histogram, exponential
    pa.field("delta", pa.bool_(), nullable=False),
    pa.field("unit", _TEXT),
    pa.field("series", pa.uint64(), nullable=False),  # a digest of name and labels
    pa.field("labels", _TEXT, nullable=False),  # a sorted JSON object, without the name
    pa.field("start", _LONG),
    pa.field("value", _DOUBLE),  # null for histograms and for the end of a series
    pa.field("count", _LONG),
    pa.field("sum", _DOUBLE),
    pa.field("min", _DOUBLE),
    pa.field("max", _DOUBLE),
    pa.field("bounds", pa.list_(_DOUBLE)),
    pa.field("buckets", pa.list_(_LONG)),  # per bucket, not cumulative; one more than bounds
    pa.field("scale", pa.int32()),
    pa.field("zero_count", _LONG),
    pa.field("zero_threshold", _DOUBLE),
    pa.field("positive_offset", pa.int32()),
    pa.field("positive", pa.list_(_LONG)),
    pa.field("negative_offset", pa.int32()),
    pa.field("negative", pa.list_(_LONG)),
    pa.field("exemplars", _TEXT),  # a JSON list of {time, value, traceId, spanId}
)

_DEPLOYS: tuple[pa.Field[Any], ...] = (
    pa.field("id", _TEXT, nullable=False),
    pa.field("previous", _TEXT),
    pa.field("commit_id", _TEXT),
    pa.field("actor", _TEXT),
    pa.field("url", _TEXT),
    pa.field("title", _TEXT),
)

SCHEMAS: Mapping[Signal, pa.Schema] = {
    Signal.METRICS: pa.schema([*COMMON, *_METRICS, *_DETAIL]),
    Signal.LOGS: pa.schema([*COMMON, *_LOGS, *_DETAIL]),
    Signal.SPANS: pa.schema([*COMMON, *_SPANS, *_DETAIL]),
    Signal.DEPLOYS: pa.schema([*COMMON, *_DEPLOYS, *_DETAIL]),
}
"""What a table of a signal must look like, to the order of its columns."""


def table(signal: Signal, columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Make a table of a signal from its columns; those not given are null.

    Raises ``KeyError`` for a column that the signal does not have.
    """
    schema = SCHEMAS[signal]
    if unknown := set(columns) - set(schema.names):
        raise KeyError(f"{signal} has no column {', '.join(sorted(unknown))}")
    rows = len(next(iter(columns.values()), ()))
    arrays = [
        pa.array(columns[field.name], field.type)
        if field.name in columns
        else pa.nulls(rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def empty(signal: Signal) -> pa.Table:
    """Make a table of a signal without rows."""
    return SCHEMAS[signal].empty_table()
