"""From a reading to a judgement: state, budget, burn rates and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction

from slo.budget import Budget, budget, burn_rate, time_to_exhaustion
from slo.model import BurnPair, ServiceLevel, SloKey
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.records import dataclass
from slo.units import Duration
from slo.windows import Catalogue, usable_pairs

EXHAUSTION_WINDOW = Duration.parse("1h")
"""The window whose burn rate a forecast of exhaustion assumes to go on."""


class State(StrEnum):
    """What an SLO's numbers amount to."""

    OK = "ok"
    BURNING = "burning"
    EXHAUSTED = "exhausted"
    NO_DATA = "no_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One service level, judged at one instant.

    ``counts``, ``budget`` and ``error_ratio`` are ``None`` when the period has no data, and then
    ``no_data`` says why. ``burn_rates`` has an entry per window, ``None`` where there is no data.
    ``firing`` are the alerting pairs whose two windows are both above their factor.
    """

    level: ServiceLevel
    reading: Reading
    state: State
    counts: Counts | None
    budget: Budget | None
    error_ratio: Fraction | None
    burn_rates: Mapping[Duration, Fraction | None]
    period_burn_rate: Fraction | None
    seconds_to_exhaustion: Fraction | None
    firing: tuple[BurnPair, ...] = ()
    no_data: NoData | None = None

    @property
    def key(self) -> SloKey:
        """The identity of the service level."""
        return self.level.key

    def pair_burn(self, pair: BurnPair) -> tuple[Fraction | None, Fraction | None]:
        """The burn rates of a pair's long and short windows."""
        return self.burn_rates.get(pair.long), self.burn_rates.get(pair.short)


def windows_of(level: ServiceLevel, catalogue: Catalogue) -> tuple[Duration, ...]:
    """The windows that judging a service level needs, shortest first."""
    needed = {EXHAUSTION_WINDOW}
    for pair in usable_pairs(level, catalogue).pairs:
        needed.update((pair.long, pair.short))
    return tuple(sorted(needed, key=lambda window: window.milliseconds))


def evaluate(level: ServiceLevel, reading: Reading, catalogue: Catalogue) -> Evaluation:
    """Judge one reading. Pure: the same reading gives the same evaluation."""
    objective = level.slo.objective
    rates = {
        window: None if isinstance(counts, NoData) else burn_rate(counts, objective)
        for window, counts in reading.windows.items()
    }
    firing = tuple(pair for pair in usable_pairs(level, catalogue).pairs if _fires(pair, rates))
    period, missing = _period(reading)
    spent = None if period is None else budget(period, objective)
    state = _state(spent, firing)
    return Evaluation(
        level=level,
        reading=reading,
        state=state,
        counts=reading.period if isinstance(reading.period, Counts) else None,
        budget=spent,
        error_ratio=None if period is None else period.error_ratio,
        burn_rates=rates,
        period_burn_rate=None if period is None else burn_rate(period, objective),
        seconds_to_exhaustion=_exhaustion(level, spent, rates.get(EXHAUSTION_WINDOW)),
        firing=firing,
        no_data=missing,
    )


def _period(reading: Reading) -> tuple[Counts | None, NoData | None]:
    if isinstance(reading.period, NoData):
        return None, reading.period
    if reading.period.total <= 0:
        return None, NoData(
            reason=NoDataReason.ZERO_TRAFFIC,
            detail="the series are there and nothing happened in the whole period",
        )
    return reading.period, None


def _fires(pair: BurnPair, rates: Mapping[Duration, Fraction | None]) -> bool:
    long, short = rates.get(pair.long), rates.get(pair.short)
    return long is not None and short is not None and long > pair.factor and short > pair.factor


def _state(spent: Budget | None, firing: tuple[BurnPair, ...]) -> State:
    if spent is None:
        return State.NO_DATA
    if spent.exhausted:
        return State.EXHAUSTED
    return State.BURNING if firing else State.OK


def _exhaustion(
    level: ServiceLevel, spent: Budget | None, rate: Fraction | None
) -> Fraction | None:
    if spent is None or rate is None:
        return None
    return time_to_exhaustion(spent.remaining, rate, level.slo.window)
