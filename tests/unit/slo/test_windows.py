"""Burn-rate windows: factors, what an SLO can use, and base windows."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.model import AlertSeverity, BurnPair
from slo.units import Duration
from slo.windows import base_window, fast_interval, is_short, usable_pairs
from tests.builders import CATALOGUE, level, slo

D = Duration.parse


@pytest.mark.parametrize(
    ("period", "factors"),
    [
        ("30d", ["72/5", "6", "3", "1"]),
        ("28d", ["336/25", "28/5", "14/5", "1"]),
        ("7d", ["84/25", "7/5", "1", "1"]),
        ("90d", ["216/5", "18", "9", "3"]),
    ],
)
def test_factors_follow_from_the_share_of_the_budget(period: str, factors: list[str]) -> None:
    """2, 5, 10 and 10 % of the period's budget, exactly, and never a factor below 1."""
    pairs = CATALOGUE.for_period(D(period))
    assert [Fraction(factor) for factor in factors] == [pair.factor for pair in pairs]


@given(st.integers(min_value=1, max_value=3650))
def test_no_factor_is_below_one(days: int) -> None:
    """A burn rate below 1 never spends the budget."""
    assert all(pair.factor >= 1 for pair in CATALOGUE.for_period(Duration.of(days=days)))


def test_all_pairs_serve_an_ordinary_slo() -> None:
    """99.9 % over 30 days drops nothing."""
    usable = usable_pairs(level(), CATALOGUE)
    assert (4, 0) == (len(usable.pairs), len(usable.dropped))


@pytest.mark.parametrize(("target", "kept"), [("93.1", 4), ("93.05", 3), ("80", 2), ("50", 1)])
def test_a_pair_that_can_never_fire_is_dropped_with_its_reason(target: str, kept: int) -> None:
    """A factor times the budget of 1 or more is no error ratio anything exceeds."""
    usable = usable_pairs(level(slo(target=target)), CATALOGUE)
    assert kept == len(usable.pairs)
    assert all("no indicator can exceed" in each.reason for each in usable.dropped)
    assert all(target in each.reason for each in usable.dropped)


def test_a_pair_at_exactly_one_is_dropped() -> None:
    """No ratio is greater than 1."""
    pair = BurnPair(severity=AlertSeverity.PAGE, long=D("1h"), short=D("5m"), factor=Fraction(10))
    one = replace(slo(target="90"), pairs=(pair,))
    assert () == usable_pairs(level(one), CATALOGUE).pairs


def test_a_pair_as_long_as_the_period_is_dropped() -> None:
    """Its long window would be the period itself."""
    usable = usable_pairs(level(slo(window="3d")), CATALOGUE)
    assert ["3d"] == [str(each.pair.long) for each in usable.dropped]
    assert "the whole period of 3d" in usable.dropped[0].reason


@pytest.mark.parametrize(
    ("scrape", "kept"), [("15s", ["5m", "30m", "2h", "6h"]), ("5m", ["30m", "2h", "6h"])]
)
def test_a_window_shorter_than_the_base_is_refused_by_name(scrape: str, kept: list[str]) -> None:
    """A scrape every five minutes supports no window of five minutes."""
    usable = usable_pairs(level(slo(scrape=scrape)), CATALOGUE)
    assert kept == [str(pair.short) for pair in usable.pairs]
    for dropped in usable.dropped:
        assert "page pair 1h/5m" in dropped.reason
        assert "below 20m" in dropped.reason
        assert "scrape interval of 5m" in dropped.reason


def test_an_slo_may_bring_its_own_pairs() -> None:
    """They replace the catalogue's."""
    pair = BurnPair(severity=AlertSeverity.PAGE, long=D("2h"), short=D("10m"), factor=Fraction(7))
    assert (pair,) == usable_pairs(level(replace(slo(), pairs=(pair,))), CATALOGUE).pairs


@pytest.mark.parametrize(
    ("scrape", "base", "interval"),
    [("1s", "1m", "30s"), ("15s", "1m", "30s"), ("30s", "2m", "30s"), ("5m", "20m", "5m")],
)
def test_the_base_holds_four_scrapes_and_a_minute(scrape: str, base: str, interval: str) -> None:
    """And the fast pair is recorded at most twice a minute."""
    assert (D(base), D(interval)) == (base_window(D(scrape)), fast_interval(D(scrape)))


def test_windows_of_at_most_an_hour_are_short() -> None:
    """Two hours and more are read from the ledger."""
    assert [True, True, False] == [is_short(D(text)) for text in ("5m", "1h", "2h")]
