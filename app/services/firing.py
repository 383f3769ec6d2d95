"""When an alert would have fired, worked out from a service level's own events.

The pairs of windows are those the rules are made from. They are judged at the end of every step of
the ledger over whole steps, while the rules judge twice a minute: an interval begins and ends up to
a step later than the alert did, and a burn shorter than a step may be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from app.services.spread import Floats, Spread
from slo.model import AlertGuard, AlertSeverity, BurnPair, ServiceLevel
from slo.records import dataclass
from slo.units import Duration

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An alert of one severity: the steps ``first`` to ``last`` at whose ends it fired.

    ``pairs`` are all that fired some time in between.
    """

    severity: AlertSeverity
    first: int
    last: int
    pairs: tuple[BurnPair, ...]


def firings(level: ServiceLevel, pairs: Sequence[BurnPair], spread: Spread) -> tuple[Firing, ...]:
    """Return the intervals in which any pair of a severity fired, by severity and time."""
    return tuple(
        each
        for severity in AlertSeverity
        for each in _of_severity(
            severity,
            [pair for pair in pairs if pair.severity is severity],
            level,
            spread,
        )
    )


def _of_severity(
    severity: AlertSeverity, pairs: Sequence[BurnPair], level: ServiceLevel, spread: Spread
) -> Iterator[Firing]:
    alerts = level.slo.alerts
    guard = alerts.page if severity is AlertSeverity.PAGE else alerts.ticket
    if not guard.enabled or not pairs:
        return
    fired = [_fired(pair, guard, level, spread) for pair in pairs]
    for first, last in _runs(np.logical_or.reduce(fired)):
        inside = [
            pair for pair, flags in zip(pairs, fired, strict=True) if flags[first : last + 1].any()
        ]
        yield Firing(severity=severity, first=first, last=last, pairs=tuple(inside))


def _fired(pair: BurnPair, guard: AlertGuard, level: ServiceLevel, spread: Spread) -> Flags:
    threshold = float(pair.factor * level.slo.objective.error_budget)
    flags = np.ones(len(spread.total), dtype=np.bool_)
    for window in (pair.long, pair.short):
        total, bad = _over(window, spread)
        flags &= (total > 0) & (bad > threshold * total)
    least = [
        amounts >= wanted
        for amounts, wanted in zip(
            _over(pair.long, spread), (guard.min_events, guard.min_bad), strict=True
        )
        if wanted
    ]
    if least:
        flags &= np.logical_or.reduce(least)
    return flags


def _over(window: Duration, spread: Spread) -> tuple[Floats, Floats]:
    """Total and bad events of the window that ends with each step, at least of the step itself."""
    size = max(1, window.milliseconds // spread.step.milliseconds)
    return _rolling(spread.total, size), _rolling(spread.bad, size)


def _rolling(values: Floats, size: int) -> Floats:
    sums = np.concatenate(([0.0], np.cumsum(np.nan_to_num(values))))
    starts = np.maximum(np.arange(len(values)) + 1 - size, 0)
    found: Floats = sums[1:] - sums[starts]
    return found


def _runs(flags: Flags) -> Iterator[tuple[int, int]]:
    """The first and last place of each unbroken run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    for first, after in edges.reshape(-1, 2).tolist():
        yield first, after - 1
