"""Native histograms sent to a server as remote write, encoded by hand.

Message layouts: `prompb/types.proto` of Prometheus (TimeSeries, Label, Histogram, BucketSpan).
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.servers.processes import Prometheus

_CHUNK = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """A native histogram of schema 0: ``buckets`` counts by index; index ``i`` ends at ``2**i``."""

    at_ms: int
    buckets: Mapping[int, int]


def send(
    server: Prometheus, series: Sequence[tuple[Mapping[str, str], Sequence[Histogram]]]
) -> None:
    """Write series of histograms; the samples of all series go in the order of time."""
    instants = sorted({each.at_ms for _, samples in series for each in samples})
    for first in range(0, len(instants), 200):
        wanted = set(instants[first : first + 200])
        body = b"".join(
            _field(1, _series(labels, [one for one in samples if one.at_ms in wanted]))
            for labels, samples in series
        )
        server.request("/api/v1/write", data=_snappy(body), content_type="application/x-protobuf")


def _series(labels: Mapping[str, str], samples: Iterable[Histogram]) -> bytes:
    pairs = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode()))
        for name, value in sorted(labels.items())
    )
    return pairs + b"".join(_field(4, _histogram(sample)) for sample in samples)


def _histogram(sample: Histogram) -> bytes:
    indices = sorted(sample.buckets)
    spans, deltas, before, last = b"", b"", 0, None
    for index in indices:
        # A span per bucket; its offset counts the buckets left out since the last one.
        gap = index if last is None else index - last - 1
        spans += _field(11, _number(1, _zigzag(gap)) + _number(2, 1))
        count = sample.buckets[index]
        deltas += _varint(_zigzag(count - before))
        before, last = count, index
    return (
        _number(1, sum(sample.buckets.values()))
        + _double(3, 0.0)
        + _number(4, _zigzag(0))
        + _double(5, 1e-128)
        + _number(6, 0)
        + spans
        + _field(12, deltas)
        + _number(15, sample.at_ms)
    )


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _number(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _double(field: int, number: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", number)


def _field(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _snappy(body: bytes) -> bytes:
    """Frame bytes as Snappy's block format, in literals only."""
    out = [_varint(len(body))]
    for start in range(0, len(body), _CHUNK):
        chunk = body[start : start + _CHUNK]
        out += [bytes([61 << 2]), struct.pack("<H", len(chunk) - 1), chunk]
    return b"".join(out)
