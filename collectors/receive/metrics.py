"""Data points of OTLP as rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from collectors.receive.batch import Batch, explained
from collectors.receive.groups import Source
from collectors.receive.identifiers import SPAN, TRACE, text_of
from collectors.receive.instants import LATEST, checked
from collectors.receive.limits import Limits
from collectors.receive.prometheus_names import metric_name
from collectors.receive.values import dumps
from collectors.receive.wire import View
from slo.records import dataclass

COLUMNS = (
    "time",
    "name",
    "otel_name",
    "kind",
    "delta",
    "unit",
    "series",
    "labels",
    "attributes",
    "start",
    "exemplars",
    "value",
    "count",
    "sum",
    "min",
    "max",
    "bounds",
    "buckets",
    "scale",
    "zero_count",
    "zero_threshold",
    "positive_offset",
    "positive",
    "negative_offset",
    "negative",
)

Numbers = tuple[object, ...]
"""The columns from ``value`` on."""

Exemplar = tuple[int, float | None, bytes, bytes]
"""Time, value, trace id and span id of an exemplar."""

NOTHING: Numbers = (None,) * 14
"""The end of a series, or a point that says it has no value."""

NO_VALUE = 1
"""The flag of a point that says it has no value."""

_DELTA, _CUMULATIVE = 1, 2
_GREATEST = 2**63 - 1
_EXACT = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What the points of one metric have in common."""

    name: str
    otel_name: str
    unit: str | None
    kind: str
    delta: bool


def add_metrics(batch: Batch, request: View) -> None:
    """Add the points of a request; each that cannot be taken is counted as rejected."""
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            metrics = scope_metrics.metrics
            count = sum(len(_data(metric).data_points) for metric in metrics if _kind(metric))
            found = batch.origin(resource_metrics.resource, scope_metrics.scope, count)
            if found is None:
                continue
            for metric in metrics:
                if _kind(metric):
                    _add(batch, metric, *found)


def number_row(value: float) -> Numbers:
    """The columns of a plain number."""
    return (value, *NOTHING[1:])


def _kind(metric: View) -> str:
    return metric.WhichOneof("data") or ""


def _data(metric: View) -> View:
    return getattr(metric, _kind(metric))


def _add(batch: Batch, metric: View, source: Source, scope: str | None) -> None:
    sent = _kind(metric)
    data = getattr(metric, sent)
    try:
        described = _described(batch, metric, sent, data)
    except ValueError as error:
        batch.rejects.add(explained(error), len(data.data_points))
        return
    for point in data.data_points:
        try:
            if sent == "summary":
                batch.rows.extend(_summary(batch, described, point, source, scope))
            else:
                batch.rows.append(_row(batch, described, point, _READERS[sent], source, scope))
        except ValueError as error:
            batch.rejects.add(explained(error))


def _described(batch: Batch, metric: View, sent: str, data: View) -> Metric:
    plain = sent in {"gauge", "summary"}
    return described(
        batch.limits,
        metric.name,
        metric.unit,
        sent,
        temporality=None if plain else data.aggregation_temporality,
        monotonic=sent == "sum" and data.is_monotonic,
    )


def described(
    limits: Limits, name: bytes, unit: bytes, sent: str, *, temporality: int | None, monotonic: bool
) -> Metric:
    """What the points of a metric have in common; ``sent`` is the field of its points.

    ``temporality`` is None for those that have none. Raises ``ValueError``.
    """
    text, measure = name.decode(), unit.decode()
    if len(text) > limits.name or len(measure) > limits.name:
        raise ValueError(f"a metric's name is longer than {limits.name} characters")
    if temporality is not None and temporality not in {_DELTA, _CUMULATIVE}:
        raise ValueError("a metric does not say whether it is delta or cumulative")
    kind = DATA[sent]
    if sent == "sum":
        kind = "counter" if monotonic else "updown"
    return Metric(
        name=metric_name(text, measure, kind),
        otel_name=text,
        unit=measure or None,
        kind=kind,
        delta=temporality == _DELTA,
    )


def _row(
    batch: Batch,
    metric: Metric,
    point: View,
    read: Callable[[Batch, View, str], Numbers],
    source: Source,
    scope: str | None,
) -> tuple[object, ...]:
    numbers = NOTHING if point.flags & NO_VALUE else read(batch, point, metric.kind)
    exemplars = _exemplars(point.exemplars) if point.exemplars else None
    return _written(batch, metric, point, source, scope, numbers=numbers, exemplars=exemplars)


def _written(
    batch: Batch,
    metric: Metric,
    point: View,
    source: Source,
    scope: str | None,
    *,
    numbers: Numbers,
    exemplars: str | None = None,
    quantile: str = "",
) -> tuple[object, ...]:
    time = checked(point.time_unix_nano, "the time")
    start = point.start_time_unix_nano
    series = batch.memory.book.series(source, metric.name, point.attributes, quantile)
    return (
        batch.group_of_series(series, source, scope),
        time,
        metric.name,
        metric.otel_name,
        metric.kind,
        metric.delta,
        metric.unit,
        series.digest,
        series.labels,
        series.attributes,
        checked(start, "the start") if start else None,
        exemplars,
        *numbers,
    )


def _number(_: Batch, point: View, kind: str) -> Numbers:
    which = point.WhichOneof("value")
    if which is None:
        raise ValueError("a point has no value")
    value = float(getattr(point, which))
    if kind == "counter" and not 0 <= value < math.inf:
        raise ValueError("a counter is negative or no finite number")
    return number_row(value)


def _histogram(batch: Batch, point: View, _: str) -> Numbers:
    bounds, buckets = tuple(point.explicit_bounds), _counts(batch, point.bucket_counts)
    if buckets and len(buckets) != len(bounds) + 1:
        raise ValueError("a histogram does not have one bucket more than bounds")
    if bounds not in batch.bounds:
        _check_bounds(bounds)
        batch.bounds.add(bounds)
    if buckets and sum(buckets) != point.count:
        raise ValueError("a histogram's buckets do not add up to its count")
    spread = (bounds, buckets) if buckets else (None, None)
    return (None, *_totals(point), *spread, *NOTHING[7:])


def _check_bounds(bounds: tuple[float, ...]) -> None:
    if any(not low < high for low, high in pairwise(bounds)):
        raise ValueError("a histogram's bounds do not grow")
    if any(not math.isfinite(bound) for bound in bounds):
        raise ValueError("a histogram's bounds are not finite")


def _exponential(batch: Batch, point: View, _: str) -> Numbers:
    positive = _counts(batch, point.positive.bucket_counts)
    negative = _counts(batch, point.negative.bucket_counts)
    if sum(positive) + sum(negative) + point.zero_count != point.count:
        raise ValueError("a histogram's buckets do not add up to its count")
    return (
        None,
        *_totals(point),
        None,
        None,
        point.scale,
        point.zero_count,
        point.zero_threshold,
        point.positive.offset,
        positive,
        point.negative.offset,
        negative,
    )


def _totals(point: View) -> tuple[object, ...]:
    """Count, sum, least and greatest value; those that are not known are None."""
    if point.count > _GREATEST:
        raise ValueError("a histogram's count does not fit 63 bits")
    return (point.count, _known(point, "sum"), _known(point, "min"), _known(point, "max"))


def _known(point: View, name: str) -> float | None:
    value: float | None = getattr(point, name) if point.HasField(name) else None
    return None if value is None or math.isnan(value) else value


def _counts(batch: Batch, counts: Sequence[int]) -> list[int]:
    if len(counts) > batch.limits.buckets:
        raise ValueError(f"a histogram has more than {batch.limits.buckets} buckets")
    found = list(counts)
    if found and max(found) > _GREATEST:
        raise ValueError("a histogram's count does not fit 63 bits")
    return found


def _summary(
    batch: Batch, metric: Metric, point: View, source: Source, scope: str | None
) -> list[tuple[object, ...]]:
    """A summary as Prometheus has it: a gauge per quantile, and counters of sum and count."""
    ended = bool(point.flags & NO_VALUE)

    def row(name: str, kind: str, value: float, quantile: str = "") -> tuple[object, ...]:
        part = Metric(
            name=name, otel_name=metric.otel_name, unit=metric.unit, kind=kind, delta=False
        )
        numbers = NOTHING if ended else number_row(value)
        return _written(batch, part, point, source, scope, numbers=numbers, quantile=quantile)

    if not math.isfinite(point.sum) or point.count > _EXACT:
        raise ValueError("a summary's sum or count is no finite number")
    return [
        row(f"{metric.name}_sum", "counter", point.sum),
        row(f"{metric.name}_count", "counter", float(point.count)),
        *(
            row(metric.name, "gauge", each.value, _quantile(each.quantile))
            for each in point.quantile_values
        ),
    ]


def _quantile(value: float) -> str:
    if not 0 <= value <= 1:
        raise ValueError("a summary's quantile is not between 0 and 1")
    return f"{value:g}" if value in {0, 1} else repr(value)


def _exemplars(exemplars: View) -> str:
    def parts() -> Iterator[Exemplar]:
        for each in exemplars:
            which = each.WhichOneof("value")
            value = getattr(each, which) if which else None
            yield each.time_unix_nano, value, each.trace_id, each.span_id

    return exemplars_text(parts())


def exemplars_text(exemplars: Iterable[Exemplar]) -> str:
    """Write exemplars as JSON, but those without a finite value or a time that can be stored."""
    found = []
    for time, value, trace, span in exemplars:
        if value is None or not math.isfinite(value) or time > LATEST:
            continue
        said = {
            "time": time,
            "value": value,
            "traceId": text_of(trace, TRACE, "trace id of an exemplar"),
            "spanId": text_of(span, SPAN, "span id of an exemplar"),
        }
        found.append({key: part for key, part in said.items() if part is not None})
    return dumps(found)


DATA: Mapping[str, str] = {
    "gauge": "gauge",
    "sum": "counter",
    "histogram": "histogram",
    "exponential_histogram": "exponential",
    "summary": "summary",
}
"""The kinds of points by the fields that hold them; sums that may fall are ``updown``."""

_READERS: Mapping[str, Callable[[Batch, View, str], Numbers]] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
}
