"""The decision itself: every rule judged, each finding's effect, the worst of them the answer.

Precedence is deny, indeterminate, warn, allow. More errors, older data and less coverage never
turn a decision towards allow: numbers that may not be relied on still count against a deploy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from slo.gate.decision import Decision, PolicyMark, RuleResult, TurningPoint
from slo.gate.exemptions import excuse
from slo.gate.facts import Facts
from slo.gate.findings import Change, Effect, Finding, Outcome, worst
from slo.gate.numbers import counted
from slo.gate.policy import GatePolicy, Mode, OnMissingData, Rule

_SOFTENED = {
    OnMissingData.DENY: Effect.INDETERMINATE,
    OnMissingData.WARN: Effect.WARN,
    OnMissingData.ALLOW: Effect.ALLOW,
}


def decide(facts: Facts, policy: GatePolicy) -> Decision:
    """The decision on a change. Pure: the same facts and policy give the same decision."""
    judged = [_result(rule, facts, policy) for rule in policy.rules]
    results = excuse(_with_something_judged(judged, facts, policy), facts, policy)
    effect = worst(*(result.effect for result in results))
    enforced = policy.mode is not Mode.OBSERVE
    reliability = policy.exempt.reliability_fix
    return Decision(
        id=facts.id,
        effect=effect,
        allowed=not enforced or effect in {Effect.ALLOW, Effect.WARN},
        enforced=enforced,
        summary=_summary(effect, results, facts, enforced=enforced),
        evaluated_at=facts.at,
        expires_at=_expiry(facts.at, policy),
        subject=facts.subject,
        policy=PolicyMark(name=policy.name, digest=policy.digest, mode=policy.mode),
        catalog_revision=facts.catalog_revision,
        rules=results,
        counterfactual=_turning_points(results),
        notes=_unjudged(facts, policy),
        exemptions=policy.exempt.change_types,
        approvers=() if reliability is None else reliability.approvers,
    )


def _result(rule: Rule, facts: Facts, policy: GatePolicy) -> RuleResult:
    found = rule.judge(facts, policy)
    if not found:
        message = "none of the SLOs here is one that this rule covers"
        found = (Finding(outcome=Outcome.SKIPPED, message=message),)
    weighed = [replace(each, effect=_effect(each, rule, policy)) for each in found]
    weighed.sort(key=lambda each: (-each.effect.rank, -each.outcome.rank, each.slo or ""))
    first = weighed[0]
    return RuleResult(
        id=rule.id,
        type=rule.type,
        outcome=first.outcome,
        effect=first.effect,
        message=_message(weighed),
        findings=tuple(weighed),
    )


def _message(findings: Sequence[Finding]) -> str:
    """Return the deciding finding's message, and how many others are as bad."""
    first, *others = findings
    also = sum(each.effect is first.effect for each in others)
    if not also:
        return first.message
    if first.effect is Effect.ALLOW:
        return f"{first.message} (and {also} more)"
    return f"{first.message} (and {also} more like it)"


def _effect(finding: Finding, rule: Rule, policy: GatePolicy) -> Effect:
    """Return what a finding amounts to under a policy."""
    only_warns = rule.only_warns or policy.mode is Mode.WARN
    failing = Effect.WARN if only_warns else Effect.DENY
    match finding.outcome:
        case Outcome.ERROR:
            return Effect.INDETERMINATE
        case Outcome.NO_DATA:
            return _missing(finding, rule, policy, failing)
        case Outcome.FAIL:
            return failing
        case Outcome.WARN:
            return Effect.WARN
        case _:
            return Effect.ALLOW


def _missing(finding: Finding, rule: Rule, policy: GatePolicy, failing: Effect) -> Effect:
    """Return what missing data amounts to, never less than what is known in spite of it."""
    if finding.firm:
        return Effect.INDETERMINATE
    effect = _SOFTENED[policy.on_missing_data]
    if rule.only_warns and effect is Effect.INDETERMINATE:
        effect = Effect.WARN
    if finding.known is Outcome.FAIL:
        return worst(effect, Effect.WARN if failing is Effect.WARN else Effect.INDETERMINATE)
    return worst(effect, Effect.WARN) if finding.known is Outcome.WARN else effect


def _with_something_judged(
    results: list[RuleResult], facts: Facts, policy: GatePolicy
) -> list[RuleResult]:
    """Return the results, indeterminate where rules that read data found nothing to judge."""
    readers = {rule.id for rule in policy.rules if rule.reads_data}
    idle = {r.id for r in results if r.id in readers and r.outcome is Outcome.SKIPPED}
    if not readers or len(idle) < len(readers):
        return results
    subject = facts.subject
    where = f"{subject.app} in {subject.environment}"
    why = "no rule of the policy covers an SLO of" if facts.evaluations else "there is no SLO for"
    finding = Finding(
        outcome=Outcome.NO_DATA,
        effect=Effect.INDETERMINATE,
        firm=True,
        reason="nothing_to_judge",
        message=f"nothing to judge: {why} {where}",
        remediation="give the application an SLO there, or a policy whose rules cover its SLOs",
        change=Change(text="an SLO that a rule covers", data={"reason": "nothing_to_judge"}),
    )
    return [_replaced(result, finding) if result.id in idle else result for result in results]


def _replaced(result: RuleResult, finding: Finding) -> RuleResult:
    return RuleResult(
        id=result.id,
        type=result.type,
        outcome=finding.outcome,
        effect=finding.effect,
        message=finding.message,
        findings=(finding, *result.findings),
    )


def _summary(effect: Effect, results: Sequence[RuleResult], facts: Facts, *, enforced: bool) -> str:
    app, environment = facts.subject.app, facts.subject.environment
    deciding = [result for result in results if result.effect is effect]
    opening = {
        Effect.ALLOW: f"{app} may ship to {environment}",
        Effect.WARN: f"{app} may ship to {environment}, with a warning",
        Effect.INDETERMINATE: f"it cannot be told whether {app} may ship to {environment}",
        Effect.DENY: f"{app} may not ship to {environment}",
    }[effect]
    if effect is Effect.ALLOW:
        reason = f"nothing in {counted(len(results), 'rule')} speaks against it"
    else:
        messages = list(dict.fromkeys(result.message for result in deciding))
        others = f" (and {counted(len(messages) - 1, 'more reason')})" if messages[1:] else ""
        reason = f"{messages[0]}{others}"
    observed = "" if enforced else "only observed: "
    return f"{observed}{opening}: {reason}"


def _expiry(at: datetime, policy: GatePolicy) -> datetime:
    """Return until when an answer holds: its data's greatest age, or a freeze's turn."""
    turns = [rule.next_turn(at) for rule in policy.rules]
    known = [turn for turn in turns if turn is not None]
    return min([at + policy.max_data_age.timedelta, *known])


def _turning_points(results: Sequence[RuleResult]) -> tuple[TurningPoint, ...]:
    return tuple(
        TurningPoint(rule=result.id, slo=found.slo, change=found.change)
        for result in results
        if result.effect is not Effect.ALLOW
        for found in result.findings
        if found.change is not None and found.effect is not Effect.ALLOW
    )


def _unjudged(facts: Facts, policy: GatePolicy) -> tuple[str, ...]:
    names = [
        evaluation.key.slo
        for evaluation in facts.evaluations
        if not any(rule.covers(evaluation.key.slo) for rule in policy.rules)
    ]
    readers = any(rule.reads_data for rule in policy.rules)
    return (f"no rule covers {', '.join(names)}",) if names and readers else ()
