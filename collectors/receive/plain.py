"""Plain JSON logs, one object a line: which field is what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from collectors.joining import facts as names
from collectors.receive.groups import COLUMNS
from collectors.receive.limits import LEFT_OUT, Limits, cut
from collectors.receive.plain_times import nanoseconds
from collectors.receive.severity import HIGHEST, LOWEST, number_of_level
from collectors.receive.values import Values, dumps
from slo.records import dataclass

_TRACE = re.compile(r"[0-9a-fA-F]{32}")
_SPAN = re.compile(r"[0-9a-fA-F]{16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMap:
    """The fields of a log line by what they mean; of several names the first present counts.

    Nested objects are named with dots. ``app``, ``service`` and ``env`` are further names besides
    the tag table's; ``resource`` holds attributes that all lines have, such as
    ``{"service.namespace": "ticketing"}``, unless a line says otherwise.
    """

    time: tuple[str, ...] = ("@timestamp", "timestamp", "time", "ts", "datetime")
    severity: tuple[str, ...] = (
        "log.level",
        "level",
        "severity",
        "severity_text",
        "levelname",
        "loglevel",
        "lvl",
    )
    message: tuple[str, ...] = ("message", "msg", "body", "event", "log")
    event: tuple[str, ...] = ("event.name", "event_name", "event.action")
    trace_id: tuple[str, ...] = ("trace.id", "trace_id", "traceId", "traceid", "otelTraceID")
    span_id: tuple[str, ...] = ("span.id", "span_id", "spanId", "spanid", "otelSpanID")
    app: tuple[str, ...] = ()
    service: tuple[str, ...] = ("otelServiceName",)
    env: tuple[str, ...] = ("environment",)
    resource: Mapping[str, str] = field(default_factory=dict)


RENAMED: Mapping[str, str] = {
    "hostname": "host.name",
    "kubernetes.namespace": "k8s.namespace.name",
    "kubernetes.namespace_name": "k8s.namespace.name",
    "kubernetes.pod.name": "k8s.pod.name",
    "kubernetes.pod_name": "k8s.pod.name",
    "kubernetes.pod.uid": "k8s.pod.uid",
    "kubernetes.pod_id": "k8s.pod.uid",
    "kubernetes.node.name": "k8s.node.name",
    "kubernetes.host": "k8s.node.name",
    "kubernetes.container.name": "k8s.container.name",
    "kubernetes.container_name": "k8s.container.name",
    "kubernetes.docker_id": "container.id",
    "kubernetes.deployment.name": "k8s.deployment.name",
    "kubernetes.statefulset.name": "k8s.statefulset.name",
    "kubernetes.daemonset.name": "k8s.daemonset.name",
    "orchestrator.cluster.name": "k8s.cluster.name",
}
"""Fields of the sender as Filebeat and Fluent Bit write them, and their names here."""

_OF_SENDER = frozenset(
    {key for keys in COLUMNS.values() for key in keys}
    | set(names.APP_TAG)
    | set(names.ENVIRONMENT_TAG)
    | set(names.CONTAINER)
    | {"service.instance.id", "labels.criticality", "service.criticality"}
)
_SENDER_PREFIXES = ("k8s.", *names.POD_LABEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A log line whose fields are told apart."""

    time: int
    severity: int | None
    severity_text: str | None
    event: str | None
    body: str | None
    trace_id: str | None
    span_id: str | None
    resource: Mapping[str, str]
    attributes: Values


def read_line(value: Mapping[str, object], fields: FieldMap, at: int, limits: Limits) -> Line:
    """Tell a line's fields apart; ``at`` is its time when it has none.

    Raises ``ValueError`` for a time that cannot be read. An identifier that is none stays an
    attribute.
    """
    flat = dict(_flat(value))
    time = _take(flat, fields.time)
    level = _take(flat, fields.severity)
    message = _take(flat, fields.message)
    event = _take(flat, fields.event)
    text = None if level is None else cut(_text(level), limits.name)
    severity = _severity_number(flat)
    return Line(
        time=at if time is None else nanoseconds(time),
        severity=number_of_level(level) if severity is None else severity,
        severity_text=text,
        event=None if event is None else cut(_text(event), limits.name),
        body=None if message is None else cut(_text(message), limits.body),
        trace_id=_identifier(flat, fields.trace_id, _TRACE),
        span_id=_identifier(flat, fields.span_id, _SPAN),
        resource=_resource(flat, fields, limits.name),
        attributes=_bounded(flat, limits),
    )


def _flat(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, part in value.items():
        if isinstance(part, dict) and part:
            yield from _flat(part, f"{prefix}{key}.")
        elif part is not None:
            yield f"{prefix}{key}", part


def _take(flat: Values, keys: Iterable[str]) -> object:
    """Take the first of some fields out; empty texts count as absent."""
    for key in keys:
        if key in flat and flat[key] != "":
            return flat.pop(key)
    return None


def _severity_number(flat: Values) -> int | None:
    for key in ("severity_number", "severityNumber"):
        number = flat.get(key)
        if isinstance(number, int) and LOWEST <= number <= HIGHEST:
            del flat[key]
            return number
    return None


def _identifier(flat: Values, keys: Iterable[str], form: re.Pattern[str]) -> str | None:
    for key in keys:
        value = flat.get(key)
        if isinstance(value, str) and form.fullmatch(value):
            del flat[key]
            return value.lower() if value.strip("0") else None
    return None


def _resource(flat: Values, fields: FieldMap, longest: int) -> dict[str, str]:
    resource: dict[str, str] = dict(fields.resource)
    own = (
        ("service.namespace", fields.app),
        ("service.name", fields.service),
        ("deployment.environment.name", fields.env),
    )
    for name, keys in own:
        value = _take(flat, keys)
        if isinstance(value, str):
            resource[name] = cut(value, longest)
    for key in [key for key in flat if _is_of_sender(key)]:
        value = flat[key]
        if isinstance(value, str):
            resource[RENAMED.get(key, key)] = cut(value, longest)
            del flat[key]
    return resource


def _is_of_sender(key: str) -> bool:
    return key in _OF_SENDER or key in RENAMED or key.startswith(_SENDER_PREFIXES)


def _bounded(flat: Values, limits: Limits) -> Values:
    """Cut what is longer than allowed; what is left out is counted."""
    kept: Values = {}
    for key, value in list(flat.items())[: limits.attributes]:
        text = value if isinstance(value, str) else None
        if isinstance(value, list | dict) and len(written := dumps(value)) > limits.value:
            text = written
        kept[cut(key, limits.name)] = value if text is None else cut(text, limits.value)
    if len(flat) > limits.attributes:
        kept[LEFT_OUT] = len(flat) - limits.attributes
    return kept


def _text(value: object) -> str:
    return value if isinstance(value, str) else dumps(value)
