"""Compaction: commits become segments, small segments become larger ones, old files go.

1. *Absorb* the oldest commits of a signal into a sorted segment of several apps, or into one for
   each app and day where that is worth it at once, without rows that are stored already. Since
   every row passes here, no two segments hold the same row.
2. *Split* the segments of several apps by app and day, once they are worth it.
3. *Merge* segments of one app and day, or of several, four of about the same size at a time.

Each step writes its segments, then replaces the manifest; what it no longer needs is deleted when
readers had minutes to finish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from threading import RLock
from typing import TypeVar

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collectors.signals import Signal
from collectors.store import fresh, textindex
from collectors.store.choices import Sizing
from collectors.store.duplicates import first_of_each, without_stored
from collectors.store.durable import make_folder
from collectors.store.engine import connect, define
from collectors.store.fresh import Fresh, UnreadableError
from collectors.store.layout import DAY
from collectors.store.manifest import Segment
from collectors.store.merging import is_by_time, merged
from collectors.store.records import Files, Variables, segments_sql
from collectors.store.retention import Retention, expired
from collectors.store.schemas import ORDER, conform
from collectors.store.segments import SegmentWriter
from collectors.store.state import State

GRACE = 300_000_000_000
"""Nanoseconds for which a file that is no longer needed stays, for those who still read it."""

_ABSORBED_AT_ONCE = 32 * 1024 * 1024
_BATCH = 8_192

_T = TypeVar("_T")


class Compactor:
    """Compacts a store; one thread at a time does it."""

    def __init__(self, state: State, sizing: Sizing, *, memory: str, threads: int) -> None:
        self._state = state
        self._sizing = sizing
        self._memory = memory
        self._threads = threads
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._turn = RLock()
        self._names = count(1)

    def compact(self, now_ns: int, *, stop: Callable[[], bool] = lambda: False) -> None:
        """Take all steps that are due, or until ``stop`` says so; raises ``OSError``."""
        with self._turn:
            for signal in Signal:
                while not stop() and self._absorb(signal, now_ns):
                    pass
                while not stop() and self._rearrange(signal, now_ns):
                    pass
            self._sweep(now_ns)
            textindex.tend(self._state.layout, self._state.manifest, now_ns, stop=stop)
            # What was needed for a moment must not count as the process's memory until the next.
            pa.default_memory_pool().release_unused()

    def retain(self, now_ns: int, policy: Retention) -> int:
        """Drop the segments that are past their limits; return their number."""
        with self._turn:
            paths = [each.path for each in expired(self._state.manifest, policy, now_ns)]
            if paths:
                gone = {**self._state.manifest.gone, **dict.fromkeys(paths, now_ns)}
                self._state.publish(remove=paths, gone=gone)
            return len(paths)

    def scrub(self) -> int:
        """Read every segment and set aside those that are damaged; return their number."""
        with self._turn:
            damaged = self._state.damaged(self._state.manifest.segments)
            for each in damaged:
                self._state.set_aside(each.path)
            for path in textindex.damaged(self._state.layout, self._state.manifest):
                path.unlink(missing_ok=True)
            return len(damaged)

    def close(self) -> None:
        """Wait for what is going on, and let go of its memory."""
        with self._turn:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _absorb(self, signal: Signal, now_ns: int) -> bool:
        """Absorb the oldest commits; tell whether there were any."""
        commits = self._oldest(signal)
        if not commits:
            return False
        tables, readable = [], []
        folder = self._state.layout.fresh(signal)
        for each in commits:
            try:
                tables.append(conform(signal, fresh.read_rows(folder / each.name)))
                readable.append(each)
            except (UnreadableError, ValueError, pa.ArrowException):
                self._state.set_aside(self._state.layout.relative(folder / each.name))
        rows = first_of_each(signal, pa.concat_tables(tables)) if tables else None
        if rows is not None:
            rows = self._without_stored(signal, rows)
        with self._state.lock:
            self._state.receipts.persist(one for each in readable for one in each.receipts)
        mixed = rows is None or not self._sizing.is_worth_splitting(rows)
        writer = self._writer(signal, mixed=mixed)
        produced = (
            () if rows is None or not rows.num_rows else (_sorted(signal, rows, mixed=mixed),)
        )
        gone = [self._state.layout.relative(folder / each.name) for each in readable]
        self._replace(writer, produced, gone, now_ns, absorbed={signal: commits[-1].number})
        return True

    def _oldest(self, signal: Signal) -> list[Fresh]:
        with self._state.lock:
            waiting = sorted(self._state.fresh[signal].items())
        chosen: list[Fresh] = []
        size = 0
        for _, each in waiting:
            size += each.plain_bytes
            if chosen and size > _ABSORBED_AT_ONCE:
                break
            chosen.append(each)
        return chosen

    def _without_stored(self, signal: Signal, rows: pa.Table) -> pa.Table:
        segments = self._state.manifest.of(signal)
        return self._guarded(
            segments,
            lambda left: without_stored(
                self._database(), self._state.layout.root, signal, rows, left
            ),
        )

    def _rearrange(self, signal: Signal, now_ns: int) -> bool:
        """Split or merge once; tell whether there was reason to."""
        segments = self._state.manifest.of(signal)
        mixed = [each for each in segments if each.day is None]
        if self._sizing.should_split(mixed):
            self._rewrite(signal, mixed, now_ns, mixed=False)
            return True
        if group := self._sizing.mixed_to_merge(mixed):
            self._rewrite(signal, group, now_ns, mixed=True)
            return True
        if group := self._sizing.partition_to_merge(segments, now_ns // DAY):
            self._rewrite(signal, group, now_ns, mixed=False)
            return True
        return False

    def _rewrite(self, signal: Signal, old: Sequence[Segment], now_ns: int, *, mixed: bool) -> None:
        def rewrite(left: Sequence[Segment]) -> None:
            writer = self._writer(signal, mixed=mixed)
            paths = [each.path for each in left]
            rows = (
                merged(self._state.layout.root, signal, left)
                if is_by_time(signal, left)
                else self._rows(signal, left, mixed=mixed)
            )
            self._replace(writer, rows, paths, now_ns)

        self._guarded(old, rewrite)

    def _rows(
        self, signal: Signal, segments: Sequence[Segment], *, mixed: bool
    ) -> Iterator[pa.Table]:
        """The rows of segments, sorted by DuckDB, which uses the disk for what is too large."""
        day = "" if mixed else f'"time" // {DAY} - ("time" % {DAY} < 0)::BIGINT, '
        order = f"app NULLS LAST, {day}{', '.join(ORDER[signal])}"
        cursor = self._database().cursor()
        try:
            variables: Variables = {}
            files = Files(root=self._state.layout.root, signal=signal, segments=segments, fresh=())
            sql = segments_sql(files, segments, "segments", variables)
            define(cursor, variables)
            answer = cursor.sql(f"SELECT * FROM ({sql}) ORDER BY {order}")  # noqa: S608 - our names
            for batch in answer.to_arrow_reader(_BATCH):
                yield conform(signal, pa.Table.from_batches([batch]))
        finally:
            cursor.close()

    def _replace(
        self,
        writer: SegmentWriter,
        produced: Iterable[pa.Table],
        old: Sequence[str],
        now_ns: int,
        *,
        absorbed: dict[Signal, int] | None = None,
    ) -> None:
        """Write segments and let the manifest name them in the place of old files."""
        try:
            for rows in produced:
                writer.write(rows)
            new = writer.finish()
        except BaseException:
            writer.discard()
            raise
        gone = {**self._state.manifest.gone, **dict.fromkeys(old, now_ns)}
        # Should this fail, the new segments stay until the next start: a reader may have seen them.
        self._state.publish(add=new, remove=old, absorbed=absorbed, gone=gone)

    def _guarded(self, segments: Sequence[Segment], work: Callable[[Sequence[Segment]], _T]) -> _T:
        """Do work on segments; those that are found damaged are set aside and left out."""
        try:
            return work(segments)
        except (duckdb.Error, UnreadableError):
            damaged = self._state.damaged(segments)
            if not damaged:
                raise
            for each in damaged:
                self._state.set_aside(each.path)
            left = [each for each in segments if each not in damaged]
            return work(left)

    def _sweep(self, now_ns: int) -> None:
        """Delete the files that nobody needs since the grace."""
        due = [
            path
            for path, since in self._state.manifest.gone.items()
            # A clock that was set back must not keep files for ever.
            if not since <= now_ns < since + GRACE
        ]
        if not due:
            return
        for path in due:
            with suppress(FileNotFoundError):
                (self._state.layout.root / path).unlink()
        left = {path: since for path, since in self._state.manifest.gone.items() if path not in due}
        self._state.publish(gone=left)

    def _writer(self, signal: Signal, *, mixed: bool) -> SegmentWriter:
        generation = self._state.manifest.generation + 1
        return SegmentWriter(
            self._state.layout,
            signal,
            mixed=mixed,
            largest=self._sizing.segment_rows,
            name=lambda: f"{generation:08d}-{next(self._names):06d}",
        )

    def _database(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            layout = self._state.layout
            make_folder(layout.spill)
            self._connection = connect(
                layout.root, memory=self._memory, threads=self._threads, spill=layout.spill
            )
        return self._connection


def _sorted(signal: Signal, rows: pa.Table, *, mixed: bool) -> pa.Table:
    """Sort rows as their segments are sorted; what comes in order already is not copied."""
    keys = [rows.column(name) for name in ("app", *ORDER[signal])]
    names = [f"key_{place}" for place in range(len(keys))]
    if not mixed:
        days = pa.array(np.floor_divide(rows.column("time").to_numpy(), DAY))
        keys.insert(1, pa.chunked_array([days]))
        names.insert(1, "day")
    order = pc.sort_indices(
        pa.Table.from_arrays(keys, names), sort_keys=[(name, "ascending") for name in names]
    )
    places = order.to_numpy()
    return rows if (places[1:] > places[:-1]).all() else rows.take(order)
