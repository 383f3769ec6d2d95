"""``headroom doctor join``: how telemetry is joined to its applications."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.cli.inputs import instant_of
from app.cli.options import reading
from app.cli.terminal import Terminal
from app.project import open_project
from slo.units import Duration, parse_time

if TYPE_CHECKING:
    from app.doctor.joins import JoinReport

_DAY = Duration.of(days=1)
_SECOND = 1_000_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only this part takes."""
    chosen = parser.add_argument_group("doctor join")
    chosen.add_argument("--app", metavar="APP", help="only this application")
    chosen.add_argument(
        "--range",
        metavar="DURATION",
        type=reading(Duration.parse),
        help="look at records this far back (default: 1d)",
    )
    chosen.add_argument(
        "--at",
        metavar="TIME",
        type=reading(parse_time),
        help="look back from this time: RFC 3339 or Unix seconds (default: now)",
    )
    chosen.add_argument(
        "--store", metavar="DIR", help="look at this embedded store in the place of all sources"
    )


def report(args: argparse.Namespace, terminal: Terminal) -> JoinReport:
    """Look at all sources; raises ``UsageError`` for what was typed wrong."""
    from app.doctor.joins import join_report  # noqa: PLC0415 - loads readers
    from app.services.opening import open_world  # noqa: PLC0415 - as above
    from collectors.readers.telemetry import TimeRange  # noqa: PLC0415 - as above

    project = open_project(
        args.paths,
        environment=terminal.environment,
        workspace=args.workspace,
        prometheus=args.prometheus,
        store=args.store,
        strict=False,
    )
    at = instant_of(args, terminal)
    end = int(at.timestamp() * 1000) * (_SECOND // 1000) + 1
    length = (args.range or _DAY).milliseconds * (_SECOND // 1000)
    return join_report(
        lambda: open_world(project, environ=terminal.environment),
        project,
        TimeRange(start=max(0, end - length), end=end),
        at,
        args.app,
    )


def as_data(found: JoinReport) -> Mapping[str, object]:
    """The keys beside those that every doctor's answer has."""
    from app.reports.join_json import join_json  # noqa: PLC0415 - loads readers

    if found.found is None:
        return {"shares": [], "gaps": []}
    return join_json(found.found.value, _written)


def _written(nanoseconds: int) -> str:
    found = datetime.fromtimestamp(nanoseconds // _SECOND, UTC)
    return found.isoformat(timespec="seconds").replace("+00:00", "Z")
