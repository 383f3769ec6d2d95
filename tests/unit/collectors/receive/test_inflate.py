"""Decompression: every encoding, never past the limit, garbage told from too much."""

import gzip
import zlib

import pyarrow as pa
import pytest

from collectors.receive import Refused, digest, inflate
from tests.servers.remote_write import _snappy

TEXT = b"flight AZ-1234 boarding; " * 500
LIMIT = len(TEXT)


def zstd(body: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(body, asbytes=True))


def snappy(body: bytes) -> bytes:
    return bytes(pa.Codec("snappy").compress(body, asbytes=True))


COMPRESSED = {
    "gzip": gzip.compress(TEXT),
    "GZIP ": gzip.compress(TEXT),
    "zstd": zstd(TEXT),
    "snappy": snappy(TEXT),
    "identity": TEXT,
    "": TEXT,
}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_every_encoding_gives_the_content(encoding: str) -> None:
    """A content as long as the limit is within it."""
    assert TEXT == inflate(COMPRESSED[encoding], encoding, LIMIT)


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_one_byte_over_the_limit_is_too_much(encoding: str) -> None:
    with pytest.raises(Refused, match="longer than") as raised:
        inflate(COMPRESSED[encoding], encoding, LIMIT - 1)
    assert 413 == raised.value.status


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "snappy"])
@pytest.mark.parametrize("body", [b"", b"\x00", b"garbage" * 10, b"\xff" * 40])
def test_garbage_is_refused(encoding: str, body: bytes) -> None:
    """An empty gzip body is no stream either; an empty Snappy block begins with a zero."""
    if (encoding, body) in {("snappy", b"\x00"), ("gzip", b""), ("zstd", b"")}:
        assert b"" == inflate(body, encoding, LIMIT)
        return
    with pytest.raises(Refused) as raised:
        inflate(body, encoding, LIMIT)
    assert raised.value.status in {400, 413}


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "snappy"])
def test_a_stream_cut_short_is_refused(encoding: str) -> None:
    with pytest.raises(Refused) as raised:
        inflate(COMPRESSED[encoding][:-9], encoding, LIMIT)
    assert 400 == raised.value.status


def test_gzip_may_have_members() -> None:
    assert TEXT * 2 == inflate(gzip.compress(TEXT) * 2, "gzip", 2 * LIMIT)


def test_raw_deflate_is_no_gzip() -> None:
    with pytest.raises(Refused):
        inflate(zlib.compress(TEXT), "gzip", LIMIT)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(Refused, match="'br'") as raised:
        inflate(TEXT, "br", LIMIT)
    assert 415 == raised.value.status


def test_literal_snappy_blocks_are_read() -> None:
    """Written by hand elsewhere in these tests, without the library."""
    assert TEXT == inflate(_snappy(TEXT), "snappy", LIMIT)


def test_a_digest_tells_bodies_apart() -> None:
    assert digest(TEXT) == digest(bytes(TEXT))
    assert digest(TEXT) != digest(TEXT + b"\x00")
    assert 16 == len(digest(b""))
