"""Each built-in template on promtool: series as the exporters write them in, true counts out."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from slo.ledger import Part, bucket_selector, count_selector, expressions
from slo.loader import SourceFile, default_catalogue, load_catalog
from slo.model import Events, Latency, ServiceLevel
from slo.promql import render
from slo.templates import TemplateLibrary
from slo.units import Duration
from slo.workspace import Defaults
from tests.servers.processes import promtool_test_rules

BUILT_IN = TemplateLibrary.built_in()
DEFAULTS = Defaults(
    window=Duration.parse("30d"),
    scrape_interval=Duration.parse("30s"),
    catalogue=default_catalogue(),
)
MINUTES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A use of a template; ``counters`` grow so much a minute, ``gauges`` follow their values.

    ``total`` and ``bad`` are events per minute, or seconds of five minutes for gauges.
    """

    total: int
    bad: int
    values: dict[str, str] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    gauges: dict[str, str] = field(default_factory=dict)


def istio(metric: str, **labels: str) -> str:
    """Write a series of Istio's standard metrics."""
    known = {
        "reporter": "destination",
        "destination_service_name": "ticketing",
        "destination_service_namespace": "shop",
        "response_code": "200",
    }
    return series(metric, known | labels)


def series(metric: str, labels: dict[str, str]) -> str:
    """Write a series; none of the values needs an escape."""
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{inside}}}"


def nginx(metric: str, **labels: str) -> str:
    """Write a series of ingress-nginx as scraped without honorLabels."""
    known = {
        "ingress": "ticketing",
        "namespace": "ingress-nginx",
        "exported_namespace": "shop",
        "path": "/",
        "status": "200",
    }
    return series(metric, known | labels)


def envoy(cluster: str, klass: str) -> str:
    """Write a counter of Envoy's responses of one class."""
    labels = {"envoy_cluster_name": cluster, "envoy_response_code_class": klass}
    return series("envoy_cluster_upstream_rq_xx", labels)


def grpc(metric: str, **labels: str) -> str:
    """Write a series of a gRPC server."""
    known = {
        "grpc_service": "airline.v1.Ticketing",
        "grpc_method": "Book",
        "grpc_type": "unary",
    }
    return series(metric, known | labels)


def apiserver(metric: str, **labels: str) -> str:
    """Write a series of the Kubernetes API server."""
    return series(metric, {"job": "apiserver", "verb": "GET", "subresource": ""} | labels)


def otel(metric: str, **labels: str) -> str:
    """Write a series of OpenTelemetry's HTTP server metrics."""
    known = {"job": "ticketing", "http_route": "/t", "http_response_status_code": "200"}
    return series(metric, known | labels)


ISTIO, ISTIO_TIME = "istio_requests_total", "istio_request_duration_milliseconds"
NGINX = "nginx_ingress_controller_requests"
NGINX_TIME = "nginx_ingress_controller_request_duration_seconds"
ENVOY_TIME = "envoy_cluster_upstream_rq_time"
GRPC, GRPC_TIME = "grpc_server_handled_total", "grpc_server_handling_seconds"
KUBE, KUBE_TIME = "apiserver_request_total", "apiserver_request_sli_duration_seconds"
OTEL = "http_server_request_duration_seconds"
SITE = {"instance": "https://ticketing.example.com", "job": "blackbox"}
OTHER_SITE = {"instance": "https://cargo.example.com", "job": "blackbox"}

CASES = {
    "istio-availability": Case(
        values={"destination": "ticketing", "namespace": "shop"},
        counters={
            istio(ISTIO): 60,
            istio(ISTIO, response_code="404"): 7,
            istio(ISTIO, response_code="0"): 5,
            istio(ISTIO, response_code="503"): 3,
            istio(ISTIO, response_code="500", reporter="source"): 100,
            istio(ISTIO, response_code="500", destination_service_name="ticketing2"): 100,
            istio(ISTIO, response_code="500", destination_service_namespace="test"): 100,
        },
        total=75,
        bad=3,
    ),
    "istio-latency": Case(
        values={"destination": "ticketing", "threshold": "1s"},
        counters={
            istio(f"{ISTIO_TIME}_count"): 60,
            istio(f"{ISTIO_TIME}_count", response_code="503"): 3,
            istio(f"{ISTIO_TIME}_bucket", le="1"): 20,
            istio(f"{ISTIO_TIME}_bucket", le="1000"): 50,
            istio(f"{ISTIO_TIME}_bucket", le="1000", response_code="503"): 1,
            istio(f"{ISTIO_TIME}_bucket", le="1000", reporter="source"): 100,
            istio(f"{ISTIO_TIME}_count", reporter="source"): 100,
        },
        total=63,
        bad=12,
    ),
    "ingress-nginx-availability": Case(
        values={"ingress": "ticketing", "exportedNamespace": "shop"},
        counters={
            nginx(NGINX): 60,
            nginx(NGINX, status="499"): 7,
            nginx(NGINX, status="502"): 3,
            nginx(NGINX, status="5xx"): 2,
            nginx(NGINX, status="500", ingress="cargo"): 100,
            nginx(NGINX, status="500", exported_namespace="test"): 100,
        },
        total=72,
        bad=5,
    ),
    "ingress-nginx-latency": Case(
        values={"ingress": "ticketing", "threshold": "500ms"},
        counters={
            nginx(f"{NGINX_TIME}_count"): 60,
            nginx(f"{NGINX_TIME}_bucket", le="0.5"): 55,
            nginx(f"{NGINX_TIME}_bucket", le="1"): 60,
            nginx(f"{NGINX_TIME}_count", ingress="cargo"): 100,
        },
        total=60,
        bad=5,
    ),
    "envoy-availability": Case(
        values={"cluster": "ticketing"},
        counters={
            envoy("ticketing", "2"): 60,
            envoy("ticketing", "4"): 7,
            envoy("ticketing", "5"): 3,
            envoy("cargo", "5"): 100,
        },
        total=70,
        bad=3,
    ),
    "envoy-latency": Case(
        values={"cluster": "ticketing", "threshold": "250ms"},
        counters={
            series(f"{ENVOY_TIME}_count", {"envoy_cluster_name": "ticketing"}): 60,
            series(f"{ENVOY_TIME}_bucket", {"envoy_cluster_name": "ticketing", "le": "250"}): 40,
            series(f"{ENVOY_TIME}_bucket", {"envoy_cluster_name": "ticketing", "le": "0.5"}): 1,
            series(f"{ENVOY_TIME}_count", {"envoy_cluster_name": "cargo"}): 100,
        },
        total=60,
        bad=20,
    ),
    "gateway-api-availability": Case(
        values={"namespace": "shop", "route": "tick.eting"},
        counters={
            envoy("httproute/shop/tick.eting/rule/0", "2"): 60,
            envoy("httproute/shop/tick.eting/rule/12", "4"): 7,
            envoy("httproute/shop/tick.eting/rule/12", "5"): 3,
            envoy("httproute/shop/tick.eting/rule/1/backend/0", "5"): 2,
            envoy("httproute/shop/tick-eting/rule/0", "5"): 100,
            envoy("httproute/test/tick.eting/rule/0", "5"): 100,
            envoy("grpcroute/shop/tick.eting/rule/0", "5"): 100,
        },
        total=72,
        bad=5,
    ),
    "grpc-server-availability": Case(
        values={"service": "airline.v1.Ticketing"},
        counters={
            grpc(GRPC, grpc_code="OK"): 60,
            grpc(GRPC, grpc_code="NotFound"): 7,
            grpc(GRPC, grpc_code="Canceled"): 5,
            grpc(GRPC, grpc_code="ResourceExhausted"): 4,
            grpc(GRPC, grpc_code="Internal"): 3,
            grpc(GRPC, grpc_code="Unavailable", grpc_type="server_stream"): 2,
            grpc(GRPC, grpc_code="DeadlineExceeded"): 1,
            grpc(GRPC, grpc_code="Internal", grpc_service="airline-v1.Ticketing"): 100,
        },
        total=82,
        bad=6,
    ),
    "grpc-server-latency": Case(
        values={"service": "airline.v1.Ticketing", "threshold": "100ms"},
        counters={
            grpc(f"{GRPC_TIME}_count"): 60,
            grpc(f"{GRPC_TIME}_bucket", le="0.1"): 45,
            grpc(f"{GRPC_TIME}_bucket", le="0.25"): 60,
            grpc(f"{GRPC_TIME}_count", grpc_type="server_stream"): 100,
        },
        total=60,
        bad=15,
    ),
    "blackbox-probe": Case(
        values={"target": SITE["instance"]},
        gauges={
            series("probe_success", SITE): "1x6 0x1 1x10",
            series("probe_success", OTHER_SITE): "0x20",
        },
        total=300,
        bad=120,
    ),
    "blackbox-latency": Case(
        values={"target": SITE["instance"], "threshold": "500ms"},
        gauges={
            series("probe_duration_seconds", SITE): "0.2x5 0.9x0 0.5x0 0.1x10",
            series("probe_success", SITE): "1x7 0x0 1x10",
            series("probe_duration_seconds", OTHER_SITE): "9x20",
            series("probe_success", OTHER_SITE): "0x20",
        },
        total=300,
        bad=120,
    ),
    "kube-apiserver-availability": Case(
        counters={
            apiserver(KUBE, code="200"): 60,
            apiserver(KUBE, code="409", verb="PUT"): 7,
            apiserver(KUBE, code="429"): 5,
            apiserver(KUBE, code="504", verb="LIST"): 3,
            apiserver(KUBE, code="500", job="aggregated"): 100,
        },
        total=75,
        bad=3,
    ),
    "kube-apiserver-latency": Case(
        values={"threshold": "1s"},
        counters={
            apiserver(f"{KUBE_TIME}_count"): 60,
            apiserver(f"{KUBE_TIME}_bucket", le="1"): 50,
            apiserver(f"{KUBE_TIME}_bucket", le="2"): 60,
            apiserver(f"{KUBE_TIME}_count", verb="WATCH"): 100,
            apiserver(f"{KUBE_TIME}_count", verb="CONNECT"): 100,
            apiserver(f"{KUBE_TIME}_count", verb="POST", subresource="exec"): 100,
        },
        total=60,
        bad=10,
    ),
    "http-server-otel": Case(
        values={"job": "ticketing"},
        counters={
            otel(f"{OTEL}_count"): 60,
            otel(f"{OTEL}_count", http_response_status_code="404", http_route=""): 7,
            otel(f"{OTEL}_count", http_response_status_code="500"): 3,
            otel(f"{OTEL}_count", http_response_status_code="500", job="cargo"): 100,
        },
        total=70,
        bad=3,
    ),
    "http-server-otel-latency": Case(
        values={"job": "ticketing", "threshold": "250ms"},
        counters={
            otel(f"{OTEL}_count"): 60,
            otel(f"{OTEL}_bucket", le="0.25"): 52,
            otel(f"{OTEL}_bucket", le="0.5"): 60,
            otel(f"{OTEL}_count", job="cargo"): 100,
        },
        total=60,
        bad=8,
    ),
}


def level_of(name: str, values: dict[str, str]) -> ServiceLevel:
    """Load the smallest app that uses a template."""
    indicator = json.dumps({"template": name, "with": values})
    text = (
        "apiVersion: headroom/v1\nkind: App\nmetadata: {name: shop, team: web}\n"
        f"spec:\n  slos:\n    - {{name: it, objective: 99, indicator: {indicator}}}\n"
    )
    file = SourceFile(name="app.yaml", text=text)
    loaded = load_catalog([file], DEFAULTS, templates=BUILT_IN)
    assert () == loaded.problems
    (level,) = loaded.catalog.levels()
    return level


def queries(level: ServiceLevel) -> tuple[str, str]:
    """Return what counts all events and the bad ones of five minutes, as plainly as possible."""
    measure = level.slo.indicator.measure
    if isinstance(measure, Events):
        assert measure.bad is not None
        return _increase(render(measure.total)), _increase(render(measure.bad))
    if isinstance(measure, Latency):
        total = _increase(str(count_selector(measure)))
        return total, f"{total} - {_increase(str(bucket_selector(measure)))}"
    counts = expressions(level)
    assert counts is not None
    assert counts.part is Part.GOOD
    return counts.total_increase, f"{counts.total_increase} - {counts.part_increase}"


def _increase(selector: str) -> str:
    return f"sum(increase({selector}[{MINUTES}m]))"


def test_every_built_in_template_has_a_case() -> None:
    """A new template without one would go untested."""
    assert BUILT_IN.names() == tuple(sorted(CASES))


@pytest.mark.parametrize("name", CASES)
def test_a_template_counts_what_its_page_says(
    name: str, tmp_path: Path, prometheus_bin: Path
) -> None:
    """Decoys of other apps, and answers that are good, stand beside what counts."""
    case = CASES[name]
    total, bad = queries(level_of(name, case.values))
    rules = [{"record": "t:total", "expr": total}, {"record": "t:bad", "expr": bad}]
    group = {"name": "templates", "interval": "1m", "rules": rules}
    (tmp_path / "rules.yaml").write_text(json.dumps({"groups": [group]}))
    scale = MINUTES if case.counters else 1
    counters = [{"series": each, "values": f"0+{n}x20"} for each, n in case.counters.items()]
    gauges = [{"series": each, "values": values} for each, values in case.gauges.items()]
    test = {
        "interval": "1m",
        "input_series": counters + gauges,
        "promql_expr_test": [
            {
                "expr": record,
                "eval_time": "10m",
                "exp_samples": [{"labels": record, "value": value * scale}],
            }
            for record, value in (("t:total", case.total), ("t:bad", case.bad))
        ],
    }
    tests = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (tmp_path / "test.yaml").write_text(json.dumps(tests))

    outcome = promtool_test_rules(prometheus_bin, tmp_path / "test.yaml")

    assert outcome.ok, outcome.output
