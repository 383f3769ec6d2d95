"""Real senders and a real `headroom serve`: the SDK, the Collector, Prometheus, and itself."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

from collectors.signals import Signal
from collectors.store import StoreReader
from tests.cli.installed import headroom
from tests.cli.served import Served, served
from tests.servers.loopback import Asked, Loopback, Reply
from tests.servers.processes import Prometheus, wait_until
from tests.unit.app.api.serving import WORKSPACE, write_workspace

TOKEN = "token-" + "t" * 26
RESOURCE = Resource(
    {
        "service.namespace": "ticketing",
        "service.name": "ticketing-api",
        "deployment.environment.name": "prod",
    }
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_workspace(tmp_path)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    with served(folder) as running:
        yield running


def rows(folder: Path, signal: Signal, columns: str = "*") -> list[dict[str, Any]]:
    reader = StoreReader(folder / "store")
    found: list[dict[str, Any]] = reader.query(
        signal, f"SELECT {columns} FROM records ORDER BY time"
    ).to_pylist()
    reader.close()
    return found


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_the_sdk_s_exporters_send_every_signal(
    folder: Path, server: Served, compression: Compression
) -> None:
    """And the API tells of them, under the app that the resource names."""

    def endpoint(name: str) -> dict[str, Any]:
        return {"endpoint": f"{server.url}/v1/{name}", "compression": compression}

    tracers = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**endpoint("traces"))))
    reader = PeriodicExportingMetricReader(
        OTLPMetricExporter(**endpoint("metrics")), export_interval_millis=600_000
    )
    meters = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    loggers = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**endpoint("logs"))))
    with tracers.get_tracer("t").start_as_current_span("GET /", kind=SpanKind.SERVER):
        loggers.get_logger("l").emit(severity_number=SeverityNumber.ERROR, body="no seat")
    meters.get_meter("m").create_counter("bookings").add(3)
    for provider in (tracers, meters, loggers):
        provider.shutdown()

    asked = requests.Session()
    asked.trust_env = False
    (record,) = asked.get(f"{server.url}/v1/apps/ticketing/logs").json()["logs"]
    (trace,) = asked.get(f"{server.url}/v1/apps/ticketing/traces").json()["traces"]
    asked.close()
    assert ("no seat", 17, trace["traceId"]) == (
        record["body"],
        record["severity"],
        record["traceId"],
    )
    (bookings,) = [row for row in rows(folder, Signal.METRICS) if row["name"] == "bookings_total"]
    assert ("ticketing", "prod", 3.0) == (bookings["app"], bookings["env"], bookings["value"])


def test_the_collector_ships_a_file(folder: Path, otelcol: Path) -> None:
    """Lines of a file, batched and compressed, with a token; none is lost and none comes twice."""
    (folder / "token").write_text(TOKEN)
    write_workspace(
        folder, f"{WORKSPACE}  serve: {{ingestTokens: [{{file: token, app: cargo}}]}}\n"
    )
    source = folder / "cargo.log"
    source.write_text("".join(f"line {number}\n" for number in range(2000)))
    with served(folder) as server:
        config = {
            "receivers": {"file_log": {"include": [str(source)], "start_at": "beginning"}},
            "processors": {"batch": {"send_batch_size": 100, "timeout": "200ms"}},
            "exporters": {
                "otlp_http": {
                    "endpoint": server.url,
                    "headers": {"Authorization": f"Bearer {TOKEN}"},
                    "compression": "zstd",
                }
            },
            "service": {
                "pipelines": {
                    "logs": {
                        "receivers": ["file_log"],
                        "processors": ["batch"],
                        "exporters": ["otlp_http"],
                    }
                },
                "telemetry": {"metrics": {"level": "none"}},
            },
        }
        (folder / "collector.yaml").write_text(json.dumps(config))
        with (folder / "collector.log").open("wb") as output:
            collector = subprocess.Popen(
                [otelcol, "--config", folder / "collector.yaml"], stdout=output, stderr=output
            )
        try:
            wait_until(
                lambda: len(rows(folder, Signal.LOGS, "time")) >= 2000,
                timeout=60,
                what=(folder / "collector.log").read_text()[-2000:],
            )
        finally:
            collector.terminate()
            collector.wait(20)
        found = rows(folder, Signal.LOGS, "body, app")
        assert 0 == server.end()

    assert {f"line {number}" for number in range(2000)} == {row["body"] for row in found}
    assert (2000, {"cargo"}) == (len(found), {row["app"] for row in found})


def test_prometheus_writes_what_it_scrapes(
    folder: Path, server: Served, start_prometheus: Callable[..., Prometheus]
) -> None:
    """Series arrive with their labels and the values that Prometheus has itself."""
    exposed = 'bookings_total{app="ticketing",env="prod"} 42\n'

    def scraped(_: Asked) -> Reply:
        return Reply(body=exposed.encode(), headers={"Content-Type": "text/plain; version=0.0.4"})

    with Loopback([scraped]) as target:
        host = target.url.removeprefix("http://")
        prometheus = start_prometheus(
            interval="1s",
            scrape_configs=[{"job_name": "t", "static_configs": [{"targets": [host]}]}],
            config={"remote_write": [{"url": f"{server.url}/api/v1/write"}]},
        )

        def arrived() -> bool:
            found = rows(folder, Signal.METRICS, "name, app, env, value")
            return {
                "name": "bookings_total",
                "app": "ticketing",
                "env": "prod",
                "value": 42.0,
            } in found

        wait_until(arrived, timeout=30, what="a sample in the store")
        failed = prometheus.own_metric("prometheus_remote_storage_samples_failed_total")

    assert 0 == failed


def test_it_sends_its_own_telemetry_where_the_variables_say(folder: Path) -> None:
    """To another server, as the app called headroom; its own ``/metrics`` says the same."""
    other = folder / "other"
    write_workspace(other)
    with served(other) as watching:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": watching.url,
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        with served(folder, environment=environment) as server:
            asked = requests.Session()
            asked.trust_env = False
            for _ in range(3):
                assert asked.get(f"{server.url}/v1/apps/ticketing/logs").ok
            assert (
                "headroom_query_duration_seconds_count" in asked.get(f"{server.url}/metrics").text
            )
            asked.close()
            assert 0 == server.end()
        spans = rows(other, Signal.SPANS, "name, service, resource")
        metrics = rows(other, Signal.METRICS, "name, otel_name, max(count) OVER () AS count")

    assert "headroom.query" in {row["name"] for row in spans}
    assert {"headroom"} == {json.loads(row["resource"])["service.namespace"] for row in spans}
    assert "headroom.query.duration" in {row["otel_name"] for row in metrics}


def test_a_gate_sends_its_decision_where_the_variables_say(folder: Path, server: Served) -> None:
    """What goes wrong with that is told and decides nothing."""
    asked = ("gate", "--app", "cargo", "--env", "default", "--prometheus", "http://127.0.0.1:9")
    plain = headroom(*asked, cwd=folder)
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": server.url}
    watched = headroom(*asked, cwd=folder, environment=endpoint)
    wrong = {**endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    unwatched = headroom(*asked, cwd=folder, environment=wrong)

    assert 1 == len({ending.code for ending in (plain, watched, unwatched)})
    assert "warning: the decision is not measured" in unwatched.stderr
    assert ["headroom.gate"] == [row["name"] for row in rows(folder, Signal.SPANS, "name, time")]
    names = {row["otel_name"] for row in rows(folder, Signal.METRICS, "otel_name, time")}
    assert {"headroom.gate.decisions", "headroom.gate.duration"} <= names


def test_a_server_that_watches_itself_does_not_run_away(folder: Path) -> None:
    """Requests make spans; what it sends to itself makes none, so there is no end of them."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    own = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }
    with served(folder, "--port", str(port), environment=own) as server:
        for _ in range(4):
            assert requests.get(f"{server.url}/v1/apps", timeout=10).ok
        wait_until(lambda: len(rows(folder, Signal.SPANS, "time")) > 3, what="spans of its own")
        time.sleep(2)
        began = time.monotonic()
        assert 0 == server.end()
        ended = time.monotonic()

    assert len(rows(folder, Signal.SPANS, "time")) < 100
    assert ended - began < 10
