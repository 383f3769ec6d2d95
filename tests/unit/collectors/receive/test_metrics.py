"""Data points of OTLP: Prometheus's names and labels, every kind, bad points rejected alone."""

import json
import math
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
    Summary,
    SummaryDataPoint,
)

from collectors.receive.prometheus_names import label_name, metric_name
from collectors.receive.series import digest_of
from collectors.signals import SCHEMAS, Signal
from tests.unit.collectors.receive.requests import (
    AT,
    TICKETING,
    attributes,
    decoded,
    metrics,
    refused_reason,
    rows,
)

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def point(value: float = 1.0, **more: Any) -> NumberDataPoint:
    labels = attributes(more.pop("attributes", {}))
    number = {"as_int": value} if isinstance(value, int) else {"as_double": value}
    given = {"time_unix_nano": AT, **number, **more}
    return NumberDataPoint(attributes=labels, **given)


def counter(*points: NumberDataPoint, name: str = "requests", **more: Any) -> Metric:
    settings = {"is_monotonic": True, "aggregation_temporality": CUMULATIVE, **more}
    return Metric(name=name, unit="1", sum=Sum(data_points=points, **settings))


def gauge(*points: NumberDataPoint, name: str = "load", unit: str = "") -> Metric:
    return Metric(name=name, unit=unit, gauge=Gauge(data_points=points))


def histogram(**fields: Any) -> Metric:
    given = {
        "time_unix_nano": AT,
        "count": 6,
        "sum": 1.5,
        "bucket_counts": [1, 2, 3],
        "explicit_bounds": [0.1, 0.3],
        **fields,
    }
    return Metric(
        name="http.server.request.duration",
        unit="s",
        histogram=Histogram(
            data_points=[HistogramDataPoint(**given)], aggregation_temporality=CUMULATIVE
        ),
    )


def test_a_counter_has_prometheus_name_and_labels() -> None:
    resource = {
        **TICKETING,
        "service.instance.id": "i-1",
        "service.version": "1.2",
        "org.team": "bookings",
        "k8s.namespace.name": "ticketing",
        "k8s.pod.name": "api-1",
        "k8s.cluster.name": "eu-1",
    }
    values = {"http.route": "/b", "code": 200, "empty": ""}
    sent = counter(point(5, start_time_unix_nano=AT - 10, attributes=values))
    (row,) = rows(metrics(sent, resource=resource))
    assert SCHEMAS[Signal.METRICS].names == list(row)
    labels = {
        "app": "ticketing",
        "cluster": "eu-1",
        "code": "200",
        "env": "prod",
        "http_route": "/b",
        "instance": "i-1",
        "job": "ticketing/ticketing-api",
        "namespace": "ticketing",
        "pod": "api-1",
        "service": "ticketing-api",
        "team": "bookings",
        "version": "1.2",
    }
    assert list(labels.items()) == list(json.loads(row["labels"]).items())
    expected = {
        "name": "requests_total",
        "otel_name": "requests",
        "kind": "counter",
        "delta": False,
        "unit": "1",
        "start": AT - 10,
        "value": 5.0,
        "count": None,
        "app": "ticketing",
        "env": "prod",
        "series": digest_of("requests_total", row["labels"]),
    }
    assert expected == {key: row[key] for key in expected}


def test_a_point_does_not_overwrite_who_sent_it() -> None:
    """As a scrape does that does not honour labels."""
    (row,) = rows(metrics(gauge(point(attributes={"app": "cargo", "service": "ticketing-api"}))))
    labels = json.loads(row["labels"])
    assert ("ticketing", "cargo") == (labels["app"], labels["exported_app"])
    assert "exported_service" not in labels
    assert "ticketing" == row["app"]


def test_points_of_a_relay_find_their_owners_and_columns() -> None:
    values = {"app": "cargo", "namespace": "cargo", "pod": "api-1"}
    sent = gauge(point(attributes=values), point(attributes={"pod": "x"}))
    first, second = rows(metrics(sent, resource={"service.name": "otelcol"}))
    assert ("cargo", "cargo", "api-1") == (first["app"], first["namespace"], first["pod"])
    assert (None, "x") == (second["app"], second["pod"])


@pytest.mark.parametrize(
    ("monotonic", "temporality", "kind", "delta", "name"),
    [
        (True, CUMULATIVE, "counter", False, "requests_total"),
        (True, DELTA, "counter", True, "requests_total"),
        (False, CUMULATIVE, "updown", False, "requests"),
    ],
)
def test_sums_keep_their_kind(
    monotonic: bool,  # noqa: FBT001 - a row of a table
    temporality: Any,
    kind: str,
    delta: bool,  # noqa: FBT001 - the same
    name: str,
) -> None:
    sent = counter(point(), is_monotonic=monotonic, aggregation_temporality=temporality)
    (row,) = rows(metrics(sent))
    assert (kind, delta, name) == (row["kind"], row["delta"], row["name"])


def test_a_classic_histogram() -> None:
    (row,) = rows(metrics(histogram(min=0.01, max=0.9)))
    expected = {
        "name": "http_server_request_duration_seconds",
        "kind": "histogram",
        "value": None,
        "count": 6,
        "sum": 1.5,
        "min": 0.01,
        "max": 0.9,
        "bounds": [0.1, 0.3],
        "buckets": [1, 2, 3],
        "scale": None,
    }
    assert expected == {key: row[key] for key in expected}


def test_what_a_histogram_does_not_know_is_null() -> None:
    sent = histogram(bucket_counts=[], explicit_bounds=[])
    sent.histogram.data_points[0].ClearField("sum")
    (row,) = rows(metrics(sent))
    names = ("sum", "min", "max", "bounds", "buckets")
    assert (None,) * 5 == tuple(row[name] for name in names)


def test_an_exponential_histogram() -> None:
    buckets = ExponentialHistogramDataPoint.Buckets
    sent = Metric(
        name="latency",
        unit="ms",
        exponential_histogram=ExponentialHistogram(
            aggregation_temporality=DELTA,
            data_points=[
                ExponentialHistogramDataPoint(
                    time_unix_nano=AT,
                    count=7,
                    sum=3.5,
                    scale=-1,
                    zero_count=1,
                    zero_threshold=0.001,
                    positive=buckets(offset=-2, bucket_counts=[1, 0, 2]),
                    negative=buckets(offset=3, bucket_counts=[3]),
                )
            ],
        ),
    )
    (row,) = rows(metrics(sent))
    expected = {
        "name": "latency_milliseconds",
        "kind": "exponential",
        "delta": True,
        "count": 7,
        "scale": -1,
        "zero_count": 1,
        "zero_threshold": 0.001,
        "positive_offset": -2,
        "positive": [1, 0, 2],
        "negative_offset": 3,
        "negative": [3],
    }
    assert expected == {key: row[key] for key in expected}


def test_a_summary_is_a_gauge_per_quantile_and_two_counters() -> None:
    quantile = SummaryDataPoint.ValueAtQuantile
    sent = Metric(
        name="rpc.latency",
        unit="s",
        summary=Summary(
            data_points=[
                SummaryDataPoint(
                    time_unix_nano=AT,
                    count=4,
                    sum=2.0,
                    quantile_values=[
                        quantile(quantile=0.5, value=0.25),
                        quantile(quantile=1, value=0.75),
                    ],
                )
            ]
        ),
    )
    found = [
        (row["name"], row["kind"], json.loads(row["labels"]).get("quantile"), row["value"])
        for row in rows(metrics(sent))
    ]
    assert [
        ("rpc_latency_seconds_sum", "counter", None, 2.0),
        ("rpc_latency_seconds_count", "counter", None, 4.0),
        ("rpc_latency_seconds", "gauge", "0.5", 0.25),
        ("rpc_latency_seconds", "gauge", "1", 0.75),
    ] == found


def test_a_point_without_a_recorded_value_ends_its_series() -> None:
    (row,) = rows(metrics(counter(point(7, flags=1))))
    assert row["value"] is None


def test_exemplars_keep_their_trace() -> None:
    exemplars = [
        Exemplar(time_unix_nano=AT, as_double=0.2, trace_id=b"\x01" * 16, span_id=b"\x02" * 8),
        Exemplar(time_unix_nano=AT, as_int=3),
        Exemplar(time_unix_nano=AT, as_double=math.nan),
    ]
    (row,) = rows(metrics(histogram(exemplars=exemplars)))
    assert [
        {"time": AT, "value": 0.2, "traceId": "01" * 16, "spanId": "02" * 8},
        {"time": AT, "value": 3},
    ] == json.loads(row["exemplars"])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (counter(point(math.nan)), "a counter is negative or no finite number"),
        (counter(point(math.inf)), "a counter is negative or no finite number"),
        (counter(point(-1)), "a counter is negative or no finite number"),
        (counter(point(), aggregation_temporality=0), "delta or cumulative"),
        (gauge(NumberDataPoint(time_unix_nano=AT)), "a point has no value"),
        (gauge(point(time_unix_nano=0)), "the time is missing"),
        (gauge(point(time_unix_nano=AT // 1000)), "looks like microseconds"),
        (gauge(point(start_time_unix_nano=5)), "the start is not in nanoseconds"),
        (gauge(point(), name="..."), "a metric has no name"),
        (gauge(point(), name="x" * 10_240), "longer than 1024"),
        (gauge(point(attributes={"y" * 900 + "." * 300 + "z" * 200: 1})), "longer than 1024"),
        (gauge(point(attributes={"k": "v" * 9000})), "longer than 8192"),
        (gauge(point(attributes={f"k{n}": 1 for n in range(300)})), "more than 256 attributes"),
        (histogram(explicit_bounds=[0.1]), "one bucket more than bounds"),
        (histogram(explicit_bounds=[0.3, 0.1]), "bounds do not grow"),
        (histogram(explicit_bounds=[0.1, math.inf]), "bounds are not finite"),
        (histogram(explicit_bounds=[0.1, math.nan]), "bounds do not grow"),
        (histogram(count=7), "do not add up"),
        (histogram(count=2**64 - 1, bucket_counts=[], explicit_bounds=[]), "63 bits"),
    ],
)
def test_a_point_that_cannot_be_one_is_rejected_alone(bad: Metric, reason: str) -> None:
    count, rejected, said = refused_reason(decoded(metrics(bad, gauge(point()))))
    assert (1, 1) == (count, rejected)
    assert reason in said


def test_a_gauge_may_be_no_number() -> None:
    """Not a number is a value of a gauge, and not the end of its series."""
    first, second = decoded(metrics(gauge(point(math.nan), point(math.inf)))).table["value"]
    assert first.is_valid
    assert math.isnan(first.as_py())
    assert math.inf == second.as_py()


@pytest.mark.parametrize(
    ("name", "unit", "kind", "written"),
    [
        ("http.server.duration", "ms", "histogram", "http_server_duration_milliseconds"),
        ("requests", "{request}", "counter", "requests_total"),
        ("requests_total", "1", "counter", "requests_total"),
        ("total.requests", "", "counter", "requests_total"),
        ("cpu.utilization", "1", "gauge", "cpu_utilization_ratio"),
        ("disk.io", "By/s", "gauge", "disk_io_bytes_per_second"),
        ("memory.bytes", "By", "gauge", "memory_bytes"),
        ("speed", "m/s", "gauge", "speed_meters_per_second"),
        ("errors", "{error}/min", "gauge", "errors_per_min"),
        ("2xx", "", "counter", "_2xx_total"),
        ("a..b", "", "gauge", "a_b"),
        ("job:rate", "", "gauge", "job:rate"),
    ],
)
def test_names_are_prometheus_own(name: str, unit: str, kind: str, written: str) -> None:
    assert written == metric_name(name, unit, kind)


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("http.route", "http_route"),
        ("2nd", "key_2nd"),
        ("__a.b__", "__a_b__"),
        ("a..b", "a__b"),
        ("_p", "key_p"),
    ],
)
def test_labels_are_prometheus_own(key: str, written: str) -> None:
    assert written == label_name(key)


def test_labels_that_become_one_are_joined() -> None:
    (row,) = rows(metrics(gauge(point(attributes={"a.b": "1", "a_b": "2"}))))
    assert "1;2" == json.loads(row["labels"])["a_b"]
