"""OTLP in JSON, turned into the same messages as OTLP in protobuf.

Names are accepted in camelCase and snake_case, 64-bit integers as numbers and as texts,
enumerations as numbers, identifiers in hexadecimal; unknown names are ignored. Source: the OTLP
specification 1.x, "JSON Protobuf Encoding".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any

from collectors.receive.decoded import Refused, Rejects
from collectors.receive.json_text import read_json
from collectors.receive.views import OTLP, RECORDS, otlp
from collectors.receive.wire import Field, View
from slo.records import dataclass

__all__ = ["read_json", "view_of"]

_PAIR = {"key", "value"}
_SHORT = 128  # longer attributes hardly repeat
_SPECIAL = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def view_of(name: str, value: object, rejects: Rejects) -> View:
    """Make a message of a JSON object.

    Records that cannot be made are left out and counted. Raises ``Refused`` (400) when the rest
    does not have the message's shape.
    """
    try:
        return _view(name, value, rejects)
    except ValueError as error:
        raise Refused(400, f"the JSON is no export request: {error}"[:200]) from error


def _view(name: str, value: object, rejects: Rejects) -> View:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")  # noqa: TRY004 - one error for bad input
    made: View = otlp()[name]()
    slots = _slots(name)
    key = ""
    try:
        for key, part in value.items():
            slot = slots.get(key)
            if slot is None or part is None:
                continue
            if slot.read is not None:
                setattr(made, slot.name, slot.read(part, slot.name))
            elif slot.field.many:
                _extend(getattr(made, slot.name), slot.field, part, rejects)
            elif slot.field.kind == "raw":
                setattr(made, slot.name, _raw(slot.field.of, part, rejects))
            else:
                getattr(made, slot.name).CopyFrom(_view(slot.field.of, part, rejects))
    except (TypeError, OverflowError) as error:
        raise ValueError(f"{key[:40]} has no value of its type") from error
    return made


def _extend(target: Any, field: Field, part: object, rejects: Rejects) -> None:
    if not isinstance(part, list):
        raise ValueError(f"{field.name} must be a list")  # noqa: TRY004 - as above
    if field.kind == "raw":
        target.extend([_raw(field.of, each, rejects) for each in part])
    elif field.kind != "message":
        read = _SCALARS[field.kind]
        target.extend([read(each, field.name) for each in part])
    elif field.of not in RECORDS:
        target.extend([_view(field.of, each, rejects) for each in part])
    else:
        for each in part:
            try:
                target.append(_view(field.of, each, rejects))
            except ValueError as error:
                rejects.add("a text is not UTF-8" if isinstance(error, UnicodeError) else error)


def _raw(name: str, part: object, rejects: Rejects) -> bytes:
    """Encode a part that stays encoded; most are attributes with a plain value."""
    if name == "KeyValue" and isinstance(part, dict) and part.keys() == _PAIR:
        key, value = part["key"], part["value"]
        if isinstance(key, str) and isinstance(value, dict) and len(value) == 1:
            ((kind, scalar),) = value.items()
            short = len(scalar) <= _SHORT if isinstance(scalar, str) else _is_number(scalar)
            if short and len(key) <= _SHORT:
                return _pair(key, kind, scalar)
    encoded: bytes = _view(name, part, rejects).SerializeToString()
    return encoded


def _is_number(value: object) -> bool:
    return isinstance(value, bool | int | float)


@lru_cache(maxsize=16_384, typed=True)
def _pair(key: str, kind: str, scalar: bool | float | str) -> bytes:  # noqa: FBT001 - a value
    pair = _view("KeyValue", {"key": key, "value": {kind: scalar}}, Rejects())
    encoded: bytes = pair.SerializeToString()
    return encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """Where a name's value goes; ``read`` turns a single plain value into the field's."""

    name: str
    field: Field
    read: Callable[[object, str], object] | None


@cache
def _slots(name: str) -> Mapping[str, _Slot]:
    found: dict[str, _Slot] = {}
    for field in OTLP[name]:
        read = None if field.many else _SCALARS.get(field.kind)
        slot = _Slot(name=field.name, field=field, read=read)
        first, *others = field.name.split("_")
        found[field.name] = slot
        found["".join([first, *(each.capitalize() for each in others)])] = slot
    return found


def _text(part: object, name: str) -> bytes:
    if not isinstance(part, str):
        raise ValueError(f"{name} must be a text")  # noqa: TRY004 - as above
    return part.encode()


def _identifier(part: object, name: str) -> bytes:
    try:
        return bytes.fromhex(_text(part, name).decode())
    except ValueError as error:
        raise ValueError(f"{name} is not hexadecimal") from error


def _base64(part: object, name: str) -> bytes:
    try:
        return base64.b64decode(_text(part, name), validate=True)
    except binascii.Error as error:
        raise ValueError(f"{name} is not base64") from error


def _integer(part: object, name: str) -> int:
    if isinstance(part, str | int) and not isinstance(part, bool):
        try:
            return int(part)
        except ValueError as error:
            raise ValueError(f"{name} is no whole number") from error
    if isinstance(part, float) and part.is_integer():
        return int(part)
    raise ValueError(f"{name} is no whole number")


def _number(part: object, name: str) -> float:
    if isinstance(part, str):
        special = _SPECIAL.get(part)
        if special is not None:
            return special
    if isinstance(part, str | int | float) and not isinstance(part, bool):
        try:
            return float(part)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{name} is no number") from error
    raise ValueError(f"{name} is no number")


def _flag(part: object, name: str) -> bool:
    if not isinstance(part, bool):
        raise ValueError(f"{name} must be true or false")  # noqa: TRY004 - as above
    return part


_SCALARS: Mapping[str, Callable[[object, str], object]] = {
    "bool": _flag,
    "bytes": _base64,
    "double": _number,
    "fixed32": _integer,
    "fixed64": _integer,
    "id": _identifier,
    "int32": _integer,
    "int64": _integer,
    "sfixed64": _integer,
    "sint32": _integer,
    "text": _text,
    "uint32": _integer,
    "uint64": _integer,
}
