"""Measurements that name their traces, from whichever source keeps an application's metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.access import Forbidden, Scope
from app.services.evaluations import default_reference
from app.services.subjects import environment, subject
from app.services.times import instant
from app.services.world import World
from collectors.readers.telemetry import Answered, Exemplar, TimeRange
from slo.clusters import matcher_sets, source_of
from slo.errors import SourceError, SourceUnavailable, UsageError
from slo.model import (
    App,
    Environment,
    Events,
    Latency,
    Measure,
    Probe,
    Ratio,
    Slices,
)
from slo.promql import Query, QueryProblem, Selector, parse_selector

MOST = 1_000
_PARTS = ("_bucket", "_count", "_sum")


def exemplars(
    world: World, scope: Scope, app: str, env: str, metric_selector: str, range_: TimeRange
) -> Answered[tuple[Exemplar, ...]]:
    """Return the exemplars of the series that a selector selects in an environment, oldest first.

    The embedded store holds whose series are; a Prometheus does not, so an asker who sees some
    apps only may ask it for what an indicator of the app selects, or for less. Raises
    ``UsageError`` for a text that is no selector. Sources that fail are named in ``partial``.
    """
    owner = subject(world, scope, app, env)
    selector = parse_selector(metric_selector)
    if isinstance(selector, QueryProblem):
        raise UsageError(f"{metric_selector} is no selector: {selector.message}")
    place = environment(owner, env)
    found: list[Exemplar] = []
    asked: list[str] = []
    failed: list[str] = []
    references = _references(world, place)
    for reference in references:
        try:
            found += _from_one(world, scope, owner, place, reference, selector, range_)
            asked.append(reference)
        except SourceError as error:
            failed.append(f"{reference}: {error}")
    if failed and not asked:
        raise SourceUnavailable("; ".join(failed), source=", ".join(references))
    newest = sorted(found, key=lambda one: one.time)[-MOST:]
    return Answered(
        value=tuple(newest),
        source=", ".join(asked),
        query=str(selector),
        range=range_,
        observed_at=instant(newest[-1].time) if newest else None,
        partial=tuple(failed),
    )


def latency_exemplars(
    world: World, scope: Scope, app: str, env: str, range_: TimeRange
) -> Answered[tuple[Exemplar, ...]]:
    """Return the exemplars of every histogram that an indicator of the environment names.

    Oldest first, values in seconds. Nothing is asked where no indicator names a histogram.
    Raises as ``exemplars`` does.
    """
    owner = subject(world, scope, app, env)
    selectors = _histograms(environment(owner, env))
    asked = [exemplars(world, scope, app, env, str(each), range_) for each in selectors]
    if not asked:
        note = "no indicator names a histogram, which is what keeps exemplars"
        return Answered(value=(), source="none", query="", range=range_, notes=(note,))
    found = {
        (one.trace_id, one.time): _in_seconds(one, selector)
        for each, selector in zip(asked, selectors, strict=True)
        for one in each.value
    }
    return Answered(
        value=tuple(sorted(found.values(), key=lambda one: one.time)),
        source=", ".join(dict.fromkeys(each.source for each in asked)),
        query="; ".join(each.query for each in asked),
        range=range_,
        observed_at=max((a.observed_at for a in asked if a.observed_at), default=None),
        partial=tuple(dict.fromkeys(each for one in asked for each in one.partial)),
    )


def _histograms(place: Environment) -> list[Selector]:
    """The buckets of the histograms that indicators of an environment are about, each once."""
    found: dict[str, Selector] = {}
    for slo in place.slos:
        measure = slo.indicator.measure
        named = measure.histogram.selectors if isinstance(measure, Latency) else ()
        if isinstance(measure, Events):
            named = measure.total.selectors
        for each in named:
            counts = isinstance(measure, Latency) or (each.metric or "").endswith(_PARTS)
            if each.metric is not None and counts:
                matchers = tuple(one for one in each.matchers if one.name != "le")
                base = _base(each.metric)
                one = replace(each, metric=f"{base}_bucket", matchers=matchers)
                found.setdefault(str(one), one)
    return list(found.values())


def _in_seconds(one: Exemplar, selector: Selector) -> Exemplar:
    """A measurement in seconds; histograms of milliseconds say so in their names."""
    in_milliseconds = (_base(selector.metric) or "").endswith(("_milliseconds", "_ms"))
    return replace(one, value=one.value / 1000) if in_milliseconds else one


def _references(world: World, place: Environment) -> list[str]:
    default = default_reference(world.project.workspace)
    named = dict.fromkeys(source_of(cluster, default) for cluster in place.clusters)
    found = [reference for reference in named if reference in world.metrics]
    if not found:
        raise SourceUnavailable("no source of this environment answers PromQL", source="none")
    return [reference for reference in found if reference is not None]


def _from_one(
    world: World,
    scope: Scope,
    app: App,
    place: Environment,
    reference: str,
    selector: Selector,
    range_: TimeRange,
) -> list[Exemplar]:
    from collectors.readers.prometheus import PrometheusClient  # noqa: PLC0415 - loads requests
    from collectors.readers.store import StoreMetrics  # noqa: PLC0415 - loads DuckDB

    reader = world.metrics[reference]
    default = default_reference(world.project.workspace)
    narrowed = [
        str(selector.with_matchers(matchers))
        for matchers in matcher_sets(place.clusters, reference, default)
    ]
    start, end = instant(range_.start), instant(range_.end)
    until = reader.deadline(world.deadline)
    if isinstance(reader, StoreMetrics):
        mine = reader.of(app.name)
        return [
            one
            for text in narrowed
            for one in mine.exemplars(text, start, end, until, limit=MOST)
            if range_.start <= one.time < range_.end
        ]
    if not isinstance(reader, PrometheusClient):
        raise SourceUnavailable(f"{reference} keeps no exemplars", source=reference)
    if scope.apps is not None and not _is_own(app, selector):
        raise Forbidden(
            f"{scope.user or 'this visitor'} may ask {reference} for what an indicator of "
            f"{app.name} selects, and this is more"
        )
    params = {"start": _seconds(range_.start), "end": _seconds(range_.end)}
    found: list[Exemplar] = []
    for text in narrowed:
        data, _ = reader.get("query_exemplars", until, {"query": text, **params})
        found += _parsed(data, reference)
    return found


def _seconds(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds // 1_000_000, 1000)
    return f"{seconds}.{rest:03d}"


def _parsed(data: object, source: str) -> Iterator[Exemplar]:
    """Read ``data`` of Prometheus's ``query_exemplars``."""
    try:
        for row in _list(data):
            labels = {str(name): str(value) for name, value in row["seriesLabels"].items()}
            for one in row["exemplars"]:
                trace = _trace_of(one["labels"])
                if trace is not None:
                    yield Exemplar(
                        time=round(float(one["timestamp"]) * 1000) * 1_000_000,
                        value=float(one["value"]),
                        trace_id=trace,
                        labels=labels,
                    )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise SourceUnavailable(
            f"{source}: the answer does not have the shape of exemplars", source=source
        ) from None


def _list(data: object) -> Sequence[Mapping[str, Any]]:
    return data if isinstance(data, list) else []


def _trace_of(labels: Mapping[str, str]) -> str | None:
    """The trace that an exemplar's labels name, under any of the names in use."""
    for name in ("trace_id", "traceID", "traceId", "TraceID"):
        if value := labels.get(name):
            return str(value).lower()
    return None


def _is_own(app: App, asked: Selector) -> bool:
    """Whether a selector selects no more than one of the application's indicators does."""
    return any(
        _base(asked.metric) == _base(own.metric) and set(own.matchers) <= set(asked.matchers)
        for level in app.levels()
        for query in _queries(level.slo.indicator.measure)
        for own in query.selectors
        if own.metric is not None
    )


def _base(metric: str | None) -> str | None:
    if metric is None:
        return None
    for part in _PARTS:
        if metric.endswith(part):
            return metric.removesuffix(part)
    return metric


def _queries(measure: Measure) -> Iterator[Query]:
    found: tuple[Query | None, ...] = ()
    match measure:
        case Events():
            found = (measure.total, measure.bad, measure.good)
        case Latency():
            found = (measure.histogram,)
        case Ratio():
            found = (measure.error, measure.good, measure.weight)
        case Slices():
            found = (measure.expr,)
        case Probe():
            found = (measure.selector,)
        case _:
            pass
    yield from (each for each in found if each is not None)
