"""The lines of an audit log: how one is sealed, how one is read, where the last one ends."""

import json
import os
from collections.abc import Mapping

from app.audit.canonical import canonical, hash_of
from slo.records import dataclass

_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A record's place in the chain."""

    seq: int
    prev: str
    hash: str

    def as_json(self) -> dict[str, object]:
        """Return the link as it stands in a record and in a decision."""
        return {"seq": self.seq, "prev": self.prev, "hash": self.hash}


def seal(record: Mapping[str, object], seq: int, prev: str) -> tuple[bytes, Link]:
    """Return the line of a record, with its line feed, and its place in the chain."""
    linked = {**record, "audit": {"seq": seq, "prev": prev}}
    link = Link(seq=seq, prev=prev, hash=hash_of(linked))
    return canonical({**linked, "audit": link.as_json()}) + b"\n", link


def read_line(line: bytes) -> tuple[dict[str, object], Link] | None:
    """Return a line's record and link, or `None` for what is no record at all."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    audit = record.get("audit") if isinstance(record, dict) else None
    if not isinstance(audit, dict):
        return None
    seq, prev, hash_ = audit.get("seq"), audit.get("prev"), audit.get("hash")
    if type(seq) is int and isinstance(prev, str) and isinstance(hash_, str):
        return record, Link(seq=seq, prev=prev, hash=hash_)
    return None


def is_sound(line: bytes, record: Mapping[str, object], link: Link) -> bool:
    """Tell whether a line is, byte for byte, what was sealed."""
    try:
        return canonical(record) == line and hash_of(record) == link.hash
    except (TypeError, RecursionError):
        return False


def last_lines(descriptor: int) -> tuple[bytes, bytes, int]:
    """Return the last whole line, what stands after it, and where that begins."""
    size = os.fstat(descriptor).st_size
    start, tail = size, b""
    while start > 0 and tail.count(b"\n") < 2:  # noqa: PLR2004 - the ends of two lines
        start, length = max(0, start - _BLOCK), min(start, _BLOCK)
        tail = os.pread(descriptor, length, start) + tail
    whole, found, torn = tail.rpartition(b"\n")
    if not found:
        return b"", tail, 0
    return whole.rpartition(b"\n")[2], torn, size - len(torn)
