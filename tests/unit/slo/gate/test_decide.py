"""What the gate decides, rule by rule and all in all."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from slo.gate.decide import decide
from slo.gate.decision import Decision, exit_code
from slo.gate.findings import Effect, Outcome
from slo.gate.policy import GatePolicy, Mode, OnMissingData
from slo.gate.rules.error_budget import ErrorBudgetRule
from slo.model import Probe
from slo.ports import EvidenceStatus, NoDataReason, Share
from slo.units import Duration
from tests.contract.levels import query
from tests.unit.slo.gate.world import (
    counts,
    facts,
    judged,
    level,
    loaded,
    missing,
    policy,
)

BURNING = Share(ratio=Fraction(1, 10))
PROBE = Probe(selector=query("probe_success"), slice=Duration.parse("1m"))
FAST = {"1h": BURNING, "5m": BURNING}


def outcomes(decision: Decision) -> dict[str, str]:
    """Return each rule's outcome by its id."""
    return {result.id: result.outcome.value for result in decision.rules}


def budget_rule(**changes: object) -> GatePolicy:
    """Return a policy whose only rule is a changed budget rule."""
    rule = ErrorBudgetRule(id="budget", slow_at=Decimal("0.25"))
    return policy(rules=(replace(rule, **changes),))  # type: ignore[arg-type] # real fields


def test_a_healthy_application_may_ship() -> None:
    decision = decide(facts(judged()), policy())
    assert (Effect.ALLOW, True, True, 0) == (
        decision.effect,
        decision.allowed,
        decision.enforced,
        exit_code(decision),
    )
    assert {"budget": "pass", "burn": "pass"} == outcomes(decision)
    assert () == decision.counterfactual


def test_a_spent_budget_denies() -> None:
    decision = decide(facts(judged(period=counts(1_000_000, 1120))), policy())
    assert (Effect.DENY, False, 10) == (decision.effect, decision.allowed, exit_code(decision))
    assert Fraction(-12, 100) == decision.rules[0].deciding.observed
    assert "-12 % of the 30d error budget is left" in decision.summary


def test_a_budget_spent_to_the_last_event_is_spent() -> None:
    spent = decide(facts(judged(period=counts(1_000_000, 1000))), budget_rule())
    nearly = decide(facts(judged(period=counts(1_000_000, 999))), budget_rule())
    assert (Effect.DENY, Effect.WARN) == (spent.effect, nearly.effect)


def test_nothing_is_rounded_before_it_is_compared() -> None:
    """A budget above 0 by a billionth allows, and its message does not say 0 %."""
    almost = counts(10**12, 10**9 - 1)
    decision = decide(facts(judged(period=almost)), budget_rule(slow_at=None))
    assert Effect.ALLOW is decision.effect
    assert "0.0000001 %" in decision.rules[0].message


def test_a_low_budget_warns_and_is_strict_on_request() -> None:
    decision = decide(facts(judged(period=counts(1_000_000, 750))), budget_rule())
    assert (Effect.WARN, True) == (decision.effect, decision.allowed)
    assert (0, 11) == (exit_code(decision), exit_code(decision, strict=True))


def test_the_counterfactual_of_a_budget_is_exact() -> None:
    """So many bad events fewer, or good ones more, and the rule passes; one less, and not."""
    period = counts(1_000_000, 1120)
    gate = budget_rule(slow_at=None)
    change = decide(facts(judged(period=period)), gate).counterfactual[0].change
    fewer, more = change.data["fewerBad"], change.data["moreGood"]
    assert isinstance(fewer, int)
    assert isinstance(more, int)
    assert (121, 120_001) == (fewer, more)
    for total, bad, effect in (
        (1_000_000, 1120 - fewer, Effect.ALLOW),
        (1_000_000, 1120 - fewer + 1, Effect.DENY),
        (1_000_000 + more, 1120, Effect.ALLOW),
        (1_000_000 + more - 1, 1120, Effect.DENY),
    ):
        assert effect is decide(facts(judged(period=counts(total, bad))), gate).effect


def test_a_quiet_application_is_stopped_by_its_absolute_number_of_failures() -> None:
    """Of 12 events, judged as 1,000 at 99.9 %, one may be bad, and that one spends it all."""
    fine = decide(facts(judged(period=counts(12, 0))), budget_rule())
    failing = decide(facts(judged(period=counts(12, 1))), budget_rule())
    assert ({"budget": "insufficient_data"}, Effect.ALLOW) == (outcomes(fine), fine.effect)
    assert any("only 12 events" in note for note in fine.rules[0].deciding.notes)
    assert ({"budget": "fail"}, Effect.DENY) == (outcomes(failing), failing.effect)


def test_one_failure_does_not_deadlock_a_quiet_application_with_a_lower_objective() -> None:
    quiet = judged(level(objective="99"), counts(12, 1))
    assert Effect.ALLOW is decide(facts(quiet), budget_rule()).effect


@pytest.mark.parametrize("period", [counts(0, 0), missing(NoDataReason.ZERO_TRAFFIC)])
def test_no_traffic_passes_with_a_note(period: object) -> None:
    idle = judged(period=period, rest=counts(0, 0))  # type: ignore[arg-type] # one of two types
    decision = decide(facts(idle), policy())
    assert ({"budget": "pass", "burn": "pass"}, Effect.ALLOW) == (
        outcomes(decision),
        decision.effect,
    )
    assert "there was no traffic; the series are there" in decision.rules[0].deciding.notes


def test_bad_events_without_a_total_are_no_data_where_time_is_measured() -> None:
    decision = decide(facts(judged(level(measure=PROBE), counts(0, 5))), budget_rule())
    assert ({"budget": "no_data"}, 12) == (outcomes(decision), exit_code(decision))


def test_time_has_no_least_number_of_events() -> None:
    """Sixty seconds, one of them bad, spend the budget of 99.9 % many times over."""
    decision = decide(facts(judged(level(measure=PROBE), counts(60, 1))), budget_rule())
    assert Effect.DENY is decision.effect
    assert "1 bad second fewer" in decision.counterfactual[0].change.text


def test_a_fast_burn_denies_and_says_when_it_ends() -> None:
    decision = decide(facts(judged(burning=FAST)), policy())
    assert {"budget": "pass", "burn": "fail"} == outcomes(decision)
    found = decision.rules[1].deciding
    assert (Fraction(100), Fraction("14.4")) == (found.observed, found.threshold)
    assert "at or below 14.4x" in decision.counterfactual[0].change.text


def test_a_burn_at_the_factor_is_not_above_it() -> None:
    at = Share(ratio=Fraction("14.4") / 1000)
    above = Share(ratio=Fraction("14.4") / 1000 + Fraction(1, 10**9))
    assert Effect.ALLOW is decide(facts(judged(burning={"1h": at, "5m": above})), policy()).effect
    denied = decide(facts(judged(burning={"1h": above, "5m": above})), policy())
    assert Effect.DENY is denied.effect
    assert "burning 14.400001x over 1h and 5m, above 14.4x" in denied.summary


def test_a_burn_that_is_over_passes() -> None:
    over = judged(burning={"1h": BURNING, "5m": Share(ratio=Fraction(0))})
    assert Effect.ALLOW is decide(facts(over), policy()).effect


def test_a_slow_burn_warns() -> None:
    slow = {name: Share(ratio=Fraction(4, 1000)) for name in ("1d", "2h")}
    assert {"budget": "pass", "burn": "warn"} == outcomes(
        decide(facts(judged(burning=slow)), policy())
    )


@pytest.mark.parametrize("idle", [counts(0, 0), missing(NoDataReason.ZERO_TRAFFIC)])
def test_a_window_without_traffic_does_not_burn(idle: object) -> None:
    quiet = judged(burning={"1h": BURNING, "5m": idle})  # type: ignore[dict-item] # as above
    assert Effect.ALLOW is decide(facts(quiet), policy()).effect


def test_a_window_that_was_not_recorded_is_no_data() -> None:
    gap = judged(burning={"5m": missing(NoDataReason.LOST, "nothing in the last 5m")})
    decision = decide(facts(gap), policy())
    assert ({"budget": "pass", "burn": "no_data"}, 12) == (outcomes(decision), exit_code(decision))


def test_a_pair_that_fires_is_enough_whatever_another_lacks() -> None:
    found = judged(burning={**FAST, "6h": missing(NoDataReason.SOURCE_FAILED)})
    assert 10 == exit_code(decide(facts(found), policy()))


def test_pairs_that_can_never_fire_are_left_out_with_the_reason() -> None:
    """At 90 % no error ratio burns 14.4 times, and a scrape every 5 minutes has no 5m window."""
    low = judged(level(objective="90"), burning={"5m": missing(NoDataReason.LOST)})
    decision = decide(facts(low), policy())
    assert {"budget": "pass", "burn": "pass"} == outcomes(decision)
    assert any("no indicator can exceed" in note for note in _notes(decision))
    slow = judged(level(scrape="5m"), burning={"5m": missing(NoDataReason.LOST)})
    assert {"budget": "pass", "burn": "pass"} == outcomes(decide(facts(slow), policy()))


def _notes(decision: Decision) -> list[str]:
    return [note for rule in decision.rules for found in rule.findings for note in found.notes]


def test_a_failed_back_end_is_indeterminate_whatever_the_policy_says() -> None:
    down = judged(period=missing(NoDataReason.SOURCE_FAILED, "connection refused"))
    for on_missing in OnMissingData:
        decision = decide(facts(down), policy(on_missing_data=on_missing))
        assert {"budget": "error", "burn": "error"} == outcomes(decision)
        assert (Effect.INDETERMINATE, False) == (decision.effect, decision.allowed)
        assert 13 == exit_code(decision)


@pytest.mark.parametrize(
    "reason",
    [NoDataReason.LOST, NoDataReason.NEVER, NoDataReason.INCOMPLETE, NoDataReason.UNSUPPORTED],
)
def test_missing_data_follows_the_policy(reason: NoDataReason) -> None:
    gone = facts(judged(period=missing(reason, "why")))
    found = {each: decide(gone, policy(on_missing_data=each)) for each in OnMissingData}
    assert [12, 0, 0] == [exit_code(decision) for decision in found.values()]
    assert [False, True, True] == [decision.allowed for decision in found.values()]
    assert ["indeterminate", "warn", "allow"] == [d.effect.value for d in found.values()]
    assert [{"budget": "no_data", "burn": "no_data"}] * 3 == [*map(outcomes, found.values())]


def test_old_data_is_stale_and_data_of_the_future_is_a_wrong_clock() -> None:
    for age, reason in (
        (timedelta(minutes=15), None),
        (timedelta(minutes=15, seconds=1), "stale"),
        (timedelta(minutes=-15), None),
        (timedelta(minutes=-15, seconds=-1), "clock_skew"),
        (None, "stale"),
    ):
        decision = decide(facts(judged(age=age)), policy())
        assert [reason, reason] == [result.deciding.reason for result in decision.rules]
        assert (0 if reason is None else 12) == exit_code(decision)


def test_stale_evidence_is_marked() -> None:
    decision = decide(facts(judged(age=timedelta(hours=1))), policy())
    assert [EvidenceStatus.STALE] == [each.status for each in decision.rules[0].evidence]


def test_too_little_coverage_is_no_data() -> None:
    half = decide(facts(judged(coverage=Fraction(1, 2))), policy())
    less = decide(facts(judged(coverage=Fraction(49, 100))), policy())
    unknown = decide(facts(judged(coverage=None)), policy())
    asked = decide(facts(judged(coverage=None)), policy(min_coverage=Fraction(0)))
    assert [0, 12, 12, 0] == [exit_code(each) for each in (half, less, unknown, asked)]
    assert "49 % of the window was recorded, less than 50 %" in less.summary


def test_a_sum_without_a_cluster_is_missing_data_by_name() -> None:
    decision = decide(facts(judged(partial=("us (prometheus/us)",))), policy())
    assert {"budget": "no_data", "burn": "no_data"} == outcomes(decision)
    assert "without us (prometheus/us)" in decision.summary
    failed = judged(partial=("us",), status=EvidenceStatus.ERROR)
    assert 13 == exit_code(decide(facts(failed), policy(on_missing_data=OnMissingData.ALLOW)))


@pytest.mark.parametrize("on_missing", OnMissingData)
def test_stale_numbers_that_deny_are_never_softened(on_missing: OnMissingData) -> None:
    """An exhausted budget does not become an allow by growing old or losing coverage."""
    for spent in (
        judged(period=counts(1_000_000, 5000), age=timedelta(days=1)),
        judged(period=counts(1_000_000, 5000), coverage=Fraction(1, 100)),
        judged(burning=FAST, age=timedelta(days=1)),
        judged(period=counts(1_000_000, 5000), partial=("us",)),
    ):
        decision = decide(facts(spent), policy(on_missing_data=on_missing))
        assert (Effect.INDETERMINATE, 12) == (decision.effect, exit_code(decision))


def test_every_rule_is_judged_and_the_worst_answer_wins() -> None:
    down = judged(level("latency"), missing(NoDataReason.SOURCE_FAILED))
    spent = judged(period=counts(1_000_000, 5000))
    decision = decide(facts(down, spent), policy())
    assert (Effect.DENY, 10) == (decision.effect, exit_code(decision))
    assert {"budget": "fail", "burn": "error"} == outcomes(decision)
    assert ["availability", "latency"] == [found.slo for found in decision.rules[0].findings]


def test_a_failed_back_end_comes_before_missing_data() -> None:
    decision = decide(
        facts(
            judged(level("latency"), missing(NoDataReason.SOURCE_FAILED)),
            judged(period=missing(NoDataReason.LOST)),
        ),
        policy(),
    )
    assert 13 == exit_code(decision)


def test_observing_computes_all_and_allows() -> None:
    for evaluation in (
        judged(period=counts(1_000_000, 5000)),
        judged(period=missing(NoDataReason.SOURCE_FAILED)),
    ):
        plain = decide(facts(evaluation), policy())
        decision = decide(facts(evaluation), policy(mode=Mode.OBSERVE))
        assert plain.effect is decision.effect
        assert outcomes(plain) == outcomes(decision)
        assert (True, False, 0) == (decision.allowed, decision.enforced, exit_code(decision))


def test_warning_mode_turns_deny_into_warn_and_nothing_else() -> None:
    warned = decide(facts(judged(period=counts(1_000_000, 5000))), policy(mode=Mode.WARN))
    assert (Effect.WARN, True, 11) == (
        warned.effect,
        warned.allowed,
        exit_code(warned, strict=True),
    )
    assert "fail" == warned.rules[0].outcome.value
    lost = decide(facts(judged(period=missing(NoDataReason.LOST))), policy(mode=Mode.WARN))
    assert 12 == exit_code(lost)


def test_a_rule_that_only_warns_does_not_stop_but_for_a_failed_back_end() -> None:
    soft = budget_rule(only_warns=True)
    for evaluation, code in (
        (judged(period=counts(1_000_000, 5000)), 0),
        (judged(period=missing(NoDataReason.LOST)), 0),
        (judged(period=missing(NoDataReason.SOURCE_FAILED)), 13),
    ):
        assert code == exit_code(decide(facts(evaluation), soft))


def test_an_indicator_that_cannot_be_computed_can_be_left_out_by_name() -> None:
    logs = judged(level("checkout-logs"), missing(NoDataReason.UNSUPPORTED))
    with_it = decide(facts(judged(), logs), budget_rule())
    without = decide(facts(judged(), logs), budget_rule(slos=("*", "!checkout-*")))
    assert (12, 0) == (exit_code(with_it), exit_code(without))
    assert ("no rule covers checkout-logs",) == without.notes


def test_without_an_slo_there_is_nothing_to_judge() -> None:
    for on_missing in OnMissingData:
        empty = decide(facts(), policy(on_missing_data=on_missing))
        assert (Effect.INDETERMINATE, 12) == (empty.effect, exit_code(empty))
        assert "there is no SLO for ticketing in prod" in empty.summary
    uncovered = decide(facts(judged()), budget_rule(slos=("latency",)))
    assert 12 == exit_code(uncovered)


def test_a_rule_that_covers_nothing_is_skipped_beside_one_that_does() -> None:
    rules = (
        ErrorBudgetRule(id="budget"),
        ErrorBudgetRule(id="other", slos=("latency",)),
    )
    decision = decide(facts(judged()), policy(rules=rules))
    assert {"budget": "pass", "other": "skipped"} == outcomes(decision)


def test_a_calendar_alone_needs_no_slo() -> None:
    calendar = loaded(
        "  rules: [{id: f, type: freeze_window, windows: "
        "[{from: 2026-12-20, to: 2027-01-03, timezone: Europe/Rome}]}]\n"
    )
    assert 0 == exit_code(decide(facts(), calendar))


def test_numbers_of_another_application_are_refused() -> None:
    with pytest.raises(ValueError, match="is not an SLO of ticketing/prod"):
        facts(judged(level(app="cargo")))


def test_an_answer_holds_as_long_as_its_data_may_be_used() -> None:
    decision = decide(facts(judged()), policy())
    assert timedelta(minutes=15) == decision.expires_at - decision.evaluated_at


def test_the_outcomes_are_those_of_the_contract() -> None:
    named = ["pass", "warn", "fail", "no_data", "error", "exempt", "skipped", "insufficient_data"]
    assert sorted(named) == sorted(outcome.value for outcome in Outcome)
