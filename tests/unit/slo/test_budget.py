"""Error-budget arithmetic on numbers anyone can check by hand."""

from fractions import Fraction

import pytest

from slo.budget import budget, burn_rate, time_to_exhaustion
from slo.ports import Counts, Share
from slo.units import Duration
from tests.builders import objective

THREE_NINES = objective("99.9")
MONTH = Duration.parse("30d")


def _counts(total: int | Fraction, bad: int | Fraction) -> Counts:
    return Counts(total=Fraction(total), bad=Fraction(bad))


@pytest.mark.parametrize(
    ("bad", "consumed", "left", "exhausted"),
    [
        (0, Fraction(0), Fraction(1000), False),
        (250, Fraction(1, 4), Fraction(750), False),
        (1000, Fraction(1), Fraction(0), True),
        (3000, Fraction(3), Fraction(-2000), True),
    ],
)
def test_a_budget_is_what_may_fail_less_what_failed(
    *, bad: int, consumed: Fraction, left: Fraction, exhausted: bool
) -> None:
    """A million requests at 99.9 % may fail a thousand times."""
    spent = budget(_counts(1_000_000, bad), THREE_NINES)
    assert spent is not None
    assert (Fraction(1000), consumed, 1 - consumed, left, exhausted) == (
        spent.allowed,
        spent.consumed,
        spent.remaining,
        spent.failures_left,
        spent.exhausted,
    )


def test_six_nines_are_not_rounded_away() -> None:
    """One failure in two million is half of the budget."""
    spent = budget(_counts(2_000_000, 1), objective("99.9999"))
    assert spent is not None
    assert Fraction(1, 2) == spent.consumed


def test_nothing_happened_is_no_budget() -> None:
    """There is nothing to take a share of."""
    assert budget(_counts(0, 0), THREE_NINES) is None
    assert burn_rate(_counts(0, 0), THREE_NINES) is None


def test_few_events_are_judged_by_a_least_number() -> None:
    """One failure of ten is not the end of a quiet application's budget."""
    spent = budget(_counts(10, 1), THREE_NINES, at_least=10_000)
    assert spent is not None
    assert (Fraction(10), Fraction(10), Fraction(1, 10)) == (
        spent.total,
        spent.allowed,
        spent.consumed,
    )
    idle = budget(_counts(0, 0), THREE_NINES, at_least=100)
    assert idle is not None
    assert Fraction(1) == idle.remaining


@pytest.mark.parametrize(("bad", "taken"), [(-3, 0), (103, 100)])
def test_noise_beyond_the_possible_is_cut_off(bad: int, taken: int) -> None:
    """Interpolated counts may fall below zero or above their total."""
    spent = budget(_counts(100, bad), THREE_NINES)
    assert spent is not None
    assert Fraction(taken) == spent.bad


def test_a_burn_rate_is_the_ratio_over_what_is_allowed() -> None:
    """1.44 % at 99.9 % is 14.4, from counts and from a share."""
    assert Fraction(72, 5) == burn_rate(_counts(10_000, 144), THREE_NINES)
    assert Fraction(72, 5) == burn_rate(Share(ratio=Fraction(144, 10_000)), THREE_NINES)


@pytest.mark.parametrize(
    ("remaining", "rate", "seconds"),
    [
        (Fraction(1), Fraction(1), Fraction(2_592_000)),
        (Fraction(1, 2), Fraction(10), Fraction(129_600)),
        (Fraction(1), Fraction(0), None),
        (Fraction(0), Fraction(5), Fraction(0)),
        (Fraction(-1), Fraction(0), Fraction(0)),
    ],
)
def test_a_forecast_assumes_that_the_rate_goes_on(
    remaining: Fraction, rate: Fraction, seconds: Fraction | None
) -> None:
    """A burn rate of 1 spends a whole budget in one period; none spends it never."""
    assert seconds == time_to_exhaustion(remaining, rate, MONTH)
