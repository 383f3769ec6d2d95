"""Which window pairs an SLO can use, and what to say of the others."""

from collections.abc import Sequence

from slo.loader.intake import Intake
from slo.loader.slos import DraftSlo
from slo.model import AlertSeverity, App, ServiceLevel
from slo.problems import Problem, Severity, warning
from slo.windows import UsablePairs, usable_pairs


def check_pairs(app: App, drafts: Sequence[DraftSlo], intake: Intake) -> None:
    """Report the pairs of every service level that cannot be used.

    One that the SLO brings along is an error; one of the catalogue is left out with a note.
    """
    by_name = {draft.slo.name: draft for draft in drafts}
    for level in app.levels():
        usable = usable_pairs(level, intake.defaults.catalogue)
        own = by_name[level.slo.name].pairs
        where = f" in {level.environment.name}" if len(app.environments) > 1 else ""
        spans = () if own is None else tuple(pair.span for pair in own)
        for dropped in usable.dropped:
            if spans:
                # Both lists stand in the order of the file.
                assert level.slo.pairs is not None
                place = spans[level.slo.pairs.index(dropped.pair)]
                intake.error("spec/bad-pair", f"{dropped.reason}{where}", place)
            else:
                intake.problems.append(_note(level, f"{dropped.reason}{where}"))
        if own is None:
            intake.problems.extend(_silent(level, usable, where))


def _note(level: ServiceLevel, reason: str) -> Problem:
    return Problem(
        id="spec/dropped-pair",
        severity=Severity.NOTE,
        message=f"SLO {level.slo.name} does without a pair of the catalogue: {reason}",
        span=level.slo.span,
    )


def _silent(level: ServiceLevel, usable: UsablePairs, where: str) -> list[Problem]:
    if usable.pairs or not _wants_alerts(level):
        return []
    message = f"no window pair is left for SLO {level.slo.name}{where}, so its burn alerts nobody"
    hint = "write pairs that fit it, under alerts: windows"
    return [warning("spec/no-burn-alert", message, level.slo.span, hint=hint)]


def _wants_alerts(level: ServiceLevel) -> bool:
    alerts = level.slo.alerts
    guards = {AlertSeverity.PAGE: alerts.page, AlertSeverity.TICKET: alerts.ticket}
    return any(guard.enabled for guard in guards.values())
