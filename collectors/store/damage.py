"""Whether files are as they were written."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from collectors.store.manifest import Segment

_BATCH = 16_384


def is_readable(path: Path) -> bool:
    """Whether every page of a Parquet file can be decoded; reads all of it."""
    try:
        with pq.ParquetFile(path) as file:
            for _ in file.iter_batches(batch_size=_BATCH):
                pass
    except (OSError, pa.ArrowException, ValueError):
        return False
    return True


def has_footer(path: Path) -> bool:
    """Whether a file is there and ends as Parquet files do."""
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowException, ValueError):
        return False
    return True


def is_whole(path: Path, segment: Segment) -> bool:
    """Whether a segment's file has the content that was written; reads all of it."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=8))
    except OSError:
        return False
    return found.hexdigest() == segment.digest
