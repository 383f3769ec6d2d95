"""Policy files to policies, with every problem on the way."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from slo.gate.policy import (
    BUILT_IN,
    Exemptions,
    FirstDeployExemption,
    GatePolicy,
    Match,
    Mode,
    OnMissingData,
    ReliabilityFixExemption,
    RollbackExemption,
    Rule,
)
from slo.gate.rules import RULES
from slo.gate.shapes import GATE_POLICY
from slo.loader.documents import HeadroomDocument, SourceFile, headroom_documents
from slo.nodes import Node
from slo.printable import quote
from slo.problems import Problem, error, in_order
from slo.shape import UNREADABLE, Fields
from slo.suggest import did_you_mean
from slo.units import Duration

__all__ = ["GATE_POLICY", "KIND", "load_policies", "policies_of"]

KIND = "GatePolicy"
"""The kind of the documents that are policies."""


def load_policies(
    files: Sequence[SourceFile],
) -> tuple[tuple[GatePolicy, ...], tuple[Problem, ...]]:
    """Return the policies of the files that are whole, sorted by name, and every problem.

    Documents of other tools and of Headroom's other kinds are passed over.
    """
    problems: list[Problem] = []
    policies, unsound = policies_of(headroom_documents(files, problems))
    return policies, in_order([*problems, *unsound])


def policies_of(
    documents: Sequence[HeadroomDocument],
) -> tuple[tuple[GatePolicy, ...], tuple[Problem, ...]]:
    """Return the policies among documents that are parsed already; else as ``load_policies``."""
    problems: list[Problem] = []
    policies: dict[str, GatePolicy] = {}
    for document in documents:
        policy = _policy(document.root, problems) if document.kind == KIND else None
        if policy is None:
            continue
        first = policies.setdefault(policy.name, policy)
        if first is not policy:
            problems.append(_duplicate(first, policy))
    ordered = sorted(policies.values(), key=lambda policy: policy.name)
    return tuple(ordered), in_order(problems)


def _policy(root: Node, problems: list[Problem]) -> GatePolicy | None:
    before = len(problems)
    record = GATE_POLICY.read(root, problems)
    if record is UNREADABLE:
        return None
    metadata, spec = record.get("metadata", Fields), record.get("spec", Fields)
    if metadata is None or spec is None:
        return None
    name = metadata.get("name", str)
    if name == BUILT_IN:
        message = f'"{BUILT_IN}" is the name of the policy that Headroom brings'
        problems.append(error("policy/duplicate-name", message, metadata.span("name")))
    rules = _rules(spec, problems)
    _check_rule_ids(spec, problems)
    if len(problems) > before or name is None:
        return None
    return GatePolicy(
        name=name,
        rules=rules,
        match=_match(spec.get("match", Fields)),
        mode=Mode(spec.need("mode", str)),
        on_missing_data=OnMissingData(spec.need("onMissingData", str)),
        max_data_age=spec.need("maxDataAge", Duration),
        evaluation_timeout=spec.need("evaluationTimeout", Duration),
        min_coverage=Fraction(spec.need("minCoverage", Decimal)),
        exempt=_exempt(spec.get("exempt", Fields)),
        exempt_never=spec.each("exemptNever", str),
        span=metadata.span("name"),
    )


def _rules(spec: Fields, problems: list[Problem]) -> tuple[Rule, ...]:
    found = [
        RULES[fields.need("type", str)].build(fields, problems)
        for fields in spec.each("rules", Fields)
        if fields.complete
    ]
    return tuple(rule for rule in found if rule is not None)


def _check_rule_ids(spec: Fields, problems: list[Problem]) -> None:
    """Report ids in exemptions that no rule of the policy has."""
    records = spec.each("rules", Fields)
    known = {fields.get("id", str) for fields in records}
    if None in known or not all(fields.complete for fields in records):
        return
    names = [name for name in known if name is not None]
    exempt = spec.get("exempt", Fields)
    holders = [] if exempt is None else [exempt.get(key, Fields) for key in exempt]
    listed = [*spec.items("exemptNever", str)]
    listed += [item for holder in holders if holder for item in holder.items("rules", str)]
    for item in listed:
        if item.value not in known:
            meant = did_you_mean(item.value, names)
            message = f"the policy has no rule {quote(item.value)}{meant}"
            problems.append(error("policy/unknown-rule", message, item.span))


def _match(fields: Fields | None) -> Match:
    if fields is None:
        return Match()
    return Match(
        environments=fields.each("environments", str),
        apps=fields.each("apps", str),
        teams=fields.each("teams", str),
        labels=fields.mapping("labels", str),
    )


def _exempt(fields: Fields | None) -> Exemptions:
    if fields is None:
        return Exemptions()
    rollback, fix = fields.get("rollback", Fields), fields.get("reliability_fix", Fields)
    return Exemptions(
        rollback=None
        if rollback is None
        else RollbackExemption(
            max_age=rollback.need("maxAge", Duration), rules=rollback.each("rules", str) or None
        ),
        reliability_fix=None
        if fix is None
        else ReliabilityFixExemption(
            approvers=fix.each("approvers", str), rules=fix.each("rules", str) or None
        ),
        first_deploy=FirstDeployExemption() if "first_deploy" in fields else None,
    )


def _duplicate(first: GatePolicy, second: GatePolicy) -> Problem:
    related = () if first.span is None else ((first.span, "first defined here"),)
    message = f"the policy {quote(first.name)} is defined twice"
    return error("policy/duplicate-name", message, second.span, related=related)
