"""``headroom doctor``: what could keep Headroom from working here, and what to do about it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from functools import cache

from app.cli import doctor_collectors, doctor_join, exits
from app.cli.inputs import add_paths, examples
from app.cli.terminal import Terminal
from app.doctor import Check, Outcome, Patient, examine
from app.doctor.report import check_text, summary, to_json
from app.project import Project, open_project
from slo.errors import UsageError

JOIN = "join"
COLLECTORS = "collectors"
_ONLY: Mapping[str, tuple[str, ...]] = {
    JOIN: ("app", "range", "at", "store"),
    COLLECTORS: ("dir", "tool"),
}
"""The flags that only one part takes."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    parser.add_argument(
        "--prometheus",
        metavar="URL",
        help="look at this server in the place of all sources (also HEADROOM_PROMETHEUS)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    doctor_join.configure(parser)
    doctor_collectors.configure(parser)
    parser.usage = "%(prog)s [join | collectors] [OPTIONS] [PATH ...]"
    parser.epilog = examples(
        "headroom doctor",
        "headroom doctor --prometheus http://127.0.0.1:9090",
        "headroom doctor --format json",
        "headroom doctor join --app ticketing    (is all telemetry joined to its app?)",
        "headroom doctor collectors --dir generated    (do collectors take their files?)",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print every check as it is done; exit 1 when one fails."""
    part = args.paths[0] if args.paths and args.paths[0] in _ONLY else None
    _check_flags(part, args)
    if part is None:
        return _tell(_examined(args, terminal), args, terminal)
    args.paths = args.paths[1:]
    if part == JOIN:
        found = doctor_join.report(args, terminal)
        return _tell(found.checks, args, terminal, doctor_join.as_data(found))
    if args.paths:
        raise UsageError("doctor collectors takes no PATH", hint="name the files' folder by --dir")
    return _tell(doctor_collectors.checks(args, terminal), args, terminal)


def _check_flags(part: str | None, args: argparse.Namespace) -> None:
    for owner, names in _ONLY.items():
        for name in names:
            if owner != part and getattr(args, name) is not None:
                raise UsageError(
                    f"--{name} is for headroom doctor {owner} only", hint="see headroom doctor -h"
                )
    if part == COLLECTORS and args.prometheus is not None:
        raise UsageError("doctor collectors asks no server", hint="leave --prometheus out")


def _examined(args: argparse.Namespace, terminal: Terminal) -> Iterable[Check]:
    @cache
    def opened() -> Project:
        return open_project(
            args.paths,
            environment=terminal.environment,
            workspace=args.workspace,
            prometheus=args.prometheus,
            strict=False,
        )

    if args.paths or args.workspace or args.prometheus:
        # What was typed wrong is wrong usage, and no finding about this place.
        opened()
    return examine(Patient(open=opened, now=terminal.clock, environ=terminal.environment))


def _tell(
    found: Iterable[Check],
    args: argparse.Namespace,
    terminal: Terminal,
    more: Mapping[str, object] | None = None,
) -> int:
    checks: list[Check] = []
    for check in found:
        checks.append(check)
        if args.format == "text":
            terminal.stdout.write(check_text(check, color=terminal.color))
    if args.format == "json":
        data = {**to_json(checks, terminal.clock()), **(more or {})}
        terminal.line(json.dumps(data, indent=2))
    else:
        terminal.line(f"\n{summary(checks)}")
    failed = any(check.outcome is Outcome.FAIL for check in checks)
    return exits.PROBLEMS if failed else exits.OK
