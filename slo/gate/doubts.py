"""Why the numbers of a reading may not be relied on: missing, incomplete, stale or too new."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from slo.evaluate import Evaluation
from slo.gate.findings import Change, Finding, Outcome
from slo.gate.numbers import instant, percent
from slo.gate.policy import GatePolicy
from slo.ports import Evidence, EvidenceStatus, NoData, NoDataReason, Reading
from slo.records import dataclass

STALE = "stale"
CLOCK_SKEW = "clock_skew"
PARTIAL = "partial"

_REMEDIES = {
    NoDataReason.SOURCE_FAILED: "see that the source answers: headroom doctor asks each of them",
    NoDataReason.LOST: "find out why the series ended: a target, its labels, or the rules",
    NoDataReason.NEVER: "check the indicator's queries with headroom validate --prometheus, or, "
    "before a first deploy, ask with --change-type first_deploy",
    NoDataReason.INCOMPLETE: "see that the rules of this specification are loaded and evaluated",
    NoDataReason.UNSUPPORTED: 'leave the SLO out of the rule: slos: ["*", "!NAME"]',
    STALE: "see that the rules are still evaluated: headroom doctor shows their age",
    CLOCK_SKEW: "set the clocks of this machine and of the source right",
    PARTIAL: "bring back the missing part, or take it out of the environment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why a reading does not count; ``outcome`` is ``error`` where a back end failed."""

    outcome: Outcome
    reason: str
    detail: str

    def finding(self, evaluation: Evaluation, known: Outcome | None) -> Finding:
        """The doubt as a finding; ``known`` is what the doubtful numbers would have said."""
        slo, reading = evaluation.key.slo, evaluation.reading
        wanted = "the source answers" if self.outcome is Outcome.ERROR else "there is such data"
        return Finding(
            outcome=self.outcome,
            slo=slo,
            message=f"{slo}: {self.detail}",
            reason=self.reason,
            known=known,
            remediation=_REMEDIES[self.reason],
            change=Change(text=f"{slo} can be judged once {wanted}", data={"reason": self.reason}),
            notes=notes(reading),
            evidence=tuple(_aged(each) for each in reading.evidence)
            if self.reason == STALE
            else reading.evidence,
        )


def missing(absent: NoData) -> Doubt:
    """The doubt that an absent number is; zero traffic is none and does not come here."""
    failed = absent.reason is NoDataReason.SOURCE_FAILED
    detail = f": {absent.detail}" if absent.detail else ""
    return Doubt(
        outcome=Outcome.ERROR if failed else Outcome.NO_DATA,
        reason=absent.reason,
        detail=f"{_title(absent.reason)}{detail}",
    )


def period_doubt(evaluation: Evaluation, policy: GatePolicy, at: datetime) -> Doubt | None:
    """Why the budget period's numbers do not count, or ``None`` when they do."""
    reading = evaluation.reading
    if isinstance(reading.period, NoData) and reading.period.reason is not (
        NoDataReason.ZERO_TRAFFIC
    ):
        return missing(reading.period)
    return reading_doubt(reading, policy, at) or _coverage_doubt(reading, policy)


def reading_doubt(reading: Reading, policy: GatePolicy, at: datetime) -> Doubt | None:
    """Why nothing in a reading counts: part of it is missing, or it is not of now."""
    if reading.partial:
        failed = any(each.status is EvidenceStatus.ERROR for each in reading.evidence)
        return Doubt(
            outcome=Outcome.ERROR if failed else Outcome.NO_DATA,
            reason=PARTIAL,
            detail=f"the numbers are without {', '.join(reading.partial)}",
        )
    if reading.observed_at is None:
        return Doubt(
            outcome=Outcome.NO_DATA,
            reason=STALE,
            detail="when the newest data was recorded is not known",
        )
    age, limit = at - reading.observed_at, policy.max_data_age
    newest = f"the newest data is of {instant(reading.observed_at)}"
    if age > limit.timedelta:
        detail = f"{newest}, which is over {limit} old"
        return Doubt(outcome=Outcome.NO_DATA, reason=STALE, detail=detail)
    if -age > limit.timedelta:
        detail = f"{newest}, which is yet to come"
        return Doubt(outcome=Outcome.NO_DATA, reason=CLOCK_SKEW, detail=detail)
    return None


def notes(reading: Reading) -> tuple[str, ...]:
    """What is worth knowing of a reading whatever it says."""
    found = [*reading.notes, *(f"warning of the source: {text}" for text in reading.warnings)]
    if reading.unproven:
        found.append("the query of bad events has never matched anything yet")
    if reading.revision is not None:
        since = instant(reading.revision.since)
        found.append(f"the objective or the indicator changed at {since}, inside the window")
    return tuple(found)


def _coverage_doubt(reading: Reading, policy: GatePolicy) -> Doubt | None:
    if policy.min_coverage <= 0:
        return None
    if reading.coverage is None:
        detail = "how much of the window was recorded is not known"
    elif reading.coverage < policy.min_coverage:
        detail = (
            f"{percent(reading.coverage)} of the window was recorded, "
            f"less than {percent(policy.min_coverage)}"
        )
    else:
        return None
    return Doubt(outcome=Outcome.NO_DATA, reason=NoDataReason.INCOMPLETE, detail=detail)


def _title(reason: NoDataReason) -> str:
    return {
        NoDataReason.SOURCE_FAILED: "a source failed",
        NoDataReason.LOST: "the data was lost",
        NoDataReason.NEVER: "there never was any data",
        NoDataReason.INCOMPLETE: "the data is incomplete",
        NoDataReason.UNSUPPORTED: "the source cannot compute this indicator",
        NoDataReason.ZERO_TRAFFIC: "there was no traffic",
    }[reason]


def _aged(evidence: Evidence) -> Evidence:
    usable = evidence.status is EvidenceStatus.OK
    return replace(evidence, status=EvidenceStatus.STALE) if usable else evidence
