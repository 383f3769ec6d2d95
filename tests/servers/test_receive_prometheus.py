"""The real Prometheus writes to our receiver, and names OTLP metrics as we do."""

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)

from collectors.signals import Signal
from tests.servers.processes import Prometheus, wait_until
from tests.servers.receiving import Receiving
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import TICKETING, attributes, metrics, rows

EXPOSED = """\
# TYPE bookings_total counter
bookings_total{app="cargo",route="/b"} 7
# TYPE seats gauge
seats{app="cargo"} NaN
# TYPE latency_seconds histogram
latency_seconds_bucket{app="cargo",le="0.5"} 3
latency_seconds_bucket{app="cargo",le="+Inf"} 4
latency_seconds_sum{app="cargo"} 1.5
latency_seconds_count{app="cargo"} 4
"""


class _Target:
    """A metrics endpoint whose series can end."""

    def __init__(self) -> None:
        self.text = EXPOSED
        target = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = target.text.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def target() -> Iterator[_Target]:
    found = _Target()
    Thread(target=found.server.serve_forever, args=(0.02,), daemon=True).start()
    yield found
    found.server.shutdown()
    found.server.server_close()


def test_what_prometheus_scrapes_arrives(
    start_prometheus: Callable[..., Prometheus], target: _Target
) -> None:
    """Values, labels, owners, kinds, and the end of a series that is no longer exposed."""
    with Receiving(AIRLINE) as receiver:
        start_prometheus(
            interval="1s",
            scrape_configs=[
                {
                    "job_name": "freight",
                    "honor_labels": True,
                    "static_configs": [{"targets": [target.address]}],
                }
            ],
            config={
                "remote_write": [
                    {
                        "url": f"{receiver.url}/api/v1/write",
                        "queue_config": {"batch_send_deadline": "200ms"},
                        "metadata_config": {"send_interval": "1s"},
                    }
                ]
            },
        )

        def of(name: str) -> list[dict[str, Any]]:
            return [row for row in receiver.rows(Signal.METRICS) if row["name"] == name]

        wait_until(lambda: bool(of("latency_seconds_count")), what="a sample arrives")
        target.text = EXPOSED.replace('bookings_total{app="cargo",route="/b"} 7\n', "")
        wait_until(
            lambda: any(row["value"] is None for row in of("bookings_total")),
            what="the series ends",
        )
        assert [] == receiver.failed
        assert [0] * len(receiver.decoded) == [each.rejected for each in receiver.decoded]
        first = of("bookings_total")[0]
        labels = {"app": "cargo", "instance": target.address, "job": "freight", "route": "/b"}
        assert labels == json.loads(first["labels"])
        assert (7.0, "counter", "cargo", 1) == tuple(
            first[key] for key in ("value", "kind", "app", "rung")
        )
        assert abs(first["time"] - time.time_ns()) < 120 * 10**9
        assert math.isnan(of("seats")[0]["value"])
        assert {"0.5": 3.0, "+Inf": 4.0} == {
            json.loads(row["labels"])["le"]: row["value"] for row in of("latency_seconds_bucket")
        }
        assert of("up")[0]["app"] is None
        assert "app" == of("up")[0]["missing"]


CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
UNITS = ("", "1", "s", "ms", "By", "By/s", "{thing}", "%", "m/s", "KiBy", "x y", "1/s", "EUR")
KEYS = ("http.route", "a..b", "2nd", "_private", "Ünï", "a_b", "a.b")


def _metrics(now: int) -> list[Metric]:
    """Every kind with every unit, under names that need translation."""
    point: dict[str, Any] = {"time_unix_nano": now, "start_time_unix_nano": now - 10**9}
    values = attributes({key: key for key in KEYS})
    number = NumberDataPoint(as_int=1, attributes=values, **point)
    bars = HistogramDataPoint(
        count=1, sum=1, bucket_counts=[1, 0], explicit_bounds=[1], attributes=values, **point
    )
    found = []
    for place, unit in enumerate(UNITS):
        gauge = Gauge(data_points=[number])
        total = Sum(data_points=[number], is_monotonic=True, aggregation_temporality=CUMULATIVE)
        both = Sum(data_points=[number], aggregation_temporality=CUMULATIVE)
        spread = Histogram(data_points=[bars], aggregation_temporality=CUMULATIVE)
        found += [
            Metric(name=f"{place}gauge.seconds", unit=unit, gauge=gauge),
            Metric(name=f"count..of-{place}_total.x", unit=unit, sum=total),
            Metric(name=f"up:down.{place}", unit=unit, sum=both),
            Metric(name=f"time.{place}", unit=unit, histogram=spread),
        ]
    return found


def test_prometheus_names_otlp_as_we_do(newest_prometheus_bin: Path) -> None:
    """The same request to its OTLP receiver gives the same names and, of the point's, labels."""
    request = metrics(*_metrics(time.time_ns()), resource=TICKETING)
    ours = {
        (row["name"], tuple(sorted(_own(json.loads(row["labels"])).items())))
        for row in rows(request)
    }
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(
            Prometheus(newest_prometheus_bin, flags=["--web.enable-otlp-receiver"])
        )
        server.request(
            "/api/v1/otlp/v1/metrics",
            data=request.SerializeToString(),
            content_type="application/x-protobuf",
        )
        found = server.query('{job="ticketing/ticketing-api",__name__!="target_info"}')
    theirs = {
        (_base(dict(series.labels)), tuple(sorted(_own(dict(series.labels)).items())))
        for series in found
    }
    assert theirs == ours


def _base(labels: dict[str, str]) -> str:
    """The name of the histogram that a series is part of, else the name."""
    name = labels["__name__"]
    for suffix in ("_bucket", "_count", "_sum"):
        if name.startswith("time_") and name.endswith(suffix):
            return name.removesuffix(suffix)
    return name


def _own(labels: dict[str, str]) -> dict[str, str]:
    ours = {"app", "env", "service", "le", "__name__"}
    return {name: value for name, value in labels.items() if name not in ours}
