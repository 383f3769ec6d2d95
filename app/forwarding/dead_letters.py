"""Documents that a cluster will never take, with its reasons, in files of bounded size."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from app.forwarding.documents import Document
from slo.records import dataclass

LARGEST = 64 * 1024 * 1024
"""Bytes of a file; the one before it is kept, older ones go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A document that the cluster refused, and why."""

    document: Document
    status: int
    kind: str
    reason: str


class DeadLetters:
    """Lines of JSON in ``dead-letters.ndjson``; a document may stand there twice after a crash."""

    def __init__(self, folder: Path, *, largest: int = LARGEST) -> None:
        self.path = folder / "dead-letters.ndjson"
        self._largest = largest

    def add(self, refused: Sequence[Refused], at: str) -> None:
        """Add documents; ``at`` is the time, in RFC 3339. Raises ``OSError``."""
        if self.path.exists() and self.path.stat().st_size >= self._largest:
            self.path.replace(self.path.with_name("dead-letters.1.ndjson"))
        lines = "".join(_line(each, at) for each in refused)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)


def _line(refused: Refused, at: str) -> str:
    said = {
        "at": at,
        "index": refused.document.index,
        "id": refused.document.id,
        "status": refused.status,
        "type": refused.kind,
        "reason": refused.reason,
        "document": json.loads(refused.document.text),
    }
    return json.dumps(said, ensure_ascii=False) + "\n"
