"""Deploys of an application, told or seen in its telemetry, and what changed after each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, repeat, takewhile

from app.access import Scope
from app.services.intervals import CONFIDENCE, Histogram, Known, difference, quantile, share
from app.services.releases import HOUR, Deploy, listed
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

MINUTE = 60_000_000_000

LONGEST = HOUR
"""How long the windows before and after a deploy are at most."""

AT_ONCE = 5 * MINUTE
"""Deploys closer to each other are one change, and do not bound each other's windows."""

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
    listing = listed(reader, where, env)
    found = listing.value
    mine = [one for one in found if range_.start <= one.time < range_.end]
    notes = [f"intervals hold the truth {CONFIDENCE:.0%} of the time"]
    if len(mine) > MOST:
        notes.append(f"the newest {MOST} of {len(mine)} deploys")
    reports = []
    for one in mine[-MOST:]:
        length = window(one.time, (other.time for other in found), range_.end)
        reports.append(_report(reader, where, one, length))
    return replace(listing.giving(tuple(reports)), notes=tuple(notes))


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
