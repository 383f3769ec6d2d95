"""The metrics that common libraries, proxies and meshes count requests with.

Sources of the names: client_golang's promhttp, Micrometer's http.server.requests,
OpenTelemetry's HTTP semantic conventions, prometheus-flask-exporter, ingress-nginx,
go-grpc-prometheus and the reference pages of Istio and Envoy.
"""

from __future__ import annotations

from dataclasses import dataclass

from slo.model import TimeUnit
from slo.promql import Matcher

_JOBS = ("job", "service", "app")
_SPACES = ("namespace", "kubernetes_namespace")
_CODES = ("code", "status", "status_code", "http_status", "response_code", "status_class")
_SERVER_ERROR = "5.."
_GRPC_FAILURES = (
    "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"
    "|UNKNOWN|DEADLINE_EXCEEDED|UNIMPLEMENTED|INTERNAL|UNAVAILABLE|DATA_LOSS"
)
_ISTIO = (Matcher(name="reporter", value="destination"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convention:
    """A metric of requests, and the labels that say whose they are.

    ``names`` and ``spaces`` are tried in turn for the owner's name and its namespace; ``where``
    always applies. ``family`` tells kinds of requests apart that one app may have together.
    """

    family: str
    metric: str
    names: tuple[str, ...] = _JOBS
    spaces: tuple[str, ...] = _SPACES
    where: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter(Convention):
    """A counter whose label, the first of ``results`` that it has, tells failures by ``bad``."""

    results: tuple[str, ...] = _CODES
    bad: str = _SERVER_ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations(Convention):
    """A classic histogram of durations, named without ``_bucket``."""

    unit: TimeUnit = TimeUnit.SECONDS


_ENVOY_NAMES = ("envoy_cluster_name",)

COUNTERS: tuple[Counter, ...] = (
    Counter(family="http", metric="http_requests_total"),
    Counter(
        family="http",
        metric="http_server_request_duration_seconds_count",
        results=("http_response_status_code",),
    ),
    Counter(
        family="http",
        metric="http_server_duration_milliseconds_count",
        results=("http_status_code",),
    ),
    Counter(family="http", metric="http_server_requests_seconds_count"),
    Counter(family="http", metric="flask_http_request_total"),
    Counter(family="http", metric="http_request_duration_seconds_count"),
    Counter(
        family="grpc",
        metric="grpc_server_handled_total",
        results=("grpc_code",),
        bad=_GRPC_FAILURES,
    ),
    Counter(
        family="ingress",
        metric="nginx_ingress_controller_requests",
        names=("ingress",),
        spaces=("exported_namespace", "namespace"),
    ),
    Counter(
        family="mesh",
        metric="istio_requests_total",
        names=("destination_service_name",),
        spaces=("destination_service_namespace",),
        where=_ISTIO,
    ),
    Counter(
        family="envoy",
        metric="envoy_cluster_upstream_rq_xx",
        names=_ENVOY_NAMES,
        results=("envoy_response_code_class",),
        bad="5",
    ),
)
"""Counters of requests; of one family, the first that an owner has is taken."""

DURATIONS: tuple[Durations, ...] = (
    Durations(family="http", metric="http_request_duration_seconds"),
    Durations(family="http", metric="http_server_request_duration_seconds"),
    Durations(
        family="http", metric="http_server_duration_milliseconds", unit=TimeUnit.MILLISECONDS
    ),
    Durations(family="http", metric="http_server_requests_seconds"),
    Durations(family="http", metric="flask_http_request_duration_seconds"),
    Durations(
        family="grpc",
        metric="grpc_server_handling_seconds",
        where=(Matcher(name="grpc_type", value="unary"),),
    ),
    Durations(
        family="ingress",
        metric="nginx_ingress_controller_request_duration_seconds",
        names=("ingress",),
        spaces=("exported_namespace", "namespace"),
    ),
    Durations(
        family="mesh",
        metric="istio_request_duration_milliseconds",
        names=("destination_service_name",),
        spaces=("destination_service_namespace",),
        where=_ISTIO,
        unit=TimeUnit.MILLISECONDS,
    ),
    Durations(
        family="envoy",
        metric="envoy_cluster_upstream_rq_time",
        names=_ENVOY_NAMES,
        unit=TimeUnit.MILLISECONDS,
    ),
)
"""Histograms of durations; of one family, the first that an owner has is taken."""

PROBES = Convention(family="probe", metric="probe_success", names=("job",), spaces=())
"""The Blackbox exporter's verdicts, one series for each probed instance."""


def looked_for() -> tuple[str, ...]:
    """Return every metric that is looked for, by its name on the server."""
    counters = (each.metric for each in COUNTERS)
    histograms = (f"{each.metric}_bucket" for each in DURATIONS)
    return (*counters, *histograms, PROBES.metric)
