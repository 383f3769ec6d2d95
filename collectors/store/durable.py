"""Files that are on disk once they have their name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collectors.store.layout import TEMPORARY
from slo.errors import StoreError


def put(path: Path, content: bytes) -> None:
    """Write a file, or replace it: afterwards its content and its name survive a power cut.

    On an ``OSError`` there is no such file, or the former one.
    """
    existed = path.exists()
    temporary = path.with_name(path.name + TEMPORARY)
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError:
        # What was not acknowledged must not show up later: the sender will send it again.
        with suppress(OSError):
            (temporary if existed else path).unlink(missing_ok=True)
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, so that they survive a power cut."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turn the operating system's refusals into `StoreError`."""
    try:
        yield
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise StoreError(
            f"{what} cannot be written: {reason}",
            hint="nothing of it was stored; make room or give access, then send it again",
        ) from cause
