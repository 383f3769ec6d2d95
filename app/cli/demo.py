"""``headroom demo``: an airline's telemetry to look at, from nothing."""

from __future__ import annotations

import argparse
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.cli import exits
from app.cli.inputs import examples
from app.cli.output import count
from app.cli.terminal import Terminal
from app.project import Project, open_project
from slo.errors import UsageError
from slo.printable import printable

if TYPE_CHECKING:
    from app.demo import World

_Number = TypeVar("_Number", int, float)

_DAYS, _MOST_DAYS = 30, 400
_SEED = 7
_PORT, _LAST_PORT = 8501, 65_535
_MOST_SCALE = 100.0
_LARGEST_SEED = 2**63 - 1
_CHECKED_EVERY = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--once", action="store_true", help="fill the store and exit; start no server"
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=_between(int, 1, _MOST_DAYS),
        default=_DAYS,
        help=f"how many days of history (default: {_DAYS})",
    )
    parser.add_argument(
        "--scale",
        metavar="FACTOR",
        type=_between(float, 0.001, _MOST_SCALE),
        default=1.0,
        help="so many times the usual traffic (default: 1)",
    )
    parser.add_argument(
        "--store", metavar="DIR", help="the folder of the store (default: the demo workspace's)"
    )
    parser.add_argument(
        "--port",
        metavar="PORT",
        type=_between(int, 1, _LAST_PORT),
        default=_PORT,
        help=f"where the console listens, on this machine only (default: {_PORT})",
    )
    parser.add_argument(
        "--clean", action="store_true", help="remove the data of an earlier demo first"
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=_between(int, 0, _LARGEST_SEED),
        default=_SEED,
        help=f"the same number makes the same world (default: {_SEED})",
    )
    parser.epilog = examples(
        "headroom demo",
        "headroom demo --days 2 --clean",
        "headroom demo --once --days 2 --store data",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Fill a store with the demo's world, and unless told otherwise show it until Ctrl-C."""
    from app.demo import World, places  # noqa: PLC0415 - loads NumPy

    file = places.workspace()
    project = open_project([], environment=terminal.environment, workspace=str(file))
    store = _store(args, project, file, terminal)
    places.make_empty(store, clean=args.clean)
    world = World(
        seed=args.seed, now_ns=_nanoseconds(terminal.clock()), days=args.days, scale=args.scale
    )
    with _interruptible():
        if args.once:
            return _fill(world, project, store, terminal)
        return _show(world, file, store, args.port, terminal)


def _store(args: argparse.Namespace, project: Project, file: Path, terminal: Terminal) -> Path:
    from app.demo import places  # noqa: PLC0415 - loads NumPy

    if args.store is not None:
        return Path(args.store).absolute()
    named = project.workspace.store
    if named is None:
        raise UsageError("the demo's workspace names no store", hint="give --store DIR")
    return places.default_store(file, named, terminal.environment)


def _fill(world: World, project: Project, store: Path, terminal: Terminal) -> int:
    from app.demo.computing import compute, steps_of  # noqa: PLC0415 - loads DuckDB
    from app.demo.filling import fill_store  # noqa: PLC0415 - as above

    steps = steps_of(world)
    with terminal.progress(steps, "writing history") as bar:
        stored = fill_store(world, project.catalog, store, bar.advance)
        compute(world, project, store, bar.advance, steps=steps - world.steps)
    days = count(world.days, "day")
    terminal.line(f"wrote {stored:,} records of {days} to {printable(str(store))}")
    return exits.OK


def _show(world: World, file: Path, store: Path, port: int, terminal: Terminal) -> int:
    from app.demo.computing import steps_of  # noqa: PLC0415 - loads DuckDB
    from app.demo.running import Stage, running  # noqa: PLC0415 - as above

    stage = Stage(workspace=file, store=store, port=port, environment=terminal.environment)
    shown = False
    try:
        with (
            terminal.progress(steps_of(world), "sending history") as bar,
            running(stage, world, bar.advance, ticks=terminal.ticks) as check,
        ):
            bar.finish()
            _invite(stage.url, file, store, terminal)
            shown = True
            while True:
                check()
                time.sleep(_CHECKED_EVERY)
    except KeyboardInterrupt:
        terminal.note("stopped; nothing is left running")
        return exits.OK if shown else exits.INTERRUPTED


def _invite(url: str, file: Path, store: Path, terminal: Terminal) -> None:
    """Say where the console is, and what to try."""
    workspace = shlex.quote(_near(file.parent))
    place = f" --store {shlex.quote(_near(store))}"
    # In a checkout it is started from an environment that no shell looks in.
    found = shutil.which("headroom", path=terminal.environment.get("PATH", ""))
    program = "headroom" if found else shlex.quote(_near(Path(sys.argv[0])))
    for text in (
        f"The console: {url}",
        "",
        "Three things to try:",
        "  1. open ticketing and its Why: which deploy broke which route?",
        f"  2. {program} gate {workspace} --app ticketing --env prod{place}",
        f"  3. {program} status {workspace}{place}",
        "",
        "Telemetry keeps coming. Ctrl-C ends everything.",
    ):
        terminal.line(printable(text))
    terminal.stdout.flush()


def _near(path: Path) -> str:
    """A path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let the signals that end programs all end the block in order, as Ctrl-C does."""
    # A shell starts background jobs with SIGINT ignored.
    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [(each, signal.signal(each, signal.default_int_handler)) for each in ours]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


def _nanoseconds(at: datetime) -> int:
    return round(at.timestamp()) * 1_000_000_000


def _between(
    kind: Callable[[str], _Number], least: _Number, most: _Number
) -> Callable[[str], _Number]:
    """Return a `type=` for a number in a range, both ends included."""

    def read(text: str) -> _Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(f'"{text}" is no number from {least} to {most}')
        return value

    return read
