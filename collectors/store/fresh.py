"""The write-ahead part: one Parquet file for each commit, not yet absorbed by segments."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from collectors.signals import COMMON
from collectors.store.receipts import Receipt
from collectors.store.schemas import apps_of, fingerprint, time_range
from slo.records import dataclass

_NAME = re.compile(r"(\d{20})-[0-9a-f]{16}\.parquet")
_KEY = "headroom"
_LONG = frozenset({"time", "observed", "body", "attributes", "labels", "events", "links"})
"""The columns whose values are worth compressing for the minutes that a commit lasts."""

# What the records of one sender have in common; the rest would not be worth a dictionary.
_REPEATING = [each.name for each in COMMON if each.type == pa.string()] + ["resource", "scope"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A commit's file: what its footer says, and its size on disk and in memory."""

    name: str
    number: int
    apps: tuple[str | None, ...]
    start: int
    end: int
    rows: int
    bytes: int
    plain_bytes: int
    columns: str
    receipts: tuple[Receipt, ...] = field(default=())


class UnreadableError(Exception):
    """A file does not parse."""


def number_of(name: str) -> int | None:
    """The number of the commit whose file has this name, or None for another file."""
    match = _NAME.fullmatch(name)
    return None if match is None else int(match[1])


def encode(table: pa.Table, receipts: Iterable[Receipt]) -> bytes:
    """A commit's file: quick to write, with what readers and the next writer ask its footer for."""
    start, end = time_range(table)
    about = {
        "start": start,
        "end": end,
        "apps": apps_of(table),
        "columns": fingerprint(table.schema),
        "receipts": [each.text() for each in receipts],
    }
    content = io.BytesIO()
    with pq.ParquetWriter(
        content,
        table.schema,
        compression={name: "lz4" if name in _LONG else "none" for name in table.column_names},
        use_dictionary=_REPEATING,  # type: ignore[arg-type]  # the stubs know no list of columns
        write_statistics=["time", "app"],
        store_schema=False,
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_KEY: json.dumps(about)})
    return content.getvalue()


def name_of(number: int, content: bytes) -> str:
    """The name of a commit's file; it contains a digest of the content."""
    return f"{number:020d}-{hashlib.blake2b(content, digest_size=8).hexdigest()}.parquet"


def is_intact(path: Path) -> bool:
    """Whether a commit's file has the content that its name promises."""
    number = number_of(path.name)
    return number is not None and path.name == name_of(number, path.read_bytes())


def read_footer(path: Path) -> Fresh:
    """Read what a commit's footer says.

    Raises ``UnreadableError``, and ``OSError`` when the operating system refuses or the file was
    absorbed and deleted.
    """
    number = number_of(path.name)
    try:
        size = path.stat().st_size
        metadata = pq.read_metadata(path)
        about = json.loads((metadata.metadata or {})[_KEY.encode()])
        groups = (metadata.row_group(place) for place in range(metadata.num_row_groups))
        return Fresh(
            name=path.name,
            number=-1 if number is None else number,
            apps=tuple(about["apps"]),
            start=int(about["start"]),
            end=int(about["end"]),
            rows=metadata.num_rows,
            bytes=size,
            plain_bytes=sum(group.total_byte_size for group in groups),
            columns=str(about["columns"]),
            receipts=tuple(filter(None, map(Receipt.parse, about["receipts"]))),
        )
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as cause:
        _raise_refusal(cause)
        raise UnreadableError(path.name) from cause


def names(folder: Path, *, after: int) -> list[str]:
    """The files of commits after a number, in their order; a torn ``.tmp`` is none."""
    try:
        found = [path.name for path in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(name for name in found if (number_of(name) or 0) > after)


def read_rows(path: Path) -> pa.Table:
    """Read a commit's rows; raises ``UnreadableError`` and ``OSError`` as `read_footer` does."""
    try:
        return pq.ParquetFile(path).read(use_threads=False)
    except (OSError, pa.ArrowException, ValueError) as cause:
        _raise_refusal(cause)
        raise UnreadableError(path.name) from cause


def _raise_refusal(cause: Exception) -> None:
    """Raise what the operating system refused; PyArrow's own ``OSError`` has no number."""
    if isinstance(cause, OSError) and cause.errno is not None:
        raise cause
