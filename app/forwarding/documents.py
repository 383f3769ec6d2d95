"""Stored records as the documents of our data streams: ECS names, the rest under `attributes`.

Readers know this layout as ``headroom``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from collectors.joining.facts import APP_TAG, ENVIRONMENT_TAG
from collectors.receive.groups import COLUMNS
from collectors.receive.severity import number_of
from collectors.signals import Signal
from collectors.store import Kept, rfc3339
from slo.naming import data_stream_part
from slo.records import dataclass

UNATTRIBUTED = "unattributed"
"""The data set of what nobody is known to own."""

NOWHERE = "default"
"""The namespace of what no environment is known of."""

_TYPES: Mapping[Signal, str] = {Signal.LOGS: "logs", Signal.SPANS: "traces"}
_OUTCOMES = {"error": "failure", "ok": "success"}
_LEVELS = ((21, "fatal"), (17, "error"), (13, "warn"), (9, "info"), (5, "debug"), (1, "trace"))
_ODD = re.compile(r"[^a-z0-9_.]")
_LONGEST = 100
_DEEPEST = 10
_AT_ONCE = 1000
_POD_LABEL = re.compile(r"k8s\.pod\.labels?\.(.+)")

_COLUMNS: Mapping[str, str] = {
    "app": "labels.app",
    "team": "labels.team",
    "component": "labels.component",
    "service": "service.name",
    "env": "service.environment",
    "version": "service.version",
    "cluster": "orchestrator.cluster.name",
    "namespace": "kubernetes.namespace",
    "pod": "kubernetes.pod.name",
    "host": "host.name",
    "trace_id": "trace.id",
    "span_id": "span.id",
    "event": "event.action",
    "body": "message",
    "parent_id": "parent.id",
    "name": "span.name",
    "kind": "span.kind",
    "status": "status.code",
    "status_message": "status.message",
    "duration": "event.duration",
    "route": "http.route",
    "method": "http.request.method",
    "http_status": "http.response.status_code",
    "weight": "span.representative_count",
    "peer": "span.destination.service.resource",
    "trace_state": "trace_state",
}
"""Where a column stands in a document, of either signal."""

_SAID: Mapping[str, str] = {
    **dict.fromkeys(APP_TAG, "app"),
    **dict.fromkeys(ENVIRONMENT_TAG, "env"),
    **{key: column for column, keys in COLUMNS.items() for key in keys},
}
"""Attributes of senders and the columns that tell them, where those say the same."""

_TRUSTED = frozenset({"cloud", "container", "host", "k8s", "os", "process", "service", "telemetry"})
"""The roots of the conventions' names of senders, which may be fields of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document and where it goes; ``text`` is its JSON."""

    index: str
    id: str
    text: str

    @property
    def lines(self) -> str:
        """The two lines of a bulk request that create it, once."""
        action = json.dumps({"create": {"_index": self.index, "_id": self.id}})
        return f"{action}\n{self.text}\n"


def documents(commit: Kept, table: pa.Table) -> Iterator[Document]:
    """Write the rows of a commit; the same row has the same identifier whenever it is asked for."""
    parts = table.to_batches(max_chunksize=_AT_ONCE)
    for number, row in enumerate(row for part in parts for row in part.to_pylist()):
        yield Document(
            index=stream_of(commit.signal, row),
            id=_identifier(commit, number, row),
            text=_dumps(document(commit.signal, row)),
        )


def stream_of(signal: Signal, row: Mapping[str, Any]) -> str:
    """The data stream that a record belongs to."""
    return "-".join(_stream(signal, row).values())


def document(signal: Signal, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a record; what is unknown of it is left out."""
    found: dict[str, Any] = {
        "@timestamp": rfc3339(row["time"]),
        "data_stream": _stream(signal, row),
    }
    for column, path in _COLUMNS.items():
        value = row.get(column)
        if value is not None:
            _put(found, path, value)
    if signal is Signal.LOGS:
        _add_log(found, row)
    else:
        _add_span(found, row)
    _add_rest(found, row)
    return found


def _add_log(found: dict[str, Any], row: Mapping[str, Any]) -> None:
    severity, text = row["severity"], row["severity_text"]
    if severity is not None:
        _put(found, "event.severity", severity)
        if text is None or number_of(text) != severity:
            text = next((word for least, word in _LEVELS if severity >= least), text)
    if text is not None:
        _put(found, "log.level", text)
    if row["observed"] is not None:
        _put(found, "event.created", rfc3339(row["observed"]))


def _add_span(found: dict[str, Any], row: Mapping[str, Any]) -> None:
    _put(found, "event.outcome", _OUTCOMES.get(row["status"], "unknown"))
    # As texts: their objects would make fields without end.
    for name in ("events", "links"):
        if row[name] is not None:
            _put(found, f"span.{name}", row[name])


def _add_rest(found: dict[str, Any], row: Mapping[str, Any]) -> None:
    attributes = _loaded(row["attributes"])
    for key, value in _loaded(row["resource"]).items():
        if key in _SAID:
            # One that the column does not repeat, such as an unknown name, makes no owner.
            if row[_SAID[key]] != value:
                attributes.setdefault(key, value)
            continue
        label = _POD_LABEL.fullmatch(key)
        if label is not None:
            labels = found.setdefault("kubernetes", {}).setdefault("labels", {})
            labels[label[1]] = value if isinstance(value, str) else _dumps(value)
        elif key.partition(".")[0] not in _TRUSTED or not _put_text(found, key, value):
            attributes.setdefault(key, value)
    if row["scope"] is not None:
        attributes.setdefault("otel.scope", row["scope"])
    if row["missing"] is not None and row["app"] is None:
        attributes["headroom.missing"] = row["missing"]
    if row["claimants"] is not None:
        attributes["headroom.claimants"] = _loaded(row["claimants"])
    if attributes:
        found["attributes"] = {key: _bounded(value) for key, value in attributes.items() if key}


def _put_text(found: dict[str, Any], path: str, value: object) -> bool:
    # Senders disagree about types, and one field has one type.
    return _put(found, path, value if isinstance(value, str) else _dumps(value))


def _put(found: dict[str, Any], path: str, value: object) -> bool:
    """Put a value at a path with dots; tell whether nothing stood in its way."""
    *parents, last = path.split(".")
    place = found
    for name in parents:
        below = place.get(name)
        if below is None:
            below = place[name] = {}
        if not name or not isinstance(below, dict):
            return False
        place = below
    if not last or last in place:
        return False
    place[last] = value
    return True


def _bounded(value: object, depth: int = 0) -> object:
    """A value no deeper than clusters take; what is deeper becomes its JSON."""
    if not isinstance(value, dict | list) or not value:
        return value
    if depth >= _DEEPEST:
        return _dumps(value)
    if isinstance(value, list):
        return [_bounded(each, depth + 1) for each in value]
    return {key: _bounded(each, depth + 1) for key, each in value.items() if key}


def _stream(signal: Signal, row: Mapping[str, Any]) -> dict[str, str]:
    app, component, env = row["app"], row["component"], row["env"]
    if app is None and env is None:
        sender = _loaded(row["resource"])
        told = (sender.get(key) for key in ENVIRONMENT_TAG)
        env = next((each for each in told if isinstance(each, str)), None)
    dataset = UNATTRIBUTED
    if app is not None:
        dataset = _part(app) if component is None else f"{_part(app)}.{_part(component)}"
    return {
        "type": _TYPES[signal],
        "dataset": dataset[:_LONGEST],
        "namespace": _part(env)[:_LONGEST] if env else NOWHERE,
    }


def _part(name: str) -> str:
    # A tag that no catalogue knows may hold anything.
    return _ODD.sub("_", data_stream_part(name))


def _identifier(commit: Kept, number: int, row: Mapping[str, Any]) -> str:
    # A span that is sent twice is one; two equal log lines are two.
    parts: tuple[object, ...] = (commit.name, number)
    if commit.signal is Signal.SPANS:
        parts = (row["app"], row["trace_id"], row["span_id"], row["time"])
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _loaded(text: str | None) -> Any:
    return {} if text is None else json.loads(text)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
