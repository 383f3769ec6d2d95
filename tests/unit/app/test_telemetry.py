"""Counts for Prometheus, and OpenTelemetry only where its variables ask for it."""

import subprocess
import sys

import pytest

from app.measures import METRICS, Kind
from app.telemetry import OWN_HEADER, Telemetry, open_telemetry
from slo.errors import UsageError


def test_nothing_is_exported_unless_asked_for() -> None:
    """Off by default, and off when it is disabled."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    for environ in (
        {},
        {**endpoint, "OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
    ):
        assert not open_telemetry(environ, name="serve", version="1").exports


def test_what_is_not_built_in_is_refused() -> None:
    """Rather than to send nothing in silence."""
    with pytest.raises(UsageError, match="protocol grpc is not built in"):
        open_telemetry(
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            },
            name="serve",
            version="1",
        )
    with pytest.raises(UsageError, match="OTEL_METRICS_EXPORTER is none of"):
        open_telemetry({"OTEL_METRICS_EXPORTER": "zipkin"}, name="serve", version="1")


def test_counts_are_written_as_prometheus_reads_them() -> None:
    """Counters, gauges and histograms with their help, labels escaped."""
    telemetry = Telemetry()
    telemetry.count("headroom_ingest_records_total", 3, signal="logs")
    telemetry.count("headroom_ingest_records_total", 4, signal="logs")
    telemetry.count("headroom_gate_decisions_total", decision='a"b\\\n')
    telemetry.watch("headroom_store_trouble", lambda: 1)
    telemetry.observe("headroom_query_duration_seconds", 0.3, query="logs")
    telemetry.observe("headroom_query_duration_seconds", 60, query="logs")
    lines = telemetry.exposition().splitlines()

    assert 'headroom_ingest_records_total{signal="logs"} 7' in lines
    assert 'headroom_gate_decisions_total{decision="a\\"b\\\\\\n"} 1' in lines
    assert "# TYPE headroom_store_trouble gauge" in lines
    assert "headroom_store_trouble 1" in lines
    for edge, count in (("0.25", 0), ("0.5", 1), ("10", 1), ("+Inf", 2)):
        expected = f'headroom_query_duration_seconds_bucket{{query="logs",le="{edge}"}} {count}'
        assert expected in lines
    assert 'headroom_query_duration_seconds_count{query="logs"} 2' in lines
    assert 'headroom_query_duration_seconds_sum{query="logs"} 60.3' in lines


def test_every_metric_is_named_after_its_kind() -> None:
    """As OpenMetrics wants it."""
    for name, metric in METRICS.items():
        assert name.startswith("headroom_")
        assert (metric.kind is Kind.COUNTER) == name.endswith("_total")
        assert (metric.kind is Kind.HISTOGRAM) == name.endswith("_duration_seconds")


def test_a_block_is_measured_even_when_it_fails() -> None:
    """A question that fails slowly is slow."""
    telemetry = Telemetry()
    with pytest.raises(KeyError), telemetry.timed("headroom_query_duration_seconds", query="x"):
        raise KeyError
    assert 'headroom_query_duration_seconds_count{query="x"} 1' in telemetry.exposition()


def test_the_console_exporter_prints_spans_of_headroom() -> None:
    """The whole way through the SDK, in a process of its own; the environment's names win."""
    script = (
        "from app.telemetry import open_telemetry; import os\n"
        "t = open_telemetry(os.environ, name='serve', version='1.2')\n"
        "with t.timed('headroom_query_duration_seconds', query='logs'): pass\n"
        "t.close()"
    )
    environ = {
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "console",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    for said in (
        '"service.namespace": "headroom"',
        '"service.name": "serve"',
        '"deployment.environment.name": "test"',
        '"name": "headroom.query"',
        '"name": "headroom.query.duration"',
    ):
        assert said in done.stderr, said
    assert "" == done.stdout


def test_a_servers_counters_begin_at_zero() -> None:
    """What nothing has happened to yet is not unknown."""
    telemetry = Telemetry()
    telemetry.begin()
    lines = telemetry.exposition().splitlines()

    assert "headroom_gate_failures_total 0" in lines
    assert 'headroom_ingest_requests_total{outcome="failed",signal="logs"} 0' in lines


def test_a_server_knows_its_own_exports_again() -> None:
    """By a mark that nobody else can guess; without an exporter nothing is its own."""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    telemetry = open_telemetry(endpoint, name="serve", version="1")

    assert not telemetry.is_own({})
    assert not telemetry.is_own({OWN_HEADER: "1"})
    assert not Telemetry().is_own({OWN_HEADER: "1"})
