"""A program in Headroom's frame whose commands exist for its tests alone."""

import sys
from collections.abc import Mapping

from app.cli.commands import Command
from app.cli.frame import run
from app.cli.terminal import Terminal

COMMANDS: Mapping[str, Command] = {
    "greet": Command(module="tests.cli.fakes.greet", summary="say hello to people", group="people"),
    "judge": Command(
        module="tests.cli.fakes.judge", summary="end in the way it is told to", group="verdicts"
    ),
    "nested": Command(
        module="tests.cli.fakes.nested", summary="have commands of its own", group="verdicts"
    ),
    "broken": Command(
        module="tests.cli.fakes.broken", summary="fail as soon as it is imported", group="verdicts"
    ),
    "extra": Command(
        module="tests.cli.fakes.extra", summary="need what is not installed", group="verdicts"
    ),
}

if __name__ == "__main__":
    sys.exit(run(COMMANDS, sys.argv[1:], Terminal.of_process(), program="fake"))
