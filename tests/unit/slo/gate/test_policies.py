"""Policy files: what they become, what is wrong with them, and which of them applies."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import permutations

import pytest
from jsonschema import Draft202012Validator

from slo.gate.policy import Exemptions, GatePolicy, Match, Mode, OnMissingData
from slo.gate.rules import RULES
from slo.gate.rules.burn_rate import BurnRateRule, WindowPair
from slo.gate.rules.error_budget import ErrorBudgetRule
from slo.gate.selection import built_in, choose
from slo.loader import schema
from slo.problems import Problem
from slo.source import parse_documents, to_plain
from slo.units import Duration
from tests.unit.slo.gate.world import document, level, load, loaded

BUDGET = "  rules: [{id: budget, type: error_budget}]\n"
FULL = document("""\
  match: {environments: [prod], apps: [ticketing], teams: [bookings], labels: {tier: 1}}
  mode: observe
  onMissingData: warn
  maxDataAge: 20m
  evaluationTimeout: 5s
  minCoverage: 0.75
  rules:
    - id: budget
      type: error_budget
      slos: ["*", "!probe"]
      freezeAt: 0.1
      slowAt: 0.25
      minEvents: 50
    - id: burn
      type: burn_rate
      deny: [{long: 1h, short: 5m, factor: 14.4}]
      warn: [{long: 1d, short: 2h, factor: 3}]
      effect: warn
    - id: freeze
      type: freeze_window
      windows:
        - {from: 2026-12-20, to: 2027-01-03, timezone: Europe/Rome, reason: holidays}
  exempt:
    rollback: {proof: digestPreviouslyDeployed, maxAge: 10d, rules: [budget]}
    reliability_fix: {proof: ticket, approvers: [sre]}
    first_deploy: {proof: neverDeployedAndNeverAnyData}
  exemptNever: [freeze]
""")
WRONG = {
    "security_events": "  rules: [{id: s, type: security_events, max: {critical: 0}}]\n",
    "no rules": "  rules: []\n",
    "unknown key": f"{BUDGET}  modus: warn\n",
    "recurrence": "  rules: [{id: f, type: freeze_window, windows: "
    "[{from: 2026-12-20, to: 2026-12-21, timezone: UTC, every: week}]}]\n",
    "freezeAt": "  rules: [{id: b, type: error_budget, freezeAt: 1}]\n",
    "no pairs": "  rules: [{id: b, type: burn_rate}]\n",
    "security_fix": f"{BUDGET}  exempt: {{security_fix: {{proof: vulnerabilityDelta}}}}\n",
    "mode": f"{BUDGET}  mode: shout\n",
    "pattern": '  rules: [{id: b, type: error_budget, slos: ["a b"]}]\n',
}


def ids(problems: tuple[Problem, ...]) -> list[str]:
    """Return the ids of problems, in order."""
    return [problem.id for problem in problems]


def test_a_full_policy_is_read_exactly() -> None:
    policies, problems = load(FULL)
    assert () == problems
    found = policies[0]
    assert ("strict", Mode.OBSERVE, OnMissingData.WARN) == (
        found.name,
        found.mode,
        found.on_missing_data,
    )
    assert (Duration.parse("20m"), Duration.parse("5s"), Fraction(3, 4)) == (
        found.max_data_age,
        found.evaluation_timeout,
        found.min_coverage,
    )
    assert (
        Match(
            environments=("prod",), apps=("ticketing",), teams=("bookings",), labels={"tier": "1"}
        )
        == found.match
    )
    budget, burn, freeze = (replace(rule, span=None) for rule in found.rules)
    assert (
        ErrorBudgetRule(
            id="budget",
            slos=("*", "!probe"),
            freeze_at=Decimal("0.1"),
            slow_at=Decimal("0.25"),
            min_events=50,
        )
        == budget
    )
    pair = WindowPair(
        long=Duration.parse("1h"), short=Duration.parse("5m"), factor=Fraction("14.4")
    )
    assert isinstance(burn, BurnRateRule)
    assert ((pair,), True) == (burn.deny, burn.only_warns)
    assert ("freeze", ("freeze",)) == (freeze.id, found.exempt_never)
    assert found.exempt.rollback is not None
    assert ("budget",) == found.exempt.rollback.rules
    assert tuple(map(Duration.parse, ("5m", "1h", "2h", "1d"))) == found.windows


def test_what_is_left_out_has_the_documented_values() -> None:
    found = loaded(BUDGET)
    assert (Mode.ENFORCE, OnMissingData.DENY) == (found.mode, found.on_missing_data)
    assert (Duration.parse("15m"), Duration.parse("8s"), Fraction(1, 2)) == (
        found.max_data_age,
        found.evaluation_timeout,
        found.min_coverage,
    )
    rule = found.rules[0]
    assert isinstance(rule, ErrorBudgetRule)
    assert (("*",), Decimal(0), None, 1000) == (
        rule.slos,
        rule.freeze_at,
        rule.slow_at,
        rule.min_events,
    )


def test_exemptions_are_there_unless_the_policy_lists_its_own() -> None:
    assert Exemptions() == loaded(BUDGET).exempt
    nothing = Exemptions(rollback=None, reliability_fix=None, first_deploy=None)
    assert nothing == loaded(f"{BUDGET}  exempt: {{}}\n").exempt
    assert ("rollback",) == loaded(f"{BUDGET}  exempt: {{rollback: {{}}}}\n").exempt.change_types


def test_a_rule_type_that_does_not_work_yet_is_unknown() -> None:
    for kind in ("security_events", "vulnerabilities", "external_gate", "error_budgets"):
        policies, problems = load(document(f"  rules: [{{id: x, type: {kind}}}]\n"))
        assert ((), ["spec/bad-choice"]) == (policies, ids(problems))
        assert "error_budget, burn_rate or freeze_window" in problems[0].message


@pytest.mark.parametrize("spec", WRONG.values(), ids=WRONG)
def test_a_real_validator_refuses_what_the_loader_refuses(spec: str) -> None:
    policies, problems = load(document(spec))
    assert not policies
    assert problems
    documents, _ = parse_documents(document(spec), "p.yaml")
    assert not Draft202012Validator(schema("GatePolicy")).is_valid(to_plain(documents[0].root))


def test_a_real_validator_accepts_a_full_policy() -> None:
    Draft202012Validator.check_schema(schema("GatePolicy"))
    documents, _ = parse_documents(FULL, "p.yaml")
    Draft202012Validator(schema("GatePolicy")).validate(to_plain(documents[0].root))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("  rules: [{id: b, type: error_budget, freezeAt: 0.3, slowAt: 0.2}]\n", "contradiction"),
        (
            "  rules: [{id: b, type: burn_rate, deny: [{long: 5m, short: 5m, factor: 2}]}]\n",
            "contradiction",
        ),
        (f"{BUDGET}  exemptNever: [budgte]\n", "unknown-rule"),
        (f"{BUDGET}  exempt: {{rollback: {{rules: [burn]}}}}\n", "unknown-rule"),
    ],
)
def test_settings_that_contradict_each_other_are_problems(spec: str, expected: str) -> None:
    policies, problems = load(document(spec))
    assert ((), [f"policy/{expected}"]) == (policies, ids(problems))


def test_all_problems_are_told_at_once() -> None:
    _, problems = load(
        document("  rules: [{id: a, type: error_budget, freezeAt: x}, {id: a, type: nope}]\n")
        + "  mode: shout\n",
        document(BUDGET, name="other"),
        document(BUDGET, name="other"),
    )
    assert [
        "spec/bad-number",
        "spec/bad-choice",
        "spec/bad-choice",
        "policy/duplicate-name",
    ] == ids(problems)
    assert problems[3].span is not None
    assert ("p2.yaml", "p1.yaml") == (problems[3].span.file, problems[3].related[0][0].file)


def test_two_rules_of_one_id_are_a_problem() -> None:
    rule = "{id: budget, type: error_budget}"
    _, problems = load(document(f"  rules: [{rule}, {rule}]\n"))
    assert ["spec/duplicate-item"] == ids(problems)


def test_the_name_of_the_built_in_policy_is_taken() -> None:
    _, problems = load(document(BUDGET, name="built-in"))
    assert ["policy/duplicate-name"] == ids(problems)


def test_other_kinds_of_documents_are_passed_over() -> None:
    workspace = "apiVersion: headroom/v1\nkind: Workspace\nspec: {}\n"
    policies, problems = load(f"{workspace}---\n{document(BUDGET)}")
    assert (1, ()) == (len(policies), problems)


def test_a_digest_is_of_what_a_policy_says_and_not_of_where() -> None:
    here, there = loaded(BUDGET), load("# moved\n\n" + document(BUDGET))[0][0]
    assert here.span != there.span
    assert here.digest == there.digest
    others = [loaded(FULL.partition("spec:\n")[2]), loaded(f"{BUDGET}  mode: warn\n"), built_in()]
    assert 4 == len({here.digest, *(other.digest for other in others)})


def test_every_rule_type_is_registered_with_its_own_name() -> None:
    assert ["burn_rate", "error_budget", "freeze_window"] == sorted(RULES)


def named(name: str, **match: object) -> GatePolicy:
    """Return a policy for a match."""
    return replace(built_in(), name=name, match=Match(**match))  # type: ignore[arg-type] # keys fit


APP = replace(level().app, labels={"tier": "1", "zone": "a"})
ENVIRONMENT = APP.environments[0]
BY_RANK = (
    named("app", apps=("ticketing",)),
    named("team", teams=("bookings",)),
    named("labels", labels={"tier": "1", "zone": "a"}),
    named("label", labels={"tier": "1"}),
    named("environment", environments=("prod",)),
    named("all"),
)


def test_the_most_specific_policy_applies_whatever_the_order() -> None:
    for rank, best in enumerate(BY_RANK):
        for order in permutations(BY_RANK[rank:]):
            assert best == choose(order, APP, ENVIRONMENT)


def test_a_policy_applies_only_where_all_its_keys_agree() -> None:
    for other in (
        named("x", apps=("cargo",)),
        named("x", teams=("cargo",)),
        named("x", labels={"tier": "2"}),
        named("x", environments=("staging",), apps=("ticketing",)),
    ):
        assert built_in() == choose([other], APP, ENVIRONMENT)


def test_two_equally_specific_policies_are_a_conflict_that_names_both_places() -> None:
    policies, _ = load(
        document(f"  match: {{environments: [prod]}}\n{BUDGET}", name="one"),
        document(f"  match: {{environments: [prod, dev]}}\n{BUDGET}", name="two"),
    )
    found = choose(policies, APP, ENVIRONMENT)
    assert isinstance(found, Problem)
    assert "policy/conflict" == found.id
    assert found.span is not None
    assert {"p0.yaml", "p1.yaml"} == {found.span.file, found.related[0][0].file}


def test_a_name_in_the_specification_goes_before_any_match() -> None:
    here = replace(ENVIRONMENT, gate="all")
    app = replace(APP, gate="label")
    assert BY_RANK[5] == choose(BY_RANK, app, here)
    assert BY_RANK[3] == choose(BY_RANK, app, ENVIRONMENT)
    assert BY_RANK[4] == choose(BY_RANK, app, here, "environment")
    assert built_in() == choose(BY_RANK, app, here, "built-in")


def test_a_name_that_no_policy_has_is_a_problem_with_a_suggestion() -> None:
    found = choose(BY_RANK, replace(APP, gate="tema"), ENVIRONMENT)
    assert isinstance(found, Problem)
    assert ("policy/unknown", True) == (found.id, 'did you mean "team"?' in found.message)
