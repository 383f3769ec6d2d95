"""Whole processes, measured from outside and in turns."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.model import FailedError, UnavailableError

_CHILD = Path(__file__).with_name("child.py")
_TAIL = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One process: wall and processor seconds, peak resident bytes, and what it printed."""

    code: int
    seconds: float
    cpu: float
    peak: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command to measure; ``fresh`` is a folder that is emptied before each run."""

    arguments: Sequence[str | Path]
    fresh: Path | None = None
    environment: Mapping[str, str] | None = None


def measure(command: Command) -> Measured:
    """Run a command; raises ``FailedError`` with the output's end when it fails."""
    if command.fresh is not None:
        shutil.rmtree(command.fresh, ignore_errors=True)
        command.fresh.mkdir()
    with tempfile.TemporaryDirectory(prefix="headroom-bench-") as name:
        report, output = Path(name, "report.json"), Path(name, "output.txt")
        shim: list[str | Path] = [sys.executable, "-I", "-S", _CHILD, report, output]
        subprocess.run(
            [*shim, *command.arguments],
            env={**_inherited(), "NO_COLOR": "1", **(command.environment or {})},
            check=True,
        )
        said = output.read_text(encoding="utf-8", errors="replace")
        measured = Measured(output=said, **json.loads(report.read_text(encoding="utf-8")))
    if measured.code:
        program = Path(command.arguments[0]).name
        words = " ".join(map(str, [program, *command.arguments[1:4]]))
        raise FailedError(f"`{words} ...` exits with {measured.code}: {said[-_TAIL:].strip()}")
    return measured


def in_turns(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Measured]]:
    """Measure commands one after the other, every other round backwards; the first is a warm-up."""
    found: dict[str, list[Measured]] = {name: [] for name in commands}
    for command in commands.values():
        measure(command)
    for turn in range(rounds):
        order = list(commands) if turn % 2 == 0 else list(reversed(list(commands)))
        for name in order:
            found[name].append(measure(commands[name]))
    return found


def headroom(command: str) -> Sequence[str | Path]:
    """The words that run a command of ours; raises ``UnavailableError`` where there is none yet.

    They name the installed program, or the checkout where nothing is installed.
    """
    program = Path(sys.executable).with_name("headroom")
    start: Sequence[str | Path] = (
        [program] if program.exists() else [sys.executable, "-m", "app.cli.main"]
    )
    asked = subprocess.run([*start, command, "--help"], capture_output=True, check=False)
    if asked.returncode:
        raise UnavailableError(f"`headroom {command}` is not there yet")
    return [*start, command]


def _inherited() -> dict[str, str]:
    """The environment without what keeps Python from keeping bytecode: installed programs do."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
