"""``headroom validate``: check specifications, and on request against a server's own series."""

from __future__ import annotations

import argparse

from alerts import alertmanager
from app.cli import exits
from app.cli.inputs import add_paths, examples, project_of
from app.cli.output import ReportFormat, count, report_problems
from app.cli.terminal import Terminal
from app.project.gates import policy_problems
from slo.problems import has_errors


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    parser.add_argument(
        "--prometheus",
        metavar="URL",
        help="also ask this server which metrics, labels and buckets exist",
    )
    parser.add_argument(
        "--format",
        choices=[str(each) for each in ReportFormat],
        default="text",
        help="default: text",
    )
    parser.epilog = examples(
        "headroom validate apps/",
        "headroom validate --prometheus http://127.0.0.1:9090",
        "headroom validate --format github    (annotations in a pull request)",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Report every problem at once; exit 1 when one of them is an error."""
    project = project_of(args, terminal, strict=False)
    problems = [*project.problems, *policy_problems(project)]
    if project.file is not None:
        problems += alertmanager.problems(project.catalog, project.workspace)
    if args.prometheus is not None:
        from app.live_checks import live_problems  # noqa: PLC0415 - only when a server is asked

        problems += live_problems(project, terminal.clock(), terminal.progress)
    form = ReportFormat(args.format)
    report_problems(terminal, problems, project.texts, format=form)
    if form is ReportFormat.TEXT and not problems:
        apps, levels = len(project.catalog.apps), len(project.catalog.levels())
        terminal.line(f"{count(apps, 'app')} with {count(levels, 'SLO')}: no problems")
    return exits.PROBLEMS if has_errors(problems) else exits.OK
