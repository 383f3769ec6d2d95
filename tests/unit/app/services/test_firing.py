"""When burn-rate alerts fired, worked out from counts in steps of five minutes."""

from dataclasses import replace

import numpy as np
import pytest

from app.services.firing import Firing, firings
from app.services.spread import Spread
from slo.model import AlertGuard, AlertSettings, AlertSeverity, BurnPair, ServiceLevel
from slo.units import Duration
from tests.builders import level, slo

STEP = Duration.of(minutes=5)
PAGE = BurnPair(
    severity=AlertSeverity.PAGE,
    long=Duration.of(hours=1),
    short=Duration.of(minutes=5),
    factor=slo().objective.error_budget * 0 + 10,
)
TICKET = replace(
    PAGE, severity=AlertSeverity.TICKET, long=Duration.of(hours=6), factor=PAGE.factor / 5
)
LEVEL = level(slo(target="99"))


def spread(bad: dict[range, float], *, steps: int = 100, total: float = 100) -> Spread:
    counts = np.zeros(steps)
    for places, amount in bad.items():
        counts[places.start : places.stop] = amount
    return Spread(step=STEP, total=np.full(steps, total), bad=counts)


def guarded(guard: AlertGuard) -> ServiceLevel:
    return replace(LEVEL, slo=replace(LEVEL.slo, alerts=AlertSettings(page=guard)))


def test_an_alert_lasts_while_both_windows_burn() -> None:
    """An hour above a tenth needs 120 bad of 1,200: the second step of 100 gets past it."""
    found = firings(LEVEL, [PAGE], spread({range(40, 50): 100}))

    assert (Firing(severity=AlertSeverity.PAGE, first=41, last=49, pairs=(PAGE,)),) == found


def test_two_burns_are_two_alerts() -> None:
    found = firings(LEVEL, [PAGE], spread({range(20, 24): 100, range(60, 64): 100}))

    assert [(21, 23), (61, 63)] == [(each.first, each.last) for each in found]


def test_a_burn_exactly_at_the_factor_does_not_fire() -> None:
    assert () == firings(LEVEL, [PAGE], spread({range(100): 10}))


def test_a_burn_that_goes_on_fires_to_the_last_step() -> None:
    (found,) = firings(LEVEL, [PAGE], spread({range(90, 100): 100}))

    assert 99 == found.last


def test_severities_are_told_apart_and_pairs_are_named() -> None:
    found = firings(LEVEL, [PAGE, TICKET], spread({range(40, 50): 100}))

    assert [("page", (PAGE,)), ("ticket", (TICKET,))] == [
        (str(each.severity), each.pairs) for each in found
    ]


def test_steps_of_which_nothing_is_known_do_not_fire() -> None:
    silent = Spread(step=STEP, total=np.full(50, np.nan), bad=np.full(50, np.nan))

    assert () == firings(LEVEL, [PAGE], silent)


@pytest.mark.parametrize(
    ("guard", "fires"),
    [
        (AlertGuard(enabled=False), False),
        (AlertGuard(min_events=1201), False),
        (AlertGuard(min_events=1200), True),
        (AlertGuard(min_bad=10_000), False),
        (AlertGuard(min_events=5000, min_bad=200), True),
    ],
)
def test_an_alert_needs_the_evidence_that_the_rules_ask_for(
    guard: AlertGuard, *, fires: bool
) -> None:
    """Either enough events or enough bad ones in the long window, as in the generated rules."""
    found = firings(guarded(guard), [PAGE], spread({range(40, 50): 100}))

    assert fires is bool(found)


def test_coarser_steps_add_up_from_the_newest() -> None:
    counts = Spread(step=STEP, total=np.arange(1.0, 8.0), bad=np.full(7, np.nan))

    found = counts.by(Duration.of(minutes=15))

    assert [1.0, 9.0, 18.0] == found.total.tolist()
    assert np.isnan(found.bad).all()
    assert Duration.of(minutes=15) == found.step
