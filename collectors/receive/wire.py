"""Protobuf messages described by tables, so that only what is needed gets decoded.

A view is wire-compatible with the message it is named after. Two of its types differ:

- ``text`` is read as bytes, so that one bad character costs one record and not the batch;
- ``raw`` is a message left encoded. What repeats from record to record, such as a resource or an
  attribute, is then looked up by its bytes instead of being decoded again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from collectors.receive.decoded import Refused
from slo.records import dataclass

View = Any
"""A decoded message; its attributes are the fields of its table."""

_Type = descriptor_pb2.FieldDescriptorProto.Type
_TYPES: Mapping[str, _Type.ValueType] = {
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "fixed32": descriptor_pb2.FieldDescriptorProto.TYPE_FIXED32,
    "fixed64": descriptor_pb2.FieldDescriptorProto.TYPE_FIXED64,
    "id": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "message": descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
    "raw": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "sfixed64": descriptor_pb2.FieldDescriptorProto.TYPE_SFIXED64,
    "sint32": descriptor_pb2.FieldDescriptorProto.TYPE_SINT32,
    "sint64": descriptor_pb2.FieldDescriptorProto.TYPE_SINT64,
    "text": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a view.

    ``of`` names the message of ``message`` and ``raw``. ``one`` is the union it is a member of;
    ``known`` says that absence is told from zero.
    """

    number: int
    name: str
    kind: str
    of: str = ""
    many: bool = False
    one: str = ""
    known: bool = False


def field(number: int, name: str, kind: str, of: str = "", **more: Any) -> Field:
    """Write a field as a row of a table."""
    return Field(number=number, name=name, kind=kind, of=of, **more)


Tables = Mapping[str, Sequence[Field]]


def views(package: str, tables: Tables) -> Mapping[str, type[Message]]:
    """Make the classes of messages, in a pool of their own."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in tables.items():
        _describe(file.message_type.add(name=name), fields, package)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in tables
    }


def parse(view: type[Message], body: bytes, what: str) -> View:
    """Decode a body; raises ``Refused`` (400) when it is no such message."""
    message: View = view()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise Refused(400, f"the body is no protobuf {what}") from error
    return message


def _describe(
    message: descriptor_pb2.DescriptorProto, fields: Sequence[Field], package: str
) -> None:
    unions: list[str] = list(dict.fromkeys(each.one for each in fields if each.one))
    for union in unions:
        message.oneof_decl.add(name=union)
    label = descriptor_pb2.FieldDescriptorProto
    for each in fields:
        made = message.field.add(
            name=each.name,
            number=each.number,
            type=_TYPES[each.kind],
            label=label.LABEL_REPEATED if each.many else label.LABEL_OPTIONAL,
        )
        if each.kind == "message":
            made.type_name = f".{package}.{each.of}"
        if each.one:
            made.oneof_index = unions.index(each.one)
        if each.known:  # proto3 writes presence as a union of one
            made.proto3_optional = True
            made.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{each.name}")
