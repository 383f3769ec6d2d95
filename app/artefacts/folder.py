"""Files below a folder, reached one part at a time so that no symbolic link is ever followed."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from slo.records import dataclass

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Kind(Enum):
    """What stands at a path."""

    NOTHING = "nothing"
    FILE = "file"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What stands at a path, and its size in bytes if it is a file.

    `at` is the part of the path that was looked at last: the path itself, or what blocks it.
    """

    kind: Kind
    at: str
    size: int = 0


def look(root: Path, path: str) -> Found:
    """Return what stands at a path below the root.

    A link or anything else but a folder on the way there is returned in its place.
    """
    parts = path.split("/")
    for length in range(1, len(parts)):
        at = "/".join(parts[:length])
        status = _status(root / at)
        if status is None:
            return Found(kind=Kind.NOTHING, at=path)
        if not stat.S_ISDIR(status.st_mode):
            return Found(kind=Kind.LINK if stat.S_ISLNK(status.st_mode) else Kind.OTHER, at=at)
    status = _status(root / path)
    if status is None:
        return Found(kind=Kind.NOTHING, at=path)
    if stat.S_ISREG(status.st_mode):
        return Found(kind=Kind.FILE, at=path, size=status.st_size)
    return Found(kind=Kind.LINK if stat.S_ISLNK(status.st_mode) else Kind.OTHER, at=path)


@contextmanager
def opened(root: Path, parent: str, *, create: bool = False) -> Iterator[int]:
    """Open the folder `parent` ("" for the root itself) below a root.

    Raises `OSError`, among others for a symbolic link on the way.
    """
    # The root is the user's own choice, which may well be a link.
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parent.split("/") if parent else ():
            if create:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=descriptor)
            below = os.open(part, _OPEN, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def read(root: Path, path: str) -> bytes:
    """Return the content of a file below a root. Raises `OSError`."""
    parent, _, name = path.rpartition("/")
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with (
        opened(root, parent) as folder,
        os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file,
    ):
        return file.read()


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
