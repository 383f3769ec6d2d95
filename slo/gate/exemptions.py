"""Changes that a policy excuses: rollbacks, reliability fixes and first deploys, by proof.

Only rules that read data are excused, unless the policy lists others, and never those it names
under ``exemptNever``. A claim whose proof fails is a failure of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slo.evaluate import Evaluation
from slo.gate.decision import RuleResult
from slo.gate.facts import Facts
from slo.gate.findings import Change, Effect, Finding, Outcome
from slo.gate.policy import GatePolicy, Mode, Rule
from slo.gate.subject import ChangeType
from slo.ports import EvidenceStatus, NoData, NoDataReason
from slo.records import dataclass

TYPE = "exemption"

_BLOCKING = frozenset({Effect.INDETERMINATE, Effect.DENY})

_NAMES = {
    ChangeType.ROLLBACK: "a rollback",
    ChangeType.RELIABILITY_FIX: "a reliability fix",
    ChangeType.FIRST_DEPLOY: "a first deploy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """The outcome of looking at a claim, and which rules it excuses if it holds."""

    outcome: Outcome
    message: str
    rules: tuple[str, ...] | None = None
    remediation: str | None = None
    only_missing: bool = False


def excuse(
    results: Sequence[RuleResult], facts: Facts, policy: GatePolicy
) -> tuple[RuleResult, ...]:
    """The results with what the change type excuses, and a result for the claim itself."""
    kind = facts.subject.change_type
    if kind is ChangeType.DEPLOY:
        return tuple(results)
    if kind not in policy.exempt.change_types:
        message = f"the policy does not excuse {_NAMES[kind]}: judged like any deploy"
        claim = _Claim(outcome=Outcome.SKIPPED, message=message)
        return (*results, _result(kind, claim, policy))
    claim = _claim(facts, policy)
    if claim.outcome is not Outcome.EXEMPT:
        return (*results, _result(kind, claim, policy))
    rules = {rule.id: rule for rule in policy.rules}
    excused = tuple(
        _excused(result, kind) if _is_excused(result, rules[result.id], claim, policy) else result
        for result in results
    )
    if excused == tuple(results):
        claim = replace(claim, outcome=Outcome.SKIPPED, message="there is nothing to excuse")
    return (*excused, _result(kind, claim, policy))


def _claim(facts: Facts, policy: GatePolicy) -> _Claim:
    match facts.subject.change_type:
        case ChangeType.ROLLBACK:
            return _rollback(policy)
        case ChangeType.RELIABILITY_FIX:
            return _reliability_fix(facts, policy)
        case _:
            return _first_deploy(facts, policy)


def _rollback(policy: GatePolicy) -> _Claim:
    assert policy.exempt.rollback is not None
    return _Claim(
        outcome=Outcome.EXEMPT,
        message="a rollback, on the word of who asks: deployed digests are not recorded yet",
        rules=policy.exempt.rollback.rules,
    )


def _reliability_fix(facts: Facts, policy: GatePolicy) -> _Claim:
    exemption, ticket = policy.exempt.reliability_fix, facts.subject.ticket
    assert exemption is not None
    if not (ticket or "").strip():
        return _Claim(
            outcome=Outcome.FAIL,
            message="a reliability fix needs a ticket",
            remediation="name it with --ticket",
        )
    return _Claim(
        outcome=Outcome.EXEMPT,
        message=f"a reliability fix by ticket {ticket}",
        rules=exemption.rules,
    )


def _first_deploy(facts: Facts, policy: GatePolicy) -> _Claim:
    if facts.known_before:
        return _Claim(
            outcome=Outcome.FAIL,
            message="this is no first deploy: an earlier one was let through here",
            remediation="ask as --change-type deploy, or mend with reliability_fix and a ticket",
        )
    seen = [(e.key.slo, e.reading.period) for e in facts.evaluations if not _never(e, policy)]
    data = [slo for slo, period in seen if _had_data(period)]
    if data:
        return _Claim(
            outcome=Outcome.FAIL,
            message=f"this is no first deploy: {', '.join(data)} had data before",
            remediation="ask as --change-type deploy",
        )
    unknown = [slo for slo, _ in seen]
    if unknown or facts.known_before is None:
        what = ", ".join(unknown) or "the audit log"
        return _Claim(
            outcome=Outcome.ERROR if _failed(facts.evaluations) else Outcome.NO_DATA,
            message=f"whether this is a first deploy cannot be told without {what}",
        )
    return _Claim(
        outcome=Outcome.EXEMPT,
        message="a first deploy: no SLO here ever had data, and none was let through before",
        only_missing=True,
    )


def _never(evaluation: Evaluation, policy: GatePolicy) -> bool:
    """Whether an SLO is known never to have had data, or is none that the policy asks about."""
    period = evaluation.reading.period
    if not isinstance(period, NoData) or evaluation.reading.partial:
        return False
    if period.reason is NoDataReason.UNSUPPORTED:
        return not any(rule.covers(evaluation.key.slo) for rule in policy.rules)
    failed = any(each.status is EvidenceStatus.ERROR for each in evaluation.reading.evidence)
    return period.reason is NoDataReason.NEVER and not failed


def _had_data(period: object) -> bool:
    unknown = {NoDataReason.NEVER, NoDataReason.SOURCE_FAILED, NoDataReason.UNSUPPORTED}
    return not (isinstance(period, NoData) and period.reason in unknown)


def _failed(evaluations: Sequence[Evaluation]) -> bool:
    return any(
        each.status is EvidenceStatus.ERROR
        for evaluation in evaluations
        for each in evaluation.reading.evidence
    ) or any(
        isinstance(evaluation.reading.period, NoData)
        and evaluation.reading.period.reason is NoDataReason.SOURCE_FAILED
        for evaluation in evaluations
    )


def _is_excused(result: RuleResult, rule: Rule, claim: _Claim, policy: GatePolicy) -> bool:
    if result.effect not in _BLOCKING or rule.id in policy.exempt_never:
        return False
    if claim.only_missing:
        blocking = [found for found in result.findings if found.effect in _BLOCKING]
        return all(found.reason == NoDataReason.NEVER for found in blocking)
    return rule.reads_data if claim.rules is None else rule.id in claim.rules


def _excused(result: RuleResult, kind: ChangeType) -> RuleResult:
    return replace(
        result,
        outcome=Outcome.EXEMPT,
        effect=Effect.WARN,
        message=f"excused for {_NAMES[kind]}: {result.message}",
    )


def _result(kind: ChangeType, claim: _Claim, policy: GatePolicy) -> RuleResult:
    effect = {
        Outcome.EXEMPT: Effect.WARN,
        Outcome.FAIL: Effect.WARN if policy.mode is Mode.WARN else Effect.DENY,
        Outcome.NO_DATA: Effect.INDETERMINATE,
        Outcome.ERROR: Effect.INDETERMINATE,
    }.get(claim.outcome, Effect.ALLOW)
    refused = claim.outcome is Outcome.FAIL
    finding = Finding(
        outcome=claim.outcome,
        effect=effect,
        message=claim.message,
        remediation=claim.remediation,
        change=Change(text=f"{claim.remediation}") if refused and claim.remediation else None,
    )
    return RuleResult(
        # No rule of a policy can have a colon in its id.
        id=f"exempt:{kind}",
        type=TYPE,
        outcome=claim.outcome,
        effect=effect,
        message=claim.message,
        findings=(finding,),
    )
