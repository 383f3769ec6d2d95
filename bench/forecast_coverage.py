"""How often the forecast's interval holds the instant at which a simulated budget is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from app.services.forecast import Hours, forecast
from app.services.results import Outlook
from bench.model import Bench, Result, Row, Run

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PERIOD = 720
BUDGET = 0.001
_NOMINAL, _TOLERANCE = 0.8, 5.0
_SEED = 20261101
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


def run(bench: Run) -> Result:
    """Simulate burns of each kind; four fifths of the intervals should hold the truth."""
    rows = []
    for name, rates in SCENARIOS.items():
        bench.tell(f"{name} burns")
        share, burns = coverage(rates, 60 if bench.quick else 300, seed=_SEED)
        rows.append(
            Row(
                bench="forecast_coverage",
                what=f"how far coverage of the 80 % interval is from 80 %, {name} burns",
                value=abs(share - _NOMINAL) * 100,
                # Sixty burns say too little to judge.
                target=None if bench.quick else _TOLERANCE,
                unit="points",
                figures=f"{share:.1%} of {burns} burns that ran out",
            )
        )
    return Result(rows=rows)


BENCH = Bench(
    name="forecast_coverage",
    about="how often the forecast's 80 % interval holds the end of a simulated budget",
    run=run,
)
