"""Asking a store: by app and time, with bound values, within a deadline."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from collectors.signals import SCHEMAS, Signal
from collectors.store import Sizing, StoreMissing, StoreReader, StoreWriter
from collectors.store.fresh import encode, name_of
from slo.errors import QueryRejected, SourceTimeout
from tests.unit.collectors.store.telemetry import NOON, SECOND, bodies, logs, spans


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two apps and an unattributed line, half of it compacted."""
    with StoreWriter(tmp_path, sizing=Sizing(partition_rows=1)) as store:
        store.append(Signal.LOGS, logs("t0", "t1", "t2"))
        store.append(Signal.LOGS, logs("c0", "c1", app="cargo"))
        store.compact(NOON)
        store.append(Signal.LOGS, logs("u0", app=None))
        store.append(Signal.LOGS, logs("t3", at=NOON + 3 * SECOND))
    return tmp_path


SQL = "SELECT body FROM records ORDER BY body"


@pytest.mark.parametrize(
    ("apps", "expected"),
    [
        (None, ["c0", "c1", "t0", "t1", "t2", "t3", "u0"]),
        (["ticketing"], ["t0", "t1", "t2", "t3"]),
        (["cargo", None], ["c0", "c1", "u0"]),
        ([None], ["u0"]),
        (["loyalty"], []),
        ([], []),
    ],
)
def test_records_are_those_of_the_apps(
    folder: Path, apps: list[str | None] | None, expected: list[str]
) -> None:
    """No apps at all is nothing, never everything."""
    found = StoreReader(folder).query(Signal.LOGS, SQL, apps=apps)
    assert expected == found.column("body").to_pylist()


def test_ranges_are_closed_on_the_left(folder: Path) -> None:
    """``start <= time < end``."""
    found = StoreReader(folder).query(
        Signal.LOGS, SQL, apps=["ticketing"], start=NOON + SECOND, end=NOON + 3 * SECOND
    )
    assert ["t1", "t2"] == found.column("body").to_pylist()


def test_values_are_bound(folder: Path) -> None:
    """By name or by place."""
    reader = StoreReader(folder)
    named = reader.query(Signal.LOGS, "SELECT body FROM records WHERE body = $body", {"body": "t1"})
    placed = reader.query(Signal.LOGS, "SELECT body FROM records WHERE body = ?", ["t1"])
    assert ["t1"] == named.column("body").to_pylist() == placed.column("body").to_pylist()


def test_a_signal_without_rows_has_its_columns(folder: Path) -> None:
    """So that no caller needs a case for it."""
    found = StoreReader(folder).query(Signal.SPANS, "SELECT * FROM records")
    assert (0, SCHEMAS[Signal.SPANS].names) == (found.num_rows, found.column_names)
    assert SCHEMAS[Signal.SPANS].types == found.schema.types


def test_a_snapshot_does_not_change(folder: Path) -> None:
    """While others write, compact and read."""
    snapshot = StoreReader(folder).snapshot()
    before = bodies(snapshot)
    with StoreWriter(folder) as store:
        store.append(Signal.LOGS, logs("new"))
        store.compact(NOON)
        assert before == bodies(snapshot)
    assert [*before, "new"] == sorted(map(str, bodies(folder)), key=lambda x: (x == "new", x))


def test_the_newest_come_first_and_enough_is_enough(folder: Path) -> None:
    """A condition with bound values, the columns that are asked for."""
    snapshot = StoreReader(folder).snapshot()
    found = snapshot.newest(
        Signal.LOGS,
        "contains(body, $text)",
        {"text": "t"},
        limit=2,
        columns=["time", "body"],
        end=NOON + 3 * SECOND,
    )
    assert [(NOON + 2 * SECOND, "t2"), (NOON + SECOND, "t1")] == [
        tuple(row.values()) for row in found.to_pylist()
    ]
    assert 0 == snapshot.newest(Signal.LOGS, "false", limit=5).num_rows
    assert ["name"] == snapshot.newest(Signal.SPANS, limit=5, columns=["name"]).column_names


def test_bounds_and_apps_come_from_statistics(folder: Path) -> None:
    """Without reading a row."""
    snapshot = StoreReader(folder).snapshot()
    assert (NOON, NOON + 3 * SECOND) == snapshot.bounds(Signal.LOGS)
    assert (NOON, NOON + SECOND) == snapshot.bounds(Signal.LOGS, apps=["cargo"])
    assert snapshot.bounds(Signal.SPANS) is None
    assert frozenset({"ticketing", "cargo", None}) == snapshot.apps(Signal.LOGS)


def test_a_deadline_ends_a_question(folder: Path) -> None:
    """And leaves the reader able to answer the next."""
    reader = StoreReader(folder)
    endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    with pytest.raises(SourceTimeout):
        reader.query(Signal.LOGS, endless, deadline=0.2)
    with pytest.raises(SourceTimeout):
        reader.query(Signal.LOGS, SQL, deadline=0)
    assert 7 == reader.query(Signal.LOGS, SQL, deadline=60).num_rows


def test_too_much_memory_is_refused(folder: Path) -> None:
    """With a hint, instead of the process's end."""
    reader = StoreReader(folder, memory="16MB")
    with pytest.raises(QueryRejected, match="more memory") as refused:
        reader.query(Signal.LOGS, "SELECT list(range) FROM range(20000000)")
    assert refused.value.hint is not None
    assert 7 == reader.query(Signal.LOGS, SQL).num_rows


def test_no_store_is_an_error(tmp_path: Path) -> None:
    """Reading makes none."""
    with pytest.raises(StoreMissing, match="there is no store in"):
        StoreReader(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_files_of_older_columns_are_read_and_compacted(tmp_path: Path) -> None:
    """A column that came later is null in them; one that has gone is left out."""
    older = spans(1, 2).drop_columns(["team", "weight"]).append_column("gone", pa.array(["x", "y"]))
    older = older.append_column("weight", pa.array([1, 2], pa.int32()))
    with StoreWriter(tmp_path) as store:
        store.append(Signal.SPANS, spans(3))
    content = encode(older, ())
    (tmp_path / "fresh" / "spans" / name_of(2, content)).write_bytes(content)
    sql = "SELECT team, weight, span_id FROM records ORDER BY span_id"
    expected = [(None, 1.0), (None, 2.0), (None, 1.0)]
    for _ in range(2):
        found = StoreReader(tmp_path).query(Signal.SPANS, sql)
        assert expected == [(row["team"], row["weight"]) for row in found.to_pylist()]
        everything = StoreReader(tmp_path).query(Signal.SPANS, "SELECT * FROM records")
        assert SCHEMAS[Signal.SPANS].names == everything.column_names
        with StoreWriter(tmp_path) as store:
            store.compact(NOON)
    (segment,) = StoreReader(tmp_path).snapshot().segments(Signal.SPANS)
    assert SCHEMAS[Signal.SPANS].names == pq.read_schema(tmp_path / segment.path).names
