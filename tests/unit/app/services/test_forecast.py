"""When a budget will be gone: what the forecast says of burns that are known exactly."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from app.services.forecast import Hours, forecast, hours_of, regime
from app.services.results import Forecast, Outlook

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = 720
BUDGET = 0.001


def said(total: np.ndarray, bad: np.ndarray, *, seed: int = 7) -> Forecast:
    return forecast(
        Hours(total=total, bad=bad), error_budget=BUDGET, period_hours=PERIOD, now=NOW, seed=seed
    )


def traffic(hours: int = PERIOD, rate: float = 10_000) -> np.ndarray:
    return np.full(hours, rate)


def burning(since: int, ratio: float, quiet: float = 0.1 * BUDGET) -> np.ndarray:
    """Bad events of a quiet period that has burned for its last hours."""
    bad = traffic() * quiet
    bad[PERIOD - since :] = 10_000 * ratio
    return bad


def test_a_budget_that_is_spent_as_slowly_as_it_comes_back_is_stable() -> None:
    found = said(traffic(), traffic() * 0.3 * BUDGET)

    assert Outlook.STABLE == found.outlook
    assert (None, None, None) == (found.at, found.earliest, found.latest)
    assert NOW + timedelta(hours=PERIOD) == found.horizon


def test_a_budget_without_any_bad_event_is_stable() -> None:
    assert Outlook.STABLE == said(traffic(), traffic() * 0).outlook


def test_a_budget_that_is_spent_is_exhausted_now() -> None:
    found = said(traffic(), burning(48, 0.02))

    assert (Outlook.EXHAUSTED, NOW) == (found.outlook, found.at)


@pytest.mark.parametrize(
    ("total", "bad"),
    [
        (np.full(PERIOD, np.nan), np.full(PERIOD, np.nan)),
        (traffic() * 0, traffic() * 0),
        (traffic(2), traffic(2) * 0.01),
        (np.array([]), np.array([])),
    ],
    ids=["nothing known", "no traffic", "two hours", "no hours"],
)
def test_too_little_to_go_by_is_unknown_and_never_stable(
    total: np.ndarray, bad: np.ndarray
) -> None:
    found = said(total, bad)

    assert (Outlook.UNKNOWN, None) == (found.outlook, found.at)
    assert found.note


def test_a_steady_burn_runs_out_inside_its_interval() -> None:
    """At 4 % of the budget an hour, less what comes back, the rest is gone in about 11 hours."""
    found = said(traffic(), burning(10, 0.04 * PERIOD * BUDGET))
    whole = BUDGET * 10_000 * PERIOD
    quiet = 0.1 * BUDGET * 10_000
    remaining = whole - (PERIOD - 10) * quiet - 10 * 0.04 * whole
    truth = NOW + timedelta(hours=remaining / (0.04 * whole - quiet))

    assert Outlook.EXHAUSTING == found.outlook
    assert found.earliest is not None
    assert found.latest is not None
    assert found.at is not None
    assert found.earliest <= truth <= found.latest
    assert abs(found.at - truth) < timedelta(hours=1)


def test_a_slower_burn_runs_out_later() -> None:
    fast = said(traffic(), burning(10, 0.04 * PERIOD * BUDGET)).at
    slow = said(traffic(), burning(10, 0.02 * PERIOD * BUDGET)).at

    assert fast is not None
    assert slow is not None
    assert fast < slow


def test_the_same_hours_give_the_same_forecast() -> None:
    """A page that is loaded again shows the same instants."""
    bad = burning(24, 0.02 * PERIOD * BUDGET)

    assert said(traffic(), bad) == said(traffic(), bad)


def test_hours_of_which_nothing_is_known_are_no_quiet_hours() -> None:
    """Half of the hours missing leaves the ratio, and so the regime, as it is."""
    total, bad = traffic(), burning(48, 0.01 * PERIOD * BUDGET)
    gaps = np.arange(PERIOD) % 2 == 0
    known = ~gaps
    whole = regime(total, bad)
    half = regime(total[known], bad[known])

    assert whole.ratio == pytest.approx(half.ratio)
    thin = said(np.where(gaps, np.nan, total), np.where(gaps, np.nan, bad))
    assert Outlook.EXHAUSTING == thin.outlook


def test_the_regime_is_what_holds_since_the_ratio_changed() -> None:
    found = regime(traffic(168), np.where(np.arange(168) < 150, 1.0, 300.0))

    assert 18 == found.hours
    assert 0.03 == pytest.approx(found.ratio)


def test_pairs_become_hours_and_none_becomes_unknown() -> None:
    found = hours_of([(10.0, 1.0), None, (20.0, 0.0)])

    assert [10.0, None, 20.0] == [None if np.isnan(each) else each for each in found.total]
    assert [1.0, None, 0.0] == [None if np.isnan(each) else each for each in found.bad]
