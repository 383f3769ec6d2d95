"""``headroom schema``: the JSON Schema of a kind of document, for editors."""

from __future__ import annotations

import argparse
import json

from app.cli import exits
from app.cli.inputs import examples
from app.cli.terminal import Terminal
from slo.loader import KINDS, schema


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    parser.epilog = examples("headroom schema App > app.schema.json")


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the schema."""
    terminal.line(json.dumps(schema(args.kind), indent=2))
    return exits.OK
