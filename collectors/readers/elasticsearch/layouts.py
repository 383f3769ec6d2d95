"""How documents spell the columns of telemetry: one table per layout.

A column has candidates in order; a document's first one that is there counts. What candidates do
not name is an attribute of the record or of its sender, found by prefixes.

Sources: Elastic Common Schema 8; the ``otel`` and ``ecs`` mapping modes of the OpenTelemetry
Collector's Elasticsearch exporter; the data streams of Elastic APM 8; Jaeger's span documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from collectors.readers.elasticsearch.columns import Column, Unit, column, words
from slo.records import dataclass


class Kind(StrEnum):
    """What an index holds, as indices are named."""

    LOGS = "logs"
    TRACES = "traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where attributes stand: below paths, and as lists of keys and values.

    ``dot`` is what stands in a path for the dots of a key. ``bare`` says that keys also stand at
    the top of a document. ``lists`` hold objects with a ``key`` and a ``value``.
    """

    below: tuple[str, ...] = ()
    dot: str = "."
    bare: bool = False
    lists: tuple[str, ...] = ()

    def candidates(self, key: str) -> Column:
        """Where an attribute may stand."""
        spelt = key.replace(".", self.dot)
        paths = [f"{each}.{spelt}" for each in self.below]
        return (
            *column(*paths, *((key,) if self.bare else ())),
            *(each for path in self.lists for each in column(path, key=key)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way to write documents.

    ``time`` is the field that ranges and histograms use. ``patterns`` are the indices where this
    layout is expected when the workspace says nothing, ``telling`` fields that only it has.
    """

    name: str
    columns: Mapping[str, Column]
    attributes: Keys
    resource: Keys
    patterns: Mapping[Kind, tuple[str, ...]]
    telling: tuple[str, ...] = ()
    time: str = "@timestamp"

    def candidates(self, name: str) -> Column:
        """Where a column stands; none for one that the layout does not have."""
        return self.columns.get(name, ())


_KIND = words(
    {
        name: (name, f"SPAN_KIND_{name}")
        for name in ("internal", "server", "client", "producer", "consumer")
    }
)
_STATUS = words(
    {
        "error": ("error", "STATUS_CODE_ERROR", "2"),
        "ok": ("ok", "STATUS_CODE_OK", "1"),
        "unset": ("unset", "STATUS_CODE_UNSET", "0"),
    }
)
_OUTCOME = words({"error": ("failure",), "ok": ("success",), "unset": ("unknown",)})
_TRANSACTION = words({"server": ("transaction",)})
_WEIGHED = {
    "sampling.threshold": column("attributes.sampling.threshold"),
    "sampling.probability": column("attributes.sampling.probability"),
    "SampleRate": column("attributes.SampleRate"),
}

HEADROOM = Layout(
    name="headroom",
    patterns={
        Kind.LOGS: ("logs-*", "-logs-*.otel-*", "-logs-apm*"),
        Kind.TRACES: ("traces-*", "-traces-*.otel-*", "-traces-apm*"),
    },
    columns={
        "time": column("@timestamp", unit=Unit.TIME),
        "observed": column("event.ingested", "event.created", unit=Unit.TIME),
        "app": column("labels.app", "service.namespace"),
        "env": column("service.environment", "deployment.environment.name"),
        "component": column("labels.component", "service.name"),
        "team": column("labels.team"),
        "service": column("service.name"),
        "version": column("service.version"),
        "cluster": column("orchestrator.cluster.name"),
        "namespace": column("kubernetes.namespace"),
        "pod": column("kubernetes.pod.name"),
        "host": column("host.name", "host.hostname"),
        "severity": (
            *column("log.level", unit=Unit.LEVEL),
            *column("event.severity", unit=Unit.NUMBER),
        ),
        "severity_text": column("log.level"),
        "event": column("event.action"),
        "body": column("message"),
        "trace_id": column("trace.id"),
        "span_id": column("span.id", "transaction.id"),
        "parent_id": column("parent.id"),
        "name": column("span.name", "transaction.name", "name"),
        "kind": (
            *column("span.kind", "kind", mapped=_KIND),
            *column("processor.event", mapped=_TRANSACTION),
        ),
        "status": (
            *column("event.outcome", mapped=_OUTCOME),
            *column("status.code", mapped=_STATUS),
        ),
        "status_message": column("status.message"),
        "duration": (
            *column("event.duration", "duration", unit=Unit.NANOSECONDS),
            *column("transaction.duration.us", "span.duration.us", unit=Unit.MICROSECONDS),
        ),
        "route": column("http.route", "url.template"),
        "method": column("http.request.method"),
        "http_status": column("http.response.status_code"),
        "trace_state": column("trace_state", "span.trace_state"),
        "links": column("span.links", "links"),
        "events": column("span.events"),
        "peer": column("span.destination.service.resource"),
        "represents": column("transaction.representative_count", "span.representative_count"),
        **_WEIGHED,
    },
    attributes=Keys(below=("attributes",), bare=True),
    resource=Keys(bare=True),
)

OTEL = Layout(
    name="otel",
    patterns={Kind.LOGS: ("logs-*.otel-*",), Kind.TRACES: ("traces-*.otel-*",)},
    telling=("resource.attributes.service.name", "observed_timestamp"),
    columns={
        "time": column("@timestamp", unit=Unit.TIME),
        "observed": column("observed_timestamp", unit=Unit.TIME),
        "app": column("resource.attributes.service.namespace"),
        "env": column(
            "resource.attributes.deployment.environment.name",
            "resource.attributes.deployment.environment",
        ),
        "component": column("resource.attributes.service.name"),
        "team": column("resource.attributes.org.team"),
        "service": column("resource.attributes.service.name"),
        "version": column("resource.attributes.service.version"),
        "cluster": column("resource.attributes.k8s.cluster.name"),
        "namespace": column("resource.attributes.k8s.namespace.name"),
        "pod": column("resource.attributes.k8s.pod.name"),
        "host": column("resource.attributes.host.name"),
        "severity": (
            *column("severity_number", unit=Unit.NUMBER),
            *column("severity_text", unit=Unit.LEVEL),
        ),
        "severity_text": column("severity_text"),
        "event": column("event_name", "attributes.event.name"),
        "body": column("body.text", "body.structured"),
        "trace_id": column("trace_id"),
        "span_id": column("span_id"),
        "parent_id": column("parent_span_id"),
        "name": column("name"),
        "kind": column("kind", mapped=_KIND),
        "status": column("status.code", mapped=_STATUS),
        "status_message": column("status.message"),
        "duration": column("duration", unit=Unit.NANOSECONDS),
        "route": column("attributes.http.route", "attributes.url.template"),
        "method": column("attributes.http.request.method", "attributes.http.method"),
        "http_status": column(
            "attributes.http.response.status_code", "attributes.http.status_code"
        ),
        "trace_state": column("trace_state"),
        "links": column("links"),
        **_WEIGHED,
    },
    attributes=Keys(below=("attributes",)),
    resource=Keys(below=("resource.attributes",)),
)

APM = Layout(
    name="apm",
    patterns={
        Kind.LOGS: ("logs-apm*",),
        Kind.TRACES: ("traces-apm*", "apm-*-transaction*", "apm-*-span*"),
    },
    telling=("transaction.duration.us", "labels.service_namespace"),
    columns={
        **HEADROOM.columns,
        "time": (
            *column("timestamp.us", unit=Unit.MICROSECONDS),
            *column("@timestamp", unit=Unit.TIME),
        ),
        "app": column("service.namespace", "labels.app", "labels.service_namespace"),
        "team": column("labels.org_team", "labels.team"),
        "version": column("service.version"),
        # A transaction's own identifier is that of its span, and a span names its transaction.
        "span_id": column("span.id", "transaction.id"),
        "kind": (
            *column("processor.event", mapped=_TRANSACTION),
            *column("span.kind", mapped=_KIND),
            *column("span.type", mapped=words({"client": ("db", "external", "messaging")})),
        ),
        "duration": column("span.duration.us", "transaction.duration.us", unit=Unit.MICROSECONDS),
        "status_message": column("error.message"),
        "route": column("labels.http_route", "http.route"),
        "peer": column("span.destination.service.resource", "service.target.name"),
        "peer_kind": column(
            "span.type",
            mapped=words(
                {"database": ("db",), "messaging": ("messaging",), "external": ("external",)}
            ),
        ),
    },
    attributes=Keys(below=("labels", "numeric_labels"), dot="_", bare=True),
    resource=Keys(below=("labels",), dot="_", bare=True),
)

JAEGER = Layout(
    name="jaeger",
    patterns={Kind.LOGS: (), Kind.TRACES: ("jaeger-span-*", "*-jaeger-span-*")},
    telling=("startTimeMillis",),
    time="startTimeMillis",
    columns={
        "time": (
            *column("startTime", unit=Unit.MICROSECONDS),
            *column("startTimeMillis", unit=Unit.TIME),
        ),
        "app": (
            *column("process.tag.service@namespace"),
            *column("process.tags", key="service.namespace"),
        ),
        "env": (
            *column("process.tag.deployment@environment@name"),
            *column("process.tag.deployment@environment"),
            *column("process.tags", key="deployment.environment.name"),
            *column("process.tags", key="deployment.environment"),
        ),
        "component": column("process.serviceName"),
        "service": column("process.serviceName"),
        "team": (*column("process.tag.org@team"), *column("process.tags", key="org.team")),
        "version": (
            *column("process.tag.service@version"),
            *column("process.tags", key="service.version"),
        ),
        "cluster": column("process.tags", key="k8s.cluster.name"),
        "namespace": column("process.tags", key="k8s.namespace.name"),
        "pod": (
            *column("process.tag.k8s@pod@name"),
            *column("process.tags", key="k8s.pod.name"),
        ),
        "host": (
            *column("process.tag.host@name", "process.tag.hostname"),
            *column("process.tags", key="host.name"),
            *column("process.tags", key="hostname"),
        ),
        "trace_id": column("traceID"),
        "span_id": column("spanID"),
        "parent_id": column("references", key="CHILD_OF", named=("refType", "spanID")),
        "name": column("operationName"),
        "kind": (
            *column("tag.span@kind", mapped=_KIND),
            *column("tags", key="span.kind", mapped=_KIND),
        ),
        "status": (
            *column("tag.otel@status_code", mapped=_STATUS),
            *column("tags", key="otel.status_code", mapped=_STATUS),
            *column("tag.error", mapped=words({"error": ("true",)})),
            *column("tags", key="error", mapped=words({"error": ("true",)})),
        ),
        "status_message": column("tags", key="otel.status_description"),
        "duration": column("duration", unit=Unit.MICROSECONDS),
        "route": (*column("tag.http@route"), *column("tags", key="http.route")),
        "method": (
            *column("tag.http@request@method", "tag.http@method"),
            *column("tags", key="http.request.method"),
            *column("tags", key="http.method"),
        ),
        "http_status": (
            *column("tag.http@response@status_code", "tag.http@status_code"),
            *column("tags", key="http.response.status_code"),
            *column("tags", key="http.status_code"),
        ),
        "trace_state": (
            *column("tag.w3c@tracestate"),
            *column("tags", key="w3c.tracestate"),
        ),
        "links": column("references"),
        "events": column("logs"),
    },
    attributes=Keys(below=("tag",), dot="@", lists=("tags",)),
    resource=Keys(below=("process.tag",), dot="@", lists=("process.tags",)),
)

LAYOUTS: Mapping[str, Layout] = {each.name: each for each in (HEADROOM, OTEL, APM, JAEGER)}
"""Every layout, by the name that the workspace gives it."""
