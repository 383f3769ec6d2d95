"""An application's first page: a card for each SLO, and one timeline of what happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from app.access import Scope
from app.services.forecast import Hours, forecast
from app.services.judging import aligned
from app.services.judging import judged as judge
from app.services.results import Forecast, Outlook, SloCard
from app.services.spread import Floats, Spread, spreads
from app.services.timeline import timeline
from app.services.times import nanoseconds
from app.services.world import World
from slo.errors import SourceError
from slo.evaluate import Evaluation, State
from slo.model import SloKey
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cards", "timeline"]

POINTS = 120
"""About how many points a burn-down has."""

_HOUR = Duration.of(hours=1)
_STEPS = tuple(Duration.of(minutes=minutes) for minutes in (60, 30, 20, 15, 10, 5))


def cards(
    world: World,
    scope: Scope,
    app: str,
    env: str,
    at: datetime,
    *,
    judged: Sequence[Evaluation] | None = None,
) -> tuple[SloCard, ...]:
    """Return a card for each SLO of an application in an environment, in the file's order.

    ``judged`` are evaluations of ``at`` where the caller has them. Raises ``Forbidden``,
    ``UsageError`` and ``SourceError``; a source that fails for one SLO is a card without data.
    """
    scope.check(app, env)
    levels = world.project.levels(app, env)
    if judged is None:
        at = aligned(at)
        found = judge(world, levels, at)
    else:
        found = tuple(one for one in judged if (one.key.app, one.key.env) == (app, env))
    known = _spreads(world, found, at)
    return tuple(_card(one, known.get(one.key), at) for one in found)


def _spreads(world: World, found: tuple[Evaluation, ...], at: datetime) -> Mapping[SloKey, Spread]:
    """The events of each level's period in steps fine enough for both chart and forecast."""
    by_step: dict[Duration, list[Evaluation]] = {}
    for one in found:
        by_step.setdefault(_step(one.level.slo.window), []).append(one)
    known: dict[SloKey, Spread] = {}
    for step, group in by_step.items():
        try:
            known |= spreads(world, group, at, step=step)
        except SourceError:
            # The card says what could be read; a picture is no reason to lose it.
            continue
    return known


def _step(window: Duration) -> Duration:
    """The longest step that still gives a burn-down its points."""
    fine = (each for each in _STEPS if window.milliseconds >= POINTS * each.milliseconds)
    return next(fine, _STEPS[-1])


def _card(one: Evaluation, spread: Spread | None, at: datetime) -> SloCard:
    reading = one.reading
    asked = dict.fromkeys(each.query for each in reading.evidence)
    notes = [*reading.notes, *reading.warnings]
    notes += [f"without {name}" for name in reading.partial]
    if reading.unproven:
        notes.append("the selector of bad events has matched nothing yet")
    if spread is None and one.budget is not None:
        notes.append("how the events spread over the period could not be read")
    return SloCard(
        evaluation=one,
        source=", ".join(dict.fromkeys(each.source for each in reading.evidence)) or "none",
        query="\n".join(asked),
        forecast=_forecast(one, spread, at),
        burn_down=None if spread is None else _burn_down(one, spread, at),
        notes=tuple(notes),
    )


def _forecast(one: Evaluation, spread: Spread | None, at: datetime) -> Forecast:
    if one.state is State.EXHAUSTED:
        return Forecast(outlook=Outlook.EXHAUSTED, at=at)
    if spread is None:
        missing = "events by the hour are not known"
        note = missing if one.no_data is None else one.no_data.detail
        return Forecast(outlook=Outlook.UNKNOWN, note=note)
    hourly = spread.by(_HOUR)
    return forecast(
        Hours(total=hourly.total, bad=hourly.bad),
        error_budget=float(one.level.slo.objective.error_budget),
        period_hours=max(1, one.level.slo.window.milliseconds // _HOUR.milliseconds),
        now=at,
    )


def _burn_down(one: Evaluation, spread: Spread, at: datetime) -> pd.DataFrame:
    """Budget left after each step of the period, beside that of spending it evenly.

    The whole is the budget of all known events of the period, so that the last point is what is
    left now.
    """
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    period = one.level.slo.window
    size = max(1, round(period.milliseconds / POINTS / spread.step.milliseconds))
    coarse = spread.by(Duration(milliseconds=size * spread.step.milliseconds))
    count = -(-period.milliseconds // coarse.step.milliseconds)
    total, bad = _filled(coarse.total, count), _filled(coarse.bad, count)
    ends = np.arange(count - 1, -1, -1) * coarse.step.milliseconds
    allowed = float(one.level.slo.objective.error_budget) * float(np.nansum(total))
    left = 1 - np.cumsum(np.nan_to_num(bad)) / allowed if allowed > 0 else np.full(count, np.nan)
    return pd.DataFrame(
        {
            "time": nanoseconds(at) - ends * 1_000_000,
            "remaining": np.where(np.isnan(total), np.nan, left),
            "ideal": ends / period.milliseconds,
        }
    )


def _filled(values: Floats, count: int) -> Floats:
    """The newest so many values, NaN before the first that is known."""
    newest = values[-count:]
    return np.concatenate((np.full(count - len(newest), np.nan), newest))
