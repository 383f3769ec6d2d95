"""``headroom doctor collectors``: installed validators on the generated files of collectors."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from app.cli.terminal import Terminal
from app.doctor.collectors import TOOLS, collector_checks
from app.doctor.model import Check
from app.project import open_workspace
from slo.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that only this part takes."""
    chosen = parser.add_argument_group("doctor collectors")
    chosen.add_argument(
        "--dir", metavar="DIR", help="the generated files (default: the workspace's output)"
    )
    chosen.add_argument(
        "--tool",
        metavar="NAME=PATH",
        action="append",
        help=f"a validator that is not on PATH: {', '.join(tool.name for tool in TOOLS)}",
    )


def checks(args: argparse.Namespace, terminal: Terminal) -> Iterator[Check]:
    """Yield every check as it is done; raises ``UsageError`` for what was typed wrong."""
    return collector_checks(_folder(args, terminal), _tools(args), ticks=terminal.ticks)


def _folder(args: argparse.Namespace, terminal: Terminal) -> Path:
    if args.dir is not None:
        folder = Path(args.dir)
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}")
        return folder
    space, root = open_workspace(environment=terminal.environment, workspace=args.workspace)
    return root / space.output


def _tools(args: argparse.Namespace) -> dict[str, Path]:
    found = {}
    for text in args.tool or ():
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(f'--tool wants NAME=PATH, not "{text}"')
        found[name] = Path(path)
    return found
