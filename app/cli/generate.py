"""``headroom generate``: write rules, routes and dashboards."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from alerts.prometheus.layouts import LAYOUTS
from app import artefacts, generation
from app.cli import exits
from app.cli.inputs import add_paths, chosen, examples, project_of
from app.cli.terminal import Terminal
from app.cli.written import report_check, report_conflicts, report_written
from app.project import Project
from slo.collecting import COLLECTORS
from slo.errors import UsageError
from slo.windows import usable_pairs


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    parser.add_argument("--out", metavar="DIR", help="write below this folder")
    add_kinds(parser)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when files are out of date"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that this command did not write"
    )
    parser.add_argument(
        "--list",
        action="store_true",
        help="print the kinds that can be made, or with --only collectors the collectors",
    )
    parser.epilog = examples(
        "headroom generate apps/ --out generated",
        "headroom generate --only collectors --collector otelcol,rsyslog",
        "headroom generate --only rules --layout operator",
        "headroom generate --check    (in CI: are the committed files current?)",
    )


def add_kinds(parser: argparse.ArgumentParser) -> None:
    """Add ``--only`` and ``--layout``."""
    parser.add_argument(
        "--only",
        action="extend",
        metavar="KIND,…",
        type=partial(chosen, known=generation.KINDS, what="kind"),
        help=f"only these kinds: {', '.join(generation.KINDS)}",
    )
    parser.add_argument(
        "--collector",
        action="extend",
        metavar="NAME,…",
        type=partial(chosen, known=COLLECTORS, what="collector"),
        help="only these collectors; may be repeated (default: those the workspace uses, else all)",
    )
    parser.add_argument(
        "--layout",
        choices=tuple(LAYOUTS),
        default="plain",
        help="how rules are shipped (default: plain)",
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Write what has changed, or say what would."""
    if args.list:
        return _list(args, terminal)
    project = project_of(args, terminal)
    _note_dropped(project, terminal)
    if generation.COLLECTORS in wanted_kinds(args, project):
        _note_disputes(project, terminal)
    files = wanted_files(args, project)
    plan = artefacts.plan(output_folder(args, project), files, force=args.force)
    if plan.conflicts:
        report_conflicts(terminal, plan)
        return exits.PROBLEMS
    if args.check:
        differences = artefacts.check(plan)
        report_check(terminal, plan, differences)
        return exits.PROBLEMS if differences else exits.OK
    artefacts.apply(plan)
    report_written(terminal, plan)
    return exits.OK


def wanted_files(args: argparse.Namespace, project: Project) -> dict[str, generation.Files]:
    """What the flags ask for, by kind."""
    return generation.generate(
        project.catalog,
        project.workspace,
        kinds=wanted_kinds(args, project),
        layout=args.layout,
        collectors=tuple(dict.fromkeys(args.collector or ())) or None,
    )


def wanted_kinds(args: argparse.Namespace, project: Project) -> tuple[str, ...]:
    """The kinds that the flags ask for; naming a collector asks for collectors alone."""
    only = tuple(dict.fromkeys(args.only or ()))
    if not args.collector:
        return only or generation.usual_kinds(project.workspace)
    if only and generation.COLLECTORS not in only:
        raise UsageError(
            "--collector goes with the kind collectors",
            hint="leave --only out, or add collectors to it",
        )
    return only or (generation.COLLECTORS,)


def _list(args: argparse.Namespace, terminal: Terminal) -> int:
    """Print the names that the chosen kind knows, one a line; no workspace is needed."""
    names = COLLECTORS if args.only == [generation.COLLECTORS] else generation.KINDS
    for name in names:
        terminal.line(name)
    return exits.OK


def output_folder(args: argparse.Namespace, project: Project) -> Path:
    """The folder that generated files stand in: the flag's, else the workspace's."""
    return Path(args.out) if args.out else project.path(project.workspace.output)


def _note_disputes(project: Project, terminal: Terminal) -> None:
    """Say which services two components claim: their telemetry gets nobody's tags."""
    for env, dispute in generation.disputes(project.catalog, project.workspace):
        terminal.note(f"note: {env}: {dispute}; it is tagged for none of them")


def _note_dropped(project: Project, terminal: Terminal) -> None:
    """Say which alerts an SLO cannot have; nothing is left out silently."""
    for level in project.catalog.levels():
        for dropped in usable_pairs(level, project.workspace.defaults.catalogue).dropped:
            terminal.note(f"note: {level.key}: {dropped.reason}; it is left out")
