"""Service levels judged once for all panels, pages and visitors that ask at about the same time.

What pages show is judged at aligned instants, so that those who ask seconds apart ask the same
question. The gate never comes here: it judges anew (`app.gating.answer`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app import gating
from app.services.evaluations import evaluations, profiles
from app.services.once import Once
from collectors.readers.prometheus.profile import known_span
from slo.evaluate import Evaluation, evaluate, windows_of
from slo.model import ServiceLevel, SloKey
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

    from app.access import Scope
    from app.project import Project
    from app.services.world import World
    from collectors.readers.telemetry import Answered

STEP = Duration.parse("30s")
"""The distance of the instants at which pages judge: that of the evaluator's rounds."""

_MOST_JUDGED = 4_096
_MOST_PROFILES = 1_024
_MOST_HELD = 64
_PATIENCE = 5.0
"""Seconds that the first page waits for the evaluator to say what has no history."""

_Profile = tuple[Counts | None, ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One service level at one instant, in milliseconds."""

    key: SloKey
    at: int


@dataclass(frozen=True, slots=True)
class _Spread:
    """The events of one service level's span in so many steps."""

    asked: _Asked
    span: Duration
    steps: int


class Judgements:
    """What was judged of late, of one project; threads share it.

    Another project, as one that was published meanwhile, begins with nothing. Nothing is kept for
    longer than a step, as records of the past may arrive late; what could not be read is not kept.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        keep = float(STEP.seconds)
        self._project: Project | None = None
        self.judged: Once[_Asked, Evaluation] = Once(
            most=_MOST_JUDGED, keep=keep, ticks=ticks, worth=_is_whole
        )
        self.profiles: Once[_Spread, _Profile] = Once(most=_MOST_PROFILES, keep=keep, ticks=ticks)
        self.holdings: Once[tuple[Scope, int], Answered[pd.DataFrame]] = Once(
            most=_MOST_HELD, keep=keep, ticks=ticks, worth=lambda found: not found.partial
        )

    def of(self, project: Project) -> Judgements:
        """Return this, without what belongs to another project."""
        if self._project is not project:
            self._project = project
            self.judged.forget()
            self.profiles.forget()
            self.holdings.forget()
        return self


def aligned(at: datetime) -> datetime:
    """Return the last instant up to ``at`` at which pages judge."""
    milliseconds = _milliseconds(at)
    return datetime.fromtimestamp((milliseconds - milliseconds % STEP.milliseconds) / 1000, UTC)


def judged(world: World, levels: Sequence[ServiceLevel], at: datetime) -> tuple[Evaluation, ...]:
    """Judge service levels for a page, in the order given, with the windows of all policies.

    They are judged at ``aligned(at)``. A level whose history the evaluator is still computing has
    no data, which says how far it is. Raises as ``evaluations`` does.
    """
    instant, waiting = aligned(at), _without_history(world, levels)
    asked = {level.key: _Asked(level.key, _milliseconds(instant)) for level in levels}
    by_key = {level.key: level for level in levels}

    def find(missing: Sequence[_Asked]) -> Mapping[_Asked, Evaluation]:
        found = evaluations(
            world.project,
            [by_key[each.key] for each in missing],
            instant,
            deadline=world.deadline,
            environ=world.environ,
            windows=gating.windows_of(world.project),
            stored=world.stored,
        )
        return {asked[one.key]: one for one in found}

    known = world.judgements.of(world.project).judged.all(
        [asked[key] for key in asked if key not in waiting], find
    )
    return tuple(
        _unfinished(world, level, instant) if level.key in waiting else known[asked[level.key]]
        for level in levels
    )


def spread_counts(
    world: World, found: Sequence[Evaluation], at: datetime, *, steps: int
) -> Mapping[SloKey, _Profile]:
    """Return `profiles` of judged levels at an instant, each read once."""
    by_key = {one.key: one for one in found}
    asked = {
        one.key: _Spread(
            _Asked(one.key, _milliseconds(at)),
            known_span(one.reading, one.level.slo.window),
            steps,
        )
        for one in found
    }

    def find(missing: Sequence[_Spread]) -> Mapping[_Spread, _Profile]:
        counted = profiles(
            world.project,
            [by_key[each.asked.key] for each in missing],
            at,
            steps=steps,
            deadline=world.deadline,
            environ=world.environ,
            stored=world.stored,
        )
        return {asked[key]: profile for key, profile in counted.items()}

    known = world.judgements.of(world.project).profiles.all(tuple(asked.values()), find)
    return {each.asked.key: profile for each, profile in known.items()}


def _without_history(world: World, levels: Sequence[ServiceLevel]) -> Collection[SloKey]:
    if world.history is None:
        return ()
    world.history.wait(_PATIENCE)
    return world.history.missing & {level.key for level in levels}


def _unfinished(world: World, level: ServiceLevel, at: datetime) -> Evaluation:
    """What is known of a level before its history is: nothing, and why."""
    note = None if world.history is None else world.history.note
    missing = NoData(reason=NoDataReason.INCOMPLETE, detail=note or "computing history")
    catalogue = world.project.workspace.defaults.catalogue
    windows = {*windows_of(level, catalogue), *gating.windows_of(world.project)}
    reading = Reading(
        key=level.key,
        at=at,
        period=missing,
        windows=dict.fromkeys(sorted(windows), missing),
        mode="recorded",
    )
    return evaluate(level, reading, catalogue)


def _is_whole(one: Evaluation) -> bool:
    failed = one.no_data is not None and one.no_data.reason is NoDataReason.SOURCE_FAILED
    return not failed and not one.reading.partial


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
