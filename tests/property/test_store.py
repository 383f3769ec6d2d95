"""Reading a store gives what a list of all rows would give."""

import shutil
import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.signals import SCHEMAS, Signal, table
from collectors.store import (
    Limit,
    Retention,
    Sizing,
    Snapshot,
    StoreReader,
    StoreWriter,
    stats,
    verify,
)
from collectors.store.schemas import IDENTITY

DAY = 86_400_000_000_000
NOW = 20_400 * DAY
APPS = ("ticketing", 'a",env=~".*', None)

Row = dict[str, object]

apps = st.sampled_from(APPS)
# Few times and few ids, so that rows are often delivered twice; late ones, and one before 1970.
times = st.sampled_from([NOW, NOW - 1, NOW - 40 * DAY, -1])
small = st.integers(0, 3)
batches = st.integers(0, 9)


@st.composite
def rows(draw: st.DrawFn, signal: Signal) -> list[Row]:
    """A few rows of a signal."""
    many = draw(st.integers(1, 8))
    return [_row(draw, signal) for _ in range(many)]


def _row(draw: st.DrawFn, signal: Signal) -> Row:
    common: Row = {"time": draw(times), "app": draw(apps), "version": str(draw(small))}
    number = draw(st.integers(0, 1))
    match signal:
        case Signal.LOGS:
            return {**common, "body": f"line {number}"}
        case Signal.METRICS:
            own = {"name": f"m{number % 2}", "kind": "gauge", "delta": False, "labels": "{}"}
            return {**common, **own, "series": 2**64 - 1 - number, "value": float(draw(small))}
        case Signal.DEPLOYS:
            return {**common, "id": str(number)}
        case Signal.SPANS:
            own = {"end": 1, "duration": 1, "trace_id": str(number), "span_id": "1", "weight": 1.0}
            return {**common, **own}


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, object]]:
    """What happens to a store, in its order."""
    signal = st.sampled_from([*Signal, Signal.SPANS, Signal.METRICS])
    append = signal.flatmap(
        lambda one: st.tuples(st.just("append"), st.tuples(st.just(one), rows(one), batches))
    )
    compact = st.tuples(st.just("compact"), st.sampled_from([NOW, NOW + DAY // 2]))
    retain = st.tuples(st.just("retain"), st.integers(0, 50).map(lambda days: days * DAY))
    reopen = st.tuples(st.just("reopen"), st.none())
    return draw(
        st.lists(
            st.one_of(append, append, append, compact, retain, reopen), min_size=3, max_size=14
        )
    )


class Model:
    """The store as a list."""

    def __init__(self) -> None:
        self.rows: dict[Signal, list[Row]] = {signal: [] for signal in Signal}
        self.batches: set[tuple[Signal, int]] = set()

    def append(self, signal: Signal, new: list[Row], batch: int) -> None:
        """Keep the rows, unless the batch or the row is known."""
        if (signal, batch) in self.batches:
            return
        self.batches.add((signal, batch))
        keys = IDENTITY.get(signal)
        for row in new:
            known = [[old.get(key) for key in keys or ()] for old in self.rows[signal]]
            if keys is None or [row.get(key) for key in keys] not in known:
                self.rows[signal].append(row)

    def forget(self, seen: dict[Signal, list[Row]], limit: int) -> None:
        """Take out what the store dropped: rows that are older than the limit, and no others.

        A row that was delivered again, differently, may come to light when the first one is gone.
        """
        for signal, before in self.rows.items():
            after = [_key(row) for row in seen[signal]]
            known = [_key(row) for row in before]
            dropped = [row for row in before if _key(row) not in after]
            shown = [row for row in seen[signal] if _key(row) not in known]
            assert [] == [row for row in (*dropped, *shown) if _time(row) >= limit]
            self.rows[signal] = seen[signal]

    def select(
        self, signal: Signal, app: str | None, start: int, end: int
    ) -> list[tuple[object, ...]]:
        """The rows of an app in a range."""
        found = [row for row in self.rows[signal] if row["app"] == app]
        return sorted(map(_key, (row for row in found if start <= _time(row) < end)), key=repr)


def _time(row: Row) -> int:
    time = row["time"]
    assert isinstance(time, int)
    return time


COLUMNS = ("time", "app", "version", "body", "series", "value", "trace_id", "id")


def _key(row: Row) -> tuple[object, ...]:
    return tuple(row.get(name) for name in COLUMNS)


def _all(snapshot: Snapshot, signal: Signal) -> list[tuple[object, ...]]:
    return sorted(map(_key, snapshot.query(signal, "SELECT * FROM records").to_pylist()), key=repr)


def _table(signal: Signal, new: list[Row]) -> pa.Table:
    names = [name for name in SCHEMAS[signal].names if any(name in row for row in new)]
    return table(signal, {name: [row.get(name) for row in new] for name in names})


sizings = st.builds(
    Sizing,
    segment_rows=st.sampled_from([3, 1_000]),
    partition_rows=st.sampled_from([1, 3, 1_000]),
    mixed_files=st.integers(2, 3),
    merged_files=st.integers(2, 3),
    small_rows=st.integers(1, 4),
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
@given(story=steps(), sizing=sizings, app=apps, start=times, end=times)
def test_a_store_shows_what_a_list_would(
    story: list[tuple[str, object]], sizing: Sizing, app: str | None, start: int, end: int
) -> None:
    """After any appends, late, out of order and repeated, compactions, retention and restarts."""
    folder = Path(tempfile.mkdtemp(prefix="store-"))
    model = Model()
    writer = StoreWriter(folder, sizing=sizing)
    reader = StoreReader(folder, threads=1)
    try:
        for what, detail in story:
            writer = _step(writer, reader, model, sizing, (what, detail))
        snapshot = reader.snapshot()
        for signal in Signal:
            assert sorted(map(_key, model.rows[signal]), key=repr) == _all(snapshot, signal)
            found = snapshot.query(
                signal, "SELECT * FROM records", apps=[app], start=start, end=end
            )
            expected = model.select(signal, app, start, end)
            assert expected == sorted(map(_key, found.to_pylist()), key=repr)
            _assert_newest(snapshot, model, signal)
            counted = stats(snapshot).signals[signal]
            assert len(model.rows[signal]) == counted.records
        assert [] == verify(folder)
    finally:
        reader.close()
        writer.close()
        shutil.rmtree(folder)


def _step(
    writer: StoreWriter,
    reader: StoreReader,
    model: Model,
    sizing: Sizing,
    step: tuple[str, object],
) -> StoreWriter:
    match step:
        case "append", (Signal() as signal, list() as new, int() as number):
            writer.append(signal, _table(signal, new), batch=bytes([number]))
            model.append(signal, new, number)
        case "compact", int() as now:
            writer.compact(now)
        case "retain", int() as age:
            writer.retain(NOW, Retention(limits={signal: Limit(age=age) for signal in Signal}))
            snapshot = reader.snapshot()
            seen = {
                signal: snapshot.query(signal, "SELECT * FROM records").to_pylist()
                for signal in Signal
            }
            model.forget(seen, NOW - age)
        case "reopen", _:
            root = reader.snapshot().root
            writer.close()
            return StoreWriter(root, sizing=sizing)
    return writer


def _assert_newest(snapshot: Snapshot, model: Model, signal: Signal) -> None:
    newest = sorted((_time(row) for row in model.rows[signal]), reverse=True)[:3]
    found = snapshot.newest(signal, limit=3, columns=["time"])
    assert newest == found.column("time").to_pylist()
