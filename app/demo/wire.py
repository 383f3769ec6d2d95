"""Writing protobuf by hand, where millions of messages differ in a few numbers of fixed width.

`opentelemetry.proto` decodes what is written here; the tests do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_MORE = 0x80


def varint(number: int) -> bytes:
    """A number of 0 or more, seven bits a byte."""
    return _SHORT[number] if number < len(_SHORT) else _varint(number)


def _varint(number: int) -> bytes:
    found = bytearray()
    while number >= _MORE:
        found.append(number & (_MORE - 1) | _MORE)
        number >>= 7
    found.append(number)
    return bytes(found)


_SHORT = tuple(_varint(number) for number in range(1024))


@cache
def _tag(field: int, kind: int) -> bytes:
    return varint(field << 3 | kind)


def message(field: int, content: bytes) -> bytes:
    """A field that holds a message, a text or bytes."""
    return _tag(field, _LENGTH) + varint(len(content)) + content


def text(field: int, content: str) -> bytes:
    """A text field."""
    return message(field, content.encode())


def number(field: int, value: int) -> bytes:
    """An integer or enumeration field."""
    return _tag(field, _VARINT) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """A field of 64 bits."""
    return _tag(field, _FIXED64) + struct.pack("<Q", value)


def fixed32(field: int, value: int) -> bytes:
    """A field of 32 bits."""
    return _tag(field, _FIXED32) + struct.pack("<I", value)


def double(field: int, value: float) -> bytes:
    """A floating-point field."""
    return _tag(field, _FIXED64) + struct.pack("<d", value)


def doubles(field: int, values: Sequence[float]) -> bytes:
    """A packed list of floating-point numbers."""
    return message(field, struct.pack(f"<{len(values)}d", *values))


def attributes(field: int, values: Mapping[str, str | int]) -> bytes:
    """A list of ``KeyValue``."""
    return b"".join(attribute(field, key, value) for key, value in values.items())


def attribute(field: int, key: str, value: str | int) -> bytes:
    """One ``KeyValue``."""
    held = text(1, value) if isinstance(value, str) else number(3, value)
    return message(field, text(1, key) + message(2, held))


def rows(parts: Iterable[bytes | Bytes], count: int) -> Bytes:
    """So many messages of one width: parts that are the same, and columns that are not."""
    columns = [
        np.broadcast_to(np.frombuffer(part, np.uint8), (count, len(part)))
        if isinstance(part, bytes)
        else part
        for part in parts
    ]
    return np.concatenate(columns, axis=1)


def column64(field: int, values: NDArray[np.int64] | NDArray[np.float64]) -> Bytes:
    """A field of 64 bits that differs from message to message."""
    return rows((_tag(field, _FIXED64), words(values.reshape(-1, 1))), len(values))


def packed64(field: int, values: NDArray[np.int64]) -> Bytes:
    """A packed list of 64-bit numbers for each message; one row each."""
    count, width = values.shape
    return rows((_tag(field, _LENGTH) + varint(8 * width), words(values)), count)


def words(values: NDArray[np.int64] | NDArray[np.float64]) -> Bytes:
    """The little-endian bytes of a matrix of 64-bit numbers, a row for each row."""
    little = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(len(values), 8 * values.shape[1])


def framed(field: int, content: Bytes) -> Bytes:
    """Each row as a field that holds a message."""
    count, width = content.shape
    return rows((_tag(field, _LENGTH) + varint(width), content), count)
