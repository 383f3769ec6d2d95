"""Finding and reading the files of a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from pathlib import Path

from slo.errors import UsageError
from slo.loader.documents import SourceFile
from slo.problems import Problem
from slo.records import dataclass
from slo.source import decode

WORKSPACE_FILE = "headroom.yaml"
_SUFFIXES = frozenset({".yaml", ".yml"})
_LARGEST = 4 * 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Inputs:
    """Files that were read, and the problems of those that could not be."""

    files: list[SourceFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[Path] = field(default_factory=set)

    def add(self, path: Path, *, shown: Path, explicit: bool) -> None:
        """Read one file, once; ``shown`` is the name that problems give it."""
        real = path.resolve()
        if real in self.seen:
            return
        self.seen.add(real)
        text, problems = decode(_content(path), str(shown))
        self.problems += problems
        # Nothing is left of a file in another encoding, which does not make it an empty one.
        if text or not problems:
            self.files.append(SourceFile(name=str(shown), text=text, explicit=explicit))

    @property
    def texts(self) -> dict[str, str]:
        """The text of every file by the name that problems give it."""
        return {file.name: file.text for file in self.files}


def scan(paths: Iterable[Path], *, root: Path, skip: Sequence[Path] = ()) -> Inputs:
    """Read files, and the YAML files below folders.

    Relative paths are below ``root``. Raises ``UsageError`` for a path that is not there.
    """
    inputs = Inputs()
    for path in paths:
        place = root / path
        if place.is_dir():
            for found in _yaml_below(place, skip):
                inputs.add(found, shown=shown(found), explicit=False)
        elif place.exists():
            inputs.add(place, shown=shown(place), explicit=True)
        else:
            raise UsageError(absence(place, "file or folder"), hint=neighbours(place))
    return inputs


def absence(path: Path, what: str) -> str:
    """Return what to say of a path where nothing is."""
    if path.is_symlink():
        return f"the link {os.path.relpath(path)} leads nowhere"
    return f"there is no {what} {shown(path)}"


def find_workspace(start: Path) -> Path | None:
    """The workspace file in a folder or in the nearest one above it."""
    for folder in (start, *start.parents):
        candidate = folder / WORKSPACE_FILE
        if candidate.is_file():
            return candidate
    return None


def shown(path: Path) -> Path:
    """A path as people type it: relative to the working directory where it is below it."""
    try:
        return path.resolve().relative_to(Path.cwd())
    except ValueError:
        return path


def _yaml_below(folder: Path, skip: Sequence[Path]) -> Iterator[Path]:
    passed_over = {path.resolve() for path in skip}
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() not in passed_over
        )
        for name in sorted(names):
            path = here / name
            if path.suffix in _SUFFIXES and not name.startswith(".") and path.is_file():
                yield path


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # A byte more than is allowed lets the reader say that there is too much.
            return file.read(_LARGEST + 1)
    except OSError as cause:
        raise UsageError(f"{shown(path)} cannot be read: {cause.strerror}") from None


def neighbours(path: Path) -> str | None:
    """Return a hint for a path that is not there: what it may have been meant to be."""
    from slo.suggest import suggest  # noqa: PLC0415 - for mistakes only

    parent = path.parent
    if path.is_symlink():
        return None
    if not parent.is_dir():
        return f"there is no folder {shown(parent)} either"
    best = suggest(path.name, [entry.name for entry in parent.iterdir()])
    return None if best is None else f"did you mean {shown(parent / best)}?"
