"""The `headroom` command."""

import gc
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.cli.commands import Command
from app.cli.frame import run
from app.cli.terminal import Terminal

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_SET_UP = "set up"
_SPECIFY = "specify"
_SHIP = "ship what was specified"
_ASK = "ask"
_KEEP = "keep telemetry"

COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "init": Command(
            module="app.cli.init",
            summary="write a first workspace, or one from a Prometheus",
            group=_SET_UP,
        ),
        "demo": Command(
            module="app.cli.demo",
            summary="show Headroom on an airline's telemetry",
            group=_SET_UP,
        ),
        "doctor": Command(
            module="app.cli.doctor",
            summary="look for what keeps Headroom from working",
            group=_SET_UP,
        ),
        "validate": Command(
            module="app.cli.validate",
            summary="check app files, policies and the workspace",
            group=_SPECIFY,
        ),
        "schema": Command(
            module="app.cli.schema",
            summary="print the JSON Schema of a kind of file",
            group=_SPECIFY,
        ),
        "generate": Command(
            module="app.cli.generate",
            summary="write rules, alert routes and dashboards",
            group=_SHIP,
        ),
        "diff": Command(
            module="app.cli.diff", summary="tell what generating again would change", group=_SHIP
        ),
        "publish": Command(
            module="app.cli.publish",
            summary="put rules, routes and templates where they run",
            group=_SHIP,
        ),
        "status": Command(module="app.cli.status", summary="show error budgets", group=_ASK),
        "gate": Command(
            module="app.cli.gate", summary="ask whether an app may ship now", group=_ASK
        ),
        "serve": Command(
            module="app.cli.serve",
            summary="serve the console, the API and the receivers",
            group=_KEEP,
        ),
        "ingest": Command(
            module="app.cli.ingest", summary="store telemetry from files", group=_KEEP
        ),
        "store": Command(
            module="app.cli.store", summary="look into the embedded store", group=_KEEP
        ),
    }
)
"""Every command by name, in the order of `headroom --help`; a module is imported when called."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name and return its exit code."""
    if argv is None:
        # The process is ours and short. What it makes, it keeps: looking for garbage after every
        # few hundred objects finds none, and takes a tenth of the time of large commands.
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    return run(COMMANDS, sys.argv[1:] if argv is None else argv, Terminal.of_process())


if __name__ == "__main__":
    sys.exit(main())
