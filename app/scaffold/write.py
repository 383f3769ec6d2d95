"""Writing a first workspace: all files or none, and never over one that is there."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from slo.errors import HeadroomError

_NO_LINKS_HERE = frozenset({errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.EOPNOTSUPP})


class ScaffoldError(HeadroomError):
    """A first workspace could not be written; nothing was changed."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


def taken(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Return those of the files, as relative paths, whose places are taken, sorted."""
    return tuple(sorted(path for path in files if os.path.lexists(folder / path)))


def write(folder: Path, files: Mapping[str, str], *, force: bool = False) -> None:
    """Write files by relative path, whole or not at all.

    Raises `ScaffoldError` when a place is taken and not ``force``, when a folder on the way is a
    link or a file, or when the file system refuses; then everything is as it was.
    """
    _refuse_detours(folder, files)
    found = taken(folder, files)
    if found and not force:
        raise ScaffoldError(
            f"already there: {', '.join(found)}",
            hint="choose another folder, or overwrite them with --force",
        )
    try:
        with ExitStack() as undo:
            staged = {path: _stage(folder / path, text, undo) for path, text in files.items()}
            for path, aside in staged.items():
                _place(folder / path, aside, undo, force=force)
            kept = undo.pop_all()
            _tidy(kept, folder, files)
    except OSError as cause:
        name = cause.filename2 or cause.filename or folder
        raise ScaffoldError(
            f"{name}: {cause.strerror or cause}", hint="nothing was changed"
        ) from cause


def _refuse_detours(folder: Path, files: Mapping[str, str]) -> None:
    """Refuse a path that leads through a link: its end may be anywhere."""
    if folder.exists() and not folder.is_dir():
        raise ScaffoldError(f"{folder} is no folder")
    for path in files:
        for parent in list((folder / path).parents)[: path.count("/")]:
            if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
                raise ScaffoldError(
                    f"{parent} is no folder of its own", hint="move it away, or choose another DIR"
                )
        if (folder / path).is_dir():
            raise ScaffoldError(f"{folder / path} is a folder", hint="choose another DIR")


def _stage(place: Path, text: str, undo: ExitStack) -> Path:
    """Write a file beside its place and return where."""
    for parent in reversed([each for each in place.parents if not each.exists()]):
        parent.mkdir()
        undo.callback(_remove_folder, parent)
    aside = _beside(place)
    undo.callback(_remove, aside)
    with aside.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return aside


def _place(place: Path, aside: Path, undo: ExitStack, *, force: bool) -> None:
    if force and os.path.lexists(place):
        before = _beside(place)
        place.rename(before)
        undo.callback(before.rename, place)
    try:
        # A link never overwrites what another program wrote meanwhile.
        os.link(aside, place, follow_symlinks=False)
    except OSError as cause:
        if cause.errno not in _NO_LINKS_HERE or os.path.lexists(place):
            raise
        aside.rename(place)
    undo.callback(_remove, place)


def _tidy(kept: ExitStack, folder: Path, files: Mapping[str, str]) -> None:
    """Take away what was set aside; from here on nothing is taken back."""
    kept.pop_all()
    for path in files:
        place = folder / path
        for left in place.parent.glob(f".{place.name}.headroom-*"):
            _remove(left)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.headroom-{secrets.token_hex(8)}")


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _remove_folder(path: Path) -> None:
    with suppress(OSError):
        path.rmdir()
