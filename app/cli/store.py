"""``headroom store``: what is in the embedded store, and whether it is sound."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from app.cli import exits
from app.cli.inputs import examples
from app.cli.options import reading
from app.cli.output import count
from app.cli.terminal import Terminal
from app.project import open_workspace
from slo.errors import UsageError
from slo.printable import printable
from slo.units import parse_time

_ACTIONS = ("stats", "verify", "compact", "export")
_ONLY_EXPORT = ("signal", "app", "since", "until")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=_ACTIONS, help="what to do")
    parser.add_argument(
        "signal", nargs="?", metavar="SIGNAL", help="to export: metrics, logs, spans or deploys"
    )
    parser.add_argument(
        "--store", metavar="DIR", help="the folder of the store (default: the workspace's)"
    )
    parser.add_argument("--workspace", metavar="FILE", help="the workspace file")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    chosen = parser.add_argument_group("export")
    chosen.add_argument(
        "--app", metavar="APP", action="append", help='only this application ("" for no one\'s)'
    )
    for flag, what in (("--since", "from this time on"), ("--until", "before this time")):
        chosen.add_argument(
            flag, metavar="TIME", type=reading(parse_time), help=f"only records {what}"
        )
    parser.epilog = examples(
        "headroom store stats --store data",
        "headroom store verify --format json",
        "headroom store export logs --app ticketing --since 2026-11-01T00:00:00Z",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Do the action; exit 1 when the store has problems."""
    _check(args)
    folder = _folder(args, terminal)
    match args.action:
        case "stats":
            return _stats(folder, args, terminal)
        case "verify":
            return _verify(folder, args, terminal)
        case "compact":
            return _compact(folder, args, terminal)
    return _export(folder, args, terminal)


def _check(args: argparse.Namespace) -> None:
    hint = "see headroom store --help"
    if args.action == "export":
        if args.signal is None:
            raise UsageError("export needs a signal", hint=hint)
        return
    for name in _ONLY_EXPORT:
        if getattr(args, name) is not None:
            flag = "a signal" if name == "signal" else f"--{name}"
            raise UsageError(f"{flag} is for export only", hint=hint)


def _folder(args: argparse.Namespace, terminal: Terminal) -> Path:
    if args.store is not None:
        return Path(args.store)
    space, _ = open_workspace(environment=terminal.environment, workspace=args.workspace)
    if space.store is None:
        raise UsageError(
            "the workspace names no store", hint="add sources.store.path to it, or give --store DIR"
        )
    return Path(space.store)


def _stats(folder: Path, args: argparse.Namespace, terminal: Terminal) -> int:
    from collectors.store import StoreReader, stats  # noqa: PLC0415 - loads DuckDB

    found = stats(StoreReader(folder).snapshot()).as_json()
    if args.format == "json":
        terminal.line(json.dumps(found, indent=2))
        return exits.OK
    from app.reports.store_text import stats_text  # noqa: PLC0415 - for people only

    terminal.stdout.write(stats_text(found))
    return exits.OK


def _verify(folder: Path, args: argparse.Namespace, terminal: Terminal) -> int:
    from collectors.store import repairable, verify  # noqa: PLC0415 - loads PyArrow

    problems = verify(folder)
    for each in repairable(folder):
        terminal.note(f"warning: {printable(each)}; headroom store compact makes it anew")
    if args.format == "json":
        terminal.line(json.dumps({"problems": problems}, indent=2))
    else:
        for problem in problems:
            terminal.line(printable(problem))
        terminal.line(count(len(problems), "problem") if problems else "the store is sound")
    return exits.PROBLEMS if problems else exits.OK


def _compact(folder: Path, args: argparse.Namespace, terminal: Terminal) -> int:
    from collectors.store import (  # noqa: PLC0415 - loads DuckDB
        StoreReader,
        StoreWriter,
        nanoseconds,
        stats,
    )

    # Opening it for reading first: compacting makes no store where there is none.
    before = stats(StoreReader(folder).snapshot()).quarantined
    with StoreWriter(folder) as writer:
        writer.scrub()
        writer.compact(nanoseconds(terminal.clock()))
    found = stats(StoreReader(folder).snapshot())
    segments = sum(each.segments for each in found.signals.values())
    set_aside = found.quarantined - before
    if args.format == "json":
        terminal.line(json.dumps({"segments": segments, "setAside": set_aside}, indent=2))
    else:
        terminal.line(count(segments, "segment"))
        if set_aside:
            terminal.note(f"warning: {count(set_aside, 'damaged file')} set aside in quarantine")
    return exits.OK


def _export(folder: Path, args: argparse.Namespace, terminal: Terminal) -> int:
    from collectors.signals import Signal  # noqa: PLC0415 - loads PyArrow
    from collectors.store import StoreReader, export, nanoseconds  # noqa: PLC0415 - and DuckDB
    from slo.suggest import did_you_mean  # noqa: PLC0415 - for mistakes only

    known = [signal.value for signal in Signal]
    if args.signal not in known:
        raise UsageError(
            f'unknown signal "{args.signal}"{did_you_mean(args.signal, known)}',
            hint=f"known signals: {', '.join(known)}",
        )
    snapshot = StoreReader(folder).snapshot()
    records = export(
        snapshot,
        Signal(args.signal),
        apps=None if args.app is None else [app or None for app in args.app],
        start=None if args.since is None else nanoseconds(args.since),
        end=None if args.until is None else nanoseconds(args.until),
    )
    for record in records:
        terminal.line(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
    for name in snapshot.unreadable:
        terminal.note(f"warning: {printable(name)} does not parse and is left out")
    return exits.PROBLEMS if snapshot.unreadable else exits.OK
