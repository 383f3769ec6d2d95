"""The applications of the workspace: whose they are, what they have, what is wrong with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING

from app.access import Scope
from app.project.gates import policy_problems
from app.services.fleet import TIER
from app.services.holdings import holdings
from app.services.unattributed import claimed
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange
from slo.errors import SourceError
from slo.model import App, Environment
from slo.problems import Problem, in_order
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("app", "title", "team", "tier", "environments", "slos", "components", "depends_on"),
    *("metrics", "logs", "traces", "problems"),
)
_COVERAGE = {"metrics": "metrics", "logs": "logs", "traces": "spans"}

_Key = tuple[str, str]
"""The names of an application and a signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Records:
    """How many records are an application's, and how many it claims in vain."""

    mine: Mapping[_Key, int] = field(default_factory=dict)
    lost: Mapping[_Key, int] = field(default_factory=dict)
    source: str = "none"
    query: str = ""
    observed_at: datetime | None = None

    def share(self, app: str, signal: str) -> float:
        mine, lost = (each.get((app, signal), 0) for each in (self.mine, self.lost))
        return mine / (mine + lost) if mine + lost else float("nan")


def catalogue(world: World, scope: Scope, range_: TimeRange) -> Answered[pd.DataFrame]:
    """Return a row for each application that the asker sees, by name.

    Columns are ``COLUMNS``; environments, slos, components and depends_on are lists of names.
    ``metrics``, ``logs`` and ``traces`` are the share of records that are the application's, of
    those that are its or that it claims in vain, 0 to 1, NaN without any. ``problems`` counts what
    `problems` tells of it. A source that fails leaves the shares empty and is named in ``partial``.
    """
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    partial: list[str] = []
    records = _records(world, scope, range_, partial)
    wrong: dict[str, int] = defaultdict(int)
    for each in problems(world, scope):
        owner = _owner(each, world.project.catalog.apps)
        if owner is not None:
            wrong[owner.name] += 1
    rows = []
    for app in world.project.catalog.apps:
        seen = [each for each in app.environments if scope.sees(app.name, each.name)]
        if seen:
            rows.append(_row(app, seen, records) | {"problems": wrong[app.name]})
    return Answered(
        value=pd.DataFrame(rows, columns=list(COLUMNS)),
        source=records.source,
        query=records.query,
        range=range_,
        observed_at=records.observed_at,
        partial=tuple(partial),
    )


def _row(app: App, seen: Sequence[Environment], records: _Records) -> dict[str, object]:
    return {
        "app": app.name,
        "title": app.title,
        "team": app.team,
        "tier": app.labels.get(TIER),
        "environments": [each.name for each in seen],
        "slos": list(dict.fromkeys(slo.name for each in seen for slo in each.slos)),
        "components": [each.name for each in app.components],
        "depends_on": list(app.depends_on),
        **{name: records.share(app.name, of) for name, of in _COVERAGE.items()},
    }


def problems(world: World, scope: Scope) -> tuple[Problem, ...]:
    """Return what is wrong or worth knowing in the files, in order.

    Those who do not see all apps are told of the files whose apps they all see.
    """
    every = in_order((*world.project.problems, *policy_problems(world.project)))
    if scope.apps is None:
        return every
    hidden: set[str] = set()
    known: set[str] = set()
    for app in world.project.catalog.apps:
        if app.span is not None:
            (known if scope.sees(app.name) else hidden).add(app.span.file)
    return tuple(each for each in every if each.span and each.span.file in known - hidden)


def _records(world: World, scope: Scope, range_: TimeRange, partial: list[str]) -> _Records:
    try:
        held = holdings(world, scope, range_)
        nobody = world.reader("telemetry").unattributed(range_)
    except SourceError as error:
        partial.append(str(error))
        return _Records()
    partial += dict.fromkeys((*held.partial, *nobody.partial))
    mine: dict[_Key, int] = defaultdict(int)
    lost: dict[_Key, int] = defaultdict(int)
    for row in held.value.to_dict("records"):
        mine[row["app"], row["signal"]] += row["records"]
    for row in nobody.value.to_dict("records"):
        for app in claimed(row["claimants"]):
            lost[app, row["signal"]] += row["records"]
    return _Records(
        mine=mine,
        lost=lost,
        source=held.source,
        query=f"{held.query}; {nobody.query}",
        observed_at=held.observed_at,
    )


def _owner(problem: Problem, apps: Iterable[App]) -> App | None:
    """The application in whose part of a file a problem stands."""
    if problem.span is None:
        return None
    spans = [(app.span, app) for app in apps if app.span and app.span.file == problem.span.file]
    spans.sort(key=lambda each: each[0].line)
    above = [app for span, app in spans if span.line <= problem.span.line]
    return above[-1] if above else next((app for _, app in spans), None)
