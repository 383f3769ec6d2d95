"""When an error budget will be gone, as an interval that holds the truth four times out of five.

The future is drawn many times over from what the last hours say. The error ratio of the present
regime, as uncertain as its few hours leave it, meets the traffic of the same hours of earlier days;
what was spent a period ago comes back as it leaves the window. The instants at which the drawn
futures run out make the interval. Its coverage is measured in ``bench/forecast_coverage.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from app.services.results import Forecast, Outlook
from slo.records import dataclass

Floats = NDArray[np.float64]

CONFIDENCE = 0.8
PATHS = 600
DAY = 24

_QUANTILES = (0.08, 0.5, 0.92)
"""Wider than a tenth on each side: a regime found in the data looks surer than it is."""

_FEWEST = 3
"""How many hours are always taken for the present regime."""

_LONGEST_REGIME = 7 * DAY

_EVIDENCE = 20.0
"""How much likelier, in twice the logarithm, two regimes must be than one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Events per hour, oldest first, to the present one; NaN where nothing is known.

    They fill the budget's period, or as much of it as there is.
    """

    total: Floats
    bad: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """What the present looks like: share of bad events, how sure, and how unevenly they come.

    ``events`` is the number of bad events it is known from, ``dispersion`` the variance of hourly
    bad events over their mean: 1 for independent ones.
    """

    ratio: float
    events: float
    dispersion: float
    hours: int


def forecast(
    hours: Hours, *, error_budget: float, period_hours: int, now: datetime, seed: int = 7
) -> Forecast:
    """Say when the budget of a rolling period will be gone if the present regime goes on.

    ``error_budget`` is the share of events that may be bad. The horizon is one period.
    """
    horizon = now + timedelta(hours=period_hours)
    total, bad = np.nan_to_num(hours.total), np.nan_to_num(hours.bad)
    allowed = error_budget * float(total.sum())
    known = np.isfinite(hours.total) & (total > 0)
    if allowed <= 0 or int(known.sum()) < _FEWEST:
        return Forecast(
            outlook=Outlook.UNKNOWN, horizon=horizon, note="fewer than three hours of events"
        )
    remaining = allowed - float(bad.sum())
    if remaining <= 0:
        return Forecast(outlook=Outlook.EXHAUSTED, at=now, horizon=horizon)
    present = regime(total[known], bad[known])
    traffic = _traffic(hours.total, period_hours)
    back = _coming_back(bad, period_hours)
    spent = np.cumsum(_draw(present, traffic, np.random.default_rng(seed)) - back, axis=1)
    low, mid, high = np.quantile(_passage(spent, remaining), _QUANTILES, method="higher")
    note = f"as in the last {present.hours} h: {present.ratio:.3%} of events bad"
    if not np.isfinite(low):
        return Forecast(outlook=Outlook.STABLE, horizon=horizon, note=note)
    return Forecast(
        outlook=Outlook.EXHAUSTING if np.isfinite(mid) else Outlook.STABLE,
        at=_after(now, mid),
        earliest=_after(now, low),
        latest=_after(now, high),
        confidence=CONFIDENCE,
        horizon=horizon,
        note=note,
    )


def regime(total: Floats, bad: Floats) -> Regime:
    """Find how far back the present error ratio reaches, and what it is.

    The last week is cut in two where that makes it likeliest, and the newer part again, for as
    long as two parts explain it much better than one.
    """
    total, bad = total[-_LONGEST_REGIME:], bad[-_LONGEST_REGIME:]
    while (cut := _cut(total, bad)) is not None:
        total, bad = total[cut:], bad[cut:]
    ratio = _ratio(total, bad)
    return Regime(
        ratio=ratio,
        events=float(bad.sum()),
        dispersion=_dispersion(total, bad, ratio),
        hours=len(total),
    )


def _cut(total: Floats, bad: Floats) -> int | None:
    """The hour at which another regime begins, if one does.

    Square roots of ratios have a variance that hardly depends on the ratio; two normal
    distributions are compared with one, none narrower than counting alone would make it.
    """
    count = len(total)
    if count < 2 * _FEWEST:
        return None
    roots = np.sqrt(bad / total)
    floor = float(np.mean(1 / (4 * total)))
    sums, squares = np.cumsum(roots), np.cumsum(roots**2)

    def cost(size: Floats, linear: Floats, square: Floats) -> Floats:
        variance = np.maximum(square / size - (linear / size) ** 2, floor)
        found: Floats = size * np.log(variance)
        return found

    size = np.arange(_FEWEST, count - _FEWEST + 1, dtype=np.float64)
    place = size.astype(int) - 1
    older = cost(size, sums[place], squares[place])
    newer = cost(count - size, sums[-1] - sums[place], squares[-1] - squares[place])
    whole = cost(np.array([float(count)]), sums[-1:], squares[-1:])[0]
    best = int(np.argmin(older + newer))
    gain = whole - float((older + newer)[best])
    return int(size[best]) if gain > _EVIDENCE + 2 * np.log(count) else None


def _ratio(total: Floats, bad: Floats) -> float:
    return float(bad.sum() / total.sum()) if total.sum() > 0 else 0.0


def _dispersion(total: Floats, bad: Floats, ratio: float) -> float:
    """The variance of hourly bad events over their mean, at least that of independent ones."""
    expected = ratio * total
    mine = expected > 0
    if int(mine.sum()) < _FEWEST:
        return 1.0
    hours = int(mine.sum())
    residuals = (bad[mine] - expected[mine]) ** 2 / expected[mine]
    # A few hours show less than their spread: four more of the same make up for it.
    return max(1.0, float(residuals.sum()) / (hours - 1) * (1 + 4 / hours))


def _traffic(total: Floats, length: int) -> Floats:
    """Events per future hour: the mean of the same hour of the last seven days."""
    recent = total[-7 * DAY :]
    mean = float(np.nanmean(recent)) if np.isfinite(recent).any() else 0.0
    by_hour = np.full(DAY, mean)
    for back in range(DAY):
        same = recent[::-1][back::DAY]
        if np.isfinite(same).any():
            by_hour[back] = float(np.nanmean(same))
    # One hour ahead is 23 hours after the same hour of yesterday.
    ahead = np.arange(1, length + 1)
    found: Floats = by_hour[(-ahead) % DAY]
    return found


def _coming_back(bad: Floats, length: int) -> Floats:
    """Bad events that leave the window in each future hour; none before it is full."""
    back = np.zeros(length)
    missing = length - len(bad)
    if missing < length:
        back[missing:] = bad[: length - missing]
    return back


def _draw(present: Regime, traffic: Floats, rng: np.random.Generator) -> Floats:
    """Bad events of every future hour, drawn many times.

    The ratio is drawn from what its events leave open, hours around it with their dispersion.
    """
    independent = present.events / present.dispersion + 0.5
    scale = present.ratio / max(present.events / present.dispersion, 0.5)
    ratios = rng.gamma(independent, scale, size=(PATHS, 1))
    expected = ratios * traffic[None, :]
    shape = np.maximum(expected / present.dispersion, 1e-9)
    drawn: Floats = rng.gamma(shape, present.dispersion)
    return drawn


def _passage(spent: Floats, remaining: float) -> Floats:
    """Hours until each path has spent what remains, within an hour in proportion."""
    gone = spent >= remaining
    hour = gone.argmax(axis=1)
    rows = np.arange(len(spent))
    before = np.where(hour > 0, spent[rows, hour - 1], 0.0)
    share = (remaining - before) / np.maximum(spent[rows, hour] - before, 1e-12)
    found: Floats = np.where(gone.any(axis=1), hour + np.clip(share, 0, 1), np.inf)
    return found


def _after(now: datetime, hours: float) -> datetime | None:
    return now + timedelta(hours=float(hours)) if np.isfinite(hours) else None


def hours_of(points: Sequence[tuple[float, float] | None]) -> Hours:
    """Make hours of pairs of total and bad; ``None`` is an hour of which nothing is known."""
    return Hours(
        total=np.array([np.nan if each is None else each[0] for each in points]),
        bad=np.array([np.nan if each is None else each[1] for each in points]),
    )
