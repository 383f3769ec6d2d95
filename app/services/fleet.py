"""Every application at a glance: its worst budget, what the gate would say, how fresh it is."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from app import gating
from app.access import Scope
from app.services.holdings import holdings
from app.services.judging import aligned
from app.services.judging import judged as judge
from app.services.times import nanoseconds
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange
from slo.errors import SourceError, SpecError, UsageError
from slo.evaluate import EXHAUSTION_WINDOW, Evaluation, State
from slo.gate.findings import Effect
from slo.model import App, Environment, External, Logs, Spans
from slo.ports import NoData, NoDataReason
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

LOOK_BACK = Duration.of(days=1)
"""How far back records are looked for: what is older is not fresh, and bytes are of this long."""

COLUMNS = (
    *("app", "title", "team", "tier", "env", "slo", "state", "budget_remaining", "burn_rate"),
    *("error_ratio", "decision", "why", "seconds_to_exhaustion"),
    *("metrics_at", "logs_at", "traces_at", "bytes", "note"),
)
TIER = "tier"
"""The label of an application that says how much depends on it."""

_WORST_FIRST = (State.EXHAUSTED, State.BURNING, State.NO_DATA, State.OK)
_SHARES = ("budget_remaining", "burn_rate", "error_ratio", "seconds_to_exhaustion")
_WHOLE = ("metrics_at", "logs_at", "traces_at", "bytes")
_SIGNALS = {"metrics": "metrics_at", "logs": "logs_at", "spans": "traces_at"}

_Key = tuple[str, str]
"""The names of an application and an environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One application in one of its environments."""

    app: App
    env: Environment

    @property
    def key(self) -> _Key:
        """The names of both."""
        return self.app.name, self.env.name


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """The newest record of each signal and the bytes of a day, by place; and who told."""

    by_place: Mapping[_Key, Mapping[str, int]] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found out for all rows; ``trouble`` is why no service level could be judged."""

    judged: Mapping[_Key, Sequence[Evaluation]]
    stored: _Stored
    trouble: str | None


def fleet(
    world: World,
    scope: Scope,
    at: datetime,
    *,
    team: str | None = None,
    tier: str | None = None,
    env: str | None = None,
    judged: Sequence[Evaluation] | None = None,
) -> Answered[pd.DataFrame]:
    """Return a row for each application and environment that the asker sees, by name.

    Columns are ``COLUMNS``. ``slo`` is the worst one: exhausted before burning before unknown
    before fine, then by budget. ``budget_remaining`` and ``error_ratio`` are shares, ``burn_rate``
    is that of an hour, NaN without data; ``seconds_to_exhaustion`` also when the budget lasts.
    ``decision`` is what the gate would say to a deploy now. ``metrics_at``, ``logs_at`` and
    ``traces_at`` are the newest record of the last day in nanoseconds, ``bytes`` what the store
    took in that day; NA without any. Sources that fail leave their columns empty and are named in
    ``partial``. ``judged`` are evaluations of ``at`` with the windows of the policies
    (`gating.windows_of`), where the caller has them. Raises ``UsageError`` for a team, tier or
    environment that nobody has.
    """
    began = time.perf_counter()
    places = _places(world, scope, team=team, tier=tier, env=env)
    partial: list[str] = []
    trouble = None
    if judged is None:
        judged, trouble = _judged(world, places, at, partial)
    found = _Found(
        judged=_by_place(places, judged),
        stored=_stored(world, scope, at, partial),
        trouble=trouble,
    )
    every = [one for mine in found.judged.values() for one in mine]
    for one in every:
        partial += one.reading.partial
        if one.no_data is not None and one.no_data.reason is NoDataReason.SOURCE_FAILED:
            partial.append(one.no_data.detail)
    sources = {each.source for one in every for each in one.reading.evidence}
    seen = [one.reading.observed_at for one in every if one.reading.observed_at is not None]
    return Answered(
        value=_frame(_row(world, place, found, at) for place in places),
        source=", ".join(sorted({*sources, *found.stored.sources})) or "none",
        query="; ".join((f"headroom status ({len(every)} SLOs)", *found.stored.queries)),
        range=_last_day(at),
        observed_at=max(seen, default=None),
        partial=tuple(dict.fromkeys(partial)),
        notes=_still_computing(world),
        seconds=time.perf_counter() - began,
    )


def _still_computing(world: World) -> tuple[str, ...]:
    note = None if world.history is None else world.history.note
    return () if note is None else (note,)


def _frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    return frame.astype({**dict.fromkeys(_WHOLE, "Int64"), **dict.fromkeys(_SHARES, "float64")})


def _by_place(
    places: Sequence[Place], judged: Sequence[Evaluation]
) -> Mapping[_Key, list[Evaluation]]:
    found: dict[_Key, list[Evaluation]] = {each.key: [] for each in places}
    for one in judged:
        found.get((one.key.app, one.key.env), []).append(one)
    return found


def _places(
    world: World, scope: Scope, *, team: str | None, tier: str | None, env: str | None
) -> list[Place]:
    seen = [
        Place(app=app, env=each)
        for app in world.project.catalog.apps
        for each in app.environments
        if scope.sees(app.name, each.name)
    ]
    _check("team", team, {each.app.team for each in seen})
    _check("tier", tier, {each.app.labels[TIER] for each in seen if TIER in each.app.labels})
    _check("environment", env, {each.env.name for each in seen})
    return [
        each
        for each in seen
        if team in {None, each.app.team}
        and (tier is None or each.app.labels.get(TIER) == tier)
        and env in {None, each.env.name}
    ]


def _check(what: str, wanted: str | None, known: set[str]) -> None:
    if wanted is not None and wanted not in known:
        raise UsageError(
            f'no app has the {what} "{wanted}"{did_you_mean(wanted, known)}',
            hint=f"known: {', '.join(sorted(known))}" if known else None,
        )


def _judged(
    world: World, places: Sequence[Place], at: datetime, partial: list[str]
) -> tuple[tuple[Evaluation, ...], str | None]:
    """All service levels at once; nothing but a reason where none can be read."""
    levels = [level for each in places for level in each.app.levels(each.env.name)]
    try:
        found = judge(world, levels, at)
    except (SourceError, UsageError) as error:
        partial.append(str(error))
        return (), str(error)
    return found, None


def _stored(world: World, scope: Scope, at: datetime, partial: list[str]) -> _Stored:
    asked = scope, nanoseconds(aligned(at))
    known = world.judgements.of(world.project).holdings
    try:
        # Of the very instant: the newest record is to be seen, and nobody compares these numbers.
        found = known.all((asked,), lambda _: {asked: holdings(world, scope, _last_day(at))})[asked]
    except SourceError as error:
        partial.append(str(error))
        return _Stored()
    partial += found.partial
    by_place: dict[_Key, dict[str, int]] = {}
    for row in found.value.to_dict("records"):
        mine = by_place.setdefault((row["app"], row["env"]), {"bytes": 0})
        mine["bytes"] += row["bytes"]
        name = _SIGNALS[row["signal"]]
        mine[name] = max(mine.get(name, 0), row["last"])
    return _Stored(by_place=by_place, sources=(found.source,), queries=(found.query,))


def _last_day(at: datetime) -> TimeRange:
    end = nanoseconds(at) + 1
    return TimeRange(start=end - LOOK_BACK.milliseconds * 1_000_000, end=end)


def _row(world: World, place: Place, found: _Found, at: datetime) -> dict[str, object]:
    mine = sorted(found.judged.get(place.key, ()), key=_badness)
    worst = mine[0] if mine else None
    decision, why = _decision(world, place, found, mine, at)
    return {
        "app": place.app.name,
        "title": place.app.title,
        "team": place.app.team,
        "tier": place.app.labels.get(TIER),
        "env": place.env.name,
        **_budget(worst),
        "decision": decision,
        "why": why,
        **_fresh(place, found, mine),
        "note": _note(place, found, mine),
    }


def _budget(worst: Evaluation | None) -> dict[str, object]:
    if worst is None:
        return {"state": str(State.NO_DATA)}
    return {
        "slo": worst.key.slo,
        "state": str(worst.state),
        "budget_remaining": None if worst.budget is None else float(worst.budget.remaining),
        "burn_rate": _float(worst.burn_rates.get(EXHAUSTION_WINDOW)),
        "error_ratio": _float(worst.error_ratio),
        "seconds_to_exhaustion": _float(worst.seconds_to_exhaustion),
    }


def _fresh(place: Place, found: _Found, mine: Sequence[Evaluation]) -> dict[str, object]:
    """The newest records; metrics may be where only the indicators are read from."""
    stored: dict[str, object] = dict(found.stored.by_place.get(place.key, {}))
    if "metrics_at" not in stored:
        seen = (
            one.reading.observed_at
            for one in mine
            if not isinstance(one.level.slo.indicator.measure, Logs | Spans | External)
        )
        newest = max((each for each in seen if each is not None), default=None)
        stored["metrics_at"] = None if newest is None else nanoseconds(newest)
    return stored


def _decision(
    world: World, place: Place, found: _Found, mine: Sequence[Evaluation], at: datetime
) -> tuple[str, str]:
    if found.trouble is not None:
        return str(Effect.INDETERMINATE), found.trouble
    try:
        decision = gating.look(world.project, *place.key, mine, at)
    except SpecError as error:
        return str(Effect.INDETERMINATE), error.problems[0].message
    return str(decision.effect), decision.summary


def _note(place: Place, found: _Found, mine: Sequence[Evaluation]) -> str:
    if found.trouble is not None:
        return found.trouble
    if not place.env.slos:
        return "no SLO"
    silent = [one for one in mine if isinstance(one.no_data, NoData)]
    notes = [f"{one.key.slo}: {one.no_data.detail}" for one in silent if one.no_data]
    missing = dict.fromkeys(name for one in mine for name in one.reading.partial)
    notes += [f"without {name}" for name in missing]
    return "; ".join(notes)


def _badness(one: Evaluation) -> tuple[int, float, str]:
    left = float("inf") if one.budget is None else float(one.budget.remaining)
    return _WORST_FIRST.index(one.state), left, one.key.slo


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
