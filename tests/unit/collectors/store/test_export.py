"""Figures, nested records and looking for damage."""

import json
from pathlib import Path

from collectors.signals import Signal, table
from collectors.store import StoreReader, StoreWriter, export, rfc3339, stats
from tests.unit.collectors.store.telemetry import NOON, SECOND, logs, samples, spans


def test_stats_count_what_is_acknowledged_once(tmp_path: Path) -> None:
    """The write-ahead part included; a span that came twice is one."""
    with StoreWriter(tmp_path) as store:
        store.append(Signal.SPANS, spans(1, 2))
        store.compact(NOON)
        store.append(Signal.SPANS, spans(2, 3))
        store.append(Signal.LOGS, logs("a", "b"))
        found = stats(StoreReader(tmp_path).snapshot()).as_json()
    size = sum(path.stat().st_size for path in (tmp_path / "fresh" / "logs").iterdir())
    nothing = {"records": 0, "bytes": 0, "oldest": None, "newest": None, "segments": 0}
    signals = found["signals"]
    assert isinstance(signals, dict)
    assert ["signals", "quarantined"] == list(found)
    assert ["metrics", "logs", "spans", "deploys"] == list(signals)
    assert 0 == found["quarantined"]
    assert nothing == signals["metrics"]
    assert {
        "records": 2,
        "bytes": size,
        "oldest": "2025-10-09T12:00:00Z",
        "newest": "2025-10-09T12:00:01Z",
        "segments": 0,
    } == signals["logs"]
    assert (3, 1) == (signals["spans"]["records"], signals["spans"]["segments"])


def test_logs_are_exported_nested(tmp_path: Path) -> None:
    """Keys hold no dots, what is null is not there, and what JSON lacks is a word."""
    attributes = {"http.route": "/v1", "http": "odd", "a": {"b.c": [1, {"d.e": None}]}, "n": 1e999}
    line = table(
        Signal.LOGS,
        {
            "time": [NOON + 1],
            "app": ["ticketing"],
            "rung": [2],
            "severity": [17],
            "severity_text": ["ERROR"],
            "body": ['{"text": "as it was"}'],
            "attributes": [json.dumps(attributes)],
            "resource": ["not JSON"],
        },
    )
    with StoreWriter(tmp_path) as store:
        store.append(Signal.LOGS, line)
        (found,) = export(StoreReader(tmp_path).snapshot(), Signal.LOGS)
    expected = {
        "time": "2025-10-09T12:00:00.000000001Z",
        "app": "ticketing",
        "join": {"rung": 2},
        "severity": {"number": 17, "text": "ERROR"},
        "body": '{"text": "as it was"}',
        "attributes": {
            "a": {"b": {"c": [1, {"d": {"e": None}}]}},
            "http": {"_value": "odd", "route": "/v1"},
            "n": "Infinity",
        },
        "resource": "not JSON",
    }
    assert json.dumps(expected) == json.dumps(found)


def test_metrics_and_spans_are_exported_nested(tmp_path: Path) -> None:
    """A series is sixteen hexadecimal digits, which every JSON reader keeps."""
    with StoreWriter(tmp_path) as store:
        store.append(Signal.METRICS, samples([float("nan")], series=2**64 - 1))
        store.append(Signal.SPANS, spans(0))
        snapshot = StoreReader(tmp_path).snapshot()
        (sample,) = export(snapshot, Signal.METRICS)
        (span,) = export(snapshot, Signal.SPANS)
    assert ("f" * 16, "NaN", {"pod": str(2**64 - 1)}) == (
        sample["series"],
        sample["value"],
        sample["labels"],
    )
    assert ("2025-10-09T12:00:01Z", SECOND) == (span["end"], span["duration"])


def test_export_is_in_the_order_of_time(tmp_path: Path) -> None:
    """Whatever the order in which it came, of the apps and the range that are asked for."""
    with StoreWriter(tmp_path) as store:
        store.append(Signal.LOGS, logs("c", at=NOON + 2 * SECOND))
        store.compact(NOON)
        store.append(Signal.LOGS, logs("b", app="cargo", at=NOON + SECOND))
        store.append(Signal.LOGS, logs("a"))
        snapshot = StoreReader(tmp_path).snapshot()
    assert ["a", "b", "c"] == [each["body"] for each in export(snapshot, Signal.LOGS)]
    chosen = export(
        snapshot, Signal.LOGS, apps=["ticketing"], start=NOON + 1, end=NOON + 3 * SECOND
    )
    assert ["c"] == [each["body"] for each in chosen]


def test_times_have_as_many_decimals_as_they_need() -> None:
    """To the nanosecond, and before 1970 too."""
    assert [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "2025-10-09T12:00:00.5Z",
        "2262-04-11T23:47:16.854775807Z",
    ] == list(map(rfc3339, (0, -1, NOON + SECOND // 2, 2**63 - 1)))
