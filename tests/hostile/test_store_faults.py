"""Disks that are full or read-only, files that are damaged, and a second writer."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.signals import Signal
from collectors.store import (
    Sizing,
    StoreBusy,
    StoreError,
    StoreMissing,
    StoreReader,
    StoreWriter,
    stats,
    verify,
)
from slo.errors import QueryRejected
from tests.unit.collectors.store.telemetry import NOON, bodies, logs, samples, seen, spans

ROOT = Path(__file__).parents[2]
SPLIT = Sizing(partition_rows=0)


def _victim(*argv: str | Path, wrap: tuple[str, ...] = ()) -> list[str]:
    done = subprocess.run(
        [*wrap, sys.executable, "-m", "tests.hostile.store_faults_victim", *map(str, argv)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout.splitlines()


def test_a_full_disk_stores_nothing_and_the_writer_goes_on(tmp_path: Path) -> None:
    """What was refused is not shown, and the same batch is stored once there is room."""
    assert [
        "stored",
        "the store's logs cannot be written: File too large",
        "['before']",
        "stored",
        "['before', 'refused']",
        "a segment of the store cannot be written: File too large",
        "stored",
        "['before', 'fresh', 'refused']",
    ] == _victim("full", tmp_path / "store")


def test_a_file_system_without_room_is_no_harm_either(tmp_path: Path) -> None:
    """A small file system is filled to the last byte, where this machine lets us mount one."""
    mount = ("unshare", "--mount", "--map-root-user", "sh", "-c")
    script = f'mount -t tmpfs -o size=400k none "{tmp_path}" && exec "$0" "$@"'
    if subprocess.run([*mount, script, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    assert [
        "stored",
        "the store's logs cannot be written: No space left on device",
        "['before']",
        "stored",
        "['before', 'refused']",
    ] == _victim("filled", tmp_path / "store", wrap=(*mount, script))


def test_a_read_only_folder_stores_nothing_and_is_still_read(tmp_path: Path) -> None:
    """Reading needs no right to write."""
    folder = tmp_path / "store"
    StoreWriter(folder).close()
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.getuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o111)
    assert [
        "stored",
        "the store's logs cannot be written: Permission denied",
        "['before']",
        "stored",
        "['before', 'refused']",
        "['before', 'refused']",
        f"the store in {folder}/inner cannot be written: Permission denied",
    ] == _victim("forbidden", folder)


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    """In this process or another; when the first ends, however, the next may write."""
    with StoreWriter(tmp_path), pytest.raises(StoreBusy, match=f"process {os.getpid()}") as busy:
        StoreWriter(tmp_path)
    assert os.getpid() == busy.value.pid
    script = (
        "import sys, pathlib; from collectors.store import StoreWriter; "
        "store = StoreWriter(pathlib.Path(sys.argv[1])); print('open', flush=True); "
        "sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert "open\n" == other.stdout.readline()
    with pytest.raises(StoreBusy, match=f"process {other.pid}"):
        StoreWriter(tmp_path)
    other.kill()
    other.communicate()
    StoreWriter(tmp_path).close()


def _damage(path: Path, *, at: float = 0.3) -> None:
    content = bytearray(path.read_bytes())
    place = int(len(content) * at)
    content[place : place + 64] = bytes(64)
    path.write_bytes(content)


def _two_segments(folder: Path) -> list[Path]:
    lines = [f"{place} {place * 7919:x}" for place in range(3_000)]
    with StoreWriter(folder, sizing=SPLIT) as store:
        store.append(Signal.LOGS, logs(*lines, app="cargo"))
        store.append(Signal.LOGS, logs("whole", app="ticketing"))
        store.compact(NOON)
    snapshot = StoreReader(folder).snapshot()
    return [folder / each.path for each in snapshot.segments(Signal.LOGS)]


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5])
def test_a_damaged_segment_is_left_out_reported_and_set_aside(tmp_path: Path, at: float) -> None:
    """Readers go on with the others and say so; the writer moves it to the quarantine."""
    damaged, _ = _two_segments(tmp_path)
    _damage(damaged, at=at)
    assert [f"{damaged.relative_to(tmp_path)} is not as it was written"] == verify(tmp_path)
    snapshot = StoreReader(tmp_path).snapshot()
    found = snapshot.query(Signal.LOGS, "SELECT * FROM records").to_pylist()
    if len(found) == 1:
        assert (str(damaged.relative_to(tmp_path)),) == snapshot.unreadable
        assert 1 == stats(snapshot).quarantined
    with StoreWriter(tmp_path) as store:
        assert 1 == store.scrub()
    assert ["whole"] == bodies(tmp_path)
    assert [] == verify(tmp_path)
    assert 1 == stats(StoreReader(tmp_path).snapshot()).quarantined
    assert not damaged.exists()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all", b"PAR1" * 500])
def test_a_segment_that_is_no_parquet_is_left_out(tmp_path: Path, content: bytes) -> None:
    """A torn or overwritten file does not take the rest with it; the next writer sets it aside."""
    damaged, _ = _two_segments(tmp_path)
    damaged.write_bytes(content)
    snapshot = StoreReader(tmp_path).snapshot()
    assert ["whole"] == bodies(snapshot)
    assert (str(damaged.relative_to(tmp_path)),) == snapshot.unreadable
    StoreWriter(tmp_path).close()
    assert [] == verify(tmp_path)
    assert 1 == stats(StoreReader(tmp_path).snapshot()).quarantined


def test_a_segment_that_is_missing_is_reported(tmp_path: Path) -> None:
    """It is lost data, never an empty answer without a word."""
    lost, _ = _two_segments(tmp_path)
    lost.unlink()
    snapshot = StoreReader(tmp_path).snapshot()
    assert ["whole"] == bodies(snapshot)
    assert (str(lost.relative_to(tmp_path)),) == snapshot.unreadable
    assert [f"{lost.relative_to(tmp_path)} is missing"] == verify(tmp_path)


def test_a_damaged_commit_is_left_out_and_set_aside(tmp_path: Path) -> None:
    """The other commits are shown, and absorbed."""
    with StoreWriter(tmp_path) as store:
        for number in (1, 2, 3):
            store.append(Signal.SPANS, spans(number))
    second = sorted((tmp_path / "fresh" / "spans").iterdir())[1]
    second.write_bytes(second.read_bytes()[:-20])
    assert [f"fresh/spans/{second.name} is not as it was written"] == verify(tmp_path)
    expected = [(1,), (3,)]
    read_back = "('0x' || trace_id)::INTEGER"
    assert expected == seen(tmp_path, Signal.SPANS, read_back)
    with StoreWriter(tmp_path) as store:
        assert expected == seen(tmp_path, Signal.SPANS, read_back)
        store.compact(NOON)
    assert expected == seen(tmp_path, Signal.SPANS, read_back)
    assert [] == verify(tmp_path)
    assert 1 == stats(StoreReader(tmp_path).snapshot()).quarantined


def test_a_commit_whose_rows_are_damaged_is_not_counted(tmp_path: Path) -> None:
    """Its footer is sound, so that only reading it tells."""
    with StoreWriter(tmp_path) as store:
        store.append(Signal.SPANS, spans(*range(2_000), name="x" * 50))
        store.append(Signal.SPANS, spans(9_999))
    first = min((tmp_path / "fresh" / "spans").iterdir())
    content = first.read_bytes()
    first.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    snapshot = StoreReader(tmp_path).snapshot()
    assert 1 == stats(snapshot).signals[Signal.SPANS].records
    assert (f"fresh/spans/{first.name}",) == snapshot.unreadable


def test_a_segment_damaged_under_a_running_writer_does_not_stop_compaction(tmp_path: Path) -> None:
    """What is merged with it survives."""
    sizing = Sizing(mixed_files=2, partition_rows=1_000_000)
    with StoreWriter(tmp_path, sizing=sizing) as store:
        store.append(Signal.METRICS, samples([1.0] * 3_000, series=1))
        store.compact(NOON)
        (segment,) = StoreReader(tmp_path).snapshot().segments(Signal.METRICS)
        _damage(tmp_path / segment.path)
        (tmp_path / segment.path).write_bytes(b"")
        store.append(Signal.METRICS, samples([2.0] * 3_000, series=2))
        store.compact(NOON)
    assert [(2, 3_000)] == seen(tmp_path, Signal.METRICS, "min(series), count(*)")
    assert 1 == stats(StoreReader(tmp_path).snapshot()).quarantined


def test_a_torn_temporary_file_is_normal(tmp_path: Path) -> None:
    """It was never acknowledged: not shown, no problem, and gone with the next writer."""
    with StoreWriter(tmp_path) as store:
        store.append(Signal.LOGS, logs("kept"))
    torn = tmp_path / "fresh" / "logs" / ("0" * 19 + "2-0123456789abcdef.parquet.tmp")
    torn.write_bytes(b"PAR1torn")
    with (tmp_path / "receipts").open("ab") as receipts:
        receipts.write(b"- 0123")
    assert [] == verify(tmp_path)
    assert ["kept"] == bodies(tmp_path)
    StoreWriter(tmp_path).close()
    assert not torn.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 99}', b"\xff"])
def test_a_manifest_that_is_none_is_an_error_and_is_kept(tmp_path: Path, content: bytes) -> None:
    """Nobody takes the store for an empty one and writes over it."""
    _two_segments(tmp_path)
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(StoreError, match="is not a manifest"):
        StoreWriter(tmp_path)
    assert content == (tmp_path / "manifest.json").read_bytes()
    (tmp_path / "manifest.json").unlink()
    with pytest.raises(StoreError, match="segments and no manifest"):
        StoreWriter(tmp_path)
    with pytest.raises(StoreMissing):
        StoreReader(tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_parquet('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/out.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "COPY (SELECT 1) TO 'STORE/out.csv'",
        "SELECT 1; SELECT 2",
        "SELECT nothing FROM records",
        "SELECT",
    ],
)
def test_sql_reaches_nothing_but_the_records(tmp_path: Path, sql: str) -> None:
    """Whatever a question says, it reads the store's files only and writes none."""
    _two_segments(tmp_path)
    with pytest.raises(QueryRejected):
        StoreReader(tmp_path).query(Signal.LOGS, sql.replace("STORE", str(tmp_path)))


def test_names_of_apps_are_values(tmp_path: Path) -> None:
    """No name ends a string in SQL, leaves the folder or meets another name."""
    names = ["'; DROP TABLE records; --", "../../x", "_unattributed", "a\nb", "é" * 300, "%", "."]
    with StoreWriter(tmp_path, sizing=SPLIT) as store:
        for name in (*names, None):
            store.append(Signal.LOGS, logs(f"of {name}", app=name))
        store.compact(NOON)
        store.append(Signal.LOGS, logs("fresh", app=names[0]))
    reader = StoreReader(tmp_path)
    for name in (*names, None):
        found = reader.query(Signal.LOGS, "SELECT body FROM records ORDER BY ALL", apps=[name])
        expected = ["fresh", f"of {name}"] if name == names[0] else [f"of {name}"]
        assert expected == found.column("body").to_pylist()
    assert frozenset([*names, None]) == reader.snapshot().apps(Signal.LOGS)
    assert {tmp_path} == {path.parents[4] for path in tmp_path.rglob("segments/*/*/*/*.parquet")}
