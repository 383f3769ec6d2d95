"""Which batches are stored, so that a sender's second try stores nothing.

A line of the file is ``- digest`` or, for a receipt that is kept for ever, ``= digest``. It holds
the batches of absorbed commits; those of fresh commits are in the commits themselves.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from collectors.signals import Signal
from collectors.store.durable import put
from slo.records import dataclass

REMEMBERED = 100_000
_DIGEST = 16
_LINE = 2 + 2 * _DIGEST + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a batch is stored; ``key`` is made of signal and batch."""

    key: bytes
    kept: bool = False

    @classmethod
    def of(cls, signal: Signal, batch: bytes, *, kept: bool = False) -> Receipt:
        """The receipt of a batch of a signal."""
        text = signal.value.encode() + b"\0" + batch
        return cls(key=hashlib.blake2b(text, digest_size=_DIGEST).digest(), kept=kept)

    def text(self) -> str:
        """The receipt as a line without its end."""
        return f"{'=' if self.kept else '-'} {self.key.hex()}"

    @classmethod
    def parse(cls, text: str) -> Receipt | None:
        """The receipt of a line, or None for a torn one."""
        if len(text) != _LINE - 1 or text[:2] not in {"- ", "= "}:
            return None
        try:
            return cls(key=bytes.fromhex(text[2:]), kept=text[0] == "=")
        except ValueError:
            return None


class Receipts:
    """The receipts of a store: all kept ones and the last ``REMEMBERED`` others."""

    def __init__(self, path: Path, *, remembered: int = REMEMBERED) -> None:
        self._path = path
        self._remembered = remembered
        self._kept: set[bytes] = set()
        self._recent: dict[bytes, None] = {}
        self._lines = 0
        self._torn = False
        self._load()

    def __contains__(self, key: bytes) -> bool:
        return key in self._kept or key in self._recent

    def add(self, receipts: Iterable[Receipt]) -> None:
        """Remember batches that are on disk."""
        for each in receipts:
            if each.kept:
                self._kept.add(each.key)
                self._recent.pop(each.key, None)
            elif each.key not in self._kept:
                self._recent[each.key] = None
        excess = len(self._recent) - self._remembered
        for key in tuple(islice(self._recent, max(0, excess))):
            del self._recent[key]

    def persist(self, receipts: Iterable[Receipt]) -> None:
        """Write receipts of commits that are about to be absorbed; on disk when this returns."""
        new = "".join(f"{each.text()}\n" for each in receipts).encode()
        live = len(self._kept) + len(self._recent)
        if self._torn or self._lines > 2 * live + 1_000:
            # The new ones were added when they were committed: the whole has them.
            put(self._path, self._whole())
            self._lines, self._torn = live, False
        elif new:
            self._append(new)
            self._lines += len(new) // _LINE

    def _append(self, content: bytes) -> None:
        with self._path.open("ab") as file:
            self._torn = True
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            self._torn = False

    def _whole(self) -> bytes:
        kept = (Receipt(key=key, kept=True).text() for key in sorted(self._kept))
        recent = (Receipt(key=key).text() for key in tuple(self._recent))
        return "".join(f"{line}\n" for line in (*kept, *recent)).encode()

    def _load(self) -> None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            self._torn = True  # the first time, the file and its name are made to last
            return
        lines = content.decode("ascii", errors="replace").split("\n")
        self._torn = lines.pop() != ""
        found = [Receipt.parse(line) for line in lines]
        self._torn = self._torn or None in found
        self._lines = len(lines)
        self.add(each for each in found if each is not None)
