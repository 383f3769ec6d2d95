"""A command with exit codes of its own that ends in the way it is told to."""

import argparse
from pathlib import Path

from app.cli.exits import Exits
from app.cli.terminal import Terminal
from slo.errors import PublishError, SourceTimeout, SpecError, UsageError
from slo.problems import Span, error, warning

EXITS = Exits(spec=2, source=13, other=14)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("end")
    parser.add_argument("--file", default="app.yaml")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """End as told."""
    match args.end:
        case "deny":
            terminal.line("denied")
            return 10
        case "usage":
            raise UsageError("an app and all apps exclude each other", hint="leave out --all")
        case "spec":
            raise SpecError(
                [
                    error("spec/unknown-key", 'unknown key "x"', Span.at(args.file, 2, 3)),
                    warning("spec/too-long", "the text is long", Span.at("other.yaml", 1)),
                ]
            )
        case "source":
            raise SourceTimeout("no answer in 5 s", source="prometheus/eu", hint="is it up?")
        case "publish":
            raise PublishError("refused \x1b[2J")
        case "file":
            Path("/nonexistent/folder/file").read_text()
        case "interrupt":
            raise KeyboardInterrupt
        case _:
            raise KeyError(args.end)
    return 0
