"""Small tables of telemetry, and what of them a store shows."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from collectors.signals import Signal, table
from collectors.store import Snapshot, StoreReader

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
NOON = 1_760_011_200 * SECOND  # 2025-10-09T12:00:00Z


def logs(
    *bodies: str, app: str | None = "ticketing", at: int = NOON, step: int = SECOND
) -> pa.Table:
    """Log lines of an app, one every step."""
    return table(
        Signal.LOGS,
        {
            "time": [at + place * step for place in range(len(bodies))],
            "app": [app] * len(bodies),
            "severity": [9] * len(bodies),
            "body": list(bodies),
            "attributes": ['{"thread":"main"}'] * len(bodies),
        },
    )


def spans(*ids: int, app: str | None = "ticketing", at: int = NOON, name: str = "GET") -> pa.Table:
    """Spans of an app, each in a trace of its own; the same number is the same span."""
    times = [at + each * SECOND for each in ids]
    return table(
        Signal.SPANS,
        {
            "time": times,
            "app": [app] * len(ids),
            "end": [time + SECOND for time in times],
            "duration": [SECOND] * len(ids),
            "trace_id": [f"{each:032x}" for each in ids],
            "span_id": [f"{each:016x}" for each in ids],
            "name": [name] * len(ids),
            "weight": [1.0] * len(ids),
        },
    )


def samples(
    values: Sequence[float],
    *,
    app: str | None = "ticketing",
    series: int = 1,
    at: int = NOON,
    step: int = 15 * SECOND,
) -> pa.Table:
    """Samples of one series of a counter."""
    many = len(values)
    return table(
        Signal.METRICS,
        {
            "time": [at + place * step for place in range(many)],
            "app": [app] * many,
            "name": ["http_requests_total"] * many,
            "kind": ["counter"] * many,
            "delta": [False] * many,
            "series": [series] * many,
            "labels": [f'{{"pod":"{series}"}}'] * many,
            "value": list(values),
        },
    )


def seen(
    source: Path | Snapshot, signal: Signal, columns: str = "time, app"
) -> list[tuple[object, ...]]:
    """Columns of all rows, sorted."""
    if isinstance(source, Path):
        reader = StoreReader(source, threads=1)
        try:
            return seen(reader.snapshot(), signal, columns)
        finally:
            reader.close()
    found = source.query(signal, f"SELECT {columns} FROM records ORDER BY ALL")
    return [tuple(row.values()) for row in found.to_pylist()]


def bodies(source: Path | Snapshot) -> list[object]:
    """The bodies of all logs, sorted."""
    return [body for (body,) in seen(source, Signal.LOGS, "body")]
