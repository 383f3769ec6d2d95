"""The answers of OTLP/HTTP, read by the published messages."""

import json

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collectors.receive import Content, Decoded, refusal, success
from collectors.signals import Signal, empty


def found(signal: Signal, rejected: int) -> Decoded:
    reason = "the time is missing" if rejected else ""
    return Decoded(signal=signal, table=empty(signal), rejected=rejected, reason=reason)


CASES = [
    (Signal.LOGS, ExportLogsServiceResponse, "rejected_log_records"),
    (Signal.SPANS, ExportTraceServiceResponse, "rejected_spans"),
    (Signal.METRICS, ExportMetricsServiceResponse, "rejected_data_points"),
]


@pytest.mark.parametrize(("signal", "message", "field"), CASES)
def test_a_partial_success_counts_and_explains(
    signal: Signal, message: type[Message], field: str
) -> None:
    answer = message.FromString(success(found(signal, 3), Content.PROTOBUF))
    partial = answer.partial_success  # type: ignore[attr-defined]  # all three have it
    assert (3, "the time is missing") == (getattr(partial, field), partial.error_message)


@pytest.mark.parametrize(("signal", "_", "field"), CASES)
def test_a_partial_success_in_json(signal: Signal, _: object, field: str) -> None:
    first, *rest = field.split("_")
    name = first + "".join(part.capitalize() for part in rest)
    expected = {"partialSuccess": {name: "3", "errorMessage": "the time is missing"}}
    assert expected == json.loads(success(found(signal, 3), Content.JSON))


def test_a_full_success_says_nothing() -> None:
    assert b"" == success(found(Signal.LOGS, 0), Content.PROTOBUF)
    assert b"{}" == success(found(Signal.LOGS, 0), Content.JSON)


def test_a_refusal_is_a_status() -> None:
    assert {"message": "no"} == json.loads(refusal("no", Content.JSON))
    assert b"\x12\x02no" == refusal("no", Content.PROTOBUF)
