"""Appending: durable when acknowledged, once for each batch, shared by those who come together."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pyarrow as pa
import pytest

from collectors.signals import SCHEMAS, Signal, empty, table
from collectors.store import Commit, StoreError, StoreReader, StoreWriter
from collectors.store.receipts import Receipt, Receipts
from tests.unit.collectors.store.telemetry import DAY, NOON, bodies, logs, samples, seen, spans


def test_what_is_acknowledged_is_on_disk_and_shown(tmp_path: Path) -> None:
    """Before any compaction, to any reader."""
    with StoreWriter(tmp_path) as store:
        assert Commit(number=1, rows=2) == store.append(Signal.LOGS, logs("a", "b"))
        assert ["a", "b"] == bodies(tmp_path)
        assert Commit(number=2, rows=1) == store.append(Signal.LOGS, logs("c"))
    assert ["a", "b", "c"] == bodies(tmp_path)


def test_all_columns_come_back_as_they_were(tmp_path: Path) -> None:
    """From commits and from segments, types included."""
    histogram = table(
        Signal.METRICS,
        {
            "time": [NOON, NOON + 1],
            "app": ["ticketing", None],
            "rung": [1, None],
            "name": ["latency_seconds"] * 2,
            "kind": ["histogram"] * 2,
            "delta": [True, False],
            "series": [2**64 - 1, 0],
            "labels": ['{"le":"é"}', "{}"],
            "value": [float("inf"), None],
            "count": [2**62, None],
            "bounds": [[0.1, 0.5], []],
            "buckets": [[1, 2, 3], None],
            "scale": [-4, None],
        },
    )
    with StoreWriter(tmp_path) as store:
        store.append(Signal.METRICS, histogram)
        for _ in range(2):
            found = StoreReader(tmp_path).query(
                Signal.METRICS, "SELECT * FROM records ORDER BY time"
            )
            assert histogram.to_pylist() == found.cast(SCHEMAS[Signal.METRICS]).to_pylist()
            store.compact(NOON)


def test_a_batch_is_stored_once(tmp_path: Path) -> None:
    """Also after compaction and in the next process; the same digest of another signal is new."""
    with StoreWriter(tmp_path) as store:
        assert not store.append(Signal.LOGS, logs("a"), batch=b"1").duplicate
        again = Commit(number=None, rows=0, duplicate=True)
        assert again == store.append(Signal.LOGS, logs("a"), batch=b"1")
        assert not store.append(Signal.SPANS, spans(1), batch=b"1").duplicate
    with StoreWriter(tmp_path) as store:
        assert again == store.append(Signal.LOGS, logs("a"), batch=b"1")
        store.compact(NOON)
        store.compact(NOON + DAY)
        assert again == store.append(Signal.LOGS, logs("a"), batch=b"1")
    with StoreWriter(tmp_path) as store:
        assert again == store.append(Signal.LOGS, logs("a"), batch=b"1")
    assert ["a"] == bodies(tmp_path)


def test_receipts_are_bounded_except_those_that_are_kept(tmp_path: Path) -> None:
    """The oldest are forgotten first; the file does not grow for ever either."""
    path = tmp_path / "receipts"
    receipts = Receipts(path, remembered=3)
    kept = Receipt.of(Signal.LOGS, b"file", kept=True)
    receipts.add([kept])
    receipts.persist([kept])
    for number in range(5_000):
        one = Receipt.of(Signal.LOGS, b"%d" % number)
        receipts.add([one])
        receipts.persist([one])
    again = Receipts(path, remembered=3)
    for known in (receipts, again):
        assert kept.key in known
        assert Receipt.of(Signal.LOGS, b"4999").key in known
        assert Receipt.of(Signal.LOGS, b"4996").key not in known
    assert path.stat().st_size < 35 * 1_100


def test_those_who_append_together_share_a_commit(tmp_path: Path) -> None:
    """Many threads, each with its own rows: all are stored, in fewer files than there are."""
    with StoreWriter(tmp_path) as store, ThreadPoolExecutor(32) as pool:
        commits = list(pool.map(lambda n: store.append(Signal.LOGS, logs(f"{n:03d}")), range(200)))
    assert [f"{n:03d}" for n in range(200)] == bodies(tmp_path)
    assert len({commit.number for commit in commits}) < 200
    assert len({commit.number for commit in commits}) == len(
        list((tmp_path / "fresh" / "logs").iterdir())
    )


def test_one_batch_from_many_threads_is_stored_once(tmp_path: Path) -> None:
    """A client that tries again while its first try is being stored."""
    with StoreWriter(tmp_path) as store, ThreadPoolExecutor(16) as pool:
        commits = list(
            pool.map(lambda _: store.append(Signal.LOGS, logs("a"), batch=b"1"), range(64))
        )
    assert ["a"] == bodies(tmp_path)
    assert 1 == sum(not commit.duplicate for commit in commits)


def test_a_table_of_other_columns_is_refused(tmp_path: Path) -> None:
    """It is the caller's mistake, and takes nobody else's rows with it."""
    with StoreWriter(tmp_path) as store:
        nameless = samples([1.0]).drop_columns(["name"])
        with pytest.raises(ValueError, match='no "name"'):
            store.append(Signal.METRICS, nameless)
        with pytest.raises(ValueError, match="time"):
            store.append(Signal.LOGS, pa.table({"body": ["a"]}))
        with pytest.raises(ValueError, match="parse"):
            store.append(Signal.LOGS, pa.table({"time": ["noon"], "body": ["a"]}))
        assert 0 == store.append(Signal.LOGS, empty(Signal.LOGS), batch=b"1").rows
    assert [] == bodies(tmp_path)


def test_a_closed_store_refuses(tmp_path: Path) -> None:
    """Closing twice does no harm."""
    store = StoreWriter(tmp_path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.append(Signal.LOGS, logs("a"))
    with pytest.raises(StoreError, match="closed"):
        store.compact(NOON)


def test_the_background_compacts_until_the_store_is_closed(tmp_path: Path) -> None:
    """With the clock that it is given."""
    asked = Event()

    def clock() -> int:
        asked.set()
        return NOON

    with StoreWriter(tmp_path) as store:
        store.append(Signal.SPANS, spans(*range(100)))
        store.start_background(clock, every=0.01)
        assert asked.wait(10)
        reader = StoreReader(tmp_path)
        for _ in range(1_000):
            if reader.snapshot().segments(Signal.SPANS):
                break
            Event().wait(0.01)
        assert () == reader.snapshot().commits(Signal.SPANS)
        assert store.trouble is None
    assert 100 == len(seen(tmp_path, Signal.SPANS))
