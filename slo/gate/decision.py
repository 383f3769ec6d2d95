"""The decision model: every rule's result, what they amount to, and what would turn that."""

from __future__ import annotations

from datetime import datetime

from slo.gate.findings import Change, Effect, Finding, Outcome
from slo.gate.policy import Mode
from slo.gate.subject import ChangeType, Subject
from slo.ports import Evidence
from slo.records import dataclass

SCHEMA = "headroom/decision/v1"
"""The name and version of a decision's form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """One rule's part in a decision: its findings, the first of them the one that counts.

    ``outcome`` and ``effect`` differ from that finding's only where the rule was excused.
    """

    id: str
    type: str
    outcome: Outcome
    effect: Effect
    message: str
    findings: tuple[Finding, ...]

    @property
    def deciding(self) -> Finding:
        """The worst finding."""
        return self.findings[0]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The evidence of all findings, each piece once."""
        return tuple(dict.fromkeys(each for found in self.findings for each in found.evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyMark:
    """The policy that decided."""

    name: str
    digest: str
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class TurningPoint:
    """What would turn one rule's finding."""

    rule: str
    slo: str | None
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMark:
    """A record's place in the audit log and in its chain of hashes."""

    seq: int
    prev: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer to whether a change may ship.

    ``effect`` is the decision proper; ``allowed`` is what a pipeline obeys, which in observe mode
    (``enforced`` false) is always true. ``exemptions`` and ``approvers`` are the ways out that the
    policy knows.
    """

    id: str
    effect: Effect
    allowed: bool
    enforced: bool
    summary: str
    evaluated_at: datetime
    expires_at: datetime
    subject: Subject
    policy: PolicyMark
    catalog_revision: str | None
    rules: tuple[RuleResult, ...]
    counterfactual: tuple[TurningPoint, ...]
    notes: tuple[str, ...] = ()
    exemptions: tuple[ChangeType, ...] = ()
    approvers: tuple[str, ...] = ()
    audit: AuditMark | None = None

    @property
    def turns(self) -> tuple[str, ...]:
        """What would turn it, in sentences, each once."""
        return tuple(dict.fromkeys(point.change.text for point in self.counterfactual))


def exit_code(decision: Decision, *, strict: bool = False) -> int:
    """The exit code of ``headroom gate``: 0, 10 deny, 13 failed back end, 12 no data, 11 warn."""
    if not decision.enforced:
        return 0
    match decision.effect:
        case Effect.DENY:
            return 10
        case Effect.INDETERMINATE:
            return 13 if back_end_failed(decision) else 12
        case Effect.WARN:
            return 11 if strict else 0
        case Effect.ALLOW:
            return 0


def back_end_failed(decision: Decision) -> bool:
    """Whether something that matters could not be found out because a back end failed."""
    return any(
        found.outcome is Outcome.ERROR
        for result in decision.rules
        if result.effect is Effect.INDETERMINATE
        for found in result.findings
    )
