"""What the writer of a store knows: the manifest, the commits not yet absorbed, the receipts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import RLock

from collectors.signals import Signal
from collectors.store import fresh
from collectors.store.damage import is_whole
from collectors.store.durable import make_folder, put, sync_folder
from collectors.store.errors import StoreMissing
from collectors.store.fresh import Fresh, UnreadableError
from collectors.store.layout import TEMPORARY, Layout
from collectors.store.manifest import Manifest, Segment, read_manifest
from collectors.store.receipts import Receipts
from slo.errors import SourceUnavailable, StoreError

_MAGIC = b"PAR1"


class State:
    """The writer's own view of its store. ``lock`` guards all of it against its threads."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.lock = RLock()
        self.manifest = self._read_manifest()
        self.receipts = Receipts(layout.receipts)
        self.fresh: dict[Signal, dict[int, Fresh]] = {signal: {} for signal in Signal}
        self._tidy()
        for signal in Signal:
            self._find_fresh(signal)
        self._check_segments()

    def committed(self, signal: Signal, commit: Fresh) -> None:
        """Take note of a commit that is on disk."""
        with self.lock:
            self.fresh[signal][commit.number] = commit
            self.receipts.add(commit.receipts)

    def last_number(self, signal: Signal) -> int:
        """The number of the last commit of a signal."""
        with self.lock:
            return max(self.fresh[signal], default=self.manifest.up_to(signal))

    def publish(
        self,
        *,
        add: Iterable[Segment] = (),
        remove: Iterable[str] = (),
        absorbed: Mapping[Signal, int] | None = None,
        gone: Mapping[str, int] | None = None,
    ) -> None:
        """Replace the manifest; on an ``OSError`` the former one still holds."""
        with self.lock:
            removed = frozenset(remove)
            kept = (each for each in self.manifest.segments if each.path not in removed)
            absorbed_now = {**self.manifest.absorbed, **(absorbed or {})}
            new = replace(
                self.manifest,
                generation=self.manifest.generation + 1,
                segments=(*kept, *add),
                absorbed=absorbed_now,
                gone=self.manifest.gone if gone is None else gone,
            )
            try:
                put(self.layout.manifest, new.encoded())
            except OSError:
                # A reader may have seen the new one; its number must not come again.
                self.manifest = replace(self.manifest, generation=new.generation)
                raise
            self.manifest = new
            for signal, number in absorbed_now.items():
                known = self.fresh[signal]
                for each in [each for each in known if each <= number]:
                    del known[each]

    def set_aside(self, path: str) -> None:
        """Move a file that does not parse to the quarantine; a segment leaves the manifest."""
        source = self.layout.root / path
        make_folder(self.layout.quarantine)
        target = self.layout.quarantine / path.replace("/", "~")
        if path in {each.path for each in self.manifest.segments}:
            # First a second name, then out of the manifest: no moment loses the file.
            with suppress(FileExistsError, FileNotFoundError):
                _second_name(source, target)
            self.publish(remove=(path,))
            source.unlink(missing_ok=True)
        else:
            with suppress(FileNotFoundError):
                source.replace(target)
        sync_folder(self.layout.quarantine)

    def damaged(self, segments: Iterable[Segment]) -> list[Segment]:
        """Those of the segments whose content is not what was written."""
        return [each for each in segments if not is_whole(self.layout.root / each.path, each)]

    def _read_manifest(self) -> Manifest:
        try:
            return read_manifest(self.layout.manifest)
        except StoreMissing:
            if self.layout.segments.exists() and any(self.layout.segments.rglob("*.parquet")):
                raise StoreError(
                    f"{self.layout.root} has segments and no manifest",
                    hint="restore manifest.json, or move the folder away",
                ) from None
            manifest = Manifest()
            put(self.layout.manifest, manifest.encoded())
            return manifest
        except SourceUnavailable as cause:
            raise StoreError(str(cause), hint=cause.hint) from cause

    def _tidy(self) -> None:
        """Remove what a killed writer left: temporary files, and segments nobody refers to."""
        layout = self.layout
        shutil.rmtree(layout.spill, ignore_errors=True)
        known = {each.path for each in self.manifest.segments} | set(self.manifest.gone)
        leftovers = [
            *layout.root.glob(f"*{TEMPORARY}"),
            *layout.root.rglob(f"fresh/*/*{TEMPORARY}"),
        ]
        leftovers += [
            path
            for path in layout.segments.rglob("*")
            if path.is_file() and layout.relative(path) not in known
        ]
        for path in leftovers:
            with suppress(FileNotFoundError):
                path.unlink()

    def _find_fresh(self, signal: Signal) -> None:
        folder = self.layout.fresh(signal)
        make_folder(folder)
        for name in fresh.names(folder, after=self.manifest.up_to(signal)):
            try:
                self.committed(signal, fresh.read_footer(folder / name))
            except UnreadableError:
                self.set_aside(self.layout.relative(folder / name))

    def _check_segments(self) -> None:
        for each in self.manifest.segments:
            path = self.layout.root / each.path
            # One that is missing stays in the manifest, so that readers and verify tell of it.
            if path.exists() and not _looks_whole(path, each.bytes):
                self.set_aside(each.path)


def _looks_whole(path: Path, size: int) -> bool:
    """Whether a file has its length and ends as Parquet files do."""
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() != size or size < len(_MAGIC):
            return False
        file.seek(-len(_MAGIC), os.SEEK_END)
        return file.read() == _MAGIC


def _second_name(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:
        shutil.copyfile(source, target)
