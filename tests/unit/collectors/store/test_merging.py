"""Segments sorted by time become one sorted segment, part by part."""

from pathlib import Path
from typing import Any

import pytest

from collectors.signals import Signal, table
from collectors.store import Sizing, StoreReader, StoreWriter
from collectors.store.fresh import UnreadableError
from collectors.store.merging import is_by_time, merged

DAY = 86_400_000_000_000
START = 20_000 * DAY
EACH = Sizing(partition_rows=1, merged_files=100)


def _write(folder: Path, *parts: list[int]) -> StoreWriter:
    """Make a segment of each list of seconds; a row's body says where it came from."""
    writer = StoreWriter(folder, sizing=EACH)
    for number, seconds in enumerate(parts):
        columns: dict[str, list[Any]] = {
            "time": [START + second * 10**9 for second in seconds],
            "app": ["ticketing"] * len(seconds),
            "body": [f"{number}-{second}" for second in seconds],
        }
        writer.append(Signal.LOGS, table(Signal.LOGS, columns))
        writer.compact(START)
    return writer


@pytest.mark.parametrize(
    "parts",
    [
        [[1, 2, 3], [4, 5], [6]],
        [[4, 5], [6], [1, 2, 3]],
        [[1, 5, 9], [2, 4, 9], [0, 9]],
        [list(range(0, 40_000, 2)), list(range(1, 40_000, 2)), [20_000]],
        [[7, 7], [7], [7, 7, 7]],
    ],
    ids=["one after another", "in another order", "overlapping", "in many parts", "one instant"],
)
def test_all_rows_come_once_and_in_order(tmp_path: Path, parts: list[list[int]]) -> None:
    with _write(tmp_path / "store", *parts):
        segments = StoreReader(tmp_path / "store").snapshot().segments(Signal.LOGS)
        assert len(parts) == len(segments)
        assert is_by_time(Signal.LOGS, segments)
        rows = [
            row
            for each in merged(tmp_path / "store", Signal.LOGS, segments)
            for row in zip(
                *(each.column(name).to_pylist() for name in ("time", "body")), strict=True
            )
        ]
    assert sorted(time for time, _ in rows) == [time for time, _ in rows]
    expected = [f"{number}-{second}" for number, part in enumerate(parts) for second in part]
    assert sorted(expected) == sorted(body for _, body in rows)


def test_metrics_are_not_sorted_by_time_alone() -> None:
    assert not is_by_time(Signal.METRICS, [])


def test_a_damaged_segment_is_told(tmp_path: Path) -> None:
    with _write(tmp_path / "store", [1, 2], [3]):
        segments = StoreReader(tmp_path / "store").snapshot().segments(Signal.LOGS)
        (tmp_path / "store" / segments[0].path).write_bytes(b"no parquet")
        with pytest.raises(UnreadableError):
            list(merged(tmp_path / "store", Signal.LOGS, segments))


def test_compaction_merges_without_loss(tmp_path: Path) -> None:
    """Four segments of one app and day become one; the store still holds each row once."""
    folder = tmp_path / "store"
    with _write(folder, [5, 6], [1, 2], [3], [2, 4]):
        pass
    with StoreWriter(folder, sizing=Sizing(partition_rows=1, merged_files=4)) as writer:
        writer.compact(START)
    reader = StoreReader(folder)
    assert 1 == len(reader.snapshot().segments(Signal.LOGS))
    found = reader.query(Signal.LOGS, "SELECT body FROM records ORDER BY time, body")
    assert ["1-1", "1-2", "3-2", "2-3", "3-4", "0-5", "0-6"] == found.column("body").to_pylist()
