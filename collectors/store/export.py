"""Stored records as nested data."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from collectors.signals import SCHEMAS, Signal
from collectors.store.snapshot import Snapshot
from collectors.store.times import rfc3339
from collectors.store.windows import windows_back

_AT_ONCE = 20_000

# Where a column goes; one that is not named stays where it is, under its own name.
_PLACES: dict[str, tuple[str, ...]] = {
    "rung": ("join", "rung"),
    "claimants": ("join", "claimants"),
    "missing": ("join", "missing"),
    "severity": ("severity", "number"),
    "severity_text": ("severity", "text"),
    "status": ("status", "code"),
    "status_message": ("status", "message"),
    "route": ("http", "route"),
    "method": ("http", "method"),
    "http_status": ("http", "status"),
    "peer": ("peer", "name"),
    "peer_kind": ("peer", "kind"),
    "count": ("histogram", "count"),
    "sum": ("histogram", "sum"),
    "min": ("histogram", "min"),
    "max": ("histogram", "max"),
    "bounds": ("histogram", "bounds"),
    "buckets": ("histogram", "buckets"),
    "scale": ("histogram", "scale"),
    "zero_count": ("histogram", "zero", "count"),
    "zero_threshold": ("histogram", "zero", "threshold"),
    "positive_offset": ("histogram", "positive", "offset"),
    "positive": ("histogram", "positive", "buckets"),
    "negative_offset": ("histogram", "negative", "offset"),
    "negative": ("histogram", "negative", "buckets"),
}
_JSON = frozenset(
    {
        *("claimants", "labels", "exemplars", "events", "links"),
        *("attributes", "resource", "scope"),
    }
)
_TIMES = frozenset({"time", "observed", "end", "start"})
_OWN_VALUE = "_value"


def export(
    snapshot: Snapshot,
    signal: Signal,
    *,
    apps: Collection[str | None] | None = None,
    start: int | None = None,
    end: int | None = None,
) -> Iterator[dict[str, object]]:
    """Every record in the order of time, nested, without what is null.

    Times are RFC 3339, durations nanoseconds, a metric's ``series`` sixteen hexadecimal digits.
    An attribute ``a.b`` is ``b`` in ``a``. Numbers that JSON lacks are ``"NaN"`` and
    ``"Infinity"``.
    """
    files = snapshot.files(signal)
    windows = windows_back((*files.segments, *files.fresh), start, end, rows=_AT_ONCE, growth=1)
    for low, high in reversed(tuple(windows)):
        rows = snapshot.query(
            signal, "SELECT * FROM records ORDER BY ALL", apps=apps, start=low, end=high
        )
        for batch in rows.to_batches(max_chunksize=1_000):
            for row in batch.to_pylist():
                yield nested(signal, row)


def nested(signal: Signal, row: Mapping[str, Any]) -> dict[str, object]:
    """One record, its keys in the order of the signal's columns."""
    made: dict[str, Any] = {}
    for name in SCHEMAS[signal].names:
        value = _value(name, row[name])
        if value is None:
            continue
        *path, last = _PLACES.get(name, (name,))
        place = made
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return made


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return rfc3339(value)
    if name == "series":
        return f"{value:016x}"
    if name in _JSON:
        try:
            return _plain(json.loads(value))
        except (ValueError, RecursionError):
            return value
    return _plain(value)


def _plain(value: Any) -> Any:
    """A value that JSON can say, without dots in keys."""
    if isinstance(value, dict):
        return _undotted(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _undotted(flat: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping whose keys hold no dots; ``a`` beside ``a.b`` becomes ``_value`` in ``a``."""
    made: dict[str, Any] = {}
    for name in sorted(flat):
        value = _plain(flat[name])
        *path, last = name.split(".")
        place = made
        for step in path:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                inner = place[step] = {_OWN_VALUE: inner}
            place = inner
        _merge(place, last, value)
    return made


def _merge(place: dict[str, Any], name: str, value: Any) -> None:
    known = place.get(name)
    if not isinstance(known, dict):
        place[name] = value
    elif not isinstance(value, dict):
        known[_OWN_VALUE] = value
    else:
        for key, each in value.items():
            _merge(known, key, each)
