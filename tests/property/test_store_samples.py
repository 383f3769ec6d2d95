"""Samples of stored series are those that a naive reading of the same rows finds."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.promql import Matcher
from collectors.readers.store.asking import Asker
from collectors.readers.store.samples import StoredSamples
from collectors.signals import Signal
from collectors.store import StoreReader, StoreWriter
from tests.stored_rows import HOUR, NOON, SECOND, Row, rows_of, sample, store

_NAMES = st.sampled_from(["hits_total", "misses_total"])
_APPS = st.sampled_from(["ticketing", "cargo", None])


@st.composite
def _samples(draw: st.DrawFn) -> list[Row]:
    """Gauges of few series, some delivered twice; a series always has the same owner."""
    rows = []
    for _ in range(draw(st.integers(0, 40))):
        app = draw(_APPS)
        pod = draw(st.sampled_from("ab")) + str(app)
        at = draw(st.integers(0, 60))
        rows.append(sample(draw(_NAMES), float(at), at * 3600, {"pod": pod}, app=app, kind="gauge"))
    return rows


@settings(max_examples=30, deadline=None)
@given(
    rows=_samples(),
    compacted=st.booleans(),
    apps=st.sampled_from([None, ("ticketing",), ("cargo", None)]),
    hours=st.tuples(st.integers(-1, 61), st.integers(-1, 61)).map(sorted),
)
def test_samples_are_those_of_a_naive_reading(
    rows: list[Row],
    compacted: bool,  # noqa: FBT001 - drawn
    apps: tuple[str | None, ...] | None,
    hours: list[int],
) -> None:
    """Over several days, for some apps, each delivered row once, asked twice."""
    start, end = (NOON // 1_000_000 + hour * 3_600_000 for hour in hours)
    expected: dict[tuple[str, str], dict[int, float]] = {}
    for row in rows:
        at = row["time"] // 1_000_000
        if (
            row["name"] == "hits_total"
            and start < at <= end
            and (apps is None or row["app"] in apps)
        ):
            expected.setdefault((row["name"], row["labels"]), {})[at] = row["value"]
    with tempfile.TemporaryDirectory() as folder:
        path = store(Path(folder), {Signal.METRICS: rows}, compacted=compacted)
        source = StoredSamples(Asker(StoreReader(path, threads=1)), apps)
        for _ in range(2):
            found = source.select([Matcher(name="__name__", value="hits_total")], start, end)
            assert sorted(sorted(each.items()) for each in expected.values()) == sorted(
                list(zip(one.times.tolist(), one.values.tolist(), strict=True)) for one in found
            )


def test_one_reader_sees_what_arrives_and_leaves_out_what_does_not_parse(tmp_path: Path) -> None:
    """A reader keeps what it read of files, and still answers from those that are there now."""
    with StoreWriter(tmp_path) as writer:
        writer.append(Signal.METRICS, rows_of(Signal.METRICS, [sample("hits_total", 1, 0)]))
        reader = StoreReader(tmp_path, threads=1)
        assert [1.0] == _values(reader)
        writer.append(Signal.METRICS, rows_of(Signal.METRICS, [sample("hits_total", 2, 60)]))
        assert [1.0, 2.0] == _values(reader)
        writer.compact(NOON + 48 * HOUR)
        assert [1.0, 2.0] == _values(reader)
        writer.append(Signal.METRICS, rows_of(Signal.METRICS, [sample("hits_total", 3, 120)]))
        torn = max((tmp_path / "fresh" / "metrics").glob("*.parquet"))
        torn.write_bytes(torn.read_bytes()[:-9])
        assert [1.0, 2.0] == _values(reader)


def _values(reader: StoreReader) -> list[float]:
    at = NOON // 1_000_000
    source = StoredSamples(Asker(reader))
    matcher = Matcher(name="__name__", value="hits_total")
    found = source.select([matcher], at - 1000, at + 600 * (SECOND // 1_000_000))
    return [value for one in found for value in one.values.tolist()]
