"""The `headroom` command."""

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.cli.commands import Command
from app.cli.frame import run
from app.cli.terminal import Terminal

COMMANDS: Mapping[str, Command] = MappingProxyType({})
"""Every command by name, in the order of `headroom --help`; a module is imported when called."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name and return its exit code."""
    return run(COMMANDS, sys.argv[1:] if argv is None else argv, Terminal.of_process())


if __name__ == "__main__":
    sys.exit(main())
