"""How often the forecast's interval holds the instant at which a simulated budget is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from app.services.forecast import Hours, forecast
from app.services.results import Outlook

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = 720
BUDGET = 0.001
Rates = Callable[[np.random.Generator, int], np.ndarray]


def steady(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return a burn that began somewhere in the last days and stays as it is."""
    onset = int(rng.integers(6, 96))
    quiet = BUDGET * rng.uniform(0.05, 0.3)
    ratio = np.full(length, quiet)
    # Between a tenth and four fifths of the budget are spent by now.
    ratio[PERIOD - onset :] = quiet + BUDGET * rng.uniform(0.1, 0.6) * PERIOD / onset
    return ratio


def uneven(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return a burn whose hours differ by a factor of their own."""
    return steady(rng, length) * rng.gamma(2.0, 0.5, size=length)


def slow(rng: np.random.Generator, length: int) -> np.ndarray:
    """Return a burn a little faster than the budget allows, from the beginning."""
    ratio = np.full(length, BUDGET * rng.uniform(0.3, 0.6))
    ratio[PERIOD - 200 :] = BUDGET * rng.uniform(1.2, 2)
    return ratio


SCENARIOS: dict[str, Rates] = {"steady": steady, "uneven": uneven, "slow": slow}


def coverage(rates: Rates, runs: int, seed: int) -> tuple[float, int]:
    """Return how often the truth was inside, and over how many burns that ran out."""
    rng = np.random.default_rng(seed)
    inside = counted = 0
    for _ in range(runs):
        length = 2 * PERIOD
        day = 1 + 0.8 * np.sin(2 * np.pi * np.arange(length) / 24)
        total = rng.poisson(day * rng.uniform(5_000, 50_000)).astype(float)
        bad = np.minimum(total, rng.poisson(rates(rng, length) * total)).astype(float)
        found = forecast(
            Hours(total=total[:PERIOD], bad=bad[:PERIOD]),
            error_budget=BUDGET,
            period_hours=PERIOD,
            now=NOW,
        )
        truth = _runs_out(total, bad)
        if found.outlook is Outlook.EXHAUSTED or truth is None:
            continue
        counted += 1
        low, high = (_hours(found.earliest), _hours(found.latest))
        inside += low is not None and low <= truth and (high is None or truth <= high)
    return inside / max(1, counted), counted


def _runs_out(total: np.ndarray, bad: np.ndarray) -> float | None:
    """Return when, in hours from now, the rolling budget of the whole is gone."""
    left = [
        BUDGET * total[ahead : PERIOD + ahead].sum() - bad[ahead : PERIOD + ahead].sum()
        for ahead in range(PERIOD + 1)
    ]
    for ahead, (before, after) in enumerate(pairwise(left)):
        if after <= 0:
            return float(ahead + before / (before - after))
    return None


def _hours(at: datetime | None) -> float | None:
    return None if at is None else (at - NOW).total_seconds() / 3600


if __name__ == "__main__":
    for name, rates in SCENARIOS.items():
        share, burns = coverage(rates, 300, seed=20261101)
        print(f"{name:<8} {share:.1%} of {burns} burns")
