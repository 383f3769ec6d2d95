"""A gate decision from start to finish: facts gathered, judged, and recorded before it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app import audit, services
from app.project import Project
from slo.errors import SpecError, UsageError
from slo.evaluate import Evaluation
from slo.gate.decide import decide
from slo.gate.decision import AuditMark, Decision
from slo.gate.document import to_record
from slo.gate.facts import Facts
from slo.gate.loader import load_policies
from slo.gate.policy import GatePolicy
from slo.gate.selection import built_in, choose
from slo.gate.subject import ChangeType, Subject
from slo.loader import SourceFile
from slo.model import App, Environment
from slo.problems import Problem, has_errors
from slo.records import dataclass
from slo.units import Duration

LOOK = "look"
"""The id of every decision that is only looked at."""

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a pipeline asks. ``id`` names the answer; ``mode`` is how series are read."""

    id: str
    subject: Subject
    at: datetime
    policy: str | None = None
    mode: str = "auto"


def answer(
    project: Project, question: Question, *, log: Path, environ: Mapping[str, str]
) -> Decision:
    """The recorded decision on a question.

    Raises ``UsageError`` and ``SpecError`` before any back end is asked, and ``AuditError`` when
    the record cannot be written: then there is no decision. A back end that fails is no
    exception but a decision.
    """
    subject = question.subject
    app = _app(project, subject.app)
    policy = policy_for(project, app, _environment(app, subject.environment), question.policy)
    first = subject.change_type is ChangeType.FIRST_DEPLOY
    known = audit.known_before(log, subject.app, subject.environment) if first else None
    # A policy of the calendar alone needs no back end; the proof of a first deploy does.
    reads = first or any(rule.reads_data for rule in policy.rules)
    levels = project.levels(subject.app, subject.environment) if reads else ()
    found = services.evaluations(
        project,
        levels,
        question.at,
        mode=question.mode,
        deadline=policy.evaluation_timeout,
        windows=policy.windows,
        environ=environ,
    )
    facts = Facts(
        id=question.id,
        subject=replace(subject, team=app.team),
        evaluations=found,
        known_before=known,
        at=question.at,
        catalog_revision=catalog_revision(project),
    )
    decision = decide(facts, policy)
    link = audit.append(log, to_record(decision))
    return replace(decision, audit=AuditMark(seq=link.seq, prev=link.prev, hash=link.hash))


def look(
    project: Project, app: str, env: str, evaluations: Iterable[Evaluation], at: datetime
) -> Decision:
    """What the gate would say to a deploy now, from numbers that were read; nothing is recorded.

    ``evaluations`` may be of several applications; ``windows_of`` says which windows they need.
    Raises ``UsageError`` for an unknown name, and ``SpecError`` where no one policy applies.
    """
    project.levels(app, env)
    owner = _app(project, app)
    facts = Facts(
        id=LOOK,
        subject=Subject(app=app, environment=env, team=owner.team),
        evaluations=tuple(
            each for each in evaluations if (each.key.app, each.key.env) == (app, env)
        ),
        known_before=None,
        at=at,
    )
    return decide(facts, policy_for(project, owner, _environment(owner, env), None))


def windows_of(project: Project) -> tuple[Duration, ...]:
    """The windows that any policy of the project needs to have been read, shortest first."""
    policies = (*project.policies, built_in())
    return tuple(sorted({window for policy in policies for window in policy.windows}))


def environment_of(project: Project, app: str, env: str | None) -> str:
    """The environment that is meant; one that was not named has to be the only one.

    Raises ``UsageError``.
    """
    project.levels(app, env)
    if env is not None:
        return env
    names = [each.name for each in _app(project, app).environments]
    if len(names) == 1:
        return names[0]
    raise UsageError(
        f'app "{app}" has several environments', hint=f"give --env, one of {', '.join(names)}"
    )


def policy_for(
    project: Project, app: App, environment: Environment, named: str | None
) -> GatePolicy:
    """The policy that applies; ``named`` is a policy's name or a file that holds one.

    Raises ``SpecError`` when the file is wrong or two policies fit equally well.
    """
    policies = project.policies
    if named is not None and (Path(named).is_file() or named.endswith(_SUFFIXES)):
        return _policy_in(Path(named))
    chosen = choose(policies, app, environment, named)
    if isinstance(chosen, Problem):
        raise SpecError((chosen,))
    return chosen


def catalog_revision(project: Project) -> str:
    """A digest of every file the decision was made from."""
    digest = hashlib.sha256()
    for name, text in sorted(project.texts.items()):
        digest.update(f"{Path(name).name}\0{text}\0".encode(errors="surrogatepass"))
    return f"sha256:{digest.hexdigest()[:16]}"


def audit_log(project: Project, named: str | None, environ: Mapping[str, str]) -> Path:
    """Where decisions are recorded: the flag's file, else the state folder's."""
    if named is not None:
        return Path(named)
    state = project.workspace.state
    folder = None if project.file is None or state is None else project.path(state)
    return audit.default_path(folder, environ)


def _policy_in(path: Path) -> GatePolicy:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"the policy {path} cannot be read: {reason}") from cause
    policies, problems = load_policies([SourceFile(name=str(path), text=text)])
    if has_errors(problems):
        raise SpecError(problems)
    if len(policies) != 1:
        raise UsageError(
            f"{path} holds {len(policies)} policies", hint="give a file that holds exactly one"
        )
    return policies[0]


def _app(project: Project, name: str) -> App:
    project.levels(name, None)
    app = project.catalog.app(name)
    assert app is not None
    return app


def _environment(app: App, name: str) -> Environment:
    return next(each for each in app.environments if each.name == name)
