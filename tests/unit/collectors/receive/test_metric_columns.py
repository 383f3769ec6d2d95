"""Requests of metrics are read by columns; the rows are those that one by one makes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
    Summary,
    SummaryDataPoint,
)

from collectors.joining import Joiner
from collectors.receive import OtlpDecoder
from collectors.receive import metrics as by_rows
from collectors.receive.batch import Batch, Memory
from collectors.receive.decoded import Decoded, Refused
from collectors.receive.limits import Limits
from collectors.receive.metric_columns import metric_columns
from collectors.receive.views import otlp
from collectors.receive.wire import parse
from collectors.signals import Signal
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import AT, TICKETING, attributes

LIMITS = Limits(name=40, attributes=4, buckets=6)
LABELS = st.dictionaries(
    st.sampled_from(["app", "db.system", "http.route", "code", "http.method"]),
    st.one_of(st.text(max_size=4), st.integers(0, 3)),
    max_size=3,
)
EXEMPLARS = st.lists(
    st.builds(
        Exemplar,
        time_unix_nano=st.sampled_from([AT, 2**64 - 1]),
        as_double=st.sampled_from([0.25, float("nan")]),
        trace_id=st.sampled_from([b"", b"\x0a" * 16]),
        span_id=st.sampled_from([b"", b"\x0b" * 8]),
    ),
    max_size=2,
)
COMMON: Mapping[str, Any] = {
    "time_unix_nano": st.sampled_from([AT, AT + 7]),
    "start_time_unix_nano": st.sampled_from([0, AT - 10**9]),
    "attributes": LABELS.map(attributes),
    "exemplars": EXEMPLARS,
}
NUMBERS = st.one_of(
    st.builds(NumberDataPoint, as_double=st.floats(0, 1e9), **COMMON),
    st.builds(NumberDataPoint, as_int=st.integers(0, 2**63 - 1), **COMMON),
)
KNOWN = st.sampled_from([None, 0.5, float("nan")])


def _histogram(counts: Sequence[int], bounded: bool, **more: Any) -> HistogramDataPoint:  # noqa: FBT001 - drawn
    """A point with as many buckets as counts, or with a count alone."""
    spread: dict[str, Any] = {
        "explicit_bounds": list(range(len(counts) - 1)),
        "bucket_counts": counts,
    }
    given = {key: value for key, value in more.items() if value is not None}
    return HistogramDataPoint(count=sum(counts), **(spread if bounded else {}), **given)


HISTOGRAMS = st.builds(
    _histogram,
    st.lists(st.integers(0, 9), min_size=1, max_size=6),
    st.booleans(),
    sum=KNOWN,
    min=KNOWN,
    max=KNOWN,
    **COMMON,
)
NAMES = {"name": st.sampled_from(["requests", "load.now"]), "unit": st.sampled_from(["", "1", "s"])}
KINDS = st.sampled_from([1, 2])
METRICS = st.one_of(
    st.builds(Metric, gauge=st.builds(Gauge, data_points=st.lists(NUMBERS, max_size=4)), **NAMES),
    st.builds(
        Metric,
        sum=st.builds(
            Sum,
            data_points=st.lists(NUMBERS, max_size=4),
            aggregation_temporality=KINDS,
            is_monotonic=st.booleans(),
        ),
        **NAMES,
    ),
    st.builds(
        Metric,
        histogram=st.builds(
            Histogram, data_points=st.lists(HISTOGRAMS, max_size=4), aggregation_temporality=KINDS
        ),
        **NAMES,
    ),
    st.builds(Metric, **NAMES),
)
RESOURCES = st.sampled_from(
    [TICKETING, {"service.name": "cargo-api"}, {"k8s.pod.uid": "one"}, {}, {"x": "y"}]
)
SENT = st.lists(st.tuples(RESOURCES, st.lists(METRICS, max_size=3)), min_size=1, max_size=3)


def _request(sent: Sequence[tuple[Mapping[str, object], Sequence[Metric]]]) -> bytes:
    request = ExportMetricsServiceRequest()
    for resource, metrics in sent:
        added = request.resource_metrics.add()
        added.resource.attributes.extend(attributes(resource))
        added.scope_metrics.add().metrics.extend(metrics)
    return request.SerializeToString()


def _by_rows_alone(body: bytes) -> Decoded:
    batch = Batch(Memory(Joiner(AIRLINE), LIMITS), AT)
    by_rows.add_metrics(batch, parse(otlp()["Metrics"], body, "request"))
    return batch.decoded(Signal.METRICS, by_rows.COLUMNS)


def _columns(body: bytes) -> Decoded:
    """Read by columns alone, where the decoder would turn to rows."""
    batch = Batch(Memory(Joiner(AIRLINE), LIMITS), AT)
    batch.columns = metric_columns(batch, body)
    return batch.decoded(Signal.METRICS, by_rows.COLUMNS)


def _rows(found: Decoded) -> list[str]:
    """Rows in an order of their own; NaN is equal to itself as text."""
    return sorted(map(repr, found.table.to_pylist()))


@given(SENT)
def test_columns_and_rows_make_the_same_rows(
    sent: list[tuple[Mapping[str, object], list[Metric]]],
) -> None:
    """Owners, series, exemplars and absent parts included."""
    body = _request(sent)
    one_by_one = _by_rows_alone(body)
    assert 0 == one_by_one.rejected
    assert _rows(one_by_one) == _rows(_columns(body))


def _point(**more: Any) -> NumberDataPoint:
    return NumberDataPoint(**{"time_unix_nano": AT, "as_double": 1.0, **more})


def _sum(point: NumberDataPoint, kind: Any = 2) -> Metric:
    sums = Sum(data_points=[point], aggregation_temporality=kind, is_monotonic=True)
    return Metric(name="requests", sum=sums)


def _of(point: HistogramDataPoint) -> Metric:
    cumulative: Any = 2
    points = Histogram(data_points=[point], aggregation_temporality=cumulative)
    return Metric(name="seconds", histogram=points)


@pytest.mark.parametrize(
    "odd",
    [
        Metric(name="requests", gauge=Gauge(data_points=[_point(time_unix_nano=12)])),
        Metric(name="requests", gauge=Gauge(data_points=[_point(start_time_unix_nano=12)])),
        Metric(name="requests", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=AT)])),
        Metric(name="requests", gauge=Gauge(data_points=[_point(flags=1)])),
        Metric(name="r" * 99, gauge=Gauge(data_points=[_point()])),
        Metric(name="sizes", summary=Summary(data_points=[SummaryDataPoint(time_unix_nano=AT)])),
        _sum(_point(as_double=-1.0)),
        _sum(_point(as_double=float("inf"))),
        _sum(_point(), kind=0),
        _of(HistogramDataPoint(time_unix_nano=AT, count=2, bucket_counts=[1, 1])),
        *(
            _of(
                HistogramDataPoint(
                    time_unix_nano=AT, count=count, bucket_counts=[1, 1], explicit_bounds=[1]
                )
            )
            for count in (1, 3)
        ),
        _of(HistogramDataPoint(time_unix_nano=AT, count=1, bucket_counts=[0] * 7 + [1])),
        _of(HistogramDataPoint(time_unix_nano=AT, count=2**63)),
        _of(
            HistogramDataPoint(
                time_unix_nano=AT, count=2, bucket_counts=[1, 0, 1], explicit_bounds=[2, 1]
            )
        ),
    ],
    ids=[
        "seconds",
        "start in seconds",
        "no value",
        "ended",
        "long name",
        "summary",
        "negative",
        "infinite",
        "no temporality",
        "bounds missing",
        "more than counted",
        "less than counted",
        "many buckets",
        "great count",
        "falling bounds",
    ],
)
def test_what_needs_a_closer_look_is_left_to_rows(odd: Metric) -> None:
    """The decoder then says of it what it always said."""
    body = _request([(TICKETING, [_sum(_point()), odd])])
    with pytest.raises(ValueError, match=r"."):
        _columns(body)
    found = OtlpDecoder(Joiner(AIRLINE), LIMITS).decode(Signal.METRICS, body, at=AT)
    assert _outcome(lambda: _by_rows_alone(body)) == _outcome(lambda: found)


def _outcome(read: Callable[[], Decoded]) -> object:
    try:
        found = read()
    except Refused as refusal:
        return refusal.status
    return _rows(found), found.rejected, found.reason


@given(
    SENT,
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3)),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=600)
def test_broken_bytes_are_judged_as_one_by_one(
    sent: list[tuple[Mapping[str, object], list[Metric]]], damage: list[tuple[int, int, bytes]]
) -> None:
    """Two libraries read the wire; neither takes what the other refuses."""
    body = _request(sent)
    for place, removed, added in damage:
        cut = place % (len(body) + 1)
        body = body[:cut] + added + body[cut + removed :]
    decoder = OtlpDecoder(Joiner(AIRLINE), LIMITS)
    assert _outcome(lambda: _by_rows_alone(body)) == _outcome(
        lambda: decoder.decode(Signal.METRICS, body, at=AT)
    )
