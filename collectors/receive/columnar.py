"""Requests as Arrow arrays: every record of a request at once, without an object for each.

Only for what protobuf's own library has read: the one that makes arrays is less strict with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from ptars import HandlerPool

from collectors.receive.batch import Batch
from collectors.receive.decoded import Refused
from collectors.receive.groups import Source
from collectors.receive.views import otlp
from slo.records import dataclass

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_TOO_GREAT = np.uint64(1 << 63)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """So many records of one source and scope, one after another."""

    count: int
    source: Source
    scope: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The records of a request, and whose they are; ``runs`` have as many as there are."""

    records: pa.StructArray
    runs: tuple[Run, ...]

    def column(self, name: str) -> pa.Array[Any]:
        """The values of one field of all records."""
        found: pa.Array[Any] = self.records.field(name)
        return found

    def part(self, name: str, inner: str) -> Any:
        """The values of one field of a message inside all records."""
        message: Any = self.column(name)
        return message.field(inner)

    def numbers(self, name: str) -> Numbers:
        """A field of unsigned numbers; raises ``ValueError`` for one that needs all 64 bits."""
        return signed(self.column(name))


def signed(column: pa.Array[Any]) -> Numbers:
    """Unsigned numbers as signed; raises ``ValueError`` for one that needs all 64 bits."""
    found = column.to_numpy()
    if len(found) and found.max() >= _TOO_GREAT:
        raise ValueError("a number does not fit 64 bits with a sign")
    return found.view(np.int64)


def require_few(batch: Batch, records: int) -> None:
    """Raise ``Refused`` (413) for more records than a request may have."""
    if records > batch.limits.records:
        raise Refused(413, f"a request may have {batch.limits.records} records at most")


def read(batch: Batch, message: str, body: bytes, lists: tuple[str, str, str]) -> Request:
    """Read a request, whose records lie in ``lists``: of resources, of scopes, of records.

    Raises ``ValueError`` for one that cannot be decoded and for a sender that cannot be read.
    """
    resources = _parsed(message, body, lists[0])
    scopes: Any = resources.field(lists[1])
    scoped = scopes.flatten()
    held: Any = scoped.field(lists[2])
    records = held.flatten()
    runs = _runs(batch, resources.field("resource"), scopes, scoped.field("scope"), held)
    return Request(records=records, runs=tuple(runs))


def span_of(texts: pa.Array[Any]) -> tuple[Numbers, Bytes]:
    """Where each of the texts begins in their characters, and where the last ends; and those."""
    buffers: Any = texts.buffers()
    _, offsets, data = buffers
    first = texts.offset
    starts = np.frombuffer(offsets, np.int32)[first : first + len(texts) + 1].astype(np.int64)
    characters = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return starts, characters


def bytes_of(texts: pa.Array[Any]) -> list[bytes]:
    """Texts that are all there, each as it was sent."""
    found: list[Any] = texts.to_pylist()
    return found


def _runs(
    batch: Batch,
    resources: pa.Array[Any],
    scopes: pa.ListArray[Any],
    names: pa.Array[Any],
    held: pa.ListArray[Any],
) -> Iterator[Run]:
    counts = np.diff(held.offsets.to_numpy()).tolist()
    scope_of = iter(zip(bytes_of(names), counts, strict=True))
    per_resource = np.diff(scopes.offsets.to_numpy()).tolist()
    for resource, many in zip(bytes_of(resources), per_resource, strict=True):
        for _ in range(many):
            scope, count = next(scope_of)
            if count:
                yield Run(
                    count=count,
                    source=batch.memory.source(resource),
                    scope=batch.memory.scope(scope),
                )


def _parsed(message: str, body: bytes, field: str) -> pa.StructArray:
    found: pa.StructArray = _handler(message).list_to_record_batch([body]).column(field).flatten()
    return found


@cache
def _handler(message: str) -> Any:
    described = otlp()[message].DESCRIPTOR
    return HandlerPool([described.file]).get_for_message(described)
