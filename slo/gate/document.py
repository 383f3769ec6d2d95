"""A decision as JSON data: for programs with numbers, for the record with exact texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from slo.gate.decision import SCHEMA, AuditMark, Decision, RuleResult
from slo.gate.findings import Datum, Finding
from slo.gate.numbers import instant
from slo.gate.subject import Actor, Artifact, Pipeline, Subject
from slo.numerals import decimal_text
from slo.ports import Evidence

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
"""Data as JSON knows it."""

_Number = Callable[[Fraction], Json]


def to_json(decision: Decision) -> dict[str, Json]:
    """The decision as `headroom/decision/v1`: nested, camelCase, absent parts null.

    Numbers are floats, for showing and charting. What was compared are exact numbers, which the
    record holds (`to_record`).
    """
    return {**_document(decision, float), "audit": _audit(decision.audit)}


def to_record(decision: Decision) -> dict[str, Json]:
    """The decision as the audit log keeps it: the same without `audit`, numbers as decimal texts.

    A number whose decimals do not end has 40 significant digits.
    """
    return _document(decision, decimal_text)


def _document(decision: Decision, number: _Number) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "id": decision.id,
        "decision": decision.effect.value,
        "allowed": decision.allowed,
        "enforced": decision.enforced,
        "summary": decision.summary,
        "evaluatedAt": instant(decision.evaluated_at),
        "expiresAt": instant(decision.expires_at),
        "subject": _subject(decision.subject),
        "policy": {
            "name": decision.policy.name,
            "digest": decision.policy.digest,
            "mode": decision.policy.mode.value,
        },
        "catalogRevision": decision.catalog_revision,
        "rules": [_rule(result, number) for result in decision.rules],
        "counterfactual": _counterfactual(decision, number),
        "notes": list(decision.notes),
        "exemptions": [kind.value for kind in decision.exemptions],
        "approvers": list(decision.approvers),
        "override": None,
    }


def _subject(subject: Subject) -> dict[str, Json]:
    return {
        "app": subject.app,
        "environment": subject.environment,
        "team": subject.team or None,
        "artifact": _artifact(subject.artifact),
        "commit": subject.commit,
        "changeType": subject.change_type.value,
        "ticket": subject.ticket,
        "reason": subject.reason,
        "pipeline": _pipeline(subject.pipeline),
        "actor": _actor(subject.actor),
    }


def _artifact(artifact: Artifact | None) -> Json:
    return None if artifact is None else {"image": artifact.image, "digest": artifact.digest}


def _pipeline(pipeline: Pipeline | None) -> Json:
    return None if pipeline is None else {"system": pipeline.system, "runUrl": pipeline.run_url}


def _actor(actor: Actor | None) -> Json:
    return None if actor is None else {"id": actor.id, "issuer": actor.issuer}


def _rule(result: RuleResult, number: _Number) -> dict[str, Json]:
    deciding = result.deciding
    return {
        "id": result.id,
        "type": result.type,
        "outcome": result.outcome.value,
        "effect": result.effect.value,
        "slo": deciding.slo,
        "observed": _maybe(deciding.observed, number),
        "threshold": _maybe(deciding.threshold, number),
        "unit": deciding.unit,
        "message": result.message,
        "remediation": deciding.remediation,
        "findings": [_finding(each, number) for each in result.findings],
        "evidence": [_evidence(each) for each in result.evidence],
    }


def _finding(finding: Finding, number: _Number) -> dict[str, Json]:
    return {
        "slo": finding.slo,
        "outcome": finding.outcome.value,
        "effect": finding.effect.value,
        "observed": _maybe(finding.observed, number),
        "threshold": _maybe(finding.threshold, number),
        "unit": finding.unit,
        "reason": finding.reason,
        "message": finding.message,
        "notes": list(finding.notes),
        "data": _data(finding.data, number),
    }


def _evidence(evidence: Evidence) -> dict[str, Json]:
    seen = evidence.observed_at
    return {
        "source": evidence.source,
        "query": evidence.query,
        "from": instant(evidence.start),
        "to": instant(evidence.end),
        "observedAt": None if seen is None else instant(seen),
        "status": evidence.status.value,
        "sha256": evidence.sha256,
        "detail": evidence.detail or None,
    }


def _counterfactual(decision: Decision, number: _Number) -> Json:
    if not decision.counterfactual:
        return None
    return {
        "text": "; ".join(decision.turns),
        "changes": [
            {
                "rule": point.rule,
                "slo": point.slo,
                "text": point.change.text,
                "data": _data(point.change.data, number),
            }
            for point in decision.counterfactual
        ],
    }


def _data(data: Mapping[str, Datum], number: _Number) -> dict[str, Json]:
    return {
        key: number(value) if isinstance(value, Fraction) else value for key, value in data.items()
    }


def _maybe(value: Fraction | None, number: _Number) -> Json:
    return None if value is None else number(value)


def _audit(mark: AuditMark | None) -> Json:
    return None if mark is None else {"seq": mark.seq, "prev": mark.prev, "hash": mark.hash}
