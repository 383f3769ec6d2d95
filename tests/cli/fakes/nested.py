"""A command with commands of its own, as `headroom gate audit verify` is."""

import argparse

from app.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help="look at every record")
    verify.add_argument("--file")
    actions.add_parser("show", help="show a record")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Say what was asked for."""
    terminal.line(f"{args.action} {'in color' if terminal.color else 'in plain text'}")
    return 0
