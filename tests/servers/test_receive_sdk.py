"""The real OpenTelemetry SDK posts, over real HTTP, what the decoders take."""

import json
from collections.abc import Iterator

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from collectors.signals import Signal
from tests.servers.receiving import Receiving
from tests.unit.collectors.joining.catalogs import AIRLINE

RESOURCE = Resource(
    {
        "service.namespace": "ticketing",
        "service.name": "ticketing-api",
        "service.version": "1.4.2",
        "deployment.environment.name": "prod",
    }
)


@pytest.fixture
def receiver() -> Iterator[Receiving]:
    with Receiving(AIRLINE) as receiver:
        yield receiver
        assert [] == receiver.failed
        assert [""] * len(receiver.decoded) == [each.reason for each in receiver.decoded]


@pytest.fixture(params=[Compression.NoCompression, Compression.Gzip])
def compression(request: pytest.FixtureRequest) -> Compression:
    return request.param  # type: ignore[no-any-return]  # one of the two above


def test_spans_of_the_sdk(receiver: Receiving, compression: Compression) -> None:
    """A request and its database call: kinds, status, exception, parent and peer."""
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces", compression=compression)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("shop", "1.0")
    with tracer.start_as_current_span("GET /bookings/{id}", kind=SpanKind.SERVER) as server:
        server.set_attributes({"http.route": "/bookings/{id}", "http.request.method": "GET"})
        server.set_attribute("http.response.status_code", 500)
        with tracer.start_as_current_span("SELECT", kind=SpanKind.CLIENT) as client:
            client.set_attributes({"db.system.name": "postgresql", "db.namespace": "airline"})
        server.record_exception(ValueError("no seat"))
        server.set_status(Status(StatusCode.ERROR, "no seat"))
    provider.shutdown()

    rows = {row["name"]: row for row in receiver.rows(Signal.SPANS)}
    request, query = rows["GET /bookings/{id}"], rows["SELECT"]
    assert ("server", "error", "no seat") == tuple(
        request[key] for key in ("kind", "status", "status_message")
    )
    assert ("/bookings/{id}", "GET", 500) == tuple(
        request[key] for key in ("route", "method", "http_status")
    )
    assert ("postgresql/airline", "database") == (query["peer"], query["peer_kind"])
    assert (request["span_id"], request["trace_id"]) == (query["parent_id"], query["trace_id"])
    assert format(server.get_span_context().trace_id, "032x") == request["trace_id"]
    assert "exception" == json.loads(request["events"])[0]["name"]
    assert {"name": "shop", "version": "1.0"} == json.loads(request["scope"])
    for row in rows.values():
        assert ("ticketing", "prod", "api", 1) == tuple(
            row[key] for key in ("app", "env", "component", "rung")
        )
        assert ("1.4.2", row["end"] - row["time"]) == (row["version"], row["duration"])


def test_metrics_of_the_sdk(receiver: Receiving, compression: Compression) -> None:
    """Every instrument, with the names that Prometheus would give them."""
    exporter = OTLPMetricExporter(endpoint=f"{receiver.url}/v1/metrics", compression=compression)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    exponential = View(
        instrument_name="seat.price", aggregation=ExponentialBucketHistogramAggregation()
    )
    provider = MeterProvider([reader], resource=RESOURCE, views=[exponential])
    meter = provider.get_meter("shop")
    meter.create_counter("bookings", unit="{booking}").add(3, {"class": "economy"})
    meter.create_up_down_counter("queue.length").add(-2)
    meter.create_histogram("http.server.request.duration", unit="s").record(0.25, {"code": 200})
    meter.create_histogram("seat.price", unit="EUR").record(120.0)
    meter.create_gauge("cpu.utilization", unit="1").set(0.5)
    provider.shutdown()

    rows = {row["name"]: row for row in receiver.rows(Signal.METRICS)}
    assert {
        "bookings_total": "counter",
        "queue_length": "updown",
        "http_server_request_duration_seconds": "histogram",
        "seat_price_EUR": "exponential",
        "cpu_utilization_ratio": "gauge",
    } == {name: row["kind"] for name, row in rows.items()}
    labels = {
        "app": "ticketing",
        "class": "economy",
        "env": "prod",
        "job": "ticketing/ticketing-api",
        "service": "ticketing-api",
        "version": "1.4.2",
    }
    assert labels == json.loads(rows["bookings_total"]["labels"])
    assert (3.0, -2.0, 0.5) == tuple(
        rows[name]["value"] for name in ("bookings_total", "queue_length", "cpu_utilization_ratio")
    )
    classic = rows["http_server_request_duration_seconds"]
    assert (1, 0.25, 1) == (classic["count"], classic["sum"], sum(classic["buckets"]))
    assert (1, 120.0, [1]) == tuple(
        rows["seat_price_EUR"][key] for key in ("count", "sum", "positive")
    )


def test_logs_of_the_sdk(receiver: Receiving, compression: Compression) -> None:
    """A record inside a span: level, body, a nested attribute and the trace it belongs to."""
    provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    exporter = OTLPLogExporter(endpoint=f"{receiver.url}/v1/logs", compression=compression)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    logger = provider.get_logger("bookings")
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("shop")
    with tracer.start_as_current_span("work") as span:
        logger.emit(
            severity_number=SeverityNumber.WARN,
            severity_text="WARN",
            body="seat 12A is taken",
            attributes={"seat": {"row": 12, "aisle": False}},
            event_name="seat.taken",
        )
    provider.shutdown()

    (row,) = receiver.rows(Signal.LOGS)
    expected = {
        "body": "seat 12A is taken",
        "severity": 13,
        "severity_text": "WARN",
        "event": "seat.taken",
        "attributes": '{"seat":{"row":12,"aisle":false}}',
        "app": "ticketing",
        "env": "prod",
        "trace_id": format(span.get_span_context().trace_id, "032x"),
        "span_id": format(span.get_span_context().span_id, "016x"),
    }
    assert expected == {key: row[key] for key in expected}
