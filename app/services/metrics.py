"""Rates, errors and durations of an application: of its requests, its indicators, its parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.components import components
from app.services.indicators import indicator_series
from app.services.subjects import allowed
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange, Where
from slo.errors import UsageError
from slo.suggest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BY", "components", "indicator_series", "red"]

SLICES = 120

BY = ("route", "method", "http_status", "pod", "version", "component", "service", "name")
"""What requests may be told apart by."""


def red(
    world: World,
    scope: Scope,
    app: str,
    env: str | None,
    range_: TimeRange,
    by: str | None = None,
    slices: int = SLICES,
) -> Answered[pd.DataFrame]:
    """Return rate, errors and durations of entry spans per slice of a range.

    Columns: time, key, count, errors, p50, p90, p99 (ns), rate (per second), error_ratio. Slices
    without requests have no rows; ``rate`` of the last one is over the part that the range holds.
    """
    if by is not None and by not in BY:
        raise UsageError(
            f'requests are not told apart by "{by}"{did_you_mean(by, BY)}',
            hint=f"known: {', '.join(BY)}",
        )
    if slices < 1 or range_.length < 1:
        raise UsageError("rates need at least one slice and a range that is not empty")
    where = allowed(world, scope, Where(app=app, env=env, range=range_))
    found = world.reader("requests").red(where, by, slices)
    frame = found.value.copy()
    width = -(-range_.length // slices)
    seconds = (frame["time"] + width).clip(upper=range_.end) - frame["time"]
    frame["rate"] = frame["count"] / (seconds / 1e9)
    frame["error_ratio"] = frame["errors"] / frame["count"]
    return replace(found, value=frame)
