"""All live checks of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from app import services
from app.live_checks.findings import Findings
from app.live_checks.histograms import check_latency
from app.live_checks.owners import check_mixture, check_shared
from app.live_checks.scopes import Scope, scopes_of
from app.live_checks.selectors import Need, check_selector
from app.live_checks.server import Server
from app.project import Project
from app.prometheus_view import DAY, PrometheusView
from collectors.readers.prometheus import Clock
from slo.errors import UsageError
from slo.model import Events, Latency, Probe, Ratio, Slices
from slo.printable import quote
from slo.problems import Problem, Severity
from slo.promql import Query, Selector


class Bar(Protocol):
    """A progress bar."""

    def advance(self, steps: int = 1) -> None:
        """Say that so many more steps are done."""


Progress = Callable[[int, str], AbstractContextManager[Bar]]


def live_problems(
    project: Project,
    at: datetime,
    progress: Progress,
    *,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Return what the servers of a project's sources hold against its specifications.

    Asked is what had samples in the hour and the day before ``at``. Raises ``SourceError`` when a
    server gives no answer, and ``UsageError`` when there is none to ask.
    """
    findings = Findings()
    levels = project.catalog.levels()
    servers = _servers(project, at, clock, environ)
    default = services.default_reference(project.workspace)

    def server_of(reference: str | None) -> Server:
        if project.one_source:
            reference = default
        found = None if reference is None else servers.get(reference)
        if found is None:
            raise UsageError(
                f"there is no source {reference or 'for clusters that name none'}",
                hint=f"known sources: {', '.join(servers) or 'none'}; or give --prometheus URL",
            )
        return found

    scopes = [scope for level in levels for scope in scopes_of(level, server_of, default, findings)]
    with progress(len(scopes) + 1, "asking the server") as bar:
        found = []
        for scope in scopes:
            if _environment_exists(scope):
                found.append(scope)
                _check(scope)
            bar.advance()
        check_shared(found)
        bar.advance()
    return list(findings.problems())


def _servers(
    project: Project, at: datetime, clock: Clock | None, environ: Mapping[str, str] | None
) -> dict[str, Server]:
    return {
        source.reference: Server(PrometheusView(source, at, clock=clock, environ=environ))
        for source in project.workspace.prometheus.values()
    }


def _environment_exists(scope: Scope) -> bool:
    """Tell whether anything carries a cluster's labels, and report it once if nothing does."""
    if not scope.matchers:
        return True
    if scope.server.matches(Selector(metric=None, matchers=scope.matchers), DAY):
        return True
    labels = ", ".join(map(str, scope.matchers))
    scope.report(
        "live/no-environment",
        Severity.ERROR,
        f"no series of the last day carries the environment's labels {labels}",
        hint=f"was it scraped into {scope.server.reference}?",
        span=scope.level.app.span,
    )
    return False


def _check(scope: Scope) -> None:
    match scope.level.slo.indicator.measure:
        case Events() as events:
            _check_events(scope, events)
        case Latency() as latency:
            check_latency(scope, latency)
        case Ratio() as ratio:
            _check_ratio(scope, ratio)
        case Slices(expr=query) | Probe(selector=query):
            _check_all(scope, query.selectors)
    check_mixture(scope)


def _check_events(scope: Scope, events: Events) -> None:
    whole = _check_all(scope, events.total.selectors)
    part = events.good if events.bad is None else events.bad
    assert part is not None, "the loader wants one of the two"
    # Without a single good event everything is bad; that must not stay unseen.
    need = Need.FAILURES if part is events.bad else Need.SERIES
    found = _check_all(scope, part.selectors, need)
    if whole and found:
        _check_part(scope, events.total, part, "bad" if part is events.bad else "good")


def _check_part(scope: Scope, total: Query, part: Query, name: str) -> None:
    """Report counted series that the total leaves out: they would push the ratio past its end."""
    if total.plain is None or part.plain is None:
        return
    whole, own = (f"last_over_time({scope.select(q.plain)}[15m])" for q in (total, part) if q.plain)
    if total.plain.metric == part.plain.metric:
        unit = "series"
        outside = f"{own} unless {whole}"
    else:
        target = f"({', '.join(scope.level.slo.indicator.target)})"
        unit = f"targets {target}"
        outside = f"count by {target} ({own}) unless count by {target} ({whole})"
    count = scope.server.number(f"count({outside})")
    if count:
        scope.report(
            "live/not-in-total",
            Severity.WARNING,
            f"{count} {unit} of the {name} events {quote(str(part.plain))} are not among those "
            f"of the total {quote(str(total.plain))}",
            hint=f"the {name} events must be some of all events",
        )


def _check_ratio(scope: Scope, ratio: Ratio) -> None:
    query = ratio.good if ratio.error is None else ratio.error
    assert query is not None, "the loader wants one of the two"
    # Errors that never happened have no series, which is fine beside series that are there.
    any_there = any(scope.server.matches(scope.select(each), DAY) for each in query.selectors)
    lenient = ratio.error is not None and any_there
    _check_all(scope, query.selectors, Need.FAILURES if lenient else Need.SERIES)
    if ratio.weight is not None:
        _check_all(scope, ratio.weight.selectors)


def _check_all(scope: Scope, selectors: Sequence[Selector], need: Need = Need.SERIES) -> bool:
    found = [check_selector(scope, each, need) for each in dict.fromkeys(selectors)]
    return all(found)
