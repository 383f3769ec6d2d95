"""A terminal in memory, with a fixed clock."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from app.cli.commands import Command
from app.cli.frame import run
from app.cli.terminal import Terminal
from tests.cli.fakes.program import COMMANDS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Ending:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str


def terminal_in_memory(*, color: bool = False) -> Terminal:
    """Return a terminal whose streams are strings."""
    return Terminal(
        stdout=io.StringIO(),
        stderr=io.StringIO(),
        color=color,
        error_color=color,
        clock=lambda: NOW,
    )


def written(stream: object) -> str:
    """Return what went into a stream of such a terminal."""
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def call(
    argv: Sequence[str],
    *,
    commands: Mapping[str, Command] = COMMANDS,
    color: bool = False,
) -> Ending:
    """Run the program with these arguments."""
    terminal = terminal_in_memory(color=color)
    code = run(commands, argv, terminal, program="fake")
    return Ending(code, written(terminal.stdout), written(terminal.stderr))
