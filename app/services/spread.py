"""How the events of service levels spread over time: what burn-downs and timelines are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from app.services.judging import spread_counts
from app.services.world import World
from slo.evaluate import Evaluation
from slo.model import SloKey
from slo.ports import Counts
from slo.records import dataclass
from slo.units import Duration

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Events per step, oldest first; the last step ends at the instant that was asked for.

    NaN stands where nothing is known; the first step is one that is known.
    """

    step: Duration
    total: Floats
    bad: Floats

    def by(self, length: Duration) -> Spread:
        """Return the same in steps of another length, a multiple of this one's."""
        size = max(1, length.milliseconds // self.step.milliseconds)
        return Spread(
            step=Duration(milliseconds=size * self.step.milliseconds),
            total=_added(self.total, size),
            bad=_added(self.bad, size),
        )


def spreads(
    world: World,
    found: Sequence[Evaluation],
    at: datetime,
    *,
    step: Duration,
    span: Duration | None = None,
) -> Mapping[SloKey, Spread]:
    """Return the events of a span that ends at ``at``; by default of each level's own period.

    ``step`` should divide an hour; it gives way where too little is known for it. Levels that
    cannot be read, or that several sources hold together, are left out. Raises ``SourceError``.
    """
    # Imported here: these modules load the clients of back ends.
    from collectors.readers.prometheus.profile import known_span, step_of  # noqa: PLC0415

    alike: dict[int, list[Evaluation]] = {}
    steps_of: dict[SloKey, Duration] = {}
    for one in found:
        wanted = one if span is None else _over(one, span)
        known = known_span(wanted.reading, wanted.level.slo.window)
        steps = -(-known.milliseconds // step.milliseconds)
        steps_of[one.key] = step_of(known, steps)
        alike.setdefault(steps, []).append(wanted)
    counted: dict[SloKey, tuple[Counts | None, ...]] = {}
    for steps, group in alike.items():
        counted |= spread_counts(world, group, at, steps=steps)
    return {
        key: Spread(
            step=steps_of[key],
            total=np.array([np.nan if each is None else float(each.total) for each in profile]),
            bad=np.array([np.nan if each is None else float(each.bad) for each in profile]),
        )
        for key, profile in counted.items()
        if profile
    }


def _over(one: Evaluation, span: Duration) -> Evaluation:
    slo = replace(one.level.slo, window=span)
    return replace(one, level=replace(one.level, slo=slo))


def _added(values: Floats, size: int) -> Floats:
    """Sums of so many neighbours, counted from the newest; NaN where none of them is known."""
    missing = -len(values) % size
    padded = np.concatenate((np.full(missing, np.nan), values)).reshape(-1, size)
    found: Floats = np.where(np.isnan(padded).all(axis=1), np.nan, np.nansum(padded, axis=1))
    return found
