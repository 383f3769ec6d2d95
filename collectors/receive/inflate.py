"""Bodies as they were before they were compressed, never larger than allowed."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable

import pyarrow as pa

from collectors.receive.decoded import Refused

_STEP = 65_536
_MOST_HEADER = 10  # bytes of the longest length that Snappy writes


def digest(body: bytes) -> bytes:
    """Return 16 bytes that identify a batch: equal bodies, and only those, have the same."""
    return hashlib.blake2b(body, digest_size=16).digest()


def inflate(body: bytes, encoding: str | None, limit: int) -> bytes:
    """Decompress a body by its ``Content-Encoding``: gzip, zstd, snappy (block), or none.

    Raises ``Refused``: 413 once the content is longer than ``limit`` bytes, found out without
    holding it; 400 for what is no such stream; 415 for another encoding.
    """
    name = (encoding or "identity").strip().lower()
    reader = _READERS.get(name)
    if reader is None:
        raise Refused(415, f"the content encoding {name[:40]!r} is not supported")
    content = reader(body, limit)
    if len(content) > limit:
        raise _too_long(limit)
    return content


def _too_long(limit: int) -> Refused:
    return Refused(413, f"the body is longer than {limit} bytes once decompressed")


def _identity(body: bytes, _: int) -> bytes:
    return body


def _gzip(body: bytes, limit: int) -> bytes:
    content = bytearray()
    rest = body
    while rest:
        stream = zlib.decompressobj(wbits=31)
        try:
            content += stream.decompress(rest, limit + 1 - len(content))
        except zlib.error as error:
            raise Refused(400, "the body is no gzip stream") from error
        if len(content) > limit:
            raise _too_long(limit)
        if not stream.eof:
            raise Refused(400, "the gzip stream ends too early")
        rest = stream.unused_data
    return bytes(content)


def _zstd(body: bytes, limit: int) -> bytes:
    content = bytearray()
    try:
        with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
            while len(content) <= limit:
                part = stream.read(min(_STEP, limit + 1 - len(content)))
                if not part:
                    return bytes(content)
                content += part
    except (OSError, pa.ArrowException) as error:
        raise Refused(400, "the body is no zstd stream") from error
    raise _too_long(limit)


def _snappy(body: bytes, limit: int) -> bytes:
    length = _announced(body)
    if length > limit:
        raise _too_long(limit)
    try:
        # PyArrow takes the length on trust, and a length of 0 for one that is not given.
        content = pa.Codec("snappy").decompress(body, length, asbytes=True) if length else b""
    except (OSError, pa.ArrowException) as error:
        raise Refused(400, "the body is no Snappy block") from error
    return bytes(content)


def _announced(body: bytes) -> int:
    """The length of the content that a Snappy block begins with."""
    length = 0
    for place, byte in enumerate(body[:_MOST_HEADER]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a varint
            return length
    raise Refused(400, "the body is no Snappy block")


_READERS: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": _identity,
    "": _identity,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
    "snappy": _snappy,
}
