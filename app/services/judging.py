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
from slo.model import External, ServiceLevel, SloKey
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

if TYPE_CHECKING:
    import pandas as pd

    from app.access import Scope
    from app.project import Project
    from app.services.world import World
    from collectors.readers.telemetry import Answered

STEP = Duration.parse("30s")
"""The distance of the instants at which pages judge: that of the evaluator's rounds."""

PRODUCTS_STEP = LEDGER_SLOT
"""The same for what other products count: their numbers come in such steps, and requests cost."""

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
    What other products count has longer steps, and partial answers of theirs are kept as well.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        keep = float(STEP.seconds)
        self._project: Project | None = None
        self.judged: Once[_Asked, Evaluation] = Once(
            most=_MOST_JUDGED, keep=keep, ticks=ticks, worth=_is_whole
        )
        self.profiles: Once[_Spread, _Profile] = Once(most=_MOST_PROFILES, keep=keep, ticks=ticks)
        long = float(PRODUCTS_STEP.seconds)
        self.products: Once[_Asked, Evaluation] = Once(
            most=_MOST_JUDGED, keep=long, ticks=ticks, worth=_is_answered
        )
        self.product_profiles: Once[_Spread, _Profile] = Once(
            most=_MOST_PROFILES, keep=long, ticks=ticks
        )
        self.holdings: Once[tuple[Scope, int], Answered[pd.DataFrame]] = Once(
            most=_MOST_HELD, keep=keep, ticks=ticks, worth=lambda found: not found.partial
        )

    def of(self, project: Project) -> Judgements:
        """Return this, without what belongs to another project."""
        if self._project is not project:
            self._project = project
            self.judged.forget()
            self.profiles.forget()
            self.products.forget()
            self.product_profiles.forget()
            self.holdings.forget()
        return self


def aligned(at: datetime, step: Duration = STEP) -> datetime:
    """Return the last instant up to ``at`` at which pages judge."""
    milliseconds = _milliseconds(at)
    return datetime.fromtimestamp((milliseconds - milliseconds % step.milliseconds) / 1000, UTC)


def judged(world: World, levels: Sequence[ServiceLevel], at: datetime) -> tuple[Evaluation, ...]:
    """Judge service levels for a page, in the order given, with the windows of all policies.

    They are judged at ``aligned(at)``, those of other products at their own instants. A level whose
    history the evaluator is still computing has no data, which says how far it is. Raises as
    ``evaluations`` does.
    """
    waiting = _without_history(world, levels)
    by_key = {level.key: level for level in levels}
    book, asked = world.judgements.of(world.project), _asked(levels, at)

    def find(missing: Sequence[_Asked]) -> Mapping[_Asked, Evaluation]:
        found: dict[_Asked, Evaluation] = {}
        for instant in {each.at for each in missing}:
            judgements = evaluations(
                world.project,
                [by_key[each.key] for each in missing if each.at == instant],
                datetime.fromtimestamp(instant / 1000, UTC),
                deadline=world.deadline,
                environ=world.environ,
                windows=gating.windows_of(world.project),
                stored=world.stored,
            )
            found |= {asked[one.key]: one for one in judgements}
        return found

    wanted = [level for level in levels if level.key not in waiting]
    known: dict[_Asked, Evaluation] = {}
    for once, of_products in ((book.judged, False), (book.products, True)):
        mine = [asked[each.key] for each in wanted if _is_of_product(each) is of_products]
        known |= once.all(mine, find)
    return tuple(
        _unfinished(world, level, aligned(at)) if level.key in waiting else known[asked[level.key]]
        for level in levels
    )


def spread_counts(
    world: World, found: Sequence[Evaluation], at: datetime, *, steps: int
) -> Mapping[SloKey, _Profile]:
    """Return `profiles` of judged levels at an instant, each read once."""
    by_key = {one.key: one for one in found}
    asked = {
        one.key: _Spread(
            _Asked(one.key, _milliseconds(one.reading.at if _is_of_product(one.level) else at)),
            known_span(one.reading, one.level.slo.window),
            steps,
        )
        for one in found
    }

    def find(missing: Sequence[_Spread]) -> Mapping[_Spread, _Profile]:
        counted: dict[_Spread, _Profile] = {}
        for instant in {each.asked.at for each in missing}:
            read = profiles(
                world.project,
                [by_key[each.asked.key] for each in missing if each.asked.at == instant],
                datetime.fromtimestamp(instant / 1000, UTC),
                steps=steps,
                deadline=world.deadline,
                environ=world.environ,
                stored=world.stored,
            )
            counted |= {asked[key]: profile for key, profile in read.items()}
        return counted

    book, known = world.judgements.of(world.project), dict[_Spread, _Profile]()
    for once, of_products in ((book.profiles, False), (book.product_profiles, True)):
        mine = [asked[one.key] for one in found if _is_of_product(one.level) is of_products]
        known |= once.all(mine, find)
    return {each.asked.key: profile for each, profile in known.items()}


def _asked(levels: Sequence[ServiceLevel], at: datetime) -> Mapping[SloKey, _Asked]:
    def instant(level: ServiceLevel) -> int:
        return _milliseconds(aligned(at, PRODUCTS_STEP if _is_of_product(level) else STEP))

    return {level.key: _Asked(level.key, instant(level)) for level in levels}


def _is_of_product(level: ServiceLevel) -> bool:
    return isinstance(level.slo.indicator.measure, External)


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


def _is_answered(one: Evaluation) -> bool:
    return one.no_data is None or one.no_data.reason is not NoDataReason.SOURCE_FAILED


def _is_whole(one: Evaluation) -> bool:
    return _is_answered(one) and not one.reading.partial


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
