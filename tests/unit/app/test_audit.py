"""The audit log: nothing acknowledged is lost, and whatever is changed is found."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit import (
    GENESIS,
    AuditError,
    FaultKind,
    append,
    canonical,
    default_path,
    known_before,
    verify,
)
from app.audit.lines import Link, seal
from slo.gate.decide import decide
from slo.gate.document import to_record
from slo.gate.subject import ChangeType
from slo.ports import NoDataReason
from tests.unit.slo.gate.world import facts, judged, missing, policy

WRITER = """
import sys
from pathlib import Path
from app.audit import append
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
for number in range(count):
    link = append(path, {"writer": name, "number": number, "padding": "x" * (number % 7 * 900)})
    print(link.seq, link.hash, flush=True)
"""


def record(app: str = "ticketing", *, allowed: bool = True) -> dict[str, object]:
    """Return a small record in the form of a decision."""
    return {"allowed": allowed, "subject": {"app": app, "environment": "prod"}}


def written(path: Path, count: int = 5) -> list[Link]:
    """Write so many records."""
    return [append(path, {**record(), "number": number}) for number in range(count)]


def kinds(path: Path) -> list[tuple[FaultKind, int | None]]:
    """Return what verification finds, each with the number of its record."""
    return [(fault.kind, fault.seq) for fault in verify(path)]


def start(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    """Start a process that appends."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a log is to be, in a folder that does not exist yet."""
    return tmp_path / "state" / "audit.ndjson"


def test_records_are_chained_lines_without_a_header(path: Path) -> None:
    links = written(path, 3)
    lines = path.read_bytes().splitlines()
    assert [1, 2, 3] == [link.seq for link in links]
    assert [GENESIS, links[0].hash, links[1].hash] == [link.prev for link in links]
    assert [link.as_json() for link in links] == [json.loads(line)["audit"] for line in lines]
    assert () == verify(path)


def test_each_line_is_canonical_json(path: Path) -> None:
    append(path, {"b": "ü\n", "a": [1, None, True, {"d": "1.5", "c": ""}]})
    line = path.read_bytes()
    assert line.startswith(b'{"a":[1,null,true,{"c":"","d":"1.5"}],"audit":{"hash":')
    assert '"b":"ü\\n"}\n'.encode() in line


def test_a_decision_can_be_recorded(path: Path) -> None:
    append(path, to_record(decide(facts(judged()), policy())))
    assert "allow" == json.loads(path.read_text())["decision"]
    assert () == verify(path)


@pytest.mark.parametrize("data", [1.5, float("nan"), {"é": 1}, 2**53, {1: 2}, object()])
def test_what_has_several_forms_in_json_is_refused(data: object) -> None:
    with pytest.raises(TypeError):
        canonical(data)


TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
KEYS = st.text("abcXYZ_019", min_size=1, max_size=5)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(DATA)
def test_canonical_json_is_one_line_that_reads_back_the_same(data: object) -> None:
    """Lone surrogates and line separators included."""
    text = canonical(data)
    assert b"\n" not in text
    assert data == json.loads(text)
    assert text == canonical(json.loads(text))


def test_the_files_are_for_their_owner_alone(path: Path) -> None:
    append(path, record())
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert {"audit.ndjson": 0o600, "audit.ndjson.head": 0o600} == modes
    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)


def test_two_processes_write_one_chain(path: Path) -> None:
    writers = [start(path, name, 200) for name in ("a", "b")]
    said = [writer.communicate(timeout=120)[0].splitlines()[1:] for writer in writers]
    assert [0, 0] == [writer.returncode for writer in writers]
    assert () == verify(path)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert {(name, n) for name in ("a", "b") for n in range(200)} == {
        (line["writer"], line["number"]) for line in lines
    }
    acknowledged = sorted(int(line.split()[0]) for lines in said for line in lines)
    assert list(range(1, 401)) == acknowledged


def test_a_kill_loses_nothing_that_was_acknowledged(path: Path) -> None:
    """The process is killed while it writes; the next one goes on with a whole chain."""
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)
    moments = random.Random(seed)
    acknowledged: set[str] = set()
    for _ in range(5):
        writer = start(path, "victim", 10_000)
        assert writer.stdout is not None
        assert "ready\n" == writer.stdout.readline()
        time.sleep(moments.uniform(0.0, 0.15))
        writer.send_signal(signal.SIGKILL)
        rest, _ = writer.communicate(timeout=60)
        acknowledged.update(line.split()[1] for line in rest.splitlines() if line.count(" ") == 1)
    append(path, record())
    assert not [fault for fault in verify(path) if fault.breaks]
    hashes = {json.loads(line)["audit"]["hash"] for line in path.read_bytes().splitlines()}
    assert acknowledged <= hashes


def test_a_torn_line_is_set_aside_and_told(path: Path) -> None:
    written(path, 2)
    with path.open("ab") as log:
        log.write(b'{"allowed":true,"aud')
    assert [(FaultKind.TORN, None)] == kinds(path)
    third = append(path, record())
    assert 3 == third.seq
    assert [(FaultKind.SET_ASIDE, None)] == kinds(path)
    assert not verify(path)[0].breaks
    assert b'{"allowed":true,"aud' == path.with_name("audit.ndjson.torn-1").read_bytes()


def test_a_record_that_is_torn_later_is_missed_for_ever(path: Path) -> None:
    """Cutting an acknowledged record is not taken for a crash."""
    written(path, 3)
    os.truncate(path, path.stat().st_size - 10)
    assert [(FaultKind.TORN, None), (FaultKind.REMOVED, 3)] == kinds(path)
    append(path, record())
    assert [(FaultKind.REMOVED, 3), (FaultKind.SET_ASIDE, None)] == kinds(path)


def test_every_edited_byte_is_found(path: Path) -> None:
    written(path, 3)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert [fault for fault in verify(path) if fault.breaks], place
    path.write_bytes(whole)
    assert () == verify(path)


def test_an_edited_record_is_named(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"allowed":true', b'"allowed":false')
    path.write_bytes(b"".join(lines))
    assert [(FaultKind.EDITED, 3)] == kinds(path)
    assert "record 3 in line 3 was edited" == verify(path)[0].message


def test_an_edited_record_with_a_new_hash_is_found_by_its_follower(path: Path) -> None:
    written(path)
    _forge(path, 2)
    assert [(FaultKind.EDITED, 4)] == kinds(path)


def test_a_last_record_with_a_new_hash_is_found_by_the_note_beside_the_log(path: Path) -> None:
    written(path)
    _forge(path, 4)
    assert [(FaultKind.EDITED, 5)] == kinds(path)


def _forge(path: Path, index: int) -> None:
    """Change a record and seal it again."""
    lines = path.read_bytes().splitlines(keepends=True)
    found: dict[str, object] = json.loads(lines[index])
    audit = found.pop("audit")
    assert isinstance(audit, Mapping)
    lines[index] = seal({**found, "allowed": False}, audit["seq"], audit["prev"])[0]
    path.write_bytes(b"".join(lines))


def test_removed_records_are_counted_wherever_they_stood(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    for left, expected, message in (
        (lines[1:], 1, "record 1 was removed before line 1"),
        (lines[:1] + lines[3:], 2, "records 2 to 3 were removed before line 2"),
        (lines[:3], 4, "records 4 to 5 were removed from the end"),
        ([], 1, "records 1 to 5 were removed from the end"),
    ):
        path.write_bytes(b"".join(left))
        assert [(FaultKind.REMOVED, expected)] == kinds(path)
        assert message == verify(path)[0].message


def test_what_was_removed_from_the_end_stays_missing_after_new_records(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]))
    assert 6 == append(path, record()).seq
    assert [(FaultKind.REMOVED, 4)] == kinds(path)
    path.unlink()
    assert 7 == append(path, record()).seq
    assert [(FaultKind.REMOVED, 1)] == kinds(path)


def test_repeated_and_swapped_records_are_found(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], lines[1], *lines[3:]]))
    assert (FaultKind.MISPLACED, 2) in kinds(path)
    path.write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))
    assert (FaultKind.MISPLACED, 2) in kinds(path)


@pytest.mark.parametrize("garbage", [b"", b"null", b"[" * 100_000, b"\xff\xfe", b"9" * 5000])
def test_garbage_in_the_middle_is_a_fault_and_no_crash(path: Path, garbage: bytes) -> None:
    written(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = garbage + b"\n"
    path.write_bytes(b"".join(lines))
    assert [(FaultKind.EDITED, 2)] == kinds(path)


def test_a_log_whose_end_makes_no_sense_is_not_written_to(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("a shopping list\n")
    with pytest.raises(AuditError, match="is no record"):
        append(path, record())
    assert "a shopping list\n" == path.read_text()


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    """No record, no allow. A superuser may write anywhere but below a file."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(AuditError, match="cannot be written"):
        append(blocked / "audit.ndjson", record())
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.geteuid() != 0:
        with pytest.raises(AuditError, match="cannot be written"):
            append(folder / "audit.ndjson", record())


@pytest.mark.parametrize("target", ["/dev/null", "."])
def test_what_is_no_file_is_no_log(target: str) -> None:
    with pytest.raises(AuditError):
        append(Path(target), record())


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(AuditError, match="is not a file"):
        append(tmp_path / "pipe", record())


HOLDER = """
import fcntl, sys
log = open(sys.argv[1])
fcntl.flock(log, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

FILLING = """
import resource, sys
from pathlib import Path
from app.audit import AuditError, append
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
path = Path(sys.argv[1])
for number in range(100):
    try:
        append(path, {"padding": "x" * 700, "number": number})
    except AuditError as error:
        print(number, path.stat().st_size, error)
        raise SystemExit(14)
"""


def test_a_full_disk_is_an_error_and_leaves_whole_lines(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLING, str(path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    assert 14 == done.returncode, done.stderr
    assert "cannot be written" in done.stdout
    count = int(done.stdout.split()[0])
    assert 3 <= count < 100
    assert (count, ()) == (len(path.read_bytes().splitlines()), verify(path))
    assert count + 1 == append(path, record()).seq


def test_a_log_that_another_process_holds_is_an_error_in_the_end(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(path, record())
    monkeypatch.setattr("app.audit.journal._LOCK_SECONDS", 0.1)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            str(path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    try:
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(AuditError, match="another process holds"):
            append(path, record())
    finally:
        holder.communicate(timeout=10)


def test_verifying_what_is_not_there_is_an_error(path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be read"):
        verify(path)


def test_only_decisions_that_let_through_make_an_application_known(path: Path) -> None:
    assert not known_before(path, "ticketing", "prod")
    append(path, record(allowed=False))
    append(path, record("cargo"))
    assert not known_before(path, "ticketing", "prod")
    append(path, record())
    assert [True, False, True, False] == [
        known_before(path, app, env)
        for app, env in (
            ("ticketing", "prod"),
            ("ticketing", "staging"),
            ("cargo", "prod"),
            ("carg", "prod"),
        )
    ]


def test_an_application_in_a_record_that_cannot_be_read_is_known(path: Path) -> None:
    append(path, record())
    with path.open("ab") as log:
        log.write(b'{"subject":{"app":"cargo","environment":"pr')
    assert known_before(path, "cargo", "prod")


def test_a_first_deploy_is_one_once(path: Path) -> None:
    """The first is let through with a warning, the second is refused by the first's record."""
    never = judged(period=missing(NoDataReason.NEVER))
    answers = []
    for kind in (ChangeType.DEPLOY, ChangeType.FIRST_DEPLOY, ChangeType.FIRST_DEPLOY):
        known = known_before(path, "ticketing", "prod")
        decision = decide(facts(never, change_type=kind, known_before=known), policy())
        append(path, to_record(decision))
        answers.append(decision.effect.value)
    assert ["indeterminate", "warn", "deny"] == answers


def test_the_log_is_in_the_workspace_or_in_the_users_state() -> None:
    state, home = Path("/w/.headroom"), {"XDG_STATE_HOME": "/s"}
    assert Path("/w/.headroom/audit.ndjson") == default_path(state, home)
    assert Path("/s/headroom/audit.ndjson") == default_path(None, home)
    fallback = Path.home() / ".local/state/headroom/audit.ndjson"
    assert fallback == default_path(None, {})
    assert fallback == default_path(None, {"XDG_STATE_HOME": "relative"})
