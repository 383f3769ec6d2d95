"""Live checks of ownership alone: whose series SLOs count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from app import services
from app.live_checks.findings import Findings
from app.live_checks.foreign import Foreign, foreign_series
from app.live_checks.owners import check_mixture, check_shared
from app.live_checks.scopes import Scope, scopes_of
from app.live_checks.server import Server
from app.project import Project
from app.prometheus_view import PrometheusView
from collectors.joining import Joiner
from collectors.readers.places import sources_of
from collectors.readers.prometheus import Clock
from slo.problems import Problem
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """What is wrong with whose series SLOs count; ``asked`` is how many SLOs were looked at."""

    foreign: tuple[Foreign, ...]
    problems: tuple[Problem, ...]
    asked: int


def ownership(
    project: Project,
    at: datetime,
    *,
    app: str | None = None,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> Ownership:
    """Look at the SLOs that a Prometheus computes, of one application or of all.

    An application's selectors are compared with those of all others. Raises ``SourceError``.
    """
    findings = Findings()
    every = list(_scopes(project, at, findings, clock, environ))
    mine = [scope for scope in every if app in {None, scope.level.app.name}]
    joiner = Joiner(project.catalog)
    foreign = [found for scope in mine for found in foreign_series(scope, joiner)]
    for scope in mine:
        check_mixture(scope)
    check_shared(every)
    problems = [each for each in findings.problems() if _is_about(each, mine)]
    return Ownership(
        foreign=tuple(foreign),
        problems=tuple(problems),
        asked=len({scope.level.key for scope in mine}),
    )


def _scopes(
    project: Project,
    at: datetime,
    findings: Findings,
    clock: Clock | None,
    environ: Mapping[str, str] | None,
) -> Iterator[Scope]:
    servers = {
        source.reference: Server(PrometheusView(source, at, clock=clock, environ=environ))
        for source in project.workspace.prometheus.values()
    }
    default = services.default_reference(project.workspace)
    for level in project.catalog.levels():
        wanted = {default} if project.one_source else set(sources_of(level, default))
        # What the store or a product of somebody else computes has no series to look at here.
        if wanted and wanted <= servers.keys():
            yield from scopes_of(
                level,
                lambda reference: servers[str(default) if project.one_source else str(reference)],
                default,
                findings,
            )


def _is_about(problem: Problem, scopes: list[Scope]) -> bool:
    """Whether a problem is of one of these SLOs, or compares one of them with another."""
    places = {problem.span, *(span for span, _ in problem.related)}
    return any(scope.level.slo.span in places for scope in scopes)
