"""Why the budget is going: bad events by route, pod, version and dependency, adding up to all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.explain import Cause, explain
from app.services.judging import aligned, judged
from app.services.patterns import overrepresented
from app.services.releases import listed
from app.services.results import Attribution, Happening
from app.services.timeline import deploy_happening
from app.services.world import World
from collectors.readers.telemetry import (
    DIMENSIONS,
    Answered,
    Badness,
    Filter,
    TelemetryReader,
    TimeRange,
    Where,
)
from slo.errors import SourceError, UsageError
from slo.evaluate import Evaluation
from slo.model import Events, Latency, Measure, ServiceLevel, Spans
from slo.ports import Counts
from slo.promql import Matcher, Query
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 5
"""Below so many sampled bad events a breakdown is chance."""

EXPLAINED_ROWS = 3
"""How many rows get log patterns of their own."""

MOST_DEPLOYS = 10
"""How many deploys are named beside the causes; the newest ones."""

_LINES = 1_000

_SPAN_FIELDS: Mapping[str, str] = {
    "http_route": "route",
    "route": "route",
    "handler": "route",
    "http_request_method": "method",
    "method": "method",
    "service": "service",
    "service_name": "service",
    "version": "version",
    "service_version": "version",
    "pod": "pod",
    "namespace": "namespace",
    "cluster": "cluster",
    "component": "component",
}
"""What matchers of metrics mean on spans."""

_ELSEWHERE = frozenset({"job", "instance", "app", "env", "le", "__name__"})
"""Labels that say who is meant, which the app and the environment say of spans."""

_COLUMNS = (
    *DIMENSIONS,
    "bad",
    "total",
    "share",
    "error_ratio",
    "share_before",
    "error_ratio_before",
    "change",
    "trace_id",
    "patterns",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One question: whose bad events, in which window, by what."""

    level: ServiceLevel
    evaluation: Evaluation
    window: TimeRange
    bad: Badness
    filters: tuple[Filter, ...]
    notes: tuple[str, ...]

    def where(self, span: TimeRange, filters: tuple[Filter, ...] = ()) -> Where:
        key = self.level.key
        only = len(self.level.app.environments) == 1
        return Where(
            app=key.app,
            env=None if only else key.env,
            range=span,
            filters=(*self.filters, *filters),
        )


def attribution(
    world: World,
    scope: Scope,
    app: str,
    env: str | None = None,
    slo: str | None = None,
    *,
    at: datetime,
    window: TimeRange | None = None,
) -> Answered[Attribution]:
    """Say which requests spend an SLO's budget.

    Without ``env`` the app's first environment, without ``slo`` the one with the least budget
    left, without ``window`` its own period. Raises ``Forbidden``, ``UsageError``, ``SourceError``.
    """
    scope.check(app, env)
    at = aligned(at)
    evaluation = _chosen(world, scope, app, env, slo, at)
    level = evaluation.level
    span = window or _period(level, at)
    asked = _asked(level, evaluation, span)
    reader = world.reader("spans")
    now = reader.breakdown(asked.where(span), asked.bad, DIMENSIONS)
    earlier = TimeRange(start=span.start - span.length, end=span.start)
    before = reader.breakdown(asked.where(earlier), asked.bad, DIMENSIONS)
    sampled = float(now.value["sampled_bad"].sum()) if len(now.value) else 0.0
    causes = explain(now.value, DIMENSIONS) if sampled >= FEWEST else []
    whole = float(now.value["bad"].sum()) if len(now.value) else 0.0
    bad, total = _own_counts(evaluation, window, now.value)
    rows = _rows(causes, now.value, before.value, whole=whole, bad=bad)
    rows["patterns"] = _patterns(reader, asked, causes)
    notes = [*asked.notes]
    if sampled < FEWEST:
        notes.append(f"{sampled:.0f} bad requests were sampled: too few to tell causes apart")
    found = Attribution(
        slo=level.key.slo,
        window=span,
        rows=rows,
        remainder=max(0.0, 1.0 - float(rows["share"].sum())),
        bad=bad,
        total=total,
        basis="spans",
        factor=bad / sampled if sampled and bad else None,
        notes=tuple(notes),
        coinciding=_coinciding(reader, asked),
    )
    return now.giving(found)


def _chosen(
    world: World, scope: Scope, app: str, env: str | None, slo: str | None, at: datetime
) -> Evaluation:
    """The SLO that is meant, judged."""
    known = world.project.levels(app, env)
    first = env or next((one.environment.name for one in known), None)
    scope.check(app, first)
    levels = [one for one in known if one.environment.name == first]
    names = [one.slo.name for one in levels]
    if not levels or (slo is not None and slo not in names):
        raise UsageError(
            f'app "{app}" has no SLO "{slo}"{did_you_mean(slo or "", names)}',
            hint=f"its SLOs are {', '.join(names)}" if names else None,
        )
    wanted = [one for one in levels if slo is None or one.slo.name == slo]
    found = judged(world, wanted, at)
    broken = [one for one in found if _badness(one.level.slo.indicator.measure) is not None]
    return min(broken or found, key=_left)


def _left(one: Evaluation) -> Fraction:
    """What is left of a budget; one that nothing is known of is looked at last."""
    return Fraction(10**9) if one.budget is None else one.budget.remaining


def _asked(level: ServiceLevel, evaluation: Evaluation, span: TimeRange) -> _Asked:
    measure = level.slo.indicator.measure
    bad = _badness(measure)
    if bad is None:
        raise UsageError(
            f'"{level.key.slo}" counts no requests, so there is nothing to break down',
            hint="indicators of events, latency and spans can be broken down",
        )
    filters, unknown = _filters(measure)
    notes = tuple(f"spans know nothing of {each}; all of them are counted" for each in unknown)
    return _Asked(
        level=level, evaluation=evaluation, window=span, bad=bad, filters=filters, notes=notes
    )


def _badness(measure: Measure) -> Badness | None:
    """When a span is what the indicator calls bad."""
    match measure:
        case Events():
            return Badness(error=True)
        case Latency(threshold=threshold):
            return Badness(error=False, slower_than=_nanoseconds(threshold))
        case Spans():
            return Badness.of(measure)
        case _:
            return None


def _filters(measure: Measure) -> tuple[tuple[Filter, ...], tuple[str, ...]]:
    """What the total's selector means on spans, and the labels that mean nothing there."""
    query = (
        measure.total
        if isinstance(measure, Events)
        else measure.histogram
        if isinstance(measure, Latency)
        else None
    )
    filters: list[Filter] = []
    unknown: list[str] = []
    for matcher in _matchers(query):
        name = _SPAN_FIELDS.get(matcher.name)
        if matcher.name in _ELSEWHERE:
            continue
        if name is None or matcher.op not in {"=", "!="}:
            unknown.append(str(matcher))
        else:
            negated = matcher.op == "!="
            filters.append(Filter(field=name, value=matcher.value, negated=negated))
    return tuple(filters), tuple(unknown)


def _matchers(query: Query | None) -> Sequence[Matcher]:
    selector = None if query is None else query.plain
    return () if selector is None else selector.matchers


def _own_counts(
    evaluation: Evaluation, window: TimeRange | None, sampled: pd.DataFrame
) -> tuple[float, float]:
    """The SLO's own events where its window was asked about, else what the spans stand for."""
    period = evaluation.reading.period
    if window is None and isinstance(period, Counts):
        return float(period.bad), float(period.total)
    if not len(sampled):
        return 0.0, 0.0
    return float(sampled["bad"].sum()), float(sampled["total"].sum())


def _rows(
    causes: Sequence[Cause],
    now: pd.DataFrame,
    before: pd.DataFrame,
    *,
    whole: float,
    bad: float,
) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    bad_before = float(before["bad"].sum()) if len(before) else 0.0
    rows = []
    taken: list[Mapping[str, str]] = []
    for cause in causes:
        then = _events(before, cause.named, taken)
        share = cause.bad / whole
        share_before = then[0] / bad_before if bad_before else None
        rows.append(
            {
                **{name: cause.named.get(name) for name in DIMENSIONS},
                "bad": share * bad,
                "total": cause.total,
                "share": share,
                "error_ratio": cause.bad / cause.total if cause.total else None,
                "share_before": share_before,
                "error_ratio_before": then[0] / then[1] if then[1] else None,
                "change": None if share_before is None else share - share_before,
                "trace_id": _example(now, cause.named),
            }
        )
        taken.append(cause.named)
    return pd.DataFrame(rows, columns=list(_COLUMNS[:-1]))


def _events(
    counts: pd.DataFrame, values: Mapping[str, str], taken: Sequence[Mapping[str, str]]
) -> tuple[float, float]:
    """Bad and all events of a combination that none of those before it covers."""
    if not len(counts):
        return 0.0, 0.0
    mine = _covered(counts, values)
    for earlier in taken:
        mine &= ~_covered(counts, earlier)
    return float(counts.loc[mine, "bad"].sum()), float(counts.loc[mine, "total"].sum())


def _covered(counts: pd.DataFrame, values: Mapping[str, str]) -> pd.Series[bool]:
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    mine = pd.Series(data=True, index=counts.index)
    for name, value in values.items():
        mine &= counts[name].eq(value).fillna(value=False)
    return mine.astype(bool)


def _example(counts: pd.DataFrame, values: Mapping[str, str]) -> str | None:
    """The newest bad trace of a combination."""
    mine = counts[_covered(counts, values) & counts["trace_id"].notna()]
    if not len(mine):
        return None
    return str(mine.sort_values("time").iloc[-1]["trace_id"])


def _patterns(
    reader: TelemetryReader, asked: _Asked, causes: Sequence[Cause]
) -> list[tuple[str, ...]]:
    """Log patterns of each row's failing requests; the first rows' only, one question each."""
    found: list[tuple[str, ...]] = []
    for cause in causes[:EXPLAINED_ROWS]:
        known = {name: value for name, value in cause.named.items() if name != "dependency"}
        filters = tuple(Filter(field=name, value=value) for name, value in known.items())
        try:
            lines = reader.failing_bodies(asked.where(asked.window, filters), asked.bad, _LINES)
        except SourceError:
            found.append(())
        else:
            found.append(overrepresented(lines.value))
    return found + [()] * (len(causes) - len(found))


def _coinciding(reader: TelemetryReader, asked: _Asked) -> tuple[Happening, ...]:
    """The deploys of the window, newest first; what changed is where one looks for a cause."""
    env = asked.level.key.env
    try:
        found = listed(reader, replace(asked.where(asked.window), filters=()), env).value
    except SourceError:
        return ()
    inside = [one for one in found if asked.window.start <= one.time < asked.window.end]
    return tuple(deploy_happening(one, env) for one in reversed(inside[-MOST_DEPLOYS:]))


def _period(level: ServiceLevel, at: datetime) -> TimeRange:
    end = _unix(at)
    return TimeRange(start=end - _nanoseconds(level.slo.window), end=end)


def _unix(at: datetime) -> int:
    epoch = datetime(1970, 1, 1, tzinfo=at.tzinfo)
    return (at - epoch) // timedelta(microseconds=1) * 1000


def _nanoseconds(duration: Duration) -> int:
    return duration.milliseconds * 1_000_000
