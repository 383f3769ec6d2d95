"""Every PromQL that a dashboard asks.

Only recorded series are read, each selected by application and environment and, on a panel of one
SLO, by its name. What a series does not hold stays absent: nothing is filled with zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from slo import naming
from slo.model import ServiceLevel, SloKey
from slo.numerals import decimal_text
from slo.promql import quote
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS, Catalogue, is_short, usable_pairs

ALERT_LABELS = ("alertname", "alertstate", "severity", "long", "short")
"""The labels that tell one active alert of an SLO from another."""

STATES = {0: "ok", 1: "burning", 2: "exhausted"}
"""What the values of ``state`` mean, in the words of ``headroom status``."""

# Prometheus writes this one by itself, for every pending or firing alert.
_ALERTS = "ALERTS"

# The windows that rules evaluate with the fast pair; longer ones come every ledger slot.


_Pair = tuple[Duration, Duration, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose series a query reads: the named SLOs of an application's environment, or all."""

    app: str
    env: str
    slos: tuple[str, ...] = ()

    @classmethod
    def of(cls, key: SloKey) -> Scope:
        """Return the scope of one SLO."""
        return cls(app=key.app, env=key.env, slos=(key.slo,))

    def select(self, name: str) -> str:
        """Return a selector of the series of that name."""
        matchers = [f"{naming.APP}={quote(self.app)}", f"{naming.ENV}={quote(self.env)}"]
        if len(self.slos) == 1:
            matchers.append(f"{naming.SLO}={quote(self.slos[0])}")
        elif self.slos:
            # Names hold no character that means something in a regular expression.
            matchers.append(f"{naming.SLO}=~{quote('|'.join(self.slos))}")
        return f"{name}{{{','.join(matchers)}}}"

    def latest(self, name: str) -> str:
        """Return the last sample of series that are recorded once in a ledger slot."""
        return f"last_over_time({self.select(name)}[{FRESHNESS.promql}])"


def objective(scope: Scope) -> str:
    """Return the objective as a ratio, 0 to 1."""
    return scope.latest(naming.OBJECTIVE)


def error_budget(scope: Scope) -> str:
    """Return the share of events that may be bad, 0 to 1."""
    return scope.latest(naming.ERROR_BUDGET)


def budget_remaining(scope: Scope) -> str:
    """Return the share of the budget that is left, at most 1, negative when overspent."""
    return scope.latest(naming.BUDGET_REMAINING)


def period_burn_rate(scope: Scope) -> str:
    """Return the burn rate over the whole period; 1 is a budget spent exactly."""
    return scope.latest(naming.PERIOD_BURN_RATE)


def period_error_ratio(scope: Scope) -> str:
    """Return the share of bad events in the period, 0 to 1."""
    return scope.latest(naming.PERIOD_RATIO)


def coverage(scope: Scope) -> str:
    """Return the share of the period's slots that were recorded, 0 to 1."""
    return scope.latest(naming.PERIOD_COVERAGE)


def revision_start(scope: Scope) -> str:
    """Return since when the present objective and query hold, in Unix milliseconds."""
    return f"{scope.latest(naming.REVISION_START)} * 1000"


def failures_left(scope: Scope) -> str:
    """Return how many more bad events the budget allows; nothing when the period had no events."""
    total = f"({scope.latest(naming.TOTAL_PERIOD)} > 0)"
    return f"{error_budget(scope)} * {total} - {scope.latest(naming.BAD_PERIOD)}"


def error_ratio(scope: Scope, window: Duration) -> str:
    """Return the share of bad events in a window, 0 to 1."""
    name = naming.error_ratio(window)
    # A short window that stops being recorded must end on the chart, not go on for a while.
    return scope.select(name) if is_short(window) else scope.latest(name)


def burn_rate(scope: Scope, window: Duration) -> str:
    """Return the error ratio of a window divided by the error budget."""
    return f"{error_ratio(scope, window)} / {error_budget(scope)}"


def total_rate(scope: Scope) -> str:
    """Return events per second, or measured seconds per second."""
    return scope.select(naming.TOTAL_RATE)


def bad_rate(scope: Scope) -> str:
    """Return bad events per second, or bad seconds per second."""
    return scope.select(naming.BAD_RATE)


def active_alerts(scope: Scope) -> str:
    """Return one series for each pending or firing alert, with ``ALERT_LABELS``."""
    return f"max by ({', '.join(ALERT_LABELS)}) ({scope.select(_ALERTS)})"


def state(scope: Scope, levels: Sequence[ServiceLevel], catalogue: Catalogue) -> str:
    """Return a value of ``STATES`` for each of the levels, which are all those in the scope.

    As ``slo.evaluate`` has it: exhausted when nothing is left of the budget, burning while both
    windows of a usable pair burn faster than its factor; absent where the budget is.
    """
    remaining = budget_remaining(scope)
    clauses = [f"(2 * ({remaining} <= bool 0) > 0)"]
    pairs = " or ".join(
        _both_burn(replace(scope, slos=names), pair)
        for pair, names in _slos_by_pair(levels, catalogue).items()
    )
    if pairs:
        clauses.append(f"(({pairs}) > bool 0 and {remaining})")
    clauses.append(f"({remaining} <= bool 0)")
    return " or ".join(clauses)


def per_slo(expression: str) -> str:
    """Return the expression with no label but the SLO's name, for tables that join by it."""
    return f"max by ({naming.SLO}) ({expression})"


def _slos_by_pair(
    levels: Sequence[ServiceLevel], catalogue: Catalogue
) -> dict[_Pair, tuple[str, ...]]:
    """Return which SLOs use each pair; no names where all of them do."""
    found: dict[_Pair, tuple[str, ...]] = {}
    for level in levels:
        for pair in usable_pairs(level, catalogue).pairs:
            key = (pair.long, pair.short, pair.factor)
            found[key] = (*found.get(key, ()), level.slo.name)
    everyone = tuple(level.slo.name for level in levels)
    return {pair: () if names == everyone else names for pair, names in found.items()}


def _both_burn(scope: Scope, pair: _Pair) -> str:
    long, short, factor = pair
    return (
        f"({burn_rate(scope, long)} > {decimal_text(factor)}"
        f" and {burn_rate(scope, short)} > {decimal_text(factor)})"
    )
