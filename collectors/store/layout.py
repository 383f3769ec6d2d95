"""Where things are in a store's folder."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from urllib.parse import quote

from collectors.signals import Signal
from slo.records import dataclass

DAY = 86_400_000_000_000
TEMPORARY = ".tmp"
MIXED = "_mixed"
UNATTRIBUTED = "_unattributed"

_EPOCH = date(1970, 1, 1).toordinal()
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The paths of a store below its ``root``."""

    root: Path

    @property
    def lock(self) -> Path:
        """The file that the writer holds locked; it contains the writer's process id."""
        return self.root / "lock"

    @property
    def manifest(self) -> Path:
        """The list of live segments."""
        return self.root / "manifest.json"

    @property
    def receipts(self) -> Path:
        """The digests of stored batches."""
        return self.root / "receipts"

    @property
    def quarantine(self) -> Path:
        """Where files go that do not parse."""
        return self.root / "quarantine"

    @property
    def spill(self) -> Path:
        """Where compaction sorts what does not fit into memory."""
        return self.root / "spill"

    @property
    def segments(self) -> Path:
        """Below it are the segments of all signals."""
        return self.root / "segments"

    def fresh(self, signal: Signal) -> Path:
        """The folder of a signal's commits that no segment holds yet."""
        return self.root / "fresh" / signal.value

    def relative(self, path: Path) -> str:
        """A path as the manifest and messages name it."""
        return path.relative_to(self.root).as_posix()


def segment_folder(signal: Signal, app: str | None, day: int | None) -> str:
    """Where a segment goes; without a ``day`` (since 1970) it holds several apps and days."""
    if day is None:
        return f"segments/{signal.value}/{MIXED}"
    return f"segments/{signal.value}/{_app_folder(app)}/{date.fromordinal(_EPOCH + day)}"


def _app_folder(app: str | None) -> str:
    """A folder name for an app: the name itself where that is harmless.

    The manifest says whose a segment is. Two names that a file system cannot tell apart may share
    a folder, since no two segments have the same name.
    """
    if app is None:
        return UNATTRIBUTED
    name = quote(app.encode(errors="surrogatepass"), safe="")
    if name.startswith(("_", ".")):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if len(name) > _LONGEST:
        digest = hashlib.blake2b(name.encode(), digest_size=8).hexdigest()
        name = f"{name[:_LONGEST]}~{digest}"
    return name or "%"
