"""``headroom status``: the error budgets of applications."""

from __future__ import annotations

import argparse
import json

from app import services
from app.cli import exits
from app.cli.inputs import (
    add_paths,
    add_reading,
    add_selection,
    examples,
    instant_of,
    project_of,
)
from app.cli.terminal import Terminal
from app.reports.figures import spark
from app.reports.status_json import status_json
from app.reports.status_text import status_markdown, status_text
from slo.evaluate import Evaluation
from slo.ports import NoData, NoDataReason
from slo.units import Duration

_SHOWN = (Duration.parse("5m"),)
"""A window that is shown whatever alerts an objective can have; the hour always is."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    add_selection(parser)
    add_reading(parser)
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="default: text"
    )
    parser.epilog = examples(
        "headroom status --prometheus http://127.0.0.1:9090",
        "headroom status --app ticketing --env prod --format json",
        "headroom status --at 2026-11-01T00:00:00Z --source raw",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print every budget; exit 1 when a source could not be reached."""
    project = project_of(args, terminal)
    levels = project.levels(args.app, args.env)
    at = instant_of(args, terminal)
    asked = {"deadline": args.timeout, "environ": terminal.environment}
    found = services.evaluations(project, levels, at, mode=args.source, windows=_SHOWN, **asked)
    match args.format:
        case "json":
            terminal.line(json.dumps(status_json(found, at), indent=2))
        case "markdown":
            terminal.stdout.write(status_markdown(found, at))
        case _:
            burn_down = services.burn_downs(project, found, at, **asked)
            terminal.stdout.write(
                status_text(
                    found,
                    at,
                    burn_down=burn_down,
                    color=terminal.color,
                    blocks=terminal.can_show(spark((), blocks=True) + "▁█·"),
                )
            )
    return exits.PROBLEMS if any(_failed(one) for one in found) else exits.OK


def _failed(one: Evaluation) -> bool:
    """Whether a source did not answer: wholly, on some windows, or for one of several clusters."""
    found = (one.reading.period, *one.reading.windows.values())
    failed = any(
        isinstance(each, NoData) and each.reason is NoDataReason.SOURCE_FAILED for each in found
    )
    return failed or bool(one.reading.partial)
