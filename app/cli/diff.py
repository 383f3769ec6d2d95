"""``headroom diff``: what generating again would change, by application and SLO."""

from __future__ import annotations

import argparse
import json

from app import artefacts, differences
from app.cli import exits
from app.cli.generate import add_kinds, output_folder, wanted_files
from app.cli.inputs import add_paths, examples, project_of
from app.cli.terminal import Terminal


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    parser.add_argument("--out", metavar="DIR", help="the folder of the generated files")
    add_kinds(parser)
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="default: text"
    )
    parser.add_argument(
        "--exit-code", action="store_true", help="exit 1 when there are differences"
    )
    parser.epilog = examples(
        "headroom diff --out generated", "headroom diff --format markdown    (for a pull request)"
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Compare what is on disk with what would be written."""
    project = project_of(args, terminal)
    files = wanted_files(args, project)
    new = {path: text for each in files.values() for path, text in each.items()}
    plan = artefacts.plan(output_folder(args, project), files)
    touched = {*plan.create, *plan.change, *plan.remove, *plan.unchanged}
    old = {p: t for p, t in artefacts.read_files(plan.out).items() if p in touched}
    report = differences.differences(old, new)
    match args.format:
        case "json":
            terminal.line(json.dumps(differences.to_json(report), indent=2))
        case "markdown":
            terminal.stdout.write(differences.to_markdown(report))
        case _:
            terminal.stdout.write(differences.to_text(report))
    return exits.PROBLEMS if args.exit_code and not report.is_empty else exits.OK
