"""The decision as data: the shipped schema holds, and the record loses no digit."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from jsonschema import Draft202012Validator

from slo.evaluate import Evaluation
from slo.gate.decide import decide
from slo.gate.decision import AuditMark, Decision
from slo.gate.document import to_json, to_record
from slo.gate.policy import Mode
from slo.gate.subject import Actor, Artifact, ChangeType, Pipeline
from slo.ports import EvidenceStatus, NoDataReason, Share
from tests.unit.slo.gate.world import SCHEMA, counts, facts, judged, level, loaded, missing, policy

SPENT = judged(period=counts(1_000_000, 1120))
CASES = {
    "healthy": (judged(),),
    "spent": (SPENT,),
    "burning": (judged(rest=Share(ratio=Fraction(1, 3))),),
    "few": (judged(period=counts(12, 0)),),
    "idle": (judged(period=counts(0, 0), rest=counts(0, 0)),),
    "down": (judged(period=missing(NoDataReason.SOURCE_FAILED), status=EvidenceStatus.ERROR),),
    "never": (judged(period=missing(NoDataReason.NEVER)),),
    "stale": (judged(age=timedelta(days=1)),),
    "skewed": (judged(age=-timedelta(days=1)),),
    "partial": (judged(partial=("us",)),),
    "nothing": (),
    "several": (SPENT, judged(level("latency"), missing(NoDataReason.LOST))),
}


def validator() -> Draft202012Validator:
    """Return a validator of decisions."""
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def decision(*evaluations: Evaluation) -> Decision:
    """Return the built-in policy's decision."""
    return decide(facts(*evaluations), policy())


@pytest.mark.parametrize("kind", ChangeType)
@pytest.mark.parametrize("evaluations", CASES.values(), ids=CASES)
def test_every_decision_fits_the_shipped_schema(
    evaluations: tuple[Evaluation, ...], kind: ChangeType
) -> None:
    asked = facts(*evaluations, change_type=kind, ticket="OPS-1")
    for mode in Mode:
        found = decide(asked, policy(mode=mode))
        validator().validate(to_json(found))
        sealed = AuditMark(seq=1, prev="sha256:" + "0" * 64, hash="sha256:" + "a" * 64)
        validator().validate(to_json(replace(found, audit=sealed)))


def test_a_freeze_fits_the_schema() -> None:
    window = "{from: 2026-11-20, to: 2026-11-30, timezone: UTC}"
    gate = loaded(f"  rules: [{{id: f, type: freeze_window, windows: [{window}]}}]\n")
    document = to_json(decide(facts(), gate))
    validator().validate(document)
    assert "deny" == document["decision"]


def test_the_schema_refuses_what_is_no_decision() -> None:
    document = to_json(decision(judged()))
    for wrong in (
        {**document, "decision": "maybe"},
        {**document, "extra": 1},
        {key: value for key, value in document.items() if key != "allowed"},
    ):
        assert not validator().is_valid(wrong)


def test_the_subject_is_told_in_full() -> None:
    asked = facts(judged())
    subject = replace(
        asked.subject,
        artifact=Artifact(image="registry.example.com/ticketing", digest="sha256:1"),
        commit="abc",
        actor=Actor(id="ci", issuer="https://ci.example.com"),
        pipeline=Pipeline(system="github", run_url="https://ci.example.com/1"),
    )
    document = to_json(decide(replace(asked, subject=subject), policy()))
    validator().validate(document)
    assert {
        "app": "ticketing",
        "environment": "prod",
        "team": "bookings",
        "artifact": {"image": "registry.example.com/ticketing", "digest": "sha256:1"},
        "commit": "abc",
        "changeType": "deploy",
        "ticket": None,
        "reason": None,
        "pipeline": {"system": "github", "runUrl": "https://ci.example.com/1"},
        "actor": {"id": "ci", "issuer": "https://ci.example.com"},
    } == document["subject"]


def test_numbers_are_numbers_for_programs_and_exact_texts_on_record() -> None:
    shown, kept = to_json(decision(SPENT)), to_record(decision(SPENT))
    rules = (shown["rules"], kept["rules"])
    first = [found[0] for found in rules if isinstance(found, list)]
    assert [-0.12, "-0.12"] == [rule["observed"] for rule in first if isinstance(rule, dict)]
    assert not _floats(kept)


def _floats(data: object) -> list[float]:
    if isinstance(data, dict):
        return [number for value in data.values() for number in _floats(value)]
    if isinstance(data, list):
        return [number for value in data for number in _floats(value)]
    return [data] if isinstance(data, float) else []


def test_the_same_facts_give_the_same_document() -> None:
    evaluations = CASES["several"]
    ordered, reverse = decision(*evaluations), decision(*reversed(evaluations))
    assert to_json(ordered) == to_json(decision(*evaluations))
    assert ordered.effect is reverse.effect
    assert to_json(ordered)["rules"] == to_json(reverse)["rules"]
