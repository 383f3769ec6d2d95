"""From readings to states: no number stands for missing data."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from slo.evaluate import Evaluation, State, evaluate, windows_of
from slo.ports import Counts, NoData, NoDataReason, Reading, Share
from slo.units import Duration
from tests.builders import CATALOGUE, level, slo

D = Duration.parse
AT = datetime(2026, 11, 23, 4, 10, tzinfo=UTC)
LEVEL = level()
Outcome = Counts | Share | NoData


def _counts(total: int, bad: int) -> Counts:
    return Counts(total=Fraction(total), bad=Fraction(bad))


def _judge(period: Counts | NoData, windows: Mapping[str, Outcome] | None = None) -> Evaluation:
    reading = Reading(
        key=LEVEL.key,
        at=AT,
        period=period,
        windows={D(name): outcome for name, outcome in (windows or {}).items()},
        mode="recorded",
    )
    return evaluate(LEVEL, reading, CATALOGUE)


HEALTHY = _counts(1_000_000, 100)


def test_a_healthy_level_is_ok_with_its_numbers() -> None:
    """A tenth of the budget is spent."""
    found = _judge(HEALTHY)
    assert State.OK is found.state
    assert (Fraction(1, 10_000), Fraction(1, 10)) == (found.error_ratio, found.period_burn_rate)
    assert found.budget is not None
    assert Fraction(9, 10) == found.budget.remaining
    assert () == found.firing
    assert found.no_data is None


def test_a_level_burns_when_both_windows_of_a_pair_do() -> None:
    """14.4 times over an hour and five minutes."""
    hot = _counts(1000, 15)
    found = _judge(HEALTHY, {"1h": hot, "5m": hot})
    assert State.BURNING is found.state
    assert [(D("1h"), D("5m"))] == [(pair.long, pair.short) for pair in found.firing]
    assert (Fraction(15), Fraction(15)) == found.pair_burn(found.firing[0])


@pytest.mark.parametrize(
    "windows",
    [
        {"1h": _counts(1000, 15), "5m": _counts(1000, 0)},
        {"1h": _counts(1000, 0), "5m": _counts(1000, 500)},
        {"1h": _counts(1000, 15), "5m": NoData(reason=NoDataReason.LOST)},
        {"1h": _counts(1000, 15)},
        {"1h": _counts(10_000, 144), "5m": _counts(10_000, 144)},
        {"1h": _counts(0, 0), "5m": _counts(0, 0)},
    ],
    ids=["over", "just begun", "short unknown", "short unread", "exactly the factor", "idle"],
)
def test_a_level_does_not_burn_on_half_of_the_evidence(windows: Mapping[str, Outcome]) -> None:
    """One window alone, or a burn of exactly the factor, fires nothing."""
    assert State.OK is _judge(HEALTHY, windows).state


def test_a_share_burns_as_counts_do() -> None:
    """Sources without counts can still say that it burns."""
    hot = Share(ratio=Fraction(2, 100))
    assert State.BURNING is _judge(HEALTHY, {"1h": hot, "5m": hot}).state


@pytest.mark.parametrize("bad", [1000, 5000])
def test_a_spent_budget_is_exhausted_whatever_burns(bad: int) -> None:
    """Exactly spent is spent."""
    hot = _counts(1000, 100)
    found = _judge(_counts(1_000_000, bad), {"1h": hot, "5m": hot})
    assert State.EXHAUSTED is found.state
    assert Fraction(0) == found.seconds_to_exhaustion


@pytest.mark.parametrize("reason", NoDataReason)
def test_missing_data_stays_missing(reason: NoDataReason) -> None:
    """The reason is kept; nothing is zero, and nothing is fine."""
    missing = NoData(reason=reason, detail="so it is")
    found = _judge(missing, {"1h": missing})
    assert State.NO_DATA is found.state
    assert (missing, None, None, None, None, None) == (
        found.no_data,
        found.counts,
        found.budget,
        found.error_ratio,
        found.period_burn_rate,
        found.seconds_to_exhaustion,
    )
    assert {D("1h"): None} == dict(found.burn_rates)


def test_no_traffic_is_no_data_with_its_own_reason() -> None:
    """The counts are known to be zero; a share of them is not."""
    found = _judge(_counts(0, 0))
    assert State.NO_DATA is found.state
    assert found.no_data is not None
    assert NoDataReason.ZERO_TRAFFIC is found.no_data.reason
    assert _counts(0, 0) == found.counts
    assert found.error_ratio is None


def test_an_unknown_period_is_no_data_even_while_pairs_fire() -> None:
    """What burns is still listed."""
    hot = _counts(1000, 100)
    found = _judge(NoData(reason=NoDataReason.INCOMPLETE), {"1h": hot, "5m": hot})
    assert State.NO_DATA is found.state
    assert 1 == len(found.firing)


def test_a_forecast_needs_the_last_hour() -> None:
    """Nine tenths of a month's budget at twice the rate last 13.5 days."""
    found = _judge(HEALTHY, {"1h": _counts(1000, 2)})
    assert Fraction(27, 2) * 86_400 == found.seconds_to_exhaustion
    assert _judge(HEALTHY).seconds_to_exhaustion is None
    assert _judge(HEALTHY, {"1h": _counts(1000, 0)}).seconds_to_exhaustion is None


def test_the_same_reading_gives_the_same_evaluation() -> None:
    """Nothing else is looked at."""
    assert _judge(HEALTHY) == _judge(HEALTHY)


def test_windows_are_those_of_usable_pairs_and_the_forecast() -> None:
    """Each once, the shortest first; dropped pairs need no window."""
    assert ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] == [
        str(window) for window in windows_of(LEVEL, CATALOGUE)
    ]
    few = level(replace(slo(target="50"), pairs=None))
    assert ["1h", "6h", "3d"] == [str(window) for window in windows_of(few, CATALOGUE)]
