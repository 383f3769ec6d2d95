"""Which applications the gate would refuse to judge, because of their policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from app.project.open import Project
from app.project.places import place_of
from slo.gate.selection import choose
from slo.model import App, Environment
from slo.problems import Problem, Severity, Span, in_order


def policy_problems(project: Project) -> tuple[Problem, ...]:
    """Return what keeps the gate from finding the one policy of an app in an environment.

    A policy that is named and nowhere is a warning: its file may be kept where the gate is run.
    """
    return in_order(
        problem
        for app in project.catalog.apps
        for environment in app.environments
        for problem in _problems(project, app, environment)
    )


def _problems(project: Project, app: App, environment: Environment) -> Iterator[Problem]:
    found = choose(project.policies, app, environment)
    if not isinstance(found, Problem):
        return
    if found.id == "policy/unknown":
        place = _place(project, app, environment)
        found = replace(found, severity=Severity.WARNING, span=place or found.span)
    yield found


def _place(project: Project, app: App, environment: Environment) -> Span | None:
    text = None if app.span is None else project.texts.get(app.span.file)
    name = environment.gate or app.gate
    if app.span is None or text is None or name is None:
        return None
    keys = ("spec", "environments", "gate") if environment.gate else ("spec", "gate")
    return place_of(name, keys, text, app.span.file, document=app.span)
