"""Each generated file of a collector, as the first installed validator for it says."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from app.doctor.collectors import running
from app.doctor.collectors.tools import TOOLS, Run, Tool
from app.doctor.model import Check, fail, ok, skipped, warn
from slo.collecting import COLLECTORS
from slo.errors import UsageError
from slo.records import dataclass
from slo.suggest import did_you_mean

SECONDS = 60.0
"""How long one validator may take for all of its files."""

_FOLDER = "collectors"
_UNKNOWN = re.compile(r"unknown command|unrecognized command", re.IGNORECASE)
_LONGEST = 1_200
_LEFT_OUT = {"README.md"}
_VARIABLE = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    tool: Tool
    program: Path
    files: tuple[Path, ...]


def collector_checks(
    folder: Path,
    given: Mapping[str, Path],
    *,
    seconds: float = SECONDS,
    ticks: Callable[[], float] = time.monotonic,
) -> Iterator[Check]:
    """Yield what validators say of the files below ``folder/collectors``, then what none checks.

    ``given`` are programs by a tool's name, which go before those on PATH. Raises ``UsageError``
    for a name that is no tool's and a path that is no program.
    """
    _check_given(given)
    folder = folder.absolute()
    root = folder / _FOLDER
    every = [path for path in sorted(root.rglob("*")) if _is_generated(path, root)]
    if not every:
        yield warn(
            "generated files",
            f"there are none of collectors in {folder}",
            "headroom generate --only collectors writes them",
        )
        return
    checked: set[Path] = set()
    for found in _tools(root, given):
        todo = [file for file in found.files if file not in checked]
        for check, files in _checked(found, todo, folder, seconds, ticks):
            checked |= set(files)
            yield check
    yield from _unchecked([file for file in every if file not in checked], root)


def _check_given(given: Mapping[str, Path]) -> None:
    names = [tool.name for tool in TOOLS]
    for name, path in given.items():
        if name not in names:
            raise UsageError(
                f'doctor knows no tool "{name}"{did_you_mean(name, names)}',
                hint=f"known: {', '.join(names)}",
            )
        if shutil.which(path) is None:
            raise UsageError(f"{path} is no program that can be run")


def _is_generated(path: Path, root: Path) -> bool:
    known = path.relative_to(root).parts[0] in COLLECTORS
    return known and path.is_file() and path.name not in _LEFT_OUT


def _tools(root: Path, given: Mapping[str, Path]) -> Iterator[_Found]:
    """The tools that are there for files that are there; those that were given come first."""
    for tool in sorted(TOOLS, key=lambda each: each.name not in given):
        program = _program(tool, given)
        files = {path for pattern in tool.files for path in root.glob(pattern)}
        if program is not None and files:
            yield _Found(tool=tool, program=program, files=tuple(sorted(files)))


def _program(tool: Tool, given: Mapping[str, Path]) -> Path | None:
    if tool.name in given:
        found = shutil.which(given[tool.name])
    else:
        found = next((path for name in tool.programs if (path := shutil.which(name))), None)
    return None if found is None else Path(found).absolute()


def _checked(
    found: _Found, files: list[Path], folder: Path, seconds: float, ticks: Callable[[], float]
) -> Iterator[tuple[Check, tuple[Path, ...]]]:
    """What one tool says of its files, until its time is over."""
    until = ticks() + seconds
    for file in files:
        with tempfile.TemporaryDirectory(prefix="headroom-doctor-") as scratch:
            for run in found.tool.runs(file, Path(scratch)):
                yield _judged(found, run, Path(scratch), folder, until - ticks()), run.files


def _judged(found: _Found, run: Run, scratch: Path, folder: Path, left: float) -> Check:
    names = ", ".join(str(path.relative_to(folder)) for path in run.files)
    name = f"{found.tool.name} {names}"
    try:
        said = _said(found, run, scratch, left)
    except OSError as cause:
        reason = cause.strerror or type(cause).__name__
        advice = "is it a program of this machine, and is all there that it needs?"
        return fail(name, f"{found.program} cannot be run: {reason}", advice)
    if said.code is None:
        advice = "run it by hand; a file that it does not come to an end with may be wrong"
        return fail(
            name, f"{found.program} gave no answer in the time it has for its files", advice
        )
    if said.code == 0:
        return ok(name, f"{found.program} takes it")
    words = _words(said.text, {f"{folder}/": "", str(scratch): "…"})
    return fail(
        name,
        f"{found.program} refuses it: {words or f'exit code {said.code}'}",
        "generate it again; if it was not edited, this program's version or build may not fit: "
        "see collectors.versions in headroom.yaml",
    )


def _said(found: _Found, run: Run, scratch: Path, left: float) -> running.Said:
    """Ask a program, and once more as an older version is asked."""
    if left <= 0:
        return running.Said(code=None, text="")
    variables = _variables(run, scratch)
    said = running.run((found.program, *run.arguments), variables, scratch, left)
    if said.code and run.otherwise is not None and _UNKNOWN.search(said.text):
        return running.run((found.program, *run.otherwise), variables, scratch, left)
    return said


def _variables(run: Run, scratch: Path) -> dict[str, str]:
    """What the unit beside a file would give its program, with folders that are there."""
    folder = run.files[0].parent
    folder = next((each.parent for each in run.files[0].parents if each.name == "hosts"), folder)
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.env")):
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        found |= {match[1]: match[2] for line in lines if (match := _VARIABLE.fullmatch(line))}
    return {
        **found,
        "NODE_NAME": "node",
        "HEADROOM_CONFIG": str(folder),
        "HEADROOM_SCRIPTS": str(folder),
        "HEADROOM_STATE": str(scratch),
        # What Vector wants from version 0.57 on, and its generated unit gives it.
        "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION": "true",
        **run.variables,
    }


def _words(text: str, places: Mapping[str, str]) -> str:
    """A program's own words on one line, with the paths that its reader knows."""
    for place, name in places.items():
        text = text.replace(place, name)
    lines = dict.fromkeys(" ".join(line.split()) for line in text.splitlines())
    whole = "; ".join(line for line in lines if line)
    return whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]} …"


def _unchecked(files: list[Path], root: Path) -> Iterator[Check]:
    """The files that no tool checked, by collector, and the tools that could."""
    could = {tool.name: {p for each in tool.files for p in root.glob(each)} for tool in TOOLS}
    for collector in COLLECTORS:
        mine = [file for file in files if file.relative_to(root).parts[0] == collector]
        if not mine:
            continue
        names = ", ".join(str(file.relative_to(root / collector)) for file in mine)
        tools = [name for name, known in could.items() if known & set(mine)]
        hint = f"; {' or '.join(tools)} would check some" if tools else ""
        yield skipped(f"{_FOLDER}/{collector}", f"no installed tool checks {names}{hint}")
