"""Commits in their order, kept for somebody until they are done with each.

Compaction deletes a commit's file minutes after a segment has absorbed it. A follower gives the
file a second name in a folder of its own, so that it stays for as long as the follower needs, and
writes down the last commit that is done, so that a process that was killed goes on where it was.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from collectors.signals import Signal
from collectors.store import fresh
from collectors.store.durable import make_folder, put, sync_folder, writing
from collectors.store.fresh import UnreadableError
from collectors.store.layout import TEMPORARY, Layout
from collectors.store.manifest import read_manifest
from collectors.store.schemas import conform
from slo.errors import StoreError
from slo.records import dataclass

_CURSOR = "cursor.json"
_COMMITS = "commits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A commit that is kept; ``since`` is when it was written, in Unix nanoseconds.

    ``name`` is the same for ever, and no other commit of any store has it.
    """

    signal: Signal
    number: int
    name: str
    bytes: int
    since: int


class Follower:
    """The commits of some signals that are not done yet; one process at a time follows.

    ``missed`` counts commits whose files went before they were kept.

    Begins with what no segment holds when it is made for the first time. Made before compaction
    begins, and with `keep` called every few minutes from then on, it misses nothing. Raises
    ``StoreError`` for a folder that cannot be read or written.
    """

    def __init__(self, store: Path, folder: str, signals: Iterable[Signal]) -> None:
        self._layout = Layout(root=store.absolute())
        self._root = self._layout.root / folder
        self._signals = tuple(signals)
        with writing(f"{folder} in the store"):
            for signal in self._signals:
                make_folder(self._folder(signal))
            self._done = self._read_cursor()
            self._write_cursor()
            for signal in self._signals:
                self._tidy(signal)
        self.missed = 0
        self._last = {signal: self._newest(signal) for signal in self._signals}
        self.keep()

    @property
    def folder(self) -> Path:
        """Where the follower's own things are."""
        return self._root

    def keep(self) -> int:
        """Give new commits a second name; return their number."""
        return sum(self._keep(signal) for signal in self._signals)

    def waiting(self, signal: Signal) -> list[Kept]:
        """What is kept of a signal, the oldest first."""
        found = []
        for name in fresh.names(self._folder(signal), after=self._done[signal]):
            try:
                stat = (self._folder(signal) / name).stat()
            except FileNotFoundError:
                continue
            number = fresh.number_of(name) or 0
            found.append(
                Kept(
                    signal=signal,
                    number=number,
                    name=name,
                    bytes=stat.st_size,
                    since=stat.st_mtime_ns,
                )
            )
        return found

    def rows(self, commit: Kept) -> pa.Table:
        """Read a commit; raises ``StoreError`` for one that does not parse."""
        path = self._folder(commit.signal) / commit.name
        try:
            return conform(commit.signal, fresh.read_rows(path))
        except (OSError, UnreadableError, ValueError, pa.ArrowException) as cause:
            raise StoreError(f"the commit {commit.name} cannot be read") from cause

    def done(self, commit: Kept) -> None:
        """Write down that a commit and all before it are done, and let go of its file."""
        with writing("the cursor of what follows the store"):
            self._done = {**self._done, commit.signal: commit.number}
            self._write_cursor()
            (self._folder(commit.signal) / commit.name).unlink(missing_ok=True)

    def _keep(self, signal: Signal) -> int:
        source, target = self._layout.fresh(signal), self._folder(signal)
        names = fresh.names(source, after=self._last[signal])
        with writing("what follows the store"):
            for name in names:
                try:
                    _second_name(source / name, target / name)
                except FileNotFoundError:
                    self.missed += 1
            if names:
                sync_folder(target)
                self._last[signal] = max(fresh.number_of(name) or 0 for name in names)
        return len(names)

    def _newest(self, signal: Signal) -> int:
        kept = fresh.names(self._folder(signal), after=self._done[signal])
        return max((fresh.number_of(name) or 0 for name in kept), default=self._done[signal])

    def _tidy(self, signal: Signal) -> None:
        """Remove what a killed process was done with, or had only begun to copy."""
        live = set(fresh.names(self._folder(signal), after=self._done[signal]))
        for path in self._folder(signal).iterdir():
            if path.name not in live:
                path.unlink(missing_ok=True)

    def _folder(self, signal: Signal) -> Path:
        return self._root / _COMMITS / signal.value

    def _read_cursor(self) -> Mapping[Signal, int]:
        manifest = read_manifest(self._layout.manifest)
        known: dict[str, int] = {}
        path = self._root / _CURSOR
        if path.exists():
            try:
                said = json.loads(path.read_bytes())
                known = {str(key): int(value) for key, value in said.items()}
            except (ValueError, AttributeError, TypeError) as cause:
                raise StoreError(
                    f"{path} is damaged",
                    hint="remove it to begin with what is new, and send the rest again by hand",
                ) from cause
        return {signal: known.get(signal.value, manifest.up_to(signal)) for signal in self._signals}

    def _write_cursor(self) -> None:
        said = {signal.value: number for signal, number in self._done.items()}
        put(self._root / _CURSOR, json.dumps(said).encode() + b"\n")


def _second_name(source: Path, target: Path) -> None:
    """Link a file, or copy it where links are not to be had."""
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        raise
    except OSError:
        temporary = target.with_name(target.name + TEMPORARY)
        with suppress(FileNotFoundError):
            temporary.unlink()
        shutil.copy2(source, temporary)
        temporary.replace(target)
