"""A command that says hello."""

import argparse

from app.cli.options import reading
from app.cli.terminal import Terminal
from slo.units import parse_time


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="whom to greet")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--at", type=reading(parse_time))
    parser.epilog = "example:\n  fake greet world"


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Greet everyone."""
    for _ in range(args.times):
        for name in args.names:
            terminal.line(f"hello {name}")
    if args.at is not None:
        terminal.line(args.at.isoformat())
    color = "in color" if terminal.color else "in plain text"
    terminal.note(f"written {color}")
    return 0
