"""Rows of telemetry for tests, told briefly, and stores that hold them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from collectors.readers.telemetry import TimeRange, Where
from collectors.signals import Signal, table
from collectors.store import StoreReader, StoreWriter

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MS = 1_000_000
NOON = 1_760_011_200 * SECOND  # 2025-10-09T12:00:00Z

Row = Mapping[str, Any]

OURS: Row = {"app": "ticketing", "env": "prod", "component": "api", "service": "ticketing-api"}
CARGO: Row = {"app": "cargo", "env": "prod", "component": "api", "service": "cargo-api"}


def log(body: str, at: float = 0, **more: Any) -> Row:
    """A log line, seconds after noon."""
    time = NOON + round(at * SECOND)
    return {**OURS, "time": time, "observed": time, "severity": 9, "body": body, **more}


def span(number: int, at: float = 0, ms: float = 100, **more: Any) -> Row:
    """A server span in a trace of its own; ``trace`` and ``parent`` are numbers as well."""
    time, duration = NOON + round(at * SECOND), round(ms * MS)
    trace, parent = more.pop("trace", number), more.pop("parent", None)
    return {
        **OURS,
        "time": time,
        "end": time + duration,
        "duration": duration,
        "trace_id": f"{trace:032x}",
        "span_id": f"{number:016x}",
        "parent_id": None if parent is None else f"{parent:016x}",
        "name": "GET /seats",
        "kind": "server",
        "status": "unset",
        "weight": 1.0,
        **more,
    }


def sample(
    name: str, value: float | None, at: float = 0, labels: Row | None = None, **more: Any
) -> Row:
    """A sample of a counter; ``start`` is in seconds after noon."""
    text = json.dumps(dict(labels or {}), sort_keys=True)
    start = more.pop("start", None)
    return {
        **OURS,
        "time": NOON + round(at * SECOND),
        "start": None if start is None else NOON + round(start * SECOND),
        "name": name,
        "kind": "counter",
        "delta": False,
        "series": digest(name, text),
        "labels": text,
        "value": value,
        **more,
    }


def deploy(number: int, at: float = 0, **more: Any) -> Row:
    """A deploy that was told."""
    return {**OURS, "time": NOON + round(at * SECOND), "id": f"d{number}", **more}


def digest(name: str, labels: str) -> int:
    """A number for a series, the same for the same series."""
    import hashlib  # noqa: PLC0415 - used here alone

    return int.from_bytes(hashlib.sha256(f"{name}{labels}".encode()).digest()[:8], "big")


def rows_of(signal: Signal, rows: Sequence[Row]) -> pa.Table:
    """Rows as a table; what a row does not say is null."""
    names = dict.fromkeys(name for row in rows for name in row)
    return table(signal, {name: [row.get(name) for row in rows] for name in names})


def store(folder: Path, rows: Mapping[Signal, Sequence[Row]], *, compacted: bool = False) -> Path:
    """A store that holds rows, in two commits a signal so that both ways of keeping are read."""
    path = folder / "store"
    with StoreWriter(path) as writer:
        for signal, all_of in rows.items():
            half = len(all_of) // 2
            for part in (all_of[:half], all_of[half:]):
                if part:
                    writer.append(signal, rows_of(signal, part))
                if compacted:
                    writer.compact(NOON + 48 * HOUR)
    return path


def opened(folder: Path, **signals: Iterable[Row]) -> StoreReader:
    """A reader of a store with these rows: ``logs=…, spans=…, metrics=…, deploys=…``."""
    path = store(folder, {Signal(name): list(rows) for name, rows in signals.items()})
    return StoreReader(path, threads=1)


def hours(first: float = 0, last: float = 1) -> TimeRange:
    """A range in hours after noon."""
    return TimeRange(start=NOON + round(first * HOUR), end=NOON + round(last * HOUR))


def asking(
    app: str | None = "ticketing",
    range_: TimeRange | None = None,
    env: str | None = "prod",
    **more: Any,
) -> Where:
    """A question about an app's first hour."""
    return Where(app=app, range=range_ or hours(), env=env, **more)
