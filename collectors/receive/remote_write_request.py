"""Remote write requests in the making: what `remote_write` reads, written and compressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import pyarrow as pa
from google.protobuf.message import Message

from collectors.receive.remote_write import TABLES
from collectors.receive.wire import View, views
from slo.records import dataclass

HEADERS: Mapping[str, str] = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
"""What the protocol wants every request to carry."""

_COUNTER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One series: its labels with its name among them, and samples by Unix milliseconds."""

    labels: Mapping[str, str]
    samples: Sequence[tuple[int, float]]


def write_request(series: Iterable[Written], *, counters: Iterable[str] = ()) -> bytes:
    """Return the body of one request, compressed; samples of a series are in the order of time.

    ``counters`` are the names that are counters.
    """
    request: View = _classes()["WriteRequest"]()
    for one in series:
        added = request.timeseries.add()
        # Receivers want labels in the order of their names.
        added.labels.extend(_label(name, value) for name, value in sorted(one.labels.items()))
        for at, value in one.samples:
            added.samples.add(timestamp=at, value=value)
    for name in counters:
        request.metadata.add(type=_COUNTER, metric_family_name=name.encode())
    packed: bytes = pa.compress(request.SerializeToString(), codec="snappy", asbytes=True)
    return packed


def _label(name: str, value: str) -> bytes:
    label: View = _classes()["Label"]()
    label.name, label.value = name.encode(), value.encode()
    encoded: bytes = label.SerializeToString()
    return encoded


@cache
def _classes() -> Mapping[str, type[Message]]:
    # A pool of its own, so that it may be made beside the decoder's.
    return views("headroom.prometheus.written", TABLES)
