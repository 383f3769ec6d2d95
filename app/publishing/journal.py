"""What a folder held before publishing began, kept on disk until the server has agreed.

While it is there publishing is not finished: the next run knows that the server may not have been
told, and what to go back to should the server refuse.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path

from slo.errors import PublishError
from slo.records import dataclass

JOURNAL_NAME = "headroom.publishing.json"
_SCHEMA = "headroom/publishing/v1"


@dataclass(slots=True)
class Journal:
    """The journal of one run; ``former`` is what an interrupted one had found, if there was one.

    ``had_manifest`` says whether Headroom had published to the folder before.
    """

    descriptor: int | None
    former: Mapping[str, str] | None
    had_manifest: bool = True
    finished: bool = field(default=False, init=False)

    def begin(self, former: Mapping[str, str], *, had_manifest: bool) -> None:
        """Remember the folder as it is, unless an interrupted run remembers an older one."""
        if self.former is not None or self.descriptor is None:
            return
        self.former, self.had_manifest = former, had_manifest
        content = {"schema": _SCHEMA, "manifest": had_manifest, "files": dict(former)}
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(content).encode(), 0)
        os.fsync(self.descriptor)

    def finish(self) -> None:
        """Forget it: the folder and the server agree."""
        self.finished = True


@contextmanager
def opened(folder: Path, *, dry_run: bool) -> Iterator[Journal]:
    """Hold the folder's journal, alone.

    Raises ``PublishError`` if another run holds it, ``OSError`` if the folder cannot be written.
    """
    path = folder / JOURNAL_NAME
    if dry_run:
        former, had_manifest = _parse(_bytes(path))
        yield Journal(None, former, had_manifest)
        return
    descriptor = _lock(path)
    try:
        former, had_manifest = _parse(_all(descriptor))
        journal = Journal(descriptor, former, had_manifest)
        try:
            yield journal
        finally:
            # Where nothing was begun there is nothing to resume.
            if journal.finished or journal.former is None:
                path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The run that held it may have removed it between our open and our lock.
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except BlockingIOError as cause:
            os.close(descriptor)
            raise PublishError(
                f"{path.parent}: another run is publishing here", hint="run it again later"
            ) from cause
        os.close(descriptor)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _all(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _parse(content: bytes) -> tuple[dict[str, str] | None, bool]:
    """Return what an interrupted run remembered; a torn journal is of one that changed nothing."""
    try:
        data = json.loads(content)
        files = {str(name): str(text) for name, text in data["files"].items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None, True
    return files, bool(data.get("manifest", True))
