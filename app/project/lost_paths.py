"""Paths that the workspace file names and that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from app.project.files import absence, neighbours
from app.project.places import place_of
from slo.loader.documents import SourceFile
from slo.problems import Problem, Span, error
from slo.workspace import Workspace

_WINDOWS = ("defaults", "windows")


def without_lost_paths(
    space: Workspace, root: Path, file: SourceFile, *, apps: bool
) -> tuple[Workspace, list[Problem]]:
    """Return the workspace with the paths that are there, and a problem for each that is not.

    ``apps`` says whether the folders of apps are to be read at all.
    """
    wanted = [
        *((("apps",), path) for path in (space.apps if apps else ())),
        *((("policies",), path) for path in space.policies),
        *((("templates",), path) for path in space.templates),
        *((_WINDOWS, path) for path in (space.windows,) if path is not None),
    ]
    lost = [(keys, path) for keys, path in wanted if not _is_there(root / path, keys)]
    if not lost:
        return space, []
    gone = set(lost)
    kept = replace(
        space,
        apps=_kept(space.apps, ("apps",), gone),
        policies=_kept(space.policies, ("policies",), gone),
        templates=_kept(space.templates, ("templates",), gone),
        windows=None if (_WINDOWS, space.windows) in gone else space.windows,
    )
    return kept, [_problem(root / path, keys, path, file) for keys, path in lost]


def _is_there(path: Path, keys: Sequence[str]) -> bool:
    return path.is_file() if keys == _WINDOWS else path.exists()


def _kept(
    paths: Iterable[str], keys: tuple[str, ...], gone: set[tuple[tuple[str, ...], str]]
) -> tuple[str, ...]:
    return tuple(path for path in paths if (keys, path) not in gone)


def _problem(place: Path, keys: Sequence[str], path: str, file: SourceFile) -> Problem:
    what = "file" if keys == _WINDOWS else "file or folder"
    message = absence(place, what)
    span = place_of(path, ("spec", *keys), file.text, file.name) or Span.at(file.name)
    return error("spec/missing-file", message, span, hint=neighbours(place))
