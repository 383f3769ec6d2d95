"""Error-budget arithmetic, exact: ratios of integers in, ratios of integers out.

Definitions (Site Reliability Workbook, chapters 2 and 5), with ``b = 1 - objective``:

* error budget: ``b x total`` events of the window may be bad;
* consumed: ``bad / (b x total)``; remaining: ``1 - consumed``, negative when overspent;
* burn rate of a window: ``error ratio / b``; 1 spends the budget in exactly one period.

Nothing is rounded, and nothing here stands for missing data: callers decide that first.
"""

from __future__ import annotations

from fractions import Fraction

from slo.model import Objective
from slo.ports import Counts, Share
from slo.records import dataclass
from slo.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The error budget of one window.

    ``allowed``, ``bad`` and ``failures_left`` are events (or seconds, for indicators of time);
    ``consumed`` and ``remaining`` are shares of the budget.
    """

    total: Fraction
    bad: Fraction
    allowed: Fraction
    consumed: Fraction
    remaining: Fraction
    failures_left: Fraction

    @property
    def exhausted(self) -> bool:
        """Whether nothing of the budget is left."""
        return self.remaining <= 0


def budget(counts: Counts, objective: Objective, *, at_least: int = 0) -> Budget | None:
    """The budget of a window's counts, or ``None`` when there is nothing to take a share of.

    ``at_least`` is the number of events the budget is taken over when fewer happened, so that a
    quiet application is judged by its absolute number of failures.
    """
    total = max(counts.total, Fraction(at_least))
    if total <= 0:
        return None
    bad = max(Fraction(0), min(counts.bad, total))
    allowed = objective.error_budget * total
    consumed = bad / allowed
    return Budget(
        total=counts.total,
        bad=bad,
        allowed=allowed,
        consumed=consumed,
        remaining=1 - consumed,
        failures_left=allowed - bad,
    )


def burn_rate(counts: Counts | Share, objective: Objective) -> Fraction | None:
    """How many times faster than allowed the budget is being spent; ``None`` without events."""
    ratio = counts.error_ratio
    return None if ratio is None else ratio / objective.error_budget


def time_to_exhaustion(remaining: Fraction, rate: Fraction, period: Duration) -> Fraction | None:
    """Seconds until the budget is gone if the burn rate stays; ``None`` when it never is.

    0 when it is gone already. A burn rate of 1 spends a whole budget in one period.
    """
    if remaining <= 0:
        return Fraction(0)
    if rate <= 0:
        return None
    return remaining * Fraction(period.milliseconds, 1000) / rate
