"""Rollbacks, reliability fixes and first deploys: what is excused, and by what proof."""

from fractions import Fraction

import pytest

from slo.gate.decide import decide
from slo.gate.decision import Decision, exit_code
from slo.gate.findings import Effect, Outcome
from slo.gate.policy import Exemptions, GatePolicy, Mode, OnMissingData
from slo.gate.subject import ChangeType
from slo.ports import NoDataReason, Share
from tests.unit.slo.gate.world import counts, facts, judged, level, loaded, missing, policy

SPENT = judged(period=counts(1_000_000, 5000))
NEVER = judged(period=missing(NoDataReason.NEVER))
RULES = """\
  rules:
    - {id: budget, type: error_budget}
    - id: freeze
      type: freeze_window
      windows: [{from: 2026-11-20, to: 2026-11-30, timezone: UTC}]
"""


def claim(decision: Decision) -> tuple[str, Outcome]:
    """Return the id and outcome of the last result, which is the claim's."""
    return decision.rules[-1].id, decision.rules[-1].outcome


def rolled_back(*evaluations: object, gate: GatePolicy | None = None) -> Decision:
    """Return the decision on a rollback."""
    asked = facts(*evaluations, change_type=ChangeType.ROLLBACK)  # type: ignore[arg-type] # pass on
    return decide(asked, gate or policy())


@pytest.mark.parametrize(
    "evaluation",
    [
        SPENT,
        judged(rest=Share(ratio=Fraction(1))),
        judged(period=missing(NoDataReason.LOST)),
        judged(period=missing(NoDataReason.SOURCE_FAILED)),
    ],
)
def test_a_rollback_goes_through_with_a_warning(evaluation: object) -> None:
    """A rollback may be the very thing that brings the metrics back."""
    decision = rolled_back(evaluation)
    assert (Effect.WARN, True, 0) == (decision.effect, decision.allowed, exit_code(decision))
    assert ("exempt:rollback", Outcome.EXEMPT) == claim(decision)
    assert any("excused for a rollback" in result.message for result in decision.rules)


def test_what_was_excused_stays_on_record() -> None:
    decision = rolled_back(SPENT)
    assert (Outcome.EXEMPT, Outcome.FAIL) == (
        decision.rules[0].outcome,
        decision.rules[0].deciding.outcome,
    )


def test_a_rollback_that_nothing_stops_is_an_ordinary_allow() -> None:
    decision = rolled_back(judged())
    assert Effect.ALLOW is decision.effect
    assert ("exempt:rollback", Outcome.SKIPPED) == claim(decision)


def test_a_policy_can_excuse_no_rollback() -> None:
    decision = rolled_back(SPENT, gate=policy(exempt=Exemptions(rollback=None)))
    assert 10 == exit_code(decision)
    assert "does not excuse a rollback" in decision.rules[-1].message


def test_a_freeze_holds_for_rollbacks_unless_the_policy_says_otherwise() -> None:
    frozen = loaded(RULES)
    excused = loaded(f"{RULES}  exempt: {{rollback: {{rules: [budget, freeze]}}}}\n")
    assert (10, 0) == (
        exit_code(rolled_back(SPENT, gate=frozen)),
        exit_code(rolled_back(SPENT, gate=excused)),
    )


def test_some_rules_are_never_excused() -> None:
    decision = rolled_back(SPENT, gate=policy(exempt_never=("budget",)))
    assert 10 == exit_code(decision)


def test_a_reliability_fix_needs_a_ticket() -> None:
    for ticket in (None, "", "  "):
        asked = facts(SPENT, change_type=ChangeType.RELIABILITY_FIX, ticket=ticket)
        decision = decide(asked, policy())
        assert 10 == exit_code(decision)
        assert "a reliability fix needs a ticket" in decision.rules[-1].message


def test_a_reliability_fix_mends_an_application_whose_metrics_died() -> None:
    lost = judged(period=missing(NoDataReason.LOST))
    for evaluation in (lost, SPENT):
        asked = facts(evaluation, change_type=ChangeType.RELIABILITY_FIX, ticket="OPS-1")
        decision = decide(asked, policy())
        assert (Effect.WARN, 0) == (decision.effect, exit_code(decision))
        assert "OPS-1" in decision.rules[-1].message


def test_approvers_are_told() -> None:
    gate = loaded(f"{RULES}  exempt: {{reliability_fix: {{proof: ticket, approvers: [sre]}}}}\n")
    assert ("sre",) == decide(facts(SPENT), gate).approvers


def first_deploy(*evaluations: object, known_before: bool | None = False) -> Decision:
    """Return the decision on a first deploy."""
    asked = facts(
        *evaluations,  # type: ignore[arg-type] # passed on
        change_type=ChangeType.FIRST_DEPLOY,
        known_before=known_before,
    )
    return decide(asked, policy())


def test_a_first_deploy_is_let_through_with_a_warning() -> None:
    decision = first_deploy(NEVER, judged(level("latency"), missing(NoDataReason.NEVER)))
    assert (Effect.WARN, True, 0) == (decision.effect, decision.allowed, exit_code(decision))
    assert ("exempt:first_deploy", Outcome.EXEMPT) == claim(decision)


def test_without_being_asked_for_a_first_deploy_has_no_data() -> None:
    decision = decide(facts(NEVER), policy())
    assert 12 == exit_code(decision)
    assert "--change-type first_deploy" in (decision.rules[0].deciding.remediation or "")


@pytest.mark.parametrize(
    "evaluation",
    [
        judged(),
        judged(period=missing(NoDataReason.LOST)),
        judged(period=missing(NoDataReason.INCOMPLETE)),
        judged(period=counts(0, 0)),
    ],
)
def test_a_first_deploy_is_refused_where_there_was_data(evaluation: object) -> None:
    decision = first_deploy(judged(level("latency"), missing(NoDataReason.NEVER)), evaluation)
    assert 10 == exit_code(decision)
    assert "this is no first deploy: availability had data before" in decision.rules[-1].message


def test_a_first_deploy_is_refused_after_one_was_let_through() -> None:
    decision = first_deploy(NEVER, known_before=True)
    assert (10, Outcome.FAIL) == (exit_code(decision), decision.rules[-1].outcome)


def test_a_failed_source_proves_no_first_deploy() -> None:
    decision = first_deploy(
        NEVER, judged(level("latency"), missing(NoDataReason.SOURCE_FAILED, "refused"))
    )
    assert 13 == exit_code(decision)


def test_what_is_not_known_proves_no_first_deploy() -> None:
    assert 12 == exit_code(first_deploy(NEVER, known_before=None))
    hidden = judged(period=missing(NoDataReason.NEVER), partial=("us",))
    assert 12 == exit_code(first_deploy(hidden))


def test_a_first_deploy_excuses_nothing_but_the_lack_of_data() -> None:
    gate = loaded(RULES)
    asked = facts(NEVER, change_type=ChangeType.FIRST_DEPLOY)
    assert 10 == exit_code(decide(asked, gate))


def test_a_first_deploy_without_any_slo_has_nothing_to_judge() -> None:
    assert 12 == exit_code(first_deploy())


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.OBSERVE])
def test_a_refused_claim_stops_nothing_in_milder_modes(mode: Mode) -> None:
    asked = facts(judged(), change_type=ChangeType.FIRST_DEPLOY)
    assert 0 == exit_code(decide(asked, policy(mode=mode)))


def test_a_claim_is_checked_even_where_missing_data_is_allowed() -> None:
    asked = facts(judged(), change_type=ChangeType.FIRST_DEPLOY)
    assert 10 == exit_code(decide(asked, policy(on_missing_data=OnMissingData.ALLOW)))
