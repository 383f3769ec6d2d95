"""From documents, however they are spelt, to rows with the columns of telemetry."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from functools import lru_cache
from typing import Any

from collectors.readers.elasticsearch.columns import NANOSECONDS_IN, Column, Place, Unit
from collectors.readers.elasticsearch.layouts import LAYOUTS, Keys, Layout
from collectors.receive.peers import http_status, peer_of
from collectors.receive.sampling import weight_of
from collectors.receive.severity import HIGHEST, LOWEST, number_of

Flat = Mapping[str, Any]
"""The values of a document by their paths with dots; lists are values."""

Row = dict[str, Any]

WEIGHED_BY = ("sampling.threshold", "sampling.probability", "SampleRate")
"""The attributes that tell how many requests a span stands for."""

_OF_BOTH = (
    *("app", "env", "component", "service", "version", "pod", "host", "trace_id", "span_id"),
)
_OF_LOGS = (*_OF_BOTH, "severity_text", "event")
_OF_SPANS = (
    *(*_OF_BOTH, "team", "cluster", "namespace"),
    *("parent_id", "name", "kind", "status", "status_message", "route", "method"),
)
_OUTWARD = frozenset(("client", "producer", "consumer"))
_LARGEST = (1 << 63) - 1
_DEEPEST = 32
_MOST = 1e9
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?(Z|z|[+-]\d\d:?\d\d)?")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_DESCRIBES_SENDER = frozenset(
    (
        *("service", "host", "kubernetes", "container", "orchestrator", "cloud", "agent"),
        *("labels", "data_stream", "process", "ecs", "observer"),
    )
)


def flat(source: Mapping[str, Any]) -> Flat:
    """The values of a document by path; objects within lists stay as they are."""
    found: dict[str, Any] = {}
    _flatten(source, "", found, _DEEPEST)
    return found


def log_row(document: Flat, layout: Layout) -> Row | None:
    """A log record's columns; None for a document without a time."""
    time = _time(document, layout.candidates("time"))
    if time is None:
        return None
    row: Row = _texts(document, layout, _OF_LOGS)
    row["time"] = time
    row["observed"] = _time(document, layout.candidates("observed")) or time
    row["severity"] = _severity(document, layout.candidates("severity"))
    row["body"] = _body(document, layout)
    row["rung"] = None if row["app"] is None else 1
    attributes, resource = _described(document, layout)
    row["attributes"], row["resource"] = _json(attributes), _json(resource)
    return row


def span_row(document: Flat, layout: Layout) -> Row | None:
    """A span's columns; None for a document that is no span."""
    time = _time(document, layout.candidates("time"))
    duration = _length(document, layout.candidates("duration"))
    row: Row = _texts(document, layout, _OF_SPANS)
    if time is None or duration is None or row["trace_id"] is None or row["span_id"] is None:
        return None
    attributes, resource = _described(document, layout)
    row.update(time=time, duration=duration, end=time + duration)
    row["status"] = row["status"] or "unset"
    row["rung"] = None if row["app"] is None else 1
    said = _first(document, layout.candidates("http_status"))
    row["http_status"] = http_status({"http.status_code": said})
    row["peer"], row["peer_kind"] = _peer(document, layout, row["kind"], attributes)
    row["weight"] = _weight(document, layout, attributes)
    row["links"], row["events"] = _links(document, layout), _events(document, layout)
    row["attributes"], row["resource"] = _json(attributes), _json(resource)
    return row


def nanoseconds(value: object) -> int | None:
    """A time as Unix nanoseconds: a date, or milliseconds with or without a fraction."""
    if isinstance(value, str):
        match = _ISO.fullmatch(value)
        if match is not None:
            try:
                seconds = _seconds(match[1], match[3] or "Z")
            except ValueError:
                return None
            return seconds * 1_000_000_000 + int((match[2] or "0").ljust(9, "0"))
    return _whole(value, 1_000_000)


def text(value: object) -> str | None:
    """A value as people read it; of several the first."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, list):
        return text(value[0]) if value else None
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    return str(value) if isinstance(value, int | float) else _json(value)


def _flatten(source: Mapping[str, Any], prefix: str, found: dict[str, Any], depth: int) -> None:
    for key, value in source.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and depth and value:
            _flatten(value, f"{path}.", found, depth - 1)
        elif value is not None:
            found[path] = value


def _texts(document: Flat, layout: Layout, names: tuple[str, ...]) -> Row:
    columns = layout.columns
    return {name: text(_first(document, columns.get(name, ()))) for name in names}


def _first(document: Flat, places: Column) -> object:
    for place in places:
        value = document.get(place.path)
        if value is not None and place.key is not None:
            value = _entry(value, place)
        if value is not None and place.mapped is not None:
            value = _spelt(place.mapped, value)
        if value is not None:
            return value
    return None


def _entry(value: object, place: Place) -> object:
    named, holding = place.named
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, Mapping) and each.get(named) == place.key:
            return each.get(holding)
    return None


def _spelt(mapped: Mapping[str, tuple[str, ...]], value: object) -> str | None:
    said = text(value)
    return next((name for name, spellings in mapped.items() if said in spellings), None)


def _time(document: Flat, places: Column) -> int | None:
    for place in places:
        value = document.get(place.path)
        scale = NANOSECONDS_IN.get(place.unit)
        found = nanoseconds(value) if scale is None else _whole(value, scale)
        if found is not None:
            return found
    return None


def _length(document: Flat, places: Column) -> int | None:
    for place in places:
        found = _whole(document.get(place.path), NANOSECONDS_IN.get(place.unit, 1))
        if found is not None and found >= 0:
            return found
    return None


def _whole(value: object, scale: int) -> int | None:
    """A number in another unit, if it is one and fits 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(value) * scale
    except (InvalidOperation, ValueError):
        return None
    return int(number) if number.is_finite() and abs(number) <= _LARGEST else None


@lru_cache(maxsize=4096)
def _seconds(date: str, zone: str) -> int:
    suffix = "+00:00" if zone in "Zz" else zone
    return math.floor(datetime.fromisoformat(f"{date}{suffix}").timestamp())


def _severity(document: Flat, places: Column) -> int | None:
    for place in places:
        value = document.get(place.path)
        if value is None:
            continue
        if place.unit is Unit.LEVEL:
            return number_of(text(value) or "")
        number = _whole(value, 1)
        return number if number is not None and LOWEST <= number <= HIGHEST else None
    return None


def _body(document: Flat, layout: Layout) -> str | None:
    for place in layout.candidates("body"):
        value = document.get(place.path)
        if value is not None:
            return value if isinstance(value, str) else _json(value)
        # A structured body is an object below the place.
        inner = _below(document, f"{place.path}.")
        if inner:
            return _json(inner)
    return None


def _below(document: Flat, prefix: str) -> dict[str, Any]:
    cut = len(prefix)
    return {path[cut:]: value for path, value in document.items() if path.startswith(prefix)}


def _described(document: Flat, layout: Layout) -> tuple[dict[str, Any], dict[str, Any]]:
    """The attributes of a record and of its sender."""
    attributes = _listed(document, layout.attributes)
    resource = _listed(document, layout.resource)
    for path, value in document.items():
        describes, key = _role(layout.name, path)
        if describes is _Role.RECORD:
            attributes[key] = value
        elif describes is _Role.SENDER:
            resource[key] = value
    return attributes, resource


class _Role(Enum):
    """What a path of a document tells."""

    RECORD = auto()
    SENDER = auto()
    NEITHER = auto()


@lru_cache(maxsize=8192)
def _role(layout: str, path: str) -> tuple[_Role, str]:
    """Whom a path describes in a layout, and the name it has there."""
    keys = LAYOUTS[layout]
    for role, each in ((_Role.RECORD, keys.attributes), (_Role.SENDER, keys.resource)):
        for prefix in each.below:
            if path.startswith(f"{prefix}."):
                key = path[len(prefix) + 1 :]
                # An underscore may be one of the key's own, and is left as it is.
                return role, key.replace("@", ".") if each.dot == "@" else key
    if not keys.attributes.bare or path == "@timestamp":
        return _Role.NEITHER, path
    if path.partition(".")[0] in _DESCRIBES_SENDER:
        return _Role.SENDER, path
    return (_Role.NEITHER if path in _known(layout) else _Role.RECORD), path


@lru_cache(maxsize=len(LAYOUTS))
def _known(layout: str) -> frozenset[str]:
    """The paths that columns of a layout are read from."""
    columns = LAYOUTS[layout].columns.values()
    return frozenset(each.path for places in columns for each in places)


def _listed(document: Flat, keys: Keys) -> dict[str, Any]:
    """Attributes that are kept as lists of keys and values."""
    found: dict[str, Any] = {}
    for path in keys.lists:
        entries = document.get(path)
        for each in entries if isinstance(entries, list) else ():
            if isinstance(each, Mapping) and isinstance(each.get("key"), str):
                found[each["key"]] = each.get("value")
    return found


def _peer(
    document: Flat, layout: Layout, kind: str | None, attributes: Mapping[str, Any]
) -> tuple[str | None, str | None]:
    if kind not in _OUTWARD:
        return None, None
    peer = text(_first(document, layout.candidates("peer")))
    if peer is None:
        return peer_of(attributes)
    told = text(_first(document, layout.candidates("peer_kind")))
    return peer, told or peer_of(attributes)[1] or "external"


def _weight(document: Flat, layout: Layout, attributes: Mapping[str, Any]) -> float:
    stated = _first(document, layout.candidates("represents"))
    if isinstance(stated, int | float) and 1 <= stated <= _MOST:
        return float(stated)
    state = text(_first(document, layout.candidates("trace_state"))) or ""
    return weight_of(state, attributes)


def _links(document: Flat, layout: Layout) -> str | None:
    links = _first(document, layout.candidates("links"))
    if isinstance(links, str):
        return links
    found = []
    for each in links if isinstance(links, list) else ():
        # Jaeger keeps the parent among the links.
        if not isinstance(each, Mapping) or each.get("refType") == "CHILD_OF":
            continue
        path = flat(each)
        trace = path.get("trace_id") or path.get("trace.id") or path.get("traceID")
        span = path.get("span_id") or path.get("span.id") or path.get("spanID")
        if trace and span:
            found.append({"traceId": trace, "spanId": span})
    return _json(found) if found else None


def _events(document: Flat, layout: Layout) -> str | None:
    """A span's events; Jaeger calls them logs, with fields, and counts microseconds."""
    events = _first(document, layout.candidates("events"))
    if isinstance(events, str):
        return events
    found = []
    for each in events if isinstance(events, list) else ():
        if not isinstance(each, Mapping):
            continue
        said = _listed(each, Keys(lists=("fields",)))
        name = said.pop("event", None)
        found.append(
            {"time": _whole(each.get("timestamp"), 1000), "name": name, "attributes": said}
        )
    return _json(found) if found else None


def _json(value: object) -> str | None:
    if value is None or value == {}:
        return None
    return _ENCODER.encode(value)
