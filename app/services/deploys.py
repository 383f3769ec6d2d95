"""Deploys of an application, told or seen in its telemetry, and what changed after each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, repeat, takewhile
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.intervals import CONFIDENCE, Histogram, Known, difference, quantile, share
from app.services.results import DeployReport, Estimate
from app.services.subjects import allowed
from app.services.world import World
from collectors.readers.telemetry import (
    Answered,
    Badness,
    Filter,
    TelemetryReader,
    TimeRange,
    TraceQuery,
    Where,
)
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

MINUTE = 60_000_000_000
HOUR = 60 * MINUTE

LONGEST = HOUR
"""How long the windows before and after a deploy are at most."""

AT_ONCE = 5 * MINUTE
"""Deploys closer to each other are one change, and do not bound each other's windows."""

SAME = HOUR
"""How long after it was told a deploy may take to be seen."""

LOOK_BACK = 24 * HOUR
"""How long before a range a version is looked for, to tell a new one from the first one."""

MOST = 20
"""How many deploys are compared; the newest ones."""

FEWEST = 30
"""How many requests each window must have."""

WORSE, BETTER, UNCLEAR, TOO_FEW = "worse", "better", "no clear change", "too few events"

_BOUNDS = tuple(
    takewhile(
        lambda bound: bound < 120_000_000_000,  # noqa: PLR2004 - two minutes
        (round(bound) for bound in accumulate(repeat(1.1), lambda a, b: a * b, initial=500_000.0)),
    )
)
"""Durations a tenth apart, from half a millisecond to two minutes."""

_RELEVANT = 0.1
_RELEVANT_SHARE = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """One deploy; ``told`` is false when it was seen as a new version only."""

    time: int
    component: str | None
    version: str | None
    told: bool
    previous: str | None = None
    commit: str | None = None
    actor: str | None = None
    url: str | None = None
    title: str | None = None


def deploys(
    world: World, scope: Scope, app: str, env: str | None, range_: TimeRange
) -> Answered[tuple[DeployReport, ...]]:
    """Return the deploys in a range, oldest first, with error ratio and latency before and after.

    Both windows are equally long: an hour, or as long as the neighbouring deploys and the range's
    end leave. Intervals hold the truth 99 % of the time; where a sample is too small for a bound
    it is ``None``.
    """
    where = allowed(world, scope, Where(app=app, env=env, range=range_))
    reader = world.reader("deploys")
    earlier = TimeRange(start=range_.start - max(LOOK_BACK, LONGEST), end=range_.end)
    told = reader.deploys(replace(where, range=earlier))
    versions = reader.versions(replace(where, range=earlier))
    found = merged(_told(told.value), versions.value)
    mine = [one for one in found if range_.start <= one.time < range_.end]
    notes = [f"intervals hold the truth {CONFIDENCE:.0%} of the time"]
    if len(mine) > MOST:
        notes.append(f"the newest {MOST} of {len(mine)} deploys")
    reports = []
    for one in mine[-MOST:]:
        length = window(one.time, (other.time for other in found), range_.end)
        reports.append(_report(reader, where, one, length))
    return Answered(
        value=tuple(reports),
        source=told.source,
        query=f"{told.query}; {versions.query}",
        range=range_,
        observed_at=max(
            (each.observed_at for each in (told, versions) if each.observed_at), default=None
        ),
        partial=tuple(dict.fromkeys((*told.partial, *versions.partial))),
        notes=tuple(notes),
    )


def merged(told: Sequence[Deploy], versions: pd.DataFrame) -> list[Deploy]:
    """Put what was told and what was seen together, by time; what was told is not seen again.

    ``versions`` are those of `TelemetryReader.versions`.
    """
    rows = [
        (str(component), str(version), int(first))
        for component, version, first in zip(
            versions["component"], versions["version"], versions["first"], strict=True
        )
        if isinstance(component, str)
    ]
    seen = [
        Deploy(time=first, component=component, version=version, told=False, previous=before)
        for component, version, first in rows
        if (before := _before(rows, component, version, first)) is not None
    ]
    known = [
        one
        if one.previous or one.component is None
        else replace(one, previous=_before(rows, one.component, one.version, one.time))
        for one in told
    ]
    new = [one for one in seen if not any(_same(each, one) for each in known)]
    return sorted([*known, *new], key=lambda one: (one.time, one.component or ""))


def window(time: int, others: Iterable[int], end: int) -> int:
    """Return how long the windows before and after a deploy are, in nanoseconds."""
    gaps = [abs(other - time) for other in others]
    return max(0, min([LONGEST, end - time, *(gap for gap in gaps if gap > AT_ONCE)]))


def verdict(errors: Estimate, latencies: Sequence[Estimate]) -> str:
    """Say what a deploy did: a change counts when its interval excludes none and it matters.

    What matters is a tenth of what it was before, and for errors one in two thousand besides.
    """
    if min(errors.before_count, errors.after_count) < FEWEST:
        return TOO_FEW
    found = [_change(errors, _RELEVANT_SHARE), *(_change(each, 0.0) for each in latencies)]
    if WORSE in found:
        return WORSE
    return BETTER if BETTER in found else UNCLEAR


def _change(one: Estimate, least: float) -> str:
    change, before = one.difference, one.before
    if change is None or before is None or abs(change) < max(least, _RELEVANT * before):
        return UNCLEAR
    if one.low is not None and one.low > 0:
        return WORSE
    return BETTER if one.high is not None and one.high < 0 else UNCLEAR


def _told(frame: pd.DataFrame) -> list[Deploy]:
    def text(value: object) -> str | None:
        return value if isinstance(value, str) and value else None

    return [
        Deploy(
            time=int(row["time"]),
            component=text(row["component"]),
            version=text(row["version"]),
            told=True,
            previous=text(row["previous"]),
            commit=text(row["commit_id"]),
            actor=text(row["actor"]),
            url=text(row["url"]),
            title=text(row["title"]),
        )
        for row in frame.to_dict("records")
    ]


def _before(
    rows: Sequence[tuple[str, str, int]], component: str, version: str | None, time: int
) -> str | None:
    """The newest other version of a component that was there before an instant."""
    others = [
        (first, other) for name, other, first in rows if name == component and other != version
    ]
    return max(((first, other) for first, other in others if first < time), default=(0, None))[1]


def _same(told: Deploy, seen: Deploy) -> bool:
    if abs(told.time - seen.time) > SAME:
        return False
    if told.component is not None and told.component != seen.component:
        return False
    return told.version is None or told.version == seen.version


def _report(reader: TelemetryReader, where: Where, one: Deploy, length: int) -> DeployReport:
    before, after = _Sample.none(), _Sample.none()
    for narrowed in _narrowed(where, one):
        before = _sample(reader, narrowed, one.time - length, one.time)
        after = _sample(reader, narrowed, one.time, one.time + length)
        if before.total or after.total:
            break
    errors = difference(before.errors, after.errors)
    p50 = difference(before.quantile(0.5), after.quantile(0.5))
    p99 = difference(before.quantile(0.99), after.quantile(0.99))
    return DeployReport(
        time=one.time,
        component=one.component,
        version=one.version,
        previous=one.previous,
        told=one.told,
        errors=errors,
        p50=p50,
        p99=p99,
        verdict=verdict(errors, (p50, p99)),
        commit=one.commit,
        actor=one.actor,
        url=one.url,
        title=one.title,
    )


def _narrowed(where: Where, one: Deploy) -> Iterator[Where]:
    """Whose requests tell: the component's own where it takes any, else all of the application."""
    if one.component is not None:
        mine = Filter(field="component", value=one.component)
        yield replace(where, filters=(*where.filters, mine))
    yield where


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    """Requests of one window: how many were seen, how many they stand for, and how they went."""

    total: float
    errors: Known | None
    latencies: Histogram
    quantiles: Mapping[float, float]

    @classmethod
    def none(cls) -> _Sample:
        return cls(
            total=0, errors=None, latencies=Histogram(bounds=_BOUNDS, counts=()), quantiles={}
        )

    def quantile(self, q: float) -> Known | None:
        return quantile(self.latencies, q, self.total, self.quantiles.get(q))


def _sample(reader: TelemetryReader, where: Where, start: int, end: int) -> _Sample:
    inside = replace(where, range=TimeRange(start=start, end=end))
    if start >= end:
        return _Sample.none()
    counted = reader.breakdown(inside, Badness(), ()).value
    seen = float(counted["sampled_total"].sum())
    if not seen:
        return _Sample.none()
    # Requests stand for others by their weight; an interval is as wide as what was seen makes it.
    ratio = float(counted["bad"].sum()) / float(counted["total"].sum())
    cells = reader.heatmap(TraceQuery(where=inside), 1, _BOUNDS).value
    by_bucket = cells.groupby("bucket")["count"].sum().to_dict()
    whole = reader.red(inside, None, 1).value
    return _Sample(
        total=seen,
        errors=share(ratio * seen, seen),
        latencies=Histogram(
            bounds=_BOUNDS,
            counts=[float(by_bucket.get(place, 0)) for place in range(len(_BOUNDS) + 1)],
        ),
        quantiles={0.5: float(whole["p50"].iloc[0]), 0.99: float(whole["p99"].iloc[0])},
    )
