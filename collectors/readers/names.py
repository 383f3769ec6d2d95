"""The names that people ask for fields of records by, the same for every source."""

from __future__ import annotations

from collections.abc import Mapping

from slo.naming import TAGS

ALIASES: Mapping[str, str] = {
    **{tag.otel: tag.label for tag in TAGS if tag.label in {"app", "env", "team", "version"}},
    **{tag.ecs: tag.label for tag in TAGS if tag.label in {"app", "env", "team", "version"}},
    "service.name": "service",
    "trace.id": "trace_id",
    "span.id": "span_id",
    "host.name": "host",
    "k8s.pod.name": "pod",
    "k8s.namespace.name": "namespace",
    "k8s.cluster.name": "cluster",
    "message": "body",
    "log.level": "level",
    "http.route": "route",
    "http.response.status_code": "http_status",
    "http.request.method": "method",
}
"""The columns that names of conventions stand for."""

LIFTED: Mapping[str, str] = dict.fromkeys(("event.action", "event.name", "event_name"), "event")
"""Fields that a plain record has in a column, and one of OTLP among its attributes."""

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
"""OpenTelemetry's severities in fours: 1 to 4 is trace, 21 to 24 is fatal."""
