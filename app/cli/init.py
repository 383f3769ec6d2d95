"""``headroom init``: write a first workspace, or propose one from what a Prometheus holds."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from app import scaffold
from app.cli import exits
from app.cli.inputs import examples
from app.cli.output import count
from app.cli.terminal import Terminal
from slo.errors import UsageError
from slo.printable import printable
from slo.problems import Problem

_WORKSPACE = "headroom.yaml"
_GITIGNORE = ".gitignore"
_MOST_NOTES = 20


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "folder", nargs="?", default=".", metavar="DIR", help="where to write (default: here)"
    )
    parser.add_argument(
        "--from-prometheus",
        metavar="URL",
        help="propose apps from the requests and probes that this server knows",
    )
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")
    parser.epilog = examples(
        "headroom init", "headroom init slos --from-prometheus http://127.0.0.1:9090"
    )


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Write the files, or say which ones are in the way."""
    folder, url = Path(args.folder), args.from_prometheus
    files = {_WORKSPACE: scaffold.workspace(url), "policies/default.yaml": scaffold.policy()}
    example = {"apps/example.yaml": scaffold.example_app()} if url is None else {}
    _refuse(_sound(files)[1])
    if not args.force:
        # Before a server is asked for what could not be written.
        _refuse_taken(folder, {**files, **example})
    apps = example if url is None else _asked(url, terminal)
    if not apps:
        return exits.PROBLEMS
    kept, broken = _sound({**files, **apps})
    for problem in broken:
        terminal.note(f"left out, as it could not be read back: {printable(problem.message)}")
    return _written(folder, kept, args, terminal)


def _asked(url: str, terminal: Terminal) -> dict[str, str]:
    from app.scaffold.conventions import looked_for  # noqa: PLC0415 - only when a server is asked
    from app.scaffold.from_prometheus import from_prometheus  # noqa: PLC0415 - the same

    proposed = from_prometheus(
        url, terminal.clock(), terminal.progress, environ=terminal.environment
    )
    for text in proposed.passed_over[:_MOST_NOTES]:
        terminal.note(f"passed over: {printable(text)}")
    left = len(proposed.passed_over) - _MOST_NOTES
    if left > 0:
        terminal.note(f"passed over: {left} more")
    if not proposed.apps:
        terminal.note(f"error: {printable(url)} has nothing in the last hour that could be used")
        terminal.note(f"looked for: {', '.join(looked_for())}")
        terminal.note("hint: headroom init without --from-prometheus writes an example to edit")
    return {app.path: app.text for app in proposed.apps}


def _sound(files: Mapping[str, str]) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Return the files without those that have errors, and the errors."""
    problems = scaffold.checked(files)
    broken = {problem.span.file for problem in problems if problem.span is not None}
    return {path: text for path, text in files.items() if path not in broken}, problems


def _refuse(problems: tuple[Problem, ...]) -> None:
    """Refuse an address that a workspace could not hold, such as one with a password in it."""
    for problem in problems:
        raise UsageError(printable(problem.message), hint=problem.hint)


def _refuse_taken(folder: Path, files: Mapping[str, str]) -> None:
    found = scaffold.taken(folder, files)
    if found:
        raise scaffold.ScaffoldError(
            f"already there: {', '.join(str(folder / path) for path in found)}",
            hint="choose another folder, or overwrite them with --force",
        )


def _written(
    folder: Path, files: Mapping[str, str], args: argparse.Namespace, terminal: Terminal
) -> int:
    if not args.force:
        _refuse_taken(folder, files)
    ignored = {} if scaffold.taken(folder, {_GITIGNORE: ""}) else {_GITIGNORE: scaffold.gitignore()}
    scaffold.write(folder, {**files, **ignored}, force=args.force)
    for path in sorted({**files, **ignored}):
        terminal.line(f"wrote {printable(str(folder / path))}")
    apps = sum(path.startswith("apps/") for path in files)
    terminal.line()
    terminal.line(f"{count(apps, 'app')}. Next:")
    if not ignored:
        terminal.line("  add /.headroom/ to .gitignore")
    for step in _next_steps(printable(args.folder), args.from_prometheus):
        terminal.line(f"  {step}")
    return exits.OK


def _next_steps(folder: str, url: str | None) -> tuple[str, ...]:
    where = "" if folder == "." else f" {folder}"
    if url is None:
        return (
            "put your server's address into headroom.yaml, your names into apps/example.yaml",
            "say in headroom.yaml, under receivers, who is told of alerts",
            f"headroom validate{where}",
            f"headroom validate{where} --prometheus URL",
            f"headroom generate{where}",
        )
    return (
        "read the proposed apps; say who answers for each under team",
        "say in headroom.yaml, under receivers, who is told of alerts",
        f"headroom validate{where} --prometheus {url}",
        f"headroom status{where} --source raw",
        f"headroom generate{where}",
    )
