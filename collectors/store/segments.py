"""Writing segments: sorted Parquet files of one app and day, or of several."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import IO, BinaryIO, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from collectors.signals import SCHEMAS, Signal
from collectors.store.durable import make_folder, sync_folder
from collectors.store.layout import DAY, TEMPORARY, Layout, segment_folder
from collectors.store.manifest import Segment
from collectors.store.schemas import apps_of, fingerprint, in_order, time_range

_GROUP_ROWS = 65_536
_GROUP_BYTES = 48 * 1024 * 1024
# Their values hardly repeat: a dictionary of them is built, found too large and thrown away.
_DISTINCT = frozenset({"body", "trace_id", "span_id", "parent_id", "attributes", "time", "end"})


class SegmentWriter:
    """Writes sorted rows to segments; `finish` has them on disk, `discard` leaves none."""

    def __init__(
        self, layout: Layout, signal: Signal, *, mixed: bool, largest: int, name: Callable[[], str]
    ) -> None:
        self._layout = layout
        self._signal = signal
        self._mixed = mixed
        self._largest = largest
        self._name = name
        self._open: _SegmentFile | None = None
        self._done: list[Segment] = []

    def write(self, rows: pa.Table) -> None:
        """Add rows that come after those before, in the order of app, day and their segment."""
        for part in (rows,) if self._mixed else _partitions(rows):
            place = 0
            while place < part.num_rows:
                file = self._file_for(part)
                room = self._largest - file.rows
                file.write(part.slice(place, room))
                place += room

    def finish(self) -> list[Segment]:
        """Close the last segment and return all of them."""
        self._close()
        return self._done

    def discard(self) -> None:
        """Remove what was written."""
        if self._open is not None:
            self._open.discard()
            self._open = None
        for each in self._done:
            with suppress(OSError):
                (self._layout.root / each.path).unlink(missing_ok=True)

    def _file_for(self, rows: pa.Table) -> _SegmentFile:
        key = (None, None) if self._mixed else _partition_of(rows)
        if self._open is None or self._open.key != key or self._open.rows >= self._largest:
            self._close()
            app, day = key
            path = f"{segment_folder(self._signal, app, day)}/{self._name()}.parquet"
            self._open = _SegmentFile(self._layout, self._signal, path, key)
        return self._open

    def _close(self) -> None:
        if self._open is not None:
            self._done.append(self._open.finish())
            self._open = None


def _partition_of(rows: pa.Table) -> tuple[str | None, int]:
    return rows.column("app")[0].as_py(), rows.column("time")[0].as_py() // DAY


def _partitions(rows: pa.Table) -> Iterator[pa.Table]:
    """Cut rows, sorted by app and day, where either changes."""
    if not rows.num_rows:
        return
    apps = rows.column("app").combine_chunks().dictionary_encode("encode")
    codes = apps.indices.to_numpy(zero_copy_only=False)
    days = np.floor_divide(rows.column("time").to_numpy(), DAY)
    changes = np.flatnonzero((codes[1:] != codes[:-1]) | (days[1:] != days[:-1])) + 1
    bounds = [0, *changes.tolist(), rows.num_rows]
    for first, last in pairwise(bounds):
        yield rows.slice(first, last - first)


class _SegmentFile:
    """One segment while it is written."""

    def __init__(
        self, layout: Layout, signal: Signal, path: str, key: tuple[str | None, int | None]
    ) -> None:
        self.key = key
        self.rows = 0
        self._signal = signal
        self._path = path
        self._target = layout.root / path
        self._temporary = self._target.with_name(self._target.name + TEMPORARY)
        self._waiting: list[pa.Table] = []
        self._apps: set[str | None] = set()
        self._times: list[int] = []
        make_folder(self._target.parent)
        self._file = self._temporary.open("wb")
        self._sink = _Digesting(self._file)
        self._writer = _parquet(self._sink, signal)

    def write(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        self.rows += rows.num_rows
        self._apps.update(apps_of(rows))
        self._times += time_range(rows)
        waiting = sum(each.num_rows for each in self._waiting)
        if waiting >= _GROUP_ROWS or sum(each.nbytes for each in self._waiting) >= _GROUP_BYTES:
            self._flush()

    def finish(self) -> Segment:
        self._flush()
        self._writer.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._temporary.replace(self._target)
        sync_folder(self._target.parent)
        return Segment(
            path=self._path,
            signal=self._signal,
            apps=in_order(self._apps),
            day=self.key[1],
            start=min(self._times),
            end=max(self._times),
            rows=self.rows,
            bytes=self._sink.size,
            columns=fingerprint(SCHEMAS[self._signal]),
            digest=self._sink.digest,
        )

    def discard(self) -> None:
        with suppress(OSError, pa.ArrowException):
            self._file.close()
        for path in (self._temporary, self._target):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._waiting:
            rows = pa.concat_tables(self._waiting)
            self._waiting = []
            self._writer.write_table(rows, row_group_size=_GROUP_ROWS)


def _parquet(sink: _Digesting, signal: Signal) -> pq.ParquetWriter:
    schema = SCHEMAS[signal]
    repeating = [field.name for field in schema if field.name not in _DISTINCT]
    return pq.ParquetWriter(
        cast("IO[bytes]", sink),
        schema,
        compression={field.name: _codec(field.name) for field in schema},
        use_dictionary=repeating,  # type: ignore[arg-type]  # the stubs know no list of columns
        store_schema=False,
    )


def _codec(column: str) -> Literal["lz4", "zstd"]:
    # A search reads all bodies. LZ4 makes a segment a fifth larger, and the search a third shorter.
    return "lz4" if column == "body" else "zstd"


class _Digesting:
    """A file that knows the digest of what was written to it."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=8)
        self.size = 0

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        written = self._file.write(data)
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The owner closes the file, after it is on disk."""
