"""Exporters: where records go, through a queue on disk."""

from __future__ import annotations

from typing import Any

from collectors.tagging.model import Plan
from collectors.tagging.otelcol_parts.names import Names
from collectors.tagging.otelcol_parts.owners import (
    elastic_fields,
    environment_named_as_before,
)
from collectors.tagging.otelcol_parts.text import variable
from slo.collecting import Destination
from slo.records import dataclass

QUEUE = "file_storage/queue"
"""The storage of what has not been sent."""

HEADROOM = "http://127.0.0.1:8501"
GATEWAY = "http://headroom-otelcol-gateway:4318"
LOGS, METRICS, TRACES = "logs", "metrics", "traces"
_EVERY = (LOGS, METRICS, TRACES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Exporters by name, which of them each signal goes to, and what they need.

    ``notes`` are for the file's header.
    """

    exporters: dict[str, dict[str, Any]]
    signals: dict[str, str]
    extensions: dict[str, dict[str, Any]]
    statements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def queue(most: int = 4_000_000) -> dict[str, Any]:
    """A bounded queue on disk; when it is full, receivers wait. ``most`` is a request's bytes."""
    return {
        "enabled": True,
        "storage": QUEUE,
        "sizer": "bytes",
        "queue_size": variable("HEADROOM_QUEUE_BYTES", 1 << 30),
        "block_on_overflow": True,
        "batch": {"flush_timeout": "1s", "min_size": most // 4, "max_size": most},
    }


def _otlp(endpoint: str, headers: dict[str, str], most: int = 4_000_000) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "headers": headers,
        "compression": "gzip",
        **_persistent(most),
    }


def _persistent(most: int = 4_000_000) -> dict[str, Any]:
    return {
        "sending_queue": queue(most),
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            "max_elapsed_time": 0,
        },
    }


def _headroom(default: str) -> dict[str, Any]:
    bearer = f"Bearer {variable('HEADROOM_TOKEN', 'none')}"
    return _otlp(variable("HEADROOM_ENDPOINT", default), {"Authorization": bearer})


def to_headroom(plan: Plan, names: Names) -> Sending:
    """An agent's exporter: to Headroom, or to the gateway where the destination is another."""
    direct = plan.settings.destination is Destination.OTLP
    default = (plan.settings.endpoint or HEADROOM) if direct else GATEWAY
    name = f"{names.otlp_http}/{'headroom' if direct else 'gateway'}"
    return _all(name, _headroom(default))


def _all(name: str, exporter: dict[str, Any], **more: Any) -> Sending:
    return Sending(
        exporters={name: exporter},
        signals=dict.fromkeys(_EVERY, name),
        extensions={},
        **more,
    )


def to_destination(plan: Plan, names: Names, version: tuple[int, ...]) -> Sending:
    """The gateway's exporters."""
    if plan.settings.destination is Destination.OPENSEARCH:
        return _opensearch(plan, names, version)
    others = {
        Destination.OTLP: _to_headroom_alone,
        Destination.ELASTICSEARCH: _elasticsearch,
        Destination.LOKI: _loki,
        Destination.NEW_RELIC: _new_relic,
        Destination.WAVEFRONT: _wavefront,
        Destination.SPLUNK_OBSERVABILITY: _splunk,
    }
    return others[plan.settings.destination](plan, names)


def _to_headroom_alone(plan: Plan, names: Names) -> Sending:
    return _all(f"{names.otlp_http}/headroom", _headroom(_endpoint(plan, HEADROOM)))


def _endpoint(plan: Plan, usual: str) -> str:
    return plan.settings.endpoint or usual


def _elasticsearch(plan: Plan, _: Names) -> Sending:
    exporter = {
        "endpoints": [variable("ELASTICSEARCH_ENDPOINT", _endpoint(plan, "http://127.0.0.1:9200"))],
        "api_key": variable("ELASTICSEARCH_API_KEY"),
        "sending_queue": queue(),
        "retry": {
            "enabled": True,
            "max_retries": 1_000_000,
            "max_interval": "30s",
            "retry_on_status": [429, 502, 503, 504],
        },
    }
    name, spans = "elasticsearch", "elasticsearch/traces"
    return Sending(
        exporters={
            name: {**exporter, "mapping": {"mode": "ecs"}},
            # A document of the mode `ecs` does not say how long a span took.
            spans: {**exporter, "mapping": {"mode": "otel"}},
        },
        signals={LOGS: name, METRICS: name, TRACES: spans},
        extensions={},
        statements=tuple(elastic_fields()),
        notes=("Spans go to traces-<app>.<component>.otel-<environment>: that mode adds .otel.",),
    )


def _opensearch(plan: Plan, names: Names, version: tuple[int, ...]) -> Sending:
    stream = "%{data_stream.dataset}-%{data_stream.namespace}"
    traces = version >= (0, 146)
    exporter = {
        "http": {
            "endpoint": variable("OPENSEARCH_ENDPOINT", _endpoint(plan, "http://127.0.0.1:9200")),
            "auth": {"authenticator": "basicauth/opensearch"},
        },
        "logs_index": f"logs-{stream}",
        **({"traces_index": f"traces-{stream}"} if traces else {}),
        "bulk_action": "create",
        "mapping": {"mode": "ecs"},
        **_persistent(),
    }
    spare = f"{names.otlp_http}/headroom"
    signals = {LOGS: "opensearch", METRICS: spare, TRACES: "opensearch" if traces else spare}
    left = "metrics" if traces else "metrics and traces"
    credentials = {
        "username": variable("OPENSEARCH_USERNAME", "headroom"),
        "password": variable("OPENSEARCH_PASSWORD", "none"),
    }
    return Sending(
        exporters={"opensearch": exporter, spare: _headroom(HEADROOM)},
        signals=signals,
        extensions={"basicauth/opensearch": {"client_auth": credentials}},
        statements=tuple(elastic_fields()),
        notes=(f"The opensearch exporter has no place of its own for {left}: to Headroom.",),
    )


def _loki(plan: Plan, names: Names) -> Sending:
    loki, spare = f"{names.otlp_http}/loki", f"{names.otlp_http}/headroom"
    endpoint = variable("LOKI_ENDPOINT", _endpoint(plan, "http://127.0.0.1:3100"))
    return Sending(
        exporters={loki: _otlp(f"{endpoint}/otlp", {}), spare: _headroom(HEADROOM)},
        signals={LOGS: loki, METRICS: spare, TRACES: spare},
        extensions={},
        notes=("Loki takes logs alone: metrics and traces go to Headroom.",),
    )


def _new_relic(plan: Plan, names: Names) -> Sending:
    region = f"https://{variable('NEW_RELIC_REGION', 'otlp')}.nr-data.net"
    own = plan.settings.endpoint
    endpoint = region if own is None else variable("NEW_RELIC_ENDPOINT", own)
    headers = {"api-key": variable("NEW_RELIC_API_KEY", "none")}
    # It refuses requests above a megabyte.
    return _all(
        f"{names.otlp_http}/newrelic",
        _otlp(endpoint, headers, 1_000_000),
        notes=("NEW_RELIC_REGION is otlp (United States), otlp.eu01 or gov-otlp.",),
    )


def _wavefront(plan: Plan, names: Names) -> Sending:
    endpoint = variable("WAVEFRONT_PROXY_ENDPOINT", _endpoint(plan, "http://127.0.0.1:4318"))
    needs = (
        "The proxy needs otlpHttpListenerPorts=4318, and "
        "otlpResourceAttrsOnMetricsIncluded=true or its metrics lose their owners."
    )
    return _all(f"{names.otlp_http}/wavefront", _otlp(endpoint, {}), notes=(needs,))


def _splunk(plan: Plan, names: Names) -> Sending:
    splunk, spare = f"{names.otlp_http}/splunk", f"{names.otlp_http}/headroom"
    usual = f"https://ingest.{variable('SPLUNK_REALM', 'us0')}.signalfx.com"
    own = plan.settings.endpoint
    base = usual if own is None else variable("SPLUNK_ENDPOINT", own)
    exporter = {
        "metrics_endpoint": f"{base}/v2/datapoint/otlp",
        "traces_endpoint": f"{base}/v2/trace/otlp",
        "headers": {"X-SF-Token": variable("SPLUNK_ACCESS_TOKEN", "none")},
        "compression": "gzip",
        **_persistent(),
    }
    return Sending(
        exporters={splunk: exporter, spare: _headroom(HEADROOM)},
        signals={LOGS: spare, METRICS: splunk, TRACES: splunk},
        extensions={},
        statements=tuple(environment_named_as_before()),
        notes=("Splunk Observability takes no logs by OTLP: they go to Headroom.",),
    )
