"""The tables of messages against the published ones."""

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collectors.receive.views import OTLP
from collectors.receive.wire import Field

_RENAMED = {
    "InstrumentationScope": "Scope",
    "ExportLogsServiceRequest": "Logs",
    "ExportTraceServiceRequest": "Spans",
    "ExportMetricsServiceRequest": "Metrics",
}
_KINDS = {
    FieldDescriptor.TYPE_STRING: {"text"},
    FieldDescriptor.TYPE_BYTES: {"bytes", "id"},
    FieldDescriptor.TYPE_MESSAGE: {"message", "raw"},
    FieldDescriptor.TYPE_ENUM: {"int32"},
    FieldDescriptor.TYPE_BOOL: {"bool"},
    FieldDescriptor.TYPE_DOUBLE: {"double"},
    FieldDescriptor.TYPE_FIXED32: {"fixed32"},
    FieldDescriptor.TYPE_FIXED64: {"fixed64"},
    FieldDescriptor.TYPE_SFIXED64: {"sfixed64"},
    FieldDescriptor.TYPE_INT64: {"int64"},
    FieldDescriptor.TYPE_SINT32: {"sint32"},
    FieldDescriptor.TYPE_UINT32: {"uint32"},
    FieldDescriptor.TYPE_UINT64: {"uint64"},
}


def _published() -> dict[str, Descriptor]:
    found: dict[str, Descriptor] = {}
    todo: list[Descriptor] = [
        ExportLogsServiceRequest.DESCRIPTOR,
        ExportTraceServiceRequest.DESCRIPTOR,
        ExportMetricsServiceRequest.DESCRIPTOR,
    ]
    while todo:
        message = todo.pop()
        if message.name not in found:
            found[message.name] = message
            todo += [each.message_type for each in message.fields if each.message_type]
    return {_RENAMED.get(name, name): message for name, message in found.items()}


PUBLISHED = _published()
ANSWERS = {"Answer", "PartialSuccess", "RpcStatus"}


@pytest.mark.parametrize("name", sorted(set(OTLP) - ANSWERS))
def test_every_field_is_the_published_one(name: str) -> None:
    """Number, name, type and repetition are those of opentelemetry-proto."""
    published = PUBLISHED[name].fields_by_name
    for field in OTLP[name]:
        real = published[field.name]
        assert real.number == field.number
        assert field.kind in _KINDS[real.type], field.name
        assert real.is_repeated == field.many, field.name
        assert _target(real) == field.of, field.name


def test_answers_are_the_published_ones() -> None:
    """The three signals' answers have the same numbers."""
    assert _numbers(OTLP["Answer"]) == _published_numbers(ExportLogsServiceResponse.DESCRIPTOR)
    assert _numbers(OTLP["PartialSuccess"]) == _published_numbers(
        ExportLogsPartialSuccess.DESCRIPTOR
    )


def _target(real: FieldDescriptor) -> str:
    return (
        ""
        if not real.message_type
        else _RENAMED.get(real.message_type.name) or real.message_type.name
    )


def _numbers(fields: tuple[Field, ...] | object) -> list[int]:
    assert isinstance(fields, tuple)
    return [each.number for each in fields]


def _published_numbers(message: Descriptor) -> list[int]:
    return [each.number for each in message.fields]
