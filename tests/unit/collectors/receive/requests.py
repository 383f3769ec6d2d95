"""OTLP requests for tests, in the messages of opentelemetry-proto."""

import base64
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collectors.joining import Joiner
from collectors.receive import Decoded, OtlpDecoder
from collectors.signals import Signal
from tests.unit.collectors.joining.catalogs import AIRLINE

AT = 1_800_000_000_000_000_000
TICKETING: Mapping[str, object] = {
    "service.namespace": "ticketing",
    "service.name": "ticketing-api",
    "deployment.environment.name": "prod",
}


def any_value(value: object) -> AnyValue:
    """Wrap a Python value."""
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))
    names: dict[type, str] = {
        bool: "bool",
        int: "int",
        float: "double",
        str: "string",
        bytes: "bytes",
    }
    made = AnyValue()
    if value is not None:
        setattr(made, f"{names[type(value)]}_value", value)
    return made


def attributes(values: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def logs(
    *records: LogRecord, resource: Mapping[str, object] = TICKETING
) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    sent = request.resource_logs.add()
    sent.resource.attributes.extend(attributes(resource))
    sent.scope_logs.add().log_records.extend(records)
    return request


def spans(*sent: Span, resource: Mapping[str, object] = TICKETING) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    added = request.resource_spans.add()
    added.resource.attributes.extend(attributes(resource))
    added.scope_spans.add().spans.extend(sent)
    return request


def metrics(
    *sent: Metric, resource: Mapping[str, object] = TICKETING
) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    added = request.resource_metrics.add()
    added.resource.attributes.extend(attributes(resource))
    added.scope_metrics.add().metrics.extend(sent)
    return request


def log(**fields: Any) -> LogRecord:
    """A log record; ``attributes`` and ``body`` are Python values."""
    given = {"time_unix_nano": AT, **fields}
    if "attributes" in given:
        given["attributes"] = attributes(given["attributes"])
    if "body" in given:
        given["body"] = any_value(given["body"])
    return LogRecord(**given)


def span(**fields: Any) -> Span:
    """A span of 5 ms; ``attributes`` are Python values."""
    given = {
        "trace_id": bytes(range(16)),
        "span_id": bytes(range(8)),
        "name": "GET /bookings",
        "start_time_unix_nano": AT,
        "end_time_unix_nano": AT + 5_000_000,
        **fields,
    }
    if "attributes" in given:
        given["attributes"] = attributes(given["attributes"])
    return Span(**given)


def signal_of(request: Message) -> Signal:
    return {
        ExportLogsServiceRequest: Signal.LOGS,
        ExportTraceServiceRequest: Signal.SPANS,
        ExportMetricsServiceRequest: Signal.METRICS,
    }[type(request)]


def decoder() -> OtlpDecoder:
    return OtlpDecoder(Joiner(AIRLINE))


def decoded(request: Message) -> Decoded:
    """Decode a request as protobuf."""
    return decoder().decode(signal_of(request), request.SerializeToString(), at=AT)


def rows(request: Message) -> list[dict[str, Any]]:
    """Decode a request none of whose records may be rejected."""
    found = decoded(request)
    assert ("", 0) == (found.reason, found.rejected)
    return found.table.to_pylist()


def as_json(message: Message) -> dict[str, Any]:
    """Write a request as OTLP's JSON has it: identifiers in hexadecimal, not base64."""
    written: dict[str, Any] = MessageToDict(message, use_integers_for_enums=True)
    converted: dict[str, Any] = _hexadecimal(written)
    return converted


def _hexadecimal(value: Any) -> Any:
    if isinstance(value, list):
        return [_hexadecimal(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(part).hex()
        if key in {"traceId", "spanId", "parentSpanId"}
        else _hexadecimal(part)
        for key, part in value.items()
    }


def refused_reason(found: Decoded) -> tuple[int, int, str]:
    """Rows, rejected records and the reason."""
    return found.table.num_rows, found.rejected, found.reason
