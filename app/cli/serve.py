"""``headroom serve``: the console, the API and the receivers of telemetry."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from app.cli import exits
from app.cli.inputs import add_paths, examples, tell_problems
from app.cli.terminal import Terminal
from app.project import Project, open_project
from slo.errors import SpecError, UsageError
from slo.problems import Severity

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8501
_LAST_PORT = 65_535


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default=DEFAULT_HOST,
        help=f"listen on this address (default: {DEFAULT_HOST})",
    )
    parser.add_argument(
        "--port",
        metavar="PORT",
        type=_port,
        default=DEFAULT_PORT,
        help=f"and this port, 0 for a free one (default: {DEFAULT_PORT})",
    )
    parser.add_argument(
        "--store", metavar="DIR", help="keep telemetry here (default: the workspace's store)"
    )
    parser.add_argument("--no-console", action="store_true", help="the API and receivers alone")
    parser.add_argument(
        "--access-log", action="store_true", help="write a line on stderr for every request"
    )
    parser.epilog = examples(
        "headroom serve",
        "headroom serve examples/airline --store data --port 8600",
        "headroom serve --no-console --host 127.0.0.1",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Serve until interrupted, which is no error."""
    project = opened(args, terminal)
    # Imported here: reading arguments and the workspace must not wait for all of this.
    from app.server import Options, Started, serve  # noqa: PLC0415
    from app.telemetry import installed_version, open_telemetry  # noqa: PLC0415

    logging.basicConfig(
        level=logging.WARNING, stream=terminal.stderr, format="%(levelname)s %(name)s: %(message)s"
    )
    telemetry = open_telemetry(terminal.environment, name="serve", version=installed_version())
    options = Options(
        host=args.host,
        port=args.port,
        console=not args.no_console,
        access_log=terminal.note if args.access_log else None,
    )

    def ready(started: Started) -> None:
        terminal.line(f"Headroom listens on {started.url}")
        if project.workspace.serving.open:
            terminal.line("it is open: nobody is asked who they are, and only this machine sees it")
        terminal.stdout.flush()

    try:
        serve(project, options, environ=terminal.environment, telemetry=telemetry, ready=ready)
    finally:
        telemetry.close()
    return exits.OK


def opened(args: argparse.Namespace, terminal: Terminal) -> Project:
    """Open the workspace to be served.

    An unsound app file is told and left out; an unsound workspace is refused, since it says who
    may look. Raises ``SpecError`` for that and ``UsageError`` where there is nothing to serve.
    """
    project = open_project(
        args.paths, environment=terminal.environment, workspace=args.workspace, strict=False
    )
    errors = [each for each in project.problems if each.severity is Severity.ERROR]
    own = "" if project.file is None else project.file.name
    unsound = [each for each in errors if each.span is None or Path(each.span.file).name == own]
    if unsound:
        raise SpecError(unsound)
    tell_problems(project, terminal)
    if args.store is not None:
        store = str(Path(args.store).absolute())
        project = replace(project, workspace=replace(project.workspace, store=store))
    if not project.workspace.sources:
        raise UsageError(
            "there is nothing to serve: no source and no store",
            hint="name them under sources in headroom.yaml, or give --store DIR",
        )
    return project


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f'"{text}" is no port from 0 to {_LAST_PORT}')
    return int(text)
