"""Generated files: planned, written all or none, and never at the cost of anyone else's."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from app.artefacts import (
    MANIFEST_NAME,
    ArtefactError,
    Difference,
    Plan,
    State,
    Trouble,
    apply,
    check,
    plan,
    read_files,
)

ROOT = Path(__file__).parents[3]
A, B, C = "prometheus/prod/a.rules.yaml", "prometheus/prod/b.rules.yaml", "grafana/a.json"

FILL = """
import resource, signal, sys
from pathlib import Path
from app.artefacts import ArtefactError, apply, plan

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
out, small, big = sys.argv[1:]
try:
    apply(plan(Path(out), {"rules": {small: "a2", big: "x" * 20_000}}))
except ArtefactError as error:
    print(error)
"""


def generate(out: Path, files: Mapping[str, Mapping[str, str]], *, force: bool = False) -> Plan:
    """Plan and apply, and return the plan."""
    planned = plan(out, files, force=force)
    apply(planned)
    return planned


def tree(out: Path) -> dict[str, str]:
    """Return every file below a folder but the manifest, as text by path."""
    return {
        path.relative_to(out).as_posix(): path.read_text()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME
    }


def everything(out: Path) -> list[str]:
    """Return the name of everything below a folder."""
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))


def troubles(planned: Plan) -> dict[str, Trouble]:
    """Return the plan's conflicts."""
    return {conflict.path: conflict.trouble for conflict in planned.conflicts}


def test_the_first_run_creates_the_folder_the_files_and_the_manifest(tmp_path: Path) -> None:
    """The manifest lists every file with its kind and digest, sorted."""
    out = tmp_path / "deep" / "generated"
    generate(out, {"rules": {B: "b\n", A: "a\n"}, "dashboards": {C: "{}\n"}})
    assert {A: "a\n", B: "b\n", C: "{}\n"} == tree(out)
    manifest = json.loads((out / MANIFEST_NAME).read_text())
    expected = {
        "schema": "headroom/manifest/v1",
        "files": [
            {"path": path, "kind": kind, "sha256": hashlib.sha256(text.encode()).hexdigest()}
            for path, kind, text in (
                (C, "dashboards", "{}\n"),
                (A, "rules", "a\n"),
                (B, "rules", "b\n"),
            )
        ],
    }
    assert expected == manifest


def test_the_same_input_makes_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    """The manifest included."""
    generate(tmp_path / "1", {"rules": {A: "a", B: "b"}, "dashboards": {C: "c"}})
    generate(tmp_path / "2", {"dashboards": {C: "c"}, "rules": {B: "b", A: "a"}})
    first, second = ((tmp_path / name / MANIFEST_NAME).read_bytes() for name in "12")
    assert first == second


def test_a_run_that_changes_nothing_touches_nothing(tmp_path: Path) -> None:
    """Watchers of the folder are left in peace."""
    generate(tmp_path, {"rules": {A: "a"}})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    again = generate(tmp_path, {"rules": {A: "a"}})
    assert (again.is_current, again.unchanged) == (True, (A,))
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_what_is_generated_no_more_is_removed_with_the_folders_it_leaves_empty(
    tmp_path: Path,
) -> None:
    """Files that Headroom did not write stay, and so do their folders."""
    generate(tmp_path, {"rules": {A: "a", "old/x/b.yaml": "b", "mixed/c.yaml": "c"}})
    (tmp_path / "mixed" / "mine.txt").write_text("mine")
    planned = generate(tmp_path, {"rules": {A: "a"}})
    assert planned.remove == ("mixed/c.yaml", "old/x/b.yaml")
    assert {A: "a", "mixed/mine.txt": "mine"} == tree(tmp_path)
    assert not (tmp_path / "old").exists()


def test_a_removed_file_is_forgotten(tmp_path: Path) -> None:
    """Whoever puts a file of their own in its place keeps it."""
    generate(tmp_path, {"rules": {A: "a", B: "b"}})
    generate(tmp_path, {"rules": {A: "a"}})
    (tmp_path / B).write_text("mine")
    generate(tmp_path, {"rules": {}})
    assert {B: "mine"} == tree(tmp_path)
    assert {B: Trouble.FOREIGN} == troubles(plan(tmp_path, {"rules": {B: "b"}}))


def test_kinds_that_are_not_generated_are_left_alone(tmp_path: Path) -> None:
    """As with `--only rules`; a kind that is generated but empty loses its files."""
    generate(tmp_path, {"rules": {A: "a"}, "dashboards": {C: "c"}})
    generate(tmp_path, {"rules": {B: "b"}})
    assert {B: "b", C: "c"} == tree(tmp_path)
    generate(tmp_path, {"dashboards": {}})
    assert {B: "b"} == tree(tmp_path)
    assert {B: "b"} == read_files(tmp_path)


def test_a_file_of_ours_that_was_edited_is_overwritten_and_named(tmp_path: Path) -> None:
    """Whoever edits generated files gets told where the edits went."""
    generate(tmp_path, {"rules": {A: "a", B: "b"}})
    (tmp_path / A).write_text("edited")
    (tmp_path / B).write_text("edited")
    planned = generate(tmp_path, {"rules": {A: "new"}})
    assert ((A,), (B,), (A, B)) == (planned.change, planned.remove, planned.edited)
    assert {A: "new"} == tree(tmp_path)


def test_a_file_that_headroom_did_not_write_is_a_conflict(tmp_path: Path) -> None:
    """Nothing at all is written then; `force` overwrites it, and from then on it is ours."""
    target = tmp_path / A
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    planned = plan(tmp_path, {"rules": {A: "a", B: "b"}})
    assert {A: Trouble.FOREIGN} == troubles(planned)
    with pytest.raises(ArtefactError, match="Headroom did not write it"):
        apply(planned)
    assert {A: "mine"} == tree(tmp_path)
    generate(tmp_path, {"rules": {A: "a", B: "b"}}, force=True)
    assert {A: "a", B: "b"} == tree(tmp_path)
    assert {} == troubles(plan(tmp_path, {"rules": {A: "a2"}}))


def test_a_file_that_is_already_as_generated_is_adopted(tmp_path: Path) -> None:
    """As after a run that was killed before it wrote its manifest."""
    target = tmp_path / A
    target.parent.mkdir(parents=True)
    target.write_text("a")
    planned = generate(tmp_path, {"rules": {A: "a"}})
    assert (planned.unchanged, planned.conflicts) == ((A,), ())
    assert {A: "a"} == read_files(tmp_path)


def test_check_names_what_is_missing_stale_and_left_over(tmp_path: Path) -> None:
    """And writes nothing."""
    generate(tmp_path, {"rules": {A: "a", B: "b", "x/left.yaml": "x"}})
    (tmp_path / A).unlink()
    (tmp_path / B).write_text("edited")
    before = tree(tmp_path)
    found = check(plan(tmp_path, {"rules": {A: "a", B: "b"}}))
    expected = (
        Difference(path=A, state=State.MISSING),
        Difference(path=B, state=State.STALE),
        Difference(path="x/left.yaml", state=State.LEFT_OVER),
    )
    assert expected == found
    assert before == tree(tmp_path)


def test_check_is_silent_when_all_is_current(tmp_path: Path) -> None:
    """So that a pipeline can rely on it."""
    generate(tmp_path, {"rules": {A: "a"}})
    assert () == check(plan(tmp_path, {"rules": {A: "a"}}))


def test_check_notices_a_missing_manifest(tmp_path: Path) -> None:
    """Without it the next run could not clean up."""
    generate(tmp_path, {"rules": {A: "a"}})
    (tmp_path / MANIFEST_NAME).unlink()
    expected = (Difference(path=MANIFEST_NAME, state=State.MISSING),)
    assert expected == check(plan(tmp_path, {"rules": {A: "a"}}))


def test_check_of_a_folder_that_does_not_exist_finds_everything_missing(tmp_path: Path) -> None:
    """And does not make it."""
    out = tmp_path / "none"
    expected = (Difference(path=A, state=State.MISSING),)
    assert expected == check(plan(out, {"rules": {A: "a"}}))
    assert not out.exists()


def test_a_change_keeps_the_files_permissions(tmp_path: Path) -> None:
    """Someone may have had a reason for them."""
    generate(tmp_path, {"rules": {A: "a"}})
    (tmp_path / A).chmod(0o640)
    generate(tmp_path, {"rules": {A: "b"}})
    assert (tmp_path / A).stat().st_mode & 0o777 == 0o640


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    """The lock is on the folder; it leaves no file behind and dies with its process."""
    planned = plan(tmp_path, {"rules": {A: "a"}})
    holder = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(ArtefactError, match="another run of Headroom is writing here"):
            apply(planned)
        assert [] == everything(tmp_path)
    finally:
        os.close(holder)
    apply(planned)
    assert {A: "a"} == tree(tmp_path)


def test_a_plan_that_another_run_overtook_is_refused(tmp_path: Path) -> None:
    """Its manifest would forget what the other run wrote."""
    planned = plan(tmp_path, {"rules": {A: "a"}})
    generate(tmp_path, {"dashboards": {C: "c"}})
    with pytest.raises(ArtefactError, match="another run of Headroom wrote here meanwhile"):
        apply(planned)
    assert {C: "c"} == tree(tmp_path)


def test_an_error_half_way_puts_the_old_files_back(tmp_path: Path) -> None:
    """Here a folder takes the place of the last file after the plan was made."""
    last = "z/last.yaml"
    before = {A: "a", B: "b", last: "z"}
    generate(tmp_path, {"rules": before})
    manifest = (tmp_path / MANIFEST_NAME).read_bytes()
    planned = plan(tmp_path, {"rules": {A: "a2", "new/n.yaml": "n", last: "z2"}})
    (tmp_path / last).unlink()
    (tmp_path / last).mkdir()
    with pytest.raises(ArtefactError, match=r"last\.yaml: something that is no file"):
        apply(planned)
    assert {A: "a", B: "b"} == tree(tmp_path)
    assert manifest == (tmp_path / MANIFEST_NAME).read_bytes()
    expected = [MANIFEST_NAME, "prometheus", "prometheus/prod", A, B, "z", last]
    assert expected == everything(tmp_path)


def test_a_full_disk_leaves_the_old_files_and_no_others(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk: both fail in the middle of a write."""
    generate(tmp_path, {"rules": {A: "a", B: "b"}})
    before = everything(tmp_path)
    ending = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path), A, "n/big.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert f"{tmp_path / 'n/big.yaml'}: File too large\n" == ending.stdout
    assert {A: "a", B: "b"} == tree(tmp_path)
    assert before == everything(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Root may write anywhere but into the kernel's own folders."""
    if os.geteuid() == 0:
        out = Path("/proc/headroom")
    else:
        out = tmp_path / "locked" / "out"
        out.parent.mkdir(mode=0o500)
    with pytest.raises(ArtefactError) as caught:
        generate(out, {"rules": {A: "a"}})
    assert str(caught.value).startswith(f"{out}: ")


def test_what_a_killed_run_left_aside_is_swept_up(tmp_path: Path) -> None:
    """Only names of exactly our form are taken for ours."""
    generate(tmp_path, {"rules": {A: "a"}})
    folder = (tmp_path / A).parent
    (folder / ".headroom-0123456789abcdef").write_text("half")
    (folder / ".headroom-notes").write_text("mine")
    generate(tmp_path, {"rules": {A: "b"}})
    assert [".headroom-notes", "a.rules.yaml"] == sorted(path.name for path in folder.iterdir())


def test_the_output_folder_may_be_a_link_of_the_users_own(tmp_path: Path) -> None:
    """What is refused is a link inside it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    generate(tmp_path / "out", {"rules": {A: "a"}})
    assert {A: "a"} == tree(tmp_path / "real")
