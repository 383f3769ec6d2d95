"""Whatever the facts: nothing worse ever looks better, and nothing is allowed by accident."""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from slo.evaluate import Evaluation
from slo.gate.decide import decide
from slo.gate.decision import Decision, exit_code
from slo.gate.document import to_json
from slo.gate.findings import Effect, Outcome
from slo.gate.policy import GatePolicy, Mode, OnMissingData
from slo.gate.rules.burn_rate import BurnRateRule, WindowPair
from slo.gate.rules.error_budget import ErrorBudgetRule
from slo.gate.selection import built_in
from slo.gate.subject import ChangeType
from slo.ports import Counts, NoData, NoDataReason, Share
from slo.units import Duration
from tests.unit.slo.gate.world import SCHEMA, WINDOWS, facts, judged, level

VALIDATOR = Draft202012Validator(SCHEMA)
NAMES = tuple(window.text for window in WINDOWS)
AMOUNTS = st.integers(0, 10**9).map(lambda number: Fraction(number, 60))
SHARES = st.integers(0, 10**5).map(lambda number: Fraction(number, 10**5))
ABSENT = st.sampled_from(NoDataReason).map(lambda reason: NoData(reason=reason))


@st.composite
def some_counts(draw: st.DrawFn) -> Counts:
    """Return counts of which no more are bad than there are."""
    total = draw(AMOUNTS)
    return Counts(total=total, bad=total * draw(SHARES))


WINDOW = st.one_of(some_counts(), SHARES.map(lambda ratio: Share(ratio=ratio)), ABSENT)


@dataclass(frozen=True)
class World:
    """All that a reading of one SLO says."""

    objective: str
    period: Counts | NoData
    windows: tuple[Counts | Share | NoData, ...]
    coverage: Fraction
    age: timedelta
    partial: tuple[str, ...]

    def evaluation(self) -> Evaluation:
        """Return the evaluation of this reading."""
        return judged(
            level(objective=self.objective),
            self.period,
            burning=dict(zip(NAMES, self.windows, strict=True)),
            coverage=self.coverage,
            age=self.age,
            partial=self.partial,
        )


WORLDS = st.builds(
    World,
    objective=st.sampled_from(["90", "99", "99.9", "99.99"]),
    period=st.one_of(some_counts(), some_counts(), ABSENT),
    windows=st.tuples(*[WINDOW] * len(NAMES)),
    coverage=SHARES,
    age=st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=2)),
    partial=st.sampled_from([(), (), ("us",)]),
)


@st.composite
def policies(draw: st.DrawFn) -> GatePolicy:
    """Return a policy with a budget rule and a burn rule."""
    slow = draw(st.sampled_from([None, Decimal("0.25"), Decimal("0.9")]))
    budget = ErrorBudgetRule(
        id="budget",
        freeze_at=draw(st.sampled_from([Decimal(0), Decimal("0.2")])),
        slow_at=slow,
        min_events=draw(st.sampled_from([0, 1, 1000, 10**6])),
        only_warns=draw(st.booleans()),
    )
    hour = WindowPair(
        long=Duration.parse("1h"), short=Duration.parse("5m"), factor=Fraction("14.4")
    )
    day = WindowPair(long=Duration.parse("1d"), short=Duration.parse("2h"), factor=Fraction(3))
    burn = BurnRateRule(id="burn", deny=(hour,), warn=(day,), only_warns=draw(st.booleans()))
    return replace(
        built_in(),
        rules=(budget, burn),
        mode=draw(st.sampled_from(Mode)),
        on_missing_data=draw(st.sampled_from(OnMissingData)),
        min_coverage=draw(st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)])),
    )


def outcome(world: World, policy: GatePolicy) -> Decision:
    """Return the decision on a plain deploy."""
    return decide(facts(world.evaluation()), policy)


def passes(decision: Decision) -> bool:
    """Tell whether a pipeline goes on, whether or not the policy is enforced."""
    return decision.effect in {Effect.ALLOW, Effect.WARN}


def worse(window: Counts | Share | NoData, share: Fraction) -> Counts | Share | NoData:
    """Return a window in which some of the good events were bad."""
    if isinstance(window, Counts):
        return replace(window, bad=window.bad + (window.total - window.bad) * share)
    if isinstance(window, Share):
        return replace(window, ratio=window.ratio + (1 - window.ratio) * share)
    return window


@given(WORLDS, policies(), SHARES)
def test_more_errors_never_turn_a_decision_towards_allow(
    world: World, policy: GatePolicy, share: Fraction
) -> None:
    """Good events become bad ones, in the period and in every window."""
    period = worse(world.period, share)
    assert not isinstance(period, Share)
    after = replace(world, period=period, windows=tuple(worse(w, share) for w in world.windows))
    before, then = outcome(world, policy), outcome(after, policy)
    assert passes(before) or not passes(then)
    assert before.effect is Effect.ALLOW or then.effect is not Effect.ALLOW


@given(WORLDS, policies(), AMOUNTS)
def test_additional_bad_events_never_turn_a_decision_towards_allow(
    world: World, policy: GatePolicy, extra: Fraction
) -> None:
    """Errors that come on top of the traffic do not dilute themselves."""
    period = world.period
    if isinstance(period, NoData):
        return
    after = replace(world, period=Counts(total=period.total + extra, bad=period.bad + extra))
    before, then = outcome(world, policy), outcome(after, policy)
    assert passes(before) or not passes(then)
    assert before.effect is Effect.ALLOW or then.effect is not Effect.ALLOW


@given(WORLDS, policies(), st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)))
def test_older_data_never_turns_a_decision_towards_allow(
    world: World, policy: GatePolicy, more: timedelta
) -> None:
    """Whatever the policy says of missing data."""
    before, then = outcome(world, policy), outcome(replace(world, age=world.age + more), policy)
    assert passes(before) or not passes(then)
    assert before.effect is Effect.ALLOW or then.effect is not Effect.ALLOW


@given(WORLDS, policies(), SHARES)
def test_less_coverage_never_turns_a_decision_towards_allow(
    world: World, policy: GatePolicy, share: Fraction
) -> None:
    """Nor does a cluster that goes missing."""
    before = outcome(world, policy)
    for after in (
        replace(world, coverage=world.coverage * share),
        replace(world, partial=(*world.partial, "eu")),
    ):
        then = outcome(after, policy)
        assert passes(before) or not passes(then)
        assert before.effect is Effect.ALLOW or then.effect is not Effect.ALLOW


@given(WORLDS, policies())
def test_a_failed_back_end_never_passes(world: World, policy: GatePolicy) -> None:
    """Not by any setting short of observing."""
    failed = replace(world, period=NoData(reason=NoDataReason.SOURCE_FAILED))
    decision = outcome(failed, policy)
    assert not passes(decision)
    assert decision.enforced is not decision.allowed
    assert exit_code(decision) in ({0} if policy.mode is Mode.OBSERVE else {10, 13})


@given(WORLDS, policies(), st.sampled_from(ChangeType))
def test_every_rule_is_judged_and_every_answer_is_consistent(
    world: World, policy: GatePolicy, kind: ChangeType
) -> None:
    """The code, the flag and the decision agree, and all of it fits the schema."""
    asked = facts(world.evaluation(), change_type=kind, ticket="OPS-1")
    decision = decide(asked, policy)
    VALIDATOR.validate(to_json(decision))
    assert ["budget", "burn"] == [result.id for result in decision.rules][:2]
    code = exit_code(decision, strict=True)
    assert decision.allowed == (code in {0, 11})
    if code == 0 and decision.enforced:
        blocking = {Outcome.FAIL, Outcome.ERROR}
        soft = policy.mode is Mode.WARN or any(rule.only_warns for rule in policy.rules)
        assert soft or not blocking & {result.outcome for result in decision.rules}


@given(st.lists(WORLDS, min_size=1, max_size=3), policies())
def test_one_more_slo_never_helps(worlds: list[World], policy: GatePolicy) -> None:
    """An application is no better than the worst of its SLOs."""
    evaluations = []
    for number, world in enumerate(worlds):
        of = level(f"slo-{number}", objective=world.objective)
        windows = dict(zip(NAMES, world.windows, strict=True))
        evaluations.append(
            judged(of, world.period, burning=windows, coverage=world.coverage, age=world.age)
        )
    whole = decide(facts(*evaluations), policy).effect.rank
    parts = [decide(facts(each), policy).effect.rank for each in evaluations]
    if any(decide(facts(each), policy).rules[0].outcome is Outcome.SKIPPED for each in evaluations):
        return
    assert whole == max(parts)
