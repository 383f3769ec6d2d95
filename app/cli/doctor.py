"""``headroom doctor``: what could keep Headroom from working here, and what to do about it."""

from __future__ import annotations

import argparse
import json
from functools import cache

from app.cli import exits
from app.cli.inputs import add_paths, examples
from app.cli.terminal import Terminal
from app.doctor import Check, Outcome, Patient, examine
from app.doctor.report import check_text, summary, to_json
from app.project import Project, open_project


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    parser.add_argument(
        "--prometheus",
        metavar="URL",
        help="look at this server in the place of all sources (also HEADROOM_PROMETHEUS)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    parser.epilog = examples(
        "headroom doctor",
        "headroom doctor --prometheus http://127.0.0.1:9090",
        "headroom doctor --format json",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print every check as it is done; exit 1 when one fails."""

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
    patient = Patient(open=opened, now=terminal.clock, environ=terminal.environment)
    checks: list[Check] = []
    for check in examine(patient):
        checks.append(check)
        if args.format == "text":
            terminal.stdout.write(check_text(check, color=terminal.color))
    if args.format == "json":
        terminal.line(json.dumps(to_json(checks, terminal.clock()), indent=2))
    else:
        terminal.line(f"\n{summary(checks)}")
    failed = any(check.outcome is Outcome.FAIL for check in checks)
    return exits.PROBLEMS if failed else exits.OK
