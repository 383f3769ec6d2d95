"""The messages of OTLP as tables of the fields that are read.

Numbers and names: ``opentelemetry/proto`` 1.x, whose field numbers never change.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from google.protobuf.message import Message

from collectors.receive.wire import Tables, field, views
from collectors.signals import Signal

_POINT = (
    field(2, "start_time_unix_nano", "fixed64"),
    field(3, "time_unix_nano", "fixed64"),
)

OTLP: Tables = {
    "AnyValue": (
        field(1, "string_value", "text", one="value"),
        field(2, "bool_value", "bool", one="value"),
        field(3, "int_value", "int64", one="value"),
        field(4, "double_value", "double", one="value"),
        field(5, "array_value", "message", "ArrayValue", one="value"),
        field(6, "kvlist_value", "message", "KeyValueList", one="value"),
        field(7, "bytes_value", "bytes", one="value"),
    ),
    "ArrayValue": (field(1, "values", "message", "AnyValue", many=True),),
    "KeyValueList": (field(1, "values", "message", "KeyValue", many=True),),
    "KeyValue": (field(1, "key", "text"), field(2, "value", "message", "AnyValue")),
    "Resource": (field(1, "attributes", "raw", "KeyValue", many=True),),
    "Scope": (
        field(1, "name", "text"),
        field(2, "version", "text"),
        field(3, "attributes", "raw", "KeyValue", many=True),
    ),
    "Logs": (field(1, "resource_logs", "message", "ResourceLogs", many=True),),
    "ResourceLogs": (
        field(1, "resource", "raw", "Resource"),
        field(2, "scope_logs", "message", "ScopeLogs", many=True),
    ),
    "ScopeLogs": (
        field(1, "scope", "raw", "Scope"),
        field(2, "log_records", "message", "LogRecord", many=True),
    ),
    "LogRecord": (
        field(1, "time_unix_nano", "fixed64"),
        field(11, "observed_time_unix_nano", "fixed64"),
        field(2, "severity_number", "int32"),
        field(3, "severity_text", "text"),
        field(5, "body", "raw", "AnyValue"),
        field(6, "attributes", "raw", "KeyValue", many=True),
        field(8, "flags", "fixed32"),
        field(9, "trace_id", "id"),
        field(10, "span_id", "id"),
        field(12, "event_name", "text"),
    ),
    "Spans": (field(1, "resource_spans", "message", "ResourceSpans", many=True),),
    "ResourceSpans": (
        field(1, "resource", "raw", "Resource"),
        field(2, "scope_spans", "message", "ScopeSpans", many=True),
    ),
    "ScopeSpans": (
        field(1, "scope", "raw", "Scope"),
        field(2, "spans", "message", "Span", many=True),
    ),
    "Span": (
        field(1, "trace_id", "id"),
        field(2, "span_id", "id"),
        field(3, "trace_state", "text"),
        field(4, "parent_span_id", "id"),
        field(5, "name", "text"),
        field(6, "kind", "int32"),
        field(7, "start_time_unix_nano", "fixed64"),
        field(8, "end_time_unix_nano", "fixed64"),
        field(9, "attributes", "raw", "KeyValue", many=True),
        field(11, "events", "message", "Event", many=True),
        field(13, "links", "message", "Link", many=True),
        field(15, "status", "message", "Status"),
    ),
    "Event": (
        field(1, "time_unix_nano", "fixed64"),
        field(2, "name", "text"),
        field(3, "attributes", "raw", "KeyValue", many=True),
    ),
    "Link": (
        field(1, "trace_id", "id"),
        field(2, "span_id", "id"),
        field(3, "trace_state", "text"),
        field(4, "attributes", "raw", "KeyValue", many=True),
    ),
    "Status": (field(2, "message", "text"), field(3, "code", "int32")),
    "Metrics": (field(1, "resource_metrics", "message", "ResourceMetrics", many=True),),
    "ResourceMetrics": (
        field(1, "resource", "raw", "Resource"),
        field(2, "scope_metrics", "message", "ScopeMetrics", many=True),
    ),
    "ScopeMetrics": (
        field(1, "scope", "raw", "Scope"),
        field(2, "metrics", "message", "Metric", many=True),
    ),
    "Metric": (
        field(1, "name", "text"),
        field(3, "unit", "text"),
        field(5, "gauge", "message", "Gauge", one="data"),
        field(7, "sum", "message", "Sum", one="data"),
        field(9, "histogram", "message", "Histogram", one="data"),
        field(10, "exponential_histogram", "message", "ExponentialHistogram", one="data"),
        field(11, "summary", "message", "Summary", one="data"),
    ),
    "Gauge": (field(1, "data_points", "message", "NumberDataPoint", many=True),),
    "Sum": (
        field(1, "data_points", "message", "NumberDataPoint", many=True),
        field(2, "aggregation_temporality", "int32"),
        field(3, "is_monotonic", "bool"),
    ),
    "Histogram": (
        field(1, "data_points", "message", "HistogramDataPoint", many=True),
        field(2, "aggregation_temporality", "int32"),
    ),
    "ExponentialHistogram": (
        field(1, "data_points", "message", "ExponentialHistogramDataPoint", many=True),
        field(2, "aggregation_temporality", "int32"),
    ),
    "Summary": (field(1, "data_points", "message", "SummaryDataPoint", many=True),),
    "NumberDataPoint": (
        *_POINT,
        field(4, "as_double", "double", one="value"),
        field(6, "as_int", "sfixed64", one="value"),
        field(5, "exemplars", "message", "Exemplar", many=True),
        field(7, "attributes", "raw", "KeyValue", many=True),
        field(8, "flags", "uint32"),
    ),
    "HistogramDataPoint": (
        *_POINT,
        field(4, "count", "fixed64"),
        field(5, "sum", "double", known=True),
        field(6, "bucket_counts", "fixed64", many=True),
        field(7, "explicit_bounds", "double", many=True),
        field(8, "exemplars", "message", "Exemplar", many=True),
        field(9, "attributes", "raw", "KeyValue", many=True),
        field(10, "flags", "uint32"),
        field(11, "min", "double", known=True),
        field(12, "max", "double", known=True),
    ),
    "ExponentialHistogramDataPoint": (
        field(1, "attributes", "raw", "KeyValue", many=True),
        *_POINT,
        field(4, "count", "fixed64"),
        field(5, "sum", "double", known=True),
        field(6, "scale", "sint32"),
        field(7, "zero_count", "fixed64"),
        field(8, "positive", "message", "Buckets"),
        field(9, "negative", "message", "Buckets"),
        field(10, "flags", "uint32"),
        field(11, "exemplars", "message", "Exemplar", many=True),
        field(12, "min", "double", known=True),
        field(13, "max", "double", known=True),
        field(14, "zero_threshold", "double"),
    ),
    "Buckets": (field(1, "offset", "sint32"), field(2, "bucket_counts", "uint64", many=True)),
    "SummaryDataPoint": (
        *_POINT,
        field(4, "count", "fixed64"),
        field(5, "sum", "double"),
        field(6, "quantile_values", "message", "ValueAtQuantile", many=True),
        field(7, "attributes", "raw", "KeyValue", many=True),
        field(8, "flags", "uint32"),
    ),
    "ValueAtQuantile": (field(1, "quantile", "double"), field(2, "value", "double")),
    "Exemplar": (
        field(2, "time_unix_nano", "fixed64"),
        field(3, "as_double", "double", one="value"),
        field(6, "as_int", "sfixed64", one="value"),
        field(4, "span_id", "id"),
        field(5, "trace_id", "id"),
    ),
    "Answer": (field(1, "partial_success", "message", "PartialSuccess"),),
    "PartialSuccess": (field(1, "rejected", "int64"), field(2, "error_message", "text")),
    "RpcStatus": (field(1, "code", "int32"), field(2, "message", "text")),
}

REQUESTS: Mapping[Signal, str] = {
    Signal.LOGS: "Logs",
    Signal.SPANS: "Spans",
    Signal.METRICS: "Metrics",
}
"""The message that carries each signal."""

RECORDS = frozenset(
    {
        "LogRecord",
        "Span",
        "NumberDataPoint",
        "HistogramDataPoint",
        "ExponentialHistogramDataPoint",
        "SummaryDataPoint",
    }
)
"""The messages that are accepted or rejected one by one."""


@cache
def otlp() -> Mapping[str, type[Message]]:
    """The classes of OTLP's messages, made at the first use."""
    return views("headroom.otlp", OTLP)
