"""``headroom ingest``: telemetry from files into the store."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from app.cli import exits
from app.cli.inputs import examples, tell_problems
from app.cli.output import count
from app.cli.progress import Progress
from app.cli.terminal import Terminal
from app.project import Project, open_project
from slo.errors import SpecError, UsageError
from slo.printable import printable
from slo.problems import has_errors
from slo.suggest import did_you_mean

if TYPE_CHECKING:
    from app.ingest import Ingest, Tally
    from collectors.store import StoreWriter

STDIN = "-"
_LAST_FORWARDED = 30.0
"""Seconds for which the end waits for what is being forwarded."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a file of lines, or - for standard input"
    )
    parser.add_argument(
        "--workspace", metavar="FILE", help="the workspace file (default: headroom.yaml, upwards)"
    )
    parser.add_argument(
        "--store", metavar="DIR", help="the folder of the store (default: the workspace's)"
    )
    parser.add_argument(
        "--map",
        metavar="MAP",
        help="what the fields of log lines mean, such as time=ts,message=msg",
    )
    parser.add_argument("--app", metavar="APP", help="whose the lines are that do not say it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.epilog = examples(
        "headroom ingest otlp.jsonl --store data",
        "headroom ingest app.log --map time=ts,severity=lvl,message=msg --app ticketing",
        "journalctl -o json | headroom ingest - --map message=MESSAGE",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Store every line that can be read; exit 1 when some could not."""
    project = _opened_project(args, terminal)
    folder = args.store or project.workspace.store
    if folder is None:
        raise UsageError(
            "the workspace names no store", hint="add sources.store.path to it, or give --store DIR"
        )
    _check(args, project)
    from app.ingest import Ingest, field_map  # noqa: PLC0415 - loads PyArrow and DuckDB

    mapping = None if args.map is None else field_map(args.map)
    tallies: list[Tally] = []
    with ExitStack() as stack:
        files = [stack.enter_context(_opened(name)) for name in args.files]
        writer = stack.enter_context(_writer(Path(folder), project, terminal))
        ingest = Ingest(writer, project.catalog, mapping=mapping, app=args.app)
        total = sum(_size(name) for name in args.files)
        bar = stack.enter_context(terminal.progress(total, "storing"))
        for name, file in zip(args.files, files, strict=True):
            tallies.append(_ingest(ingest, name, file, bar, terminal))
    _report(args, tallies, terminal)
    return exits.PROBLEMS if any(each.rejected for each in tallies) else exits.OK


def _opened_project(args: argparse.Namespace, terminal: Terminal) -> Project:
    """Open the workspace, which must be sound, or what lies in this folder, as far as it is.

    Nobody said that the app files of a folder without a workspace are about these records.
    """
    project = open_project(
        (), environment=terminal.environment, workspace=args.workspace, strict=False
    )
    if project.file is not None and has_errors(project.problems):
        raise SpecError(project.problems)
    if project.file is None:
        tell_problems(project, terminal)
    return project


def _check(args: argparse.Namespace, project: Project) -> None:
    names = [app.name for app in project.catalog.apps]
    if args.app is not None and args.app not in names:
        raise UsageError(
            f'there is no app "{args.app}"{did_you_mean(args.app, names)}',
            hint=f"known apps: {', '.join(names)}" if names else "headroom init writes a first one",
        )
    if args.files.count(STDIN) > 1:
        raise UsageError("standard input can be read once")


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == STDIN:
        yield sys.stdin.buffer
        return
    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name} is a folder", hint=f"name its files, such as {name}/*.jsonl")
    if not path.exists():
        raise UsageError(f"there is no file {name}")
    with path.open("rb") as file:
        yield file


@contextmanager
def _writer(folder: Path, project: Project, terminal: Terminal) -> Iterator[StoreWriter]:
    from app.forwarding import open_forwarding  # noqa: PLC0415 - loads PyArrow
    from app.telemetry import Telemetry  # noqa: PLC0415 - with the others
    from collectors.store import StoreBusy, StoreWriter, nanoseconds  # noqa: PLC0415 - DuckDB
    from slo.errors import StoreError  # noqa: PLC0415 - with the others

    try:
        writer = StoreWriter(folder)
    except StoreBusy as busy:
        raise StoreError(
            str(busy),
            hint="if that is headroom serve, post to it instead: OTLP to /v1/logs, /v1/traces "
            "and /v1/metrics of its address",
        ) from busy
    with writer:
        forwarding = open_forwarding(
            project.workspace, folder, environ=terminal.environment, telemetry=Telemetry()
        )
        writer.start_background(lambda: nanoseconds(terminal.clock()))
        if forwarding is None:
            yield writer
            return
        forwarding.start()
        try:
            yield writer
            if not forwarding.drain(_LAST_FORWARDED):
                terminal.note(
                    f"not everything is forwarded yet ({forwarding.trouble or 'it is slow'}); "
                    "headroom serve or the next ingest goes on with it"
                )
        finally:
            forwarding.close()


def _size(name: str) -> int:
    return 0 if name == STDIN else Path(name).stat().st_size


def _ingest(ingest: Ingest, name: str, file: BinaryIO, bar: Progress, terminal: Terminal) -> Tally:
    from app.ingest import Tally  # noqa: PLC0415 - loaded by now
    from collectors.store import nanoseconds  # noqa: PLC0415 - as above

    tally = Tally()
    at = nanoseconds(terminal.clock())
    for read in ingest.store(file, at, tally, keep=name != STDIN):
        bar.advance(read if name != STDIN else 0)
    shown = "stdin" if name == STDIN else name
    for fault in tally.faults:
        terminal.note(printable(f"{shown}:{fault.line}: {fault.reason}"))
    more = tally.rejected - len(tally.faults)
    if more > 0:
        terminal.note(f"{printable(shown)}: {count(more, 'more record')} rejected")
    return tally


def _report(args: argparse.Namespace, tallies: Sequence[Tally], terminal: Terminal) -> None:
    from app.ingest import Tally  # noqa: PLC0415 - loaded by now

    whole = Tally()
    for each in tallies:
        whole.add(each)
    if args.format == "json":
        files = [
            {"file": name, **_json(tally)} for name, tally in zip(args.files, tallies, strict=True)
        ]
        said = {"schema": "headroom/ingest/v1", **_json(whole), "files": files}
        del said["faults"]
        terminal.line(json.dumps(said, indent=2))
        return
    signals = ", ".join(f"{number} {name}" for name, number in sorted(whole.signals.items()))
    terminal.line(
        f"{count(whole.lines, 'line')} read: {count(whole.stored, 'record')} stored"
        f"{f' ({signals})' if signals else ''}, {count(whole.duplicates, 'duplicate')}, "
        f"{whole.rejected} rejected"
    )
    if whole.stored:
        terminal.line(
            f"of those stored, {whole.attributed} belong to an app, "
            f"{whole.ambiguous} were claimed by several, {whole.unattributed} by none"
        )


def _json(tally: Tally) -> dict[str, object]:
    return {
        "lines": tally.lines,
        "stored": tally.stored,
        "duplicates": tally.duplicates,
        "rejected": tally.rejected,
        "attributed": tally.attributed,
        "ambiguous": tally.ambiguous,
        "unattributed": tally.unattributed,
        "signals": dict(sorted(tally.signals.items())),
        "faults": [{"line": each.line, "reason": each.reason} for each in tally.faults],
    }
