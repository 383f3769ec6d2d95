"""Compaction and retention: sorted, split, merged, bounded, and invisible to those who read."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from collectors.signals import Signal
from collectors.store import (
    Limit,
    Retention,
    Sizing,
    SnapshotExpired,
    StoreReader,
    StoreWriter,
    verify,
)
from collectors.store.compaction import GRACE
from tests.unit.collectors.store.telemetry import (
    DAY,
    NOON,
    SECOND,
    bodies,
    logs,
    samples,
    seen,
    spans,
)

SPLIT = Sizing(partition_rows=0)


def _paths(folder: Path, signal: Signal) -> list[str]:
    segments = StoreReader(folder).snapshot().segments(signal)
    return sorted(each.path.rpartition("/")[0] for each in segments)


def test_segments_are_of_a_signal_an_app_and_a_day(tmp_path: Path) -> None:
    """In folders that say so; what belongs to nobody has a folder too."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        store.append(Signal.LOGS, logs("a", "b", step=DAY))
        store.append(Signal.LOGS, logs("c", app=None, at=-1))
        store.compact(NOON)
    assert [
        "segments/logs/_unattributed/1969-12-31",
        "segments/logs/ticketing/2025-10-09",
        "segments/logs/ticketing/2025-10-10",
    ] == _paths(tmp_path, Signal.LOGS)
    assert ["a", "b", "c"] == bodies(tmp_path)


def test_little_of_many_apps_stays_in_one_file(tmp_path: Path) -> None:
    """Until splitting is worth it: a hundred apps do not make a hundred files every ten seconds."""
    with StoreWriter(tmp_path) as store:
        for app in range(50):
            store.append(Signal.LOGS, logs("a", app=f"app-{app}"))
        store.compact(NOON)
        assert ["segments/logs/_mixed"] == _paths(tmp_path, Signal.LOGS)
        found = StoreReader(tmp_path).query(Signal.LOGS, "SELECT app FROM records", apps=["app-7"])
        assert ["app-7"] == found.column("app").to_pylist()


def test_rows_are_sorted_within_segments(tmp_path: Path) -> None:
    """Logs and spans by time, metrics by name and series: statistics then tell files apart."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        store.append(Signal.LOGS, logs("late", at=NOON + SECOND))
        store.append(Signal.LOGS, logs("early"))
        for series in (3, 1, 2):
            store.append(Signal.METRICS, samples([1.0, 2.0], series=series))
        store.compact(NOON)
    (own,) = StoreReader(tmp_path).snapshot().segments(Signal.LOGS)
    rows = pq.ParquetFile(tmp_path / own.path).read()
    assert ["early", "late"] == rows.column("body").to_pylist()
    (own,) = StoreReader(tmp_path).snapshot().segments(Signal.METRICS)
    rows = pq.ParquetFile(tmp_path / own.path).read()
    assert [1, 1, 2, 2, 3, 3] == rows.column("series").to_pylist()


def test_small_segments_become_large_ones(tmp_path: Path) -> None:
    """Files do not become more and more; no segment is larger than it should be."""
    sizing = Sizing(partition_rows=1, segment_rows=100, merged_files=4, small_rows=8)
    with StoreWriter(tmp_path, sizing=sizing) as store:
        for batch in range(60):
            lines = [f"{batch * 5 + line:03d}" for line in range(5)]
            store.append(Signal.LOGS, logs(*lines, at=NOON + batch * 5 * SECOND))
            store.compact(NOON)
    segments = StoreReader(tmp_path).snapshot().segments(Signal.LOGS)
    assert [f"{number:03d}" for number in range(300)] == bodies(tmp_path)
    assert len(segments) <= 12
    assert max(each.rows for each in segments) <= 100


def test_a_day_that_has_passed_is_tidied(tmp_path: Path) -> None:
    """Two segments of about one size become one."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        for line in ("a", "b"):
            store.append(Signal.LOGS, logs(line))
            store.compact(NOON)
        assert 2 == len(_paths(tmp_path, Signal.LOGS))
        store.compact(NOON + DAY)
    assert 1 == len(_paths(tmp_path, Signal.LOGS))
    assert ["a", "b"] == bodies(tmp_path)


def test_what_is_no_longer_needed_stays_for_those_who_read_it(tmp_path: Path) -> None:
    """A snapshot answers for minutes after a compaction; later it says that it has expired."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        store.append(Signal.LOGS, logs("a"))
        store.append(Signal.LOGS, logs("b"))
        snapshot = StoreReader(tmp_path).snapshot()
        store.compact(NOON)
        store.compact(NOON + GRACE - 1)
        assert ["a", "b"] == bodies(snapshot)
        store.compact(NOON + GRACE)
        with pytest.raises(SnapshotExpired):
            bodies(snapshot)
        assert ["a", "b"] == bodies(tmp_path)
    left = [path for path in tmp_path.rglob("*.parquet") if path.is_file()]
    assert 1 == len(left)


@pytest.mark.parametrize("compact_between", [False, True])
def test_what_was_delivered_twice_is_shown_once(tmp_path: Path, *, compact_between: bool) -> None:
    """Spans, samples and deploys; two equal log lines are two."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        for attempt in range(3):
            store.append(Signal.SPANS, spans(1, 1, 2, name=f"try {attempt}"))
            store.append(Signal.METRICS, samples([1.0, float(attempt)]))
            store.append(Signal.LOGS, logs("same"))
            if compact_between:
                store.compact(NOON)
    assert [("try 0",), ("try 0",)] == seen(tmp_path, Signal.SPANS, "name")
    assert [(0.0,), (1.0,)] == seen(tmp_path, Signal.METRICS, "value")
    assert ["same"] * 3 == bodies(tmp_path)


def test_retention_drops_by_age(tmp_path: Path) -> None:
    """Of each signal its own; what is younger stays."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        store.append(Signal.LOGS, logs("d0", "d1", "d2", "d3", step=DAY))
        store.append(Signal.SPANS, spans(1))
        store.compact(NOON + 3 * DAY)
        policy = Retention(limits={Signal.LOGS: Limit(age=DAY)})
        assert 2 == store.retain(NOON + 3 * DAY, policy)
        assert 0 == store.retain(NOON + 3 * DAY, policy)
    assert ["d2", "d3"] == bodies(tmp_path)
    assert 1 == len(seen(tmp_path, Signal.SPANS))
    assert [] == verify(tmp_path)


def test_retention_drops_the_oldest_of_what_is_too_much(tmp_path: Path) -> None:
    """Until the rest is within the limit."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        store.append(Signal.LOGS, logs("d0", "d1", "d2", "d3", step=DAY))
        store.compact(NOON)
        sizes = [each.bytes for each in StoreReader(tmp_path).snapshot().segments(Signal.LOGS)]
        limit = Limit(size=sizes[-1] + sizes[-2])
        assert 2 == store.retain(NOON, Retention(limits={Signal.LOGS: limit}))
    assert ["d2", "d3"] == bodies(tmp_path)


def test_hostile_times_do_not_stop_compaction(tmp_path: Path) -> None:
    """The first and the last instant that there are."""
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        for time in (-(2**63), 2**63 - 1, 0):
            store.append(Signal.LOGS, logs(str(time), at=time))
        store.compact(NOON)
        store.append(Signal.LOGS, logs("after"))
        store.compact(NOON)
        assert store.trouble is None
    found = StoreReader(tmp_path).snapshot().newest(Signal.LOGS, limit=4, columns=["body"])
    assert [str(2**63 - 1), "after", "0", str(-(2**63))] == found.column("body").to_pylist()
