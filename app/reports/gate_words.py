"""What the reports of a decision have in common: its words, and who may say otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from slo.gate.decision import Decision
from slo.gate.findings import Effect, Finding, Outcome
from slo.gate.policy import BUILT_IN
from slo.gate.subject import ChangeType
from slo.model import Contacts
from slo.ports import NoDataReason

VERDICTS = {
    Effect.ALLOW: "ALLOW",
    Effect.WARN: "WARN",
    Effect.INDETERMINATE: "INDETERMINATE",
    Effect.DENY: "DENY",
}

SIGNS = {
    Outcome.PASS: "ok",
    Outcome.INSUFFICIENT_DATA: "few",
    Outcome.SKIPPED: "skip",
    Outcome.WARN: "warn",
    Outcome.EXEMPT: "exempt",
    Outcome.NO_DATA: "no data",
    Outcome.ERROR: "error",
    Outcome.FAIL: "FAIL",
}
"""A word for each outcome, so that colour is never needed to tell them apart."""

_WAYS = {
    ChangeType.ROLLBACK: "a rollback to what ran before: --change-type rollback",
    ChangeType.RELIABILITY_FIX: (
        "a change that mends, with a ticket: --change-type reliability_fix --ticket T"
    ),
    ChangeType.FIRST_DEPLOY: "a first deploy, before there is data: --change-type first_deploy",
}


def speaking(decision: Decision) -> Iterator[Finding]:
    """The findings that speak against the change, worst first within each rule."""
    for result in decision.rules:
        for found in result.findings:
            if found.effect is not Effect.ALLOW:
                yield found


def remedies(decision: Decision) -> tuple[str, ...]:
    """What to do, each piece of advice once."""
    advice = [found.remediation for found in speaking(decision) if found.remediation]
    return tuple(dict.fromkeys(advice))


def ways_out(decision: Decision, contacts: Contacts | None) -> tuple[str, ...]:
    """Who can say so, and which changes the policy lets through all the same."""
    if decision.effect is Effect.ALLOW:
        return ()
    never = all(found.reason == NoDataReason.NEVER for found in speaking(decision))
    ways = [
        _WAYS[kind]
        for kind in decision.exemptions
        # Nobody is sent on a way that is bound to be refused.
        if kind is not decision.subject.change_type
        and (never or kind is not ChangeType.FIRST_DEPLOY)
    ]
    if decision.approvers:
        ways.append(f"who can vouch for a reliability fix: {', '.join(decision.approvers)}")
    return (*ways, *_people(contacts))


def origin(decision: Decision) -> str:
    """Which policy decided, and how bindingly."""
    name = decision.policy.name
    whose = "the built-in policy (no other one applies)" if name == BUILT_IN else f"policy {name}"
    mode = "" if decision.policy.mode == "enforce" else f", mode {decision.policy.mode}"
    return f"{whose}{mode}"


def _people(contacts: Contacts | None) -> Iterator[str]:
    if contacts is None:
        return
    for what, name in (
        ("on call", contacts.page),
        ("chat", contacts.chat),
        ("mail", contacts.email),
    ):
        if name:
            yield f"{what}: {name}"
