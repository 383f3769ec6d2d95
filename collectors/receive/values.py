"""Attribute values of OTLP as JSON text and as Python values, remembered by their bytes."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Sequence
from json.encoder import encode_basestring as quoted
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from collectors.receive.limits import LEFT_OUT, Limits, cut
from collectors.receive.views import otlp
from collectors.receive.wire import View

Values = dict[str, object]

_Part = TypeVar("_Part")

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_SHORT = 256  # longer attributes hardly repeat
_LAST = 0x80

TEXT_TAG = 0x0A
"""The first byte of an encoded ``AnyValue`` that is a text."""


def dumps(value: object) -> str:
    """Write JSON as everything in a table is written: compact, and as characters."""
    return _encode(value)


def plain(value: View) -> object:
    """Turn an ``AnyValue`` into what JSON can hold; bytes are base64, NaN and Inf texts."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    part: Any = getattr(value, kind)
    if kind == "string_value":
        part = part.decode()
    elif kind == "double_value" and not math.isfinite(part):
        part = "NaN" if math.isnan(part) else "Infinity" if part > 0 else "-Infinity"
    elif kind == "bytes_value":
        part = base64.b64encode(part).decode()
    elif kind == "array_value":
        part = [plain(each) for each in part.values]
    elif kind == "kvlist_value":
        part = {each.key.decode(): plain(each.value) for each in part.values}
    return part


def texts(raw: bytes, longest: int) -> str | None:
    """Read an encoded ``AnyValue`` as a text: itself if it is one, else its JSON.

    Raises ``ValueError`` when it is none.
    """
    if not raw:
        return None
    text = _fast(raw)
    if text is None:
        value = plain(_any(raw))
        if value is None:
            return None
        text = value if isinstance(value, str) else dumps(value)
    return text if len(text) <= longest else cut(text, longest)


def _fast(raw: bytes) -> str | None:
    """Read a text by hand when nothing else is in the message, as is usual for a log's body.

    Its first byte is the field's tag; one or two bytes of length follow, seven bits in each.
    """
    if raw[0] != TEXT_TAG:
        return None
    for header in (2, 3):
        if len(raw) > header and raw[header - 1] < _LAST:
            length = raw[1] if header == 2 else raw[1] & 0x7F | raw[2] << 7  # noqa: PLR2004
            return raw[header:].decode() if len(raw) == length + header else None
    return None


def _any(raw: bytes) -> View:
    value: View = otlp()["AnyValue"]()
    try:
        value.ParseFromString(raw)
    except DecodeError as error:
        raise ValueError("a value cannot be decoded") from error
    return value


class Attributes:
    """Reads attributes; what repeats is decoded once. ``most`` bounds what is remembered."""

    def __init__(self, limits: Limits, most: int = 32_768) -> None:
        self.limits = limits
        self._fragments: _Pairs[str] = _Pairs(_fragment, limits, most)
        self._values: _Pairs[object] = _Pairs(_value, limits, most)

    def read(self, raws: Sequence[bytes]) -> tuple[str | None, Values]:
        """Read encoded attributes as a JSON object, None without any, and as values.

        Raises ``ValueError`` for what is no attribute. Of a repeated key the last one counts.
        """
        if not raws:
            return None, {}
        values = dict(map(self._values.__getitem__, self._first(raws)))
        lost = len(raws) - self.limits.attributes
        if lost > 0:
            values[LEFT_OUT] = lost
        return self.json(raws), values

    def json(self, raws: Sequence[bytes]) -> str | None:
        """Read encoded attributes as a JSON object, None without any."""
        if not raws:
            return None
        fragments = dict(map(self._fragments.__getitem__, self._first(raws)))
        lost = len(raws) - self.limits.attributes
        if lost > 0:
            fragments[LEFT_OUT] = f'"{LEFT_OUT}":{lost}'
        return "{" + ",".join(fragments.values()) + "}"

    def fragments(self, raws: Iterable[bytes]) -> list[tuple[str, str]]:
        """Read encoded attributes as their keys and their members of a JSON object."""
        return list(map(self._fragments.__getitem__, raws))

    def value(self, raw: bytes) -> tuple[str, object]:
        """Read an encoded attribute as its key and its value."""
        return self._values[raw]

    def _first(self, raws: Sequence[bytes]) -> Sequence[bytes]:
        most = self.limits.attributes
        return raws if len(raws) <= most else raws[:most]


class _Pairs(dict[bytes, tuple[str, _Part]]):
    """Attributes by their bytes: the key, and what is made of key and value."""

    def __init__(self, make: Callable[[str, object], _Part], limits: Limits, most: int) -> None:
        super().__init__()
        self._make = make
        self._limits = limits
        self._most = most
        self._view: Any = otlp()["KeyValue"]

    def __missing__(self, raw: bytes) -> tuple[str, _Part]:
        pair = self._view()
        try:
            pair.ParseFromString(raw)
        except DecodeError as error:
            raise ValueError("an attribute cannot be decoded") from error
        key = cut(pair.key.decode(), self._limits.name)
        found = (key, self._make(key, _bounded(plain(pair.value), self._limits.value)))
        if len(raw) <= _SHORT:
            if len(self) >= self._most:
                self.clear()
            self[raw] = found
        return found


def _bounded(value: object, longest: int) -> object:
    if isinstance(value, str):
        return cut(value, longest)
    if isinstance(value, list | dict) and len(written := dumps(value)) > longest:
        return cut(written, longest)
    return value


def _fragment(key: str, value: object) -> str:
    return f"{quoted(key)}:{quoted(value) if isinstance(value, str) else dumps(value)}"


def _value(_: str, value: object) -> object:
    return value
