"""The arguments that say which files, applications and servers a command is about."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime

from app.cli.options import reading
from app.cli.terminal import Terminal
from app.project import Project, open_project
from slo.errors import UsageError
from slo.printable import printable
from slo.problems import Severity
from slo.units import Duration, parse_time


def tell_problems(project: Project, terminal: Terminal) -> None:
    """Note a line for each error and warning of what was opened, and went on without."""
    for each in project.problems:
        if each.severity is not Severity.NOTE:
            place = "" if each.span is None else f"{each.span.location}: "
            terminal.note(f"{place}{each.severity}: {printable(each.message)} [{each.id}]")


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Add ``PATH…`` and ``--workspace``."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="app files or folders (default: the workspace around here, else this folder)",
    )
    parser.add_argument(
        "--workspace", metavar="FILE", help="the workspace file (default: headroom.yaml, upwards)"
    )


def add_selection(parser: argparse.ArgumentParser, *, app_required: bool = False) -> None:
    """Add ``--app`` and ``--env``."""
    parser.add_argument("--app", metavar="APP", required=app_required, help="only this application")
    parser.add_argument("--env", metavar="ENV", help="only this environment")


def add_reading(parser: argparse.ArgumentParser, *, timeout: bool = True) -> None:
    """Add ``--prometheus``, ``--at`` and ``--source``, and ``--timeout`` where it is free."""
    parser.add_argument(
        "--prometheus",
        metavar="URL",
        help="read everything from this server (also HEADROOM_PROMETHEUS)",
    )
    parser.add_argument("--store", metavar="DIR", help="read everything from this embedded store")
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=reading(parse_time),
        help="judge at this time: RFC 3339 or Unix seconds (default: now)",
    )
    parser.add_argument(
        "--source",
        choices=("auto", "recorded", "raw"),
        default="auto",
        help="recorded series, raw ones, or whichever is fresh (default: auto)",
    )
    if timeout:
        parser.add_argument(
            "--timeout",
            metavar="DURATION",
            type=reading(Duration.parse),
            help="give up reading after this long",
        )


def project_of(args: argparse.Namespace, terminal: Terminal, *, strict: bool = True) -> Project:
    """Open the project that the arguments mean, and tell its warnings on stderr."""
    project = open_project(
        args.paths,
        environment=terminal.environment,
        workspace=args.workspace,
        prometheus=getattr(args, "prometheus", None),
        store=getattr(args, "store", None),
        strict=strict,
    )
    if not project.catalog.apps and not project.problems and not project.policies:
        raise UsageError("no app file was found", hint="headroom init writes a first one")
    if strict:
        for problem in project.problems:
            if problem.severity is Severity.WARNING:
                place = "" if problem.span is None else f"{problem.span.location}: "
                terminal.note(f"{place}warning: {printable(problem.message)} [{problem.id}]")
    return project


def instant_of(args: argparse.Namespace, terminal: Terminal) -> datetime:
    """The time that was asked for, or now."""
    at: datetime | None = args.at
    return terminal.clock() if at is None else at


def examples(*lines: str) -> str:
    """Examples for a command's help."""
    return "examples:\n" + "\n".join(f"  {line}" for line in lines)


def chosen(text: str, known: Sequence[str], what: str) -> tuple[str, ...]:
    """Names of a comma-separated list; raises ``ArgumentTypeError`` for an unknown one."""
    from slo.suggest import did_you_mean  # noqa: PLC0415 - for mistakes only

    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(
                f'unknown {what} "{name}"{did_you_mean(name, known)}; known: {", ".join(known)}'
            )
    if not names:
        raise argparse.ArgumentTypeError(f"no {what} given; known: {', '.join(known)}")
    return names
