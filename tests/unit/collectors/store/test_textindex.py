"""An index of log texts skips what it may, and is never needed for a right answer."""

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from collectors.signals import Signal, table
from collectors.store import Limit, Retention, Sizing, StoreReader, StoreWriter, repairable, verify
from collectors.store.layout import DAY, Layout
from collectors.store.manifest import read_manifest
from collectors.store.textgrams import bitmap, may_meet
from collectors.store.textindex import LEAST_ROWS, TextIndexes, tend
from slo.logquery import parse

DAY_OF_LOGS = 20_400
BEGIN = DAY_OF_LOGS * DAY
LATER = BEGIN + 2 * DAY
ROWS = 40_000
AT_MOST = 10_000
SIZING = Sizing(segment_rows=AT_MOST)
RARE = "the kestrel has landed"
PLACES = (12_345, 12_346, 39_999)


def lines() -> list[str]:
    """Lines of numbers, of which a few have rare words."""
    made = [f"GET /seats/{number} took {number % 977} ms" for number in range(ROWS)]
    for place in PLACES:
        made[place] = RARE.upper() if place % 2 else RARE
    return made


def write(folder: Path, *, now: int = LATER) -> Path:
    """A store of four segments of one app and day."""
    texts = lines()
    with StoreWriter(folder, sizing=SIZING) as writer:
        columns: dict[str, list[object]] = {
            "time": [BEGIN + number for number in range(ROWS)],
            "app": ["ticketing"] * ROWS,
            "body": list(texts),
        }
        writer.append(Signal.LOGS, table(Signal.LOGS, columns))
        writer.compact(now)
    return folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with an index."""
    return write(tmp_path / "store")


def count(path: Path, query: str, condition: str) -> int:
    """How many records meet a condition that a query stands for."""
    reader = StoreReader(path, threads=1)
    sql = f"SELECT count(*) AS rows FROM records WHERE {condition}"
    found = reader.snapshot().query(Signal.LOGS, sql, texts=parse(query))
    reader.close()
    return int(found.column("rows")[0].as_py())


def files(path: Path) -> list[Path]:
    """The files of the index."""
    return sorted((path / "text").iterdir())


def test_compaction_makes_an_index_of_each_large_segment(path: Path) -> None:
    """Of four segments there are four files, small beside the segments."""
    segments = read_manifest(path / "manifest.json").of(Signal.LOGS)
    assert len(segments) == len(files(path)) == ROWS // AT_MOST
    assert sum(each.stat().st_size for each in files(path)) < 4 * ROWS


def test_only_blocks_that_may_hold_a_word_are_read(path: Path) -> None:
    """Three lines in two blocks need two blocks, whatever the case of the query."""
    segments = read_manifest(path / "manifest.json").of(Signal.LOGS)
    indexes = TextIndexes(Layout(root=path))
    found = indexes.where(segments, parse("KESTREL landed"))
    assert sorted(map(len, found.values())) == [0, 0, 1, 1]
    assert len(PLACES) == count(path, "Kestrel", "body ILIKE '%kestrel%'")


def test_what_an_index_cannot_tell_is_read(path: Path) -> None:
    """Short words, negation and fields narrow nothing; an alternative narrows if all of it does."""
    segments = read_manifest(path / "manifest.json").of(Signal.LOGS)
    indexes = TextIndexes(Layout(root=path))
    for query in ("ms", "not kestrel", "host: kestrel", "kestrel or ms", "a*b", "*"):
        assert {} == indexes.where(segments, parse(query)), query
    both = indexes.where(segments, parse("kestrel or petrel"))
    assert sorted(map(len, both.values())) == [0, 0, 1, 1]


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "gone", "another's"])
def test_a_damaged_index_changes_no_answer_and_is_made_anew(path: Path, damage: str) -> None:
    """All is read instead; verifying says so and finds nothing lost."""
    one, other, *_ = files(path)
    content = bytearray(one.read_bytes())
    content[len(content) // 2] ^= 0xFF
    if damage == "gone":
        shutil.rmtree(path / "text")
    else:
        broken = {"torn": content[:-9], "flipped": content, "empty": b""}
        one.write_bytes(bytes(broken.get(damage, other.read_bytes())))
    assert len(PLACES) == count(path, "kestrel", "body ILIKE '%kestrel%'")
    assert [] == verify(path)
    assert (0 if damage == "gone" else 1) == len(repairable(path))
    with StoreWriter(path, sizing=SIZING) as writer:
        assert 0 == writer.scrub()
        writer.compact(LATER)
    assert [] == repairable(path)
    assert ROWS // AT_MOST == len(files(path))


def test_an_index_of_another_version_is_replaced(path: Path) -> None:
    """Its name says of which version a file is."""
    old = files(path)[0]
    old.rename(old.with_name(f"{old.name}.9"))
    assert len(PLACES) == count(path, "kestrel", "body ILIKE '%kestrel%'")
    with StoreWriter(path, sizing=SIZING) as writer:
        writer.compact(LATER)
    assert old in files(path)
    assert ROWS // AT_MOST == len(files(path))


def test_retention_takes_the_index_along(path: Path) -> None:
    """What is left of a segment that was dropped is nothing."""
    with StoreWriter(path, sizing=SIZING) as writer:
        writer.retain(LATER, Retention(limits={Signal.LOGS: Limit(age=DAY)}))
        writer.compact(LATER)
        assert [] == files(path)


def test_small_segments_and_those_of_today_have_no_index(tmp_path: Path) -> None:
    """They will be merged soon, or are read as fast as an index."""
    path = write(tmp_path / "today", now=BEGIN + DAY - 1)
    assert not (path / "text").exists()
    manifest = read_manifest(path / "manifest.json")
    tend(Layout(root=path), manifest, LATER)
    assert len(manifest.of(Signal.LOGS)) == len(files(path))
    assert all(each.rows >= LEAST_ROWS for each in manifest.of(Signal.LOGS))


def test_an_index_that_cannot_be_written_stops_no_compaction(tmp_path: Path) -> None:
    """A file stands where its folder should be."""
    path = tmp_path / "store"
    path.mkdir()
    (path / "text").write_text("in the way")
    write(path)
    assert len(PLACES) == count(path, "kestrel", "body ILIKE '%kestrel%'")


def test_lower_case_is_as_duckdb_has_it() -> None:
    """Characters that are equal to DuckDB in lower case have one in the index as well."""
    characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    every = pa.table({"one": pa.array(characters, pa.string())})
    connection = duckdb.connect(":memory:")
    theirs = connection.sql("SELECT lower(one) AS low FROM every").to_arrow_table().column("low")
    ours = pc.utf8_lower(every.column("one"))
    assert theirs.to_pylist() != characters
    # The lower case of what is lower to DuckDB: what it took for equal is equal.
    assert pc.utf8_lower(theirs).to_pylist() == pc.utf8_lower(ours).to_pylist()
    assert ours.to_pylist() == pc.utf8_lower(ours).to_pylist()


def test_searching_whatever_the_case_is_searching_lower_case() -> None:
    """DuckDB's ``ILIKE`` finds what it finds in lower case, for every character."""
    characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    every = pa.table({"one": pa.array(characters, pa.string())})
    assert every.num_rows > 1_000_000
    connection = duckdb.connect(":memory:")
    found = connection.execute(
        "SELECT count(*) FROM (SELECT one, unnest([lower(one), upper(one), 'k', 'i']) AS word"
        " FROM every WHERE one NOT IN ('%', '_')) WHERE ('a' || one || 'b' ILIKE '%' || word || '%'"
        " ESCAPE '\\') <> contains(lower('a' || one || 'b'), lower(word))"
        " AND one <> '\\'"
    ).fetchone()
    assert (0,) == found


def test_texts_of_too_much_variety_have_an_empty_bitmap() -> None:
    """Nothing can be told of them, so nothing is kept, and everything may be there."""
    noise = np.random.default_rng(7).integers(32, 127, 4_000_000).astype(np.uint8).tobytes()
    found = bitmap(pa.chunked_array([[noise.decode()]]))
    assert 0 == len(found)
    meets = may_meet(parse("kestrel"))
    assert meets is not None
    assert meets(found)


def test_a_part_of_a_table_is_indexed_by_itself() -> None:
    """What stands before and after it in memory is not taken for its own."""
    texts = pa.array(["first word", "second word", None, "third word"])
    found = bitmap(pa.chunked_array([texts.slice(1, 2)]))
    expected = {"second": True, "first": False, "third": False, "word": True}
    for word, there in expected.items():
        meets = may_meet(parse(word))
        assert meets is not None
        assert there == meets(found), word
