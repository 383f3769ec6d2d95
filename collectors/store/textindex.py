"""An index of the texts of log segments: files that may be missing, and say where words cannot be.

For each large segment there is a file in ``text/``, named by the digest of the segment's content:
the times of the segment's row groups, and a bitmap of each (`collectors.store.textgrams`). Since a
name is of one content, files are never changed. One that is missing, damaged or of another version
is as none: all of its segment is read.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from collectors.signals import Signal
from collectors.store.durable import make_folder, put
from collectors.store.layout import DAY, Layout
from collectors.store.manifest import Manifest, Segment
from collectors.store.schemas import time_range
from collectors.store.textgrams import Bitmap, bitmap, may_meet
from slo.logquery import Expression
from slo.records import dataclass

LEAST_ROWS = 8_192
"""Smaller segments have no index: they are read as fast as it."""

LEAST_ROWS_TODAY = 131_072
"""Of a day that goes on, as its segments are merged again and again."""

_FORMAT = 1
_HEAD = struct.Struct("<8sIQ")
_MAGIC = b"HRTEXT01"
_CACHE = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a segment: the times of its first and last row, and the texts of all."""

    start: int
    end: int
    rows: int
    texts: Bitmap


class TextIndexes:
    """The indexes of a store, for reading; threads may share it."""

    def __init__(self, layout: Layout, *, cache: int = _CACHE) -> None:
        self._folder = _folder(layout)
        self._room = cache
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[int, tuple[Block, ...]]] = OrderedDict()

    def where(self, segments: Iterable[Segment], query: Expression) -> dict[str, tuple[Block, ...]]:
        """By the path of a segment, its blocks whose texts may meet a query.

        Segments without an index are not in it.
        """
        meets = may_meet(query)
        if meets is None:
            return {}
        found = {}
        for each in segments:
            blocks = self._blocks(each)
            if blocks is not None:
                found[each.path] = tuple(block for block in blocks if meets(block.texts))
        return found

    def _blocks(self, segment: Segment) -> tuple[Block, ...] | None:
        if segment.signal is not Signal.LOGS or segment.rows < LEAST_ROWS:
            return None
        name = _name(segment)
        with self._lock:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name][1]
        try:
            content = (self._folder / name).read_bytes()
            blocks = _decoded(content, segment)
        except (OSError, ValueError):
            return None
        with self._lock:
            self._known[name] = (len(content), blocks)
            while sum(size for size, _ in self._known.values()) > self._room:
                self._known.popitem(last=False)
        return blocks


def tend(
    layout: Layout, manifest: Manifest, now_ns: int, *, stop: Callable[[], bool] = lambda: False
) -> None:
    """Make the indexes that are missing, and delete those of segments that are no longer there.

    What cannot be read or written now is left for the next time.
    """
    folder = _folder(layout)
    wanted = {_name(each): each for each in manifest.of(Signal.LOGS) if _is_worth(each, now_ns)}
    # An index that was worth it once is kept for as long as its segment.
    live = {_name(each) for each in manifest.of(Signal.LOGS)}
    with suppress(OSError):
        present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        for name in present - live:
            (folder / name).unlink(missing_ok=True)
        for name in sorted(wanted.keys() - present):
            if stop():
                return
            make_folder(folder)
            _make(layout, wanted[name], folder / name)


def damaged(layout: Layout, manifest: Manifest) -> list[Path]:
    """The files of indexes that are not as they were written."""
    return [
        path
        for each in manifest.of(Signal.LOGS)
        if (path := _folder(layout) / _name(each)).is_file() and not _is_whole(path, each)
    ]


def _is_worth(segment: Segment, now_ns: int) -> bool:
    over = segment.day is not None and segment.day < now_ns // DAY
    return segment.rows >= (LEAST_ROWS if over else LEAST_ROWS_TODAY)


def _folder(layout: Layout) -> Path:
    return layout.root / "text"


def _name(segment: Segment) -> str:
    # Which characters are whose lower case is PyArrow's to say, and changes with its version.
    version = re.sub(r"[^0-9A-Za-z.]", "-", pa.__version__)
    return f"{segment.digest}-{_FORMAT}-{version}"


def _make(layout: Layout, segment: Segment, path: Path) -> None:
    blocks = []
    try:
        with pq.ParquetFile(layout.root / segment.path) as file:
            for place in range(file.num_row_groups):
                rows = file.read_row_group(place, columns=["time", "body"], use_threads=False)
                start, end = time_range(rows)
                texts = bitmap(rows.column("body"))
                blocks.append(Block(start=start, end=end, rows=rows.num_rows, texts=texts))
    except (OSError, ValueError, pa.ArrowException):
        # That a segment is damaged is for those to say who need its rows.
        return
    put(path, _encoded(blocks, segment))


def _encoded(blocks: Sequence[Block], segment: Segment) -> bytes:
    about = [[each.start, each.end, each.rows, len(each.texts)] for each in blocks]
    header = json.dumps({"segment": segment.digest, "blocks": about}).encode()
    rest = b"".join([header, *(each.texts.tobytes() for each in blocks)])
    return _HEAD.pack(_MAGIC, zlib.crc32(rest), len(header)) + rest


def _decoded(content: bytes, segment: Segment) -> tuple[Block, ...]:
    """What a file says of a segment; raises ``ValueError`` when it is not as it was written."""
    if len(content) < _HEAD.size:
        raise ValueError("short")
    magic, checksum, length = _HEAD.unpack_from(content)
    rest = memoryview(content)[_HEAD.size :]
    if magic != _MAGIC or zlib.crc32(rest) != checksum:
        raise ValueError("content")
    about = json.loads(bytes(rest[:length]))
    if about["segment"] != segment.digest or sum(b[2] for b in about["blocks"]) != segment.rows:
        raise ValueError("segment")
    blocks = []
    place = length
    for start, end, rows, size in about["blocks"]:
        texts = np.frombuffer(rest, np.uint8, count=size, offset=place)
        blocks.append(Block(start=start, end=end, rows=rows, texts=texts))
        place += size
    return tuple(blocks)


def _is_whole(path: Path, segment: Segment) -> bool:
    try:
        _decoded(path.read_bytes(), segment)
    except (OSError, ValueError):
        return False
    return True
