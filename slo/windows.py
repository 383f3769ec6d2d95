"""Burn-rate windows: the catalogue of alerting pairs, and which of them an SLO can use.

Source of the arithmetic: Site Reliability Workbook, chapter 5. A burn rate of 1 spends the budget
in exactly one period; a pair's factor is ``budget share x period / long window``.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from slo.model import AlertSeverity, BurnPair, Objective, ServiceLevel
from slo.records import dataclass
from slo.units import Duration

LEDGER_SLOT = Duration.parse("5m")
"""The length of one slot of the ledger."""

FRESHNESS = Duration.parse("11m")
"""How old a derived series may be and still be read: two slots and a minute."""

SHORT = Duration.parse("1h")
"""The longest window that is read from the fast pair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePair:
    """One row of a catalogue; ``budget`` is the share of the budget spent when it fires, 0 to 1."""

    severity: AlertSeverity
    long: Duration
    short: Duration
    budget: Fraction

    def for_period(self, period: Duration) -> BurnPair:
        """The pair with its factor for a budget period, at least 1."""
        factor = self.budget * period.milliseconds / self.long.milliseconds
        return BurnPair(
            severity=self.severity,
            long=self.long,
            short=self.short,
            factor=max(Fraction(1), factor),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The pairs an installation alerts on, for any period."""

    pairs: tuple[CataloguePair, ...]

    def for_period(self, period: Duration) -> tuple[BurnPair, ...]:
        """The pairs with their factors for a budget period, none below 1."""
        return tuple(pair.for_period(period) for pair in self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedPair:
    """A pair that an SLO cannot use, and why in one sentence."""

    pair: BurnPair
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsablePairs:
    """The pairs in force for one service level and those left out with their reasons."""

    pairs: tuple[BurnPair, ...]
    dropped: tuple[DroppedPair, ...]


def base_window(scrape_interval: Duration) -> Duration:
    """The range of the fast pair's rates: four scrapes, and at least a minute."""
    return Duration(milliseconds=max(4 * scrape_interval.milliseconds, 60_000))


def usable_pairs(level: ServiceLevel, catalogue: Catalogue) -> UsablePairs:
    """Split the pairs that apply to a service level into those that can work and the others."""
    slo = level.slo
    given = catalogue if slo.pairs is None else slo.pairs
    return _split(given, slo.window, slo.objective, slo.indicator.scrape_interval)


# Rules, readers and dashboards all ask, and most SLOs of an installation differ in nothing here.
@lru_cache(maxsize=256)
def _split(
    given: Catalogue | tuple[BurnPair, ...],
    window: Duration,
    objective: Objective,
    scrape_interval: Duration,
) -> UsablePairs:
    kept: list[BurnPair] = []
    dropped: list[DroppedPair] = []
    for pair in given.for_period(window) if isinstance(given, Catalogue) else given:
        reason = _obstacle(pair, window, objective, scrape_interval)
        if reason is None:
            kept.append(pair)
        else:
            dropped.append(DroppedPair(pair=pair, reason=reason))
    return UsablePairs(pairs=tuple(kept), dropped=tuple(dropped))


def _obstacle(
    pair: BurnPair, window: Duration, objective: Objective, scrape_interval: Duration
) -> str | None:
    threshold = pair.factor * objective.error_budget
    name = f"{pair.severity} pair {pair.long}/{pair.short}"
    if threshold >= 1:
        return (
            f"the {name} fires at an error ratio of {float(threshold):.3g}, "
            f"which no indicator can exceed at an objective of {objective.text} %"
        )
    if pair.long.milliseconds >= window.milliseconds:
        return f"the {name} looks back as far as the whole period of {window}"
    base = base_window(scrape_interval)
    if pair.short.milliseconds < base.milliseconds:
        return (
            f"the {name} has a short window below {base}, the shortest that a scrape "
            f"interval of {scrape_interval} supports"
        )
    return None


def fast_interval(scrape_interval: Duration) -> Duration:
    """How often the fast pair is recorded: every scrape, and at most twice a minute."""
    return Duration(milliseconds=max(scrape_interval.milliseconds, 30_000))


def is_short(window: Duration) -> bool:
    """Whether the fast pair covers a window; longer ones are read from the ledger."""
    return window.milliseconds <= SHORT.milliseconds
