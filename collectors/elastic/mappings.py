"""The fields of our data streams: ECS names, bounded where records invent names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.elastic.flavors import Flavor

FIELD_LIMIT = 1000
"""The most fields that a data stream's index maps."""

_LONGEST_KEYWORD = 1024
_KEYWORD = {"type": "keyword", "ignore_above": _LONGEST_KEYWORD}
_TEXT = {"type": "match_only_text"}
_LONG = {"type": "long", "ignore_malformed": True}
_DOUBLE = {"type": "double", "ignore_malformed": True}
_DATE = {"type": "date", "ignore_malformed": True}
_IP = {"type": "ip", "ignore_malformed": True}

_KEYWORDS = (
    *("labels.team", "labels.component", "labels.criticality", "service.name", "service.version"),
    *("service.environment", "service.node.name", "service.namespace", "trace.id", "span.id"),
    *("data_stream.type", "data_stream.dataset", "data_stream.namespace"),
    *("host.name", "host.hostname", "host.id", "container.id", "container.name"),
    *("container.image.name", "kubernetes.namespace", "kubernetes.pod.name"),
    *("kubernetes.pod.uid", "kubernetes.container.name", "kubernetes.node.name"),
    *("kubernetes.deployment.name", "orchestrator.cluster.name", "cloud.region"),
    *("cloud.availability_zone", "cloud.account.id", "process.name", "agent.name", "tags"),
    *("event.action", "event.outcome", "event.category", "event.kind", "event.type"),
    *("event.code", "event.module", "event.dataset", "event.provider", "error.type"),
    *("error.code", "http.request.method", "http.route", "url.path", "url.full"),
    *("url.original", "url.domain", "user.id", "user.name"),
)
_LOGS = ("log.level", "log.logger", "log.file.path", "log.syslog.appname", "systemd.unit")
_TRACES = (
    *("parent.id", "transaction.id", "transaction.name", "transaction.type"),
    *("transaction.result", "span.name", "span.type", "span.subtype", "span.kind"),
    *("kind", "name", "status.code", "processor.event", "trace_state"),
)
_SECURITY = (
    *("rule.id", "rule.name", "rule.level", "rule.category", "observer.name"),
    *("file.path", "process.executable", "source.domain", "destination.domain"),
)


def common(flavor: Flavor) -> dict[str, Any]:
    """The mapping that every stream has."""
    return {
        # OpenSearch has no bound that spares the document, so there only what is named is mapped;
        # its pipeline keeps the rest findable under `attributes`.
        "dynamic": flavor is Flavor.ELASTICSEARCH,
        "date_detection": False,
        "dynamic_templates": [{"strings": {"match_mapping_type": "string", "mapping": _KEYWORD}}],
        "properties": _nested(
            {
                "@timestamp": {"type": "date"},
                **dict.fromkeys(_KEYWORDS, _KEYWORD),
                "kubernetes.labels": free_form(flavor),
                "kubernetes.annotations": free_form(flavor),
                "attributes": free_form(flavor),
                "host.ip": _IP,
                "source.ip": _IP,
                "destination.ip": _IP,
                "process.pid": _LONG,
                "event.created": _DATE,
                "event.ingested": _DATE,
                "event.duration": _LONG,
                "event.severity": _LONG,
                "http.response.status_code": _LONG,
                "error.message": _TEXT,
            }
        ),
    }


def of_signal(signal: str, flavor: Flavor) -> dict[str, Any]:
    """The mapping that only one kind of stream has besides: logs, traces, metrics or security."""
    lines: dict[str, Mapping[str, Any]] = {
        "message": _TEXT,
        "error.stack_trace": _TEXT,
        "log.offset": _LONG,
    }
    fields: dict[str, dict[str, Mapping[str, Any]]] = {
        "logs": {**dict.fromkeys(_LOGS, _KEYWORD), **lines},
        "traces": {
            **dict.fromkeys(_TRACES, _KEYWORD),
            "duration": _LONG,
            "transaction.duration.us": _LONG,
            "transaction.sampled": {"type": "boolean"},
            "span.duration.us": _LONG,
            "span.representative_count": _DOUBLE,
        },
        "metrics": {},
        "security": {**dict.fromkeys((*_LOGS, *_SECURITY), _KEYWORD), **lines},
    }
    # The names of metrics are nobody's to foresee; beyond the limit OpenSearch refuses documents.
    dynamic = {"dynamic": True} if signal == "metrics" and flavor is Flavor.OPENSEARCH else {}
    return {**dynamic, "properties": _nested(fields[signal])}


def free_form(flavor: Flavor) -> dict[str, Any]:
    """The type of an object whose keys anybody may invent: one field however many there are."""
    if flavor is Flavor.OPENSEARCH:
        return {"type": "flat_object"}
    return {"type": "flattened", "ignore_above": _LONGEST_KEYWORD}


def of_owner(app: str) -> dict[str, Any]:
    """The mapping that makes a stream take the documents of one application alone."""
    return {"properties": {"labels": {"properties": {"app": constant(app)}}}}


def of_many() -> dict[str, Any]:
    """The mapping of a stream that applications share."""
    return {"properties": {"labels": {"properties": {"app": _KEYWORD}}}}


def constant(value: str) -> dict[str, Any]:
    """The type of a field that has one value in all documents, and refuses others."""
    return {"type": "constant_keyword", "value": value}


def known_roots() -> tuple[str, ...]:
    """The top-level fields that are mapped by name, in any kind of stream."""
    found = {"@timestamp", "message", "labels", "attributes"}
    for flavor in Flavor:
        found |= common(flavor)["properties"].keys()
        for signal in ("logs", "traces", "security"):
            found |= of_signal(signal, flavor)["properties"].keys()
    return tuple(sorted(found))


def _nested(fields: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Properties within properties out of dotted names."""
    found: dict[str, Any] = {}
    for name, mapping in sorted(fields.items()):
        place = found
        *parents, last = name.split(".")
        for parent in parents:
            place = place.setdefault(parent, {"properties": {}})["properties"]
        place[last] = dict(mapping)
    return found
