"""Laws of the error budget that hold for all numbers."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from slo.budget import budget, burn_rate, time_to_exhaustion
from slo.model import Objective
from slo.ports import Counts
from slo.units import Duration
from tests.builders import objective

OBJECTIVES = st.sampled_from(["50", "90", "99", "99.9", "99.95", "99.99999"]).map(objective)
TOTALS = st.fractions(min_value=Fraction(1, 100), max_value=10**12)
SHARES = st.fractions(min_value=0, max_value=1)
WINDOWS = st.lists(st.tuples(TOTALS, SHARES), min_size=1, max_size=8)


def _counts(total: Fraction, share: Fraction) -> Counts:
    return Counts(total=total, bad=total * share)


@given(WINDOWS, OBJECTIVES)
def test_budgets_of_parts_add_up_to_the_budget_of_the_whole(
    windows: list[tuple[Fraction, Fraction]], target: Objective
) -> None:
    """Splitting a window changes neither what was allowed nor what failed."""
    parts = [_counts(*window) for window in windows]
    whole = sum(parts[1:], start=parts[0])
    spent = [budget(part, target) for part in parts]
    total = budget(whole, target)
    assert total is not None
    for name in ("allowed", "bad", "failures_left", "total"):
        assert getattr(total, name) == sum(getattr(part, name) for part in spent)


@given(WINDOWS)
def test_the_ratio_of_the_whole_lies_between_those_of_its_parts(
    windows: list[tuple[Fraction, Fraction]],
) -> None:
    """A ratio of sums is a mean weighted by traffic."""
    parts = [_counts(*window) for window in windows]
    whole = sum(parts[1:], start=parts[0]).error_ratio
    ratios = [part.error_ratio for part in parts]
    assert whole is not None
    assert min(r for r in ratios if r is not None) <= whole
    assert whole <= max(r for r in ratios if r is not None)


@given(TOTALS, SHARES, st.fractions(min_value=Fraction(1, 10**6), max_value=10**6))
def test_more_of_the_same_traffic_burns_alike(
    total: Fraction, share: Fraction, scale: Fraction
) -> None:
    """Scaling good and bad alike keeps the ratio, the burn rate and the share that is left."""
    target = objective("99.9")
    one, other = _counts(total, share), _counts(total * scale, share)
    assert one.error_ratio == other.error_ratio
    assert burn_rate(one, target) == burn_rate(other, target)
    spent = [budget(each, target) for each in (one, other)]
    assert spent[0] is not None
    assert spent[1] is not None
    assert spent[0].remaining == spent[1].remaining


@given(TOTALS, OBJECTIVES)
def test_a_burn_rate_of_one_spends_exactly_the_budget(total: Fraction, target: Objective) -> None:
    """All of it, and nothing more."""
    allowed = target.error_budget
    counts = _counts(total, allowed)
    spent = budget(counts, target)
    assert 1 == burn_rate(counts, target)
    assert spent is not None
    assert (Fraction(1), Fraction(0)) == (spent.consumed, spent.failures_left)


@given(SHARES, st.fractions(min_value=Fraction(1, 100), max_value=1000))
def test_a_forecast_burns_exactly_what_is_left(remaining: Fraction, rate: Fraction) -> None:
    """Going on at the rate for the time it says leaves nothing."""
    period = Duration.parse("30d")
    seconds = time_to_exhaustion(remaining, rate, period)
    assert seconds is not None
    assert remaining == rate * seconds / Fraction(period.milliseconds, 1000)
