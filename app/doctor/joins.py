"""How telemetry is joined to its applications, as checks; and whose series SLOs count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from app.access import OPEN
from app.doctor.model import Check, Outcome, fail, ok, skipped, warn
from app.live_checks.ownership import Ownership, ownership
from app.project import Project
from app.services.joins import Gap, JoinHealth, Share, health
from app.services.joins.model import RUNGS
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange
from slo.errors import HeadroomError, SourceError
from slo.records import dataclass

SELECTORS = "selectors"


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinReport:
    """The checks, and what they were made of; ``found`` is None where no source answered."""

    checks: tuple[Check, ...]
    found: Answered[JoinHealth] | None


def join_report(
    open_: Callable[[], World], project: Project, range_: TimeRange, at: datetime, app: str | None
) -> JoinReport:
    """Look at all sources of a project, for one application or for all.

    Raises ``UsageError`` for an application that is not there.
    """
    project.levels(app, None)
    found: Answered[JoinHealth] | None = None
    checks: list[Check] = []
    environ: Mapping[str, str] | None = None
    try:
        world = open_()
        environ = world.environ
        found = health(world, OPEN, range_, app)
    except HeadroomError as cause:
        checks.append(fail("sources", str(cause), _hint(cause, "headroom doctor")))
    else:
        checks += _checks(found)
    checks += _selectors(project, at, app, environ)
    return JoinReport(checks=tuple(checks), found=found)


def _checks(found: Answered[JoinHealth]) -> Iterator[Check]:
    for text in found.partial:
        yield fail("sources", text, "what follows is without it; headroom doctor looks for why")
    for share in found.value.shares:
        yield share_check(share)
    for gap in found.value.gaps:
        yield gap_check(gap)
    if not found.value.shares and not found.value.gaps:
        yield skipped("records", f"{found.source}: nothing was recorded in this range")


def share_check(share: Share) -> Check:
    """Tell how much of a signal is attributed, by rung."""
    name = f"{share.app or 'all apps'} {share.signal} ({share.source})"
    parts = [
        f"{percent(count, share.records)} by {RUNGS[rung]} ({rung})"
        for rung, count in share.rungs.items()
    ]
    whole = f"{percent(share.attributed, share.records)} of {share.records:,} {share.unit}"
    message = f"{whole} carry enough: {', '.join(parts) or 'none'}"
    if not share.lost:
        return ok(name, message)
    of = "belong to no app" if share.app is None else "are claimed by another app too"
    return warn(name, f"{message}; {share.lost:,} {of}", "the gaps below say what is missing")


def gap_check(gap: Gap) -> Check:
    """Tell what records lack, where they come from, and what would mend it."""
    name = f"{gap.signal} of {gap.place} ({gap.source})"
    count = f"{gap.records:,} {gap.unit} ({percent(gap.records, gap.whole)})"
    lack = f"lack {gap.missing}"
    if len(gap.claimants) > 1:
        lack = f"are claimed by {' and '.join(gap.claimants)}, so neither gets them"
    example = "" if gap.example is None else f"; for example: {gap.example}"
    files = ", ".join(gap.remedy.files)
    command = f"; {gap.remedy.command} writes {files}" if gap.remedy.command else ""
    outcome = Outcome.FAIL if len(gap.claimants) > 1 else Outcome.WARN
    return Check(
        name=name,
        outcome=outcome,
        message=f"{count} {lack}{example}",
        advice=f"{gap.remedy.todo}{command}",
    )


def percent(count: int, whole: int) -> str:
    """Return a share in percent, cut to hundredths: what is not all is never 100 %."""
    if not whole:
        return "none"
    hundredths = count * 10_000 // whole
    return (
        f"{hundredths // 100}.{hundredths % 100:02d} %"
        if hundredths % 100
        else (f"{hundredths // 100} %")
    )


def _selectors(
    project: Project, at: datetime, app: str | None, environ: Mapping[str, str] | None
) -> list[Check]:
    """Judge whose series SLOs count, where a Prometheus computes them."""
    if not project.workspace.prometheus:
        return [skipped(SELECTORS, "no Prometheus is configured whose series SLOs could select")]
    try:
        found = ownership(project, at, app=app, environ=environ)
    except SourceError as cause:
        return [fail(SELECTORS, f"{cause.source}: {cause}", _hint(cause, "headroom doctor"))]
    return list(_judged(found))


def _judged(found: Ownership) -> Iterator[Check]:
    for each in found.foreign:
        whose = ", ".join(f"{count} of {app}" for app, count in each.owners.items())
        yield fail(
            f"{each.key} ({each.place})",
            f"{each.selector} selects series of other apps: {whose}, of {each.total}",
            "narrow the selector to the app's own series, or declare the shared part as a share",
        )
    for problem in found.problems:
        place = "" if problem.span is None else f"{problem.span.location}: "
        advice = problem.hint or "give each app a selector of its own"
        yield warn(SELECTORS, f"{place}{problem.message} [{problem.id}]", advice)
    if not found.foreign and not found.problems:
        if found.asked:
            yield ok(SELECTORS, f"{found.asked} SLOs count no series of another app")
        else:
            yield skipped(SELECTORS, "no SLO is computed from series of a Prometheus")


def _hint(cause: HeadroomError, otherwise: str) -> str:
    return getattr(cause, "hint", None) or otherwise
