"""Rows of telemetry as others write them into Elasticsearch.

The OpenTelemetry Collector's exporter in its mapping mode ``otel``, Elastic APM's server, and
Jaeger's span writer; with mappings that mean what their templates mean.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.signals import Signal
from tests.stored_rows import Row

_STRINGS = {"strings": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}
_TAGS = {
    "type": "nested",
    "properties": {
        "key": {"type": "keyword"},
        "value": {"type": "keyword"},
        "type": {"type": "keyword"},
    },
}

MAPPINGS: Mapping[str, Mapping[str, Any]] = {
    "otel": {
        "dynamic_templates": [_STRINGS],
        "properties": {
            "@timestamp": {"type": "date_nanos"},
            "observed_timestamp": {"type": "date_nanos"},
            "body": {"properties": {"text": {"type": "text"}}},
            "duration": {"type": "long"},
            "severity_number": {"type": "byte"},
        },
    },
    "apm": {
        "dynamic_templates": [_STRINGS],
        "properties": {
            "@timestamp": {"type": "date"},
            "timestamp": {"properties": {"us": {"type": "long"}}},
            "message": {"type": "text"},
        },
    },
    "jaeger": {
        "properties": {
            "traceID": {"type": "keyword"},
            "spanID": {"type": "keyword"},
            "operationName": {"type": "keyword"},
            "startTime": {"type": "long"},
            "startTimeMillis": {"type": "date", "format": "epoch_millis"},
            "duration": {"type": "long"},
            "tags": _TAGS,
            "process": {"properties": {"serviceName": {"type": "keyword"}, "tags": _TAGS}},
            "references": {
                "type": "nested",
                "properties": {
                    "refType": {"type": "keyword"},
                    "traceID": {"type": "keyword"},
                    "spanID": {"type": "keyword"},
                },
            },
        },
    },
}


def document_of(layout: str, signal: Signal, row: Row) -> dict[str, Any]:
    """A row as a document of a layout."""
    if layout == "jaeger":
        return _jaeger(row)
    return _otel(signal, row) if layout == "otel" else _apm(signal, row)


def _otel(signal: Signal, row: Row) -> dict[str, Any]:
    attributes = json.loads(row.get("attributes") or "{}")
    found: dict[str, Any] = {
        "@timestamp": _epoch(row["time"]),
        "resource": {"attributes": _resource(row)},
        "scope": {"name": "test"},
    }
    _put(found, row, {"trace_id": "trace_id", "span_id": "span_id"})
    if signal is Signal.LOGS:
        found["observed_timestamp"] = _epoch(row["observed"])
        _put(found, row, {"severity": "severity_number", "event": "event_name"})
        found["body"] = {"text": row["body"]}
    else:
        _put(found, row, {"parent_id": "parent_span_id", "name": "name"})
        found["kind"] = row["kind"].capitalize()
        found["status"] = {"code": row["status"].capitalize()}
        found["duration"] = row["duration"]
        _put(attributes, row, _HTTP)
        if row["weight"] != 1.0:
            found["trace_state"] = f"ot=p:{row['weight'].bit_length() - 1}"
    if attributes:
        found["attributes"] = attributes
    return found


def _apm(signal: Signal, row: Row) -> dict[str, Any]:
    when = datetime.fromtimestamp(row["time"] // 10**9, UTC).replace(
        microsecond=row["time"] // 1000 % 10**6
    )
    found: dict[str, Any] = {
        "@timestamp": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "timestamp": {"us": row["time"] // 1000},
        "service": {"name": row["service"], "environment": row["env"]},
        "labels": {"service_namespace": row["app"]},
        "event": {},
    }
    _put(found["service"], row, {"version": "version"})
    trace = row.get("trace_id")
    if trace is not None:
        found["trace"] = {"id": trace}
    if signal is Signal.LOGS:
        found["message"] = row["body"]
        _put(found["event"], row, {"severity": "severity", "event": "action"})
        return found
    if row.get("parent_id") is not None:
        found["parent"] = {"id": row["parent_id"]}
    outcomes = {"error": "failure", "ok": "success", "unset": "unknown"}
    found["event"]["outcome"] = outcomes[row["status"]]
    about = {
        "id": row["span_id"],
        "name": row["name"],
        "duration": {"us": row["duration"] // 1000},
        "representative_count": row["weight"],
    }
    if row["kind"] == "server":
        found |= {"processor": {"event": "transaction"}, "transaction": about}
        found["labels"] |= {"http_route": row["route"]} if row.get("route") else {}
    else:
        about["type"] = "db" if row.get("peer_kind") == "database" else "external"
        resource = {"resource": row.get("peer")}
        about["destination"] = {"service": resource}
        found |= {"processor": {"event": "span"}, "span": about}
    return found


def _jaeger(row: Row) -> dict[str, Any]:
    attributes = json.loads(row.get("attributes") or "{}")
    _put(attributes, row, _HTTP)
    attributes["span.kind"] = row["kind"]
    if row["status"] == "error":
        attributes |= {"error": "true", "otel.status_code": "ERROR"}
    elif row["status"] == "ok":
        attributes["otel.status_code"] = "OK"
    if row["weight"] != 1.0:
        attributes["w3c.tracestate"] = f"ot=p:{row['weight'].bit_length() - 1}"
    resource = {key: value for key, value in _resource(row).items() if key != "service.name"}
    found: dict[str, Any] = {
        "traceID": row["trace_id"],
        "spanID": row["span_id"],
        "operationName": row["name"],
        "startTime": row["time"] // 1000,
        "startTimeMillis": row["time"] // 10**6,
        "duration": row["duration"] // 1000,
        "tags": _tags(attributes),
        "process": {"serviceName": row["service"], "tags": _tags(resource)},
        "references": [],
    }
    if row.get("parent_id") is not None:
        found["references"].append(
            {"refType": "CHILD_OF", "traceID": row["trace_id"], "spanID": row["parent_id"]}
        )
    return found


_HTTP = {
    "route": "http.route",
    "method": "http.request.method",
    "http_status": "http.response.status_code",
}


def _resource(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {}
    names = {
        "app": "service.namespace",
        "env": "deployment.environment.name",
        "service": "service.name",
        "version": "service.version",
        "pod": "k8s.pod.name",
        "host": "host.name",
    }
    _put(found, row, names)
    return found


def _put(found: dict[str, Any], row: Row, names: Mapping[str, str]) -> None:
    for column, name in names.items():
        if row.get(column) is not None:
            found[name] = row[column]


def _tags(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": str(value), "type": "string"} for key, value in values.items()]


def _epoch(nanoseconds: int) -> str:
    """As the exporter writes it: milliseconds, and nanoseconds behind a point."""
    return f"{nanoseconds // 10**6}.{nanoseconds % 10**6}"
