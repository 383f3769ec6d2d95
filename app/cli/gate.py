"""``headroom gate``: may this application ship now, and if not, why, and who can say so."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from os import urandom
from pathlib import Path
from time import time_ns

from app import gating
from app.audit import AuditError
from app.cli import exits
from app.cli.inputs import (
    add_paths,
    add_reading,
    add_selection,
    examples,
    instant_of,
    project_of,
)
from app.cli.terminal import Terminal
from app.project import Project
from app.reports.gate_json import gate_json
from app.reports.gate_markdown import gate_markdown
from app.reports.gate_text import gate_text
from app.ulid import ulid
from slo.errors import UsageError
from slo.gate.decision import Decision, exit_code
from slo.gate.subject import Actor, Artifact, ChangeType, Subject
from slo.model import Contacts

AUDIT_FAILED = 14
EXITS = exits.Exits(spec=exits.USAGE, usage=exits.USAGE, source=13, other=exits.USAGE, crash=1)
FORMATS = ("text", "json", "markdown")

_CODES = """\
exit codes:
  0   allowed                       12  data missing or stale
  2   wrong usage, policy or spec   13  a back end failed or timed out
  10  denied                        14  the audit record could not be written
  11  a warning, with --strict      1   a bug in headroom"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_paths(parser)
    add_selection(parser, app_required=True)
    parser.add_argument(
        "--policy", metavar="FILE|NAME", help="this policy instead of the one that applies"
    )
    add_reading(parser, timeout=False)
    change = parser.add_argument_group("the change")
    change.add_argument(
        "--change-type",
        choices=[str(each) for each in ChangeType],
        default=str(ChangeType.DEPLOY),
        help="what kind of change it is (default: deploy)",
    )
    change.add_argument("--ticket", metavar="T", help="the ticket of a reliability fix")
    change.add_argument("--reason", metavar="R", help="why, for the record")
    change.add_argument("--image", metavar="IMAGE", help="the image to deploy")
    change.add_argument("--digest", metavar="SHA256", help="its digest")
    change.add_argument("--commit", metavar="SHA", help="the commit to deploy")
    change.add_argument("--actor", metavar="NAME", help="who asks")
    answer = parser.add_argument_group("the answer")
    answer.add_argument("--format", choices=FORMATS, default="text", help="default: text")
    answer.add_argument(
        "--output",
        metavar="FORMAT=FILE",
        action="append",
        default=[],
        type=_output,
        help="also write the answer to a file; may be given several times",
    )
    answer.add_argument("--strict", action="store_true", help="exit 11 on a warning")
    answer.add_argument(
        "--audit", metavar="FILE", help="the audit log (default: in the state folder)"
    )
    shown = examples(
        "headroom gate --app ticketing --env prod",
        "headroom gate --app ticketing --env prod --output markdown=gate.md --strict",
        "headroom gate --app ticketing --env prod --change-type rollback --reason '...'",
    )
    parser.epilog = f"{shown}\n\n{_CODES}"


def run(args: argparse.Namespace, terminal: Terminal) -> int:
    """Decide, record, tell."""
    if args.change_type == ChangeType.RELIABILITY_FIX and not args.ticket:
        raise UsageError(
            "a reliability fix needs its ticket",
            hint="give --ticket T, and --reason R for the record",
        )
    project = project_of(args, terminal)
    environment = gating.environment_of(project, args.app, args.env)
    question = gating.Question(
        id=_new_id(),
        subject=_subject(args, environment),
        at=instant_of(args, terminal),
        policy=args.policy,
        mode=args.source,
    )
    log = gating.audit_log(project, args.audit, terminal.environment)
    try:
        decision = _decision(project, question, log, terminal)
    except AuditError as error:
        terminal.note(f"error: {error}")
        if error.hint:
            terminal.note(f"hint: {error.hint}")
        return AUDIT_FAILED
    app = project.catalog.app(args.app)
    writers = _writers(decision, app.contacts if app else Contacts(), terminal)
    for form, path in args.output:
        _write(path, writers[form](color=False))
    terminal.stdout.write(writers[args.format](color=terminal.color))
    return exit_code(decision, strict=args.strict)


def _decision(
    project: Project, question: gating.Question, log: Path, terminal: Terminal
) -> Decision:
    def decide() -> Decision:
        return gating.answer(project, question, log=log, environ=terminal.environment)

    if not any(name.startswith("OTEL_") for name in terminal.environment):
        return decide()
    from app.watching import watched  # noqa: PLC0415 - few pipelines watch the gate itself

    return watched(decide, terminal.environment, terminal.note)


def _writers(
    decision: Decision, contacts: Contacts, terminal: Terminal
) -> Mapping[str, Callable[..., str]]:
    """The answer in each format; ``color`` says whether to colour it."""
    return {
        "text": lambda *, color: gate_text(
            decision, contacts=contacts, width=terminal.width, color=color
        ),
        "json": lambda **_: gate_json(decision),
        "markdown": lambda **_: gate_markdown(decision, contacts=contacts),
    }


def _subject(args: argparse.Namespace, environment: str) -> Subject:
    has_artifact = args.image is not None or args.digest is not None
    return Subject(
        app=args.app,
        environment=environment,
        change_type=ChangeType(args.change_type),
        artifact=Artifact(image=args.image, digest=args.digest) if has_artifact else None,
        commit=args.commit,
        ticket=args.ticket,
        reason=args.reason,
        actor=None if args.actor is None else Actor(id=args.actor),
    )


def _output(text: str) -> tuple[str, Path]:
    form, equals, path = text.partition("=")
    if not equals or not path or form not in FORMATS:
        raise argparse.ArgumentTypeError(
            f'"{text}": write it as FORMAT=FILE with one of {", ".join(FORMATS)}'
        )
    return form, Path(path)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as cause:
        raise UsageError(
            f"the answer cannot be written to {path}: {cause.strerror}",
            hint="the decision was recorded; mend the path and ask again",
        ) from cause


def _new_id() -> str:
    return ulid(time_ns() // 1_000_000, urandom(10))
