"""`headroom generate` as a process: the same bytes, its own files, all of them or none."""

from pathlib import Path

import pytest

from tests.cli.installed import app_text, contents, headroom, write

KINDS = {"rules": "prometheus", "alertmanager": "alertmanager", "dashboards": "grafana"}
MANIFEST = "headroom.manifest.json"
PLACES = "[{name: prod, match: {env: prod}}, {name: dev, match: {env: dev}}]"


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A folder with two apps, one of them in two environments."""
    write(tmp_path / "apps", ticketing=app_text(environments=PLACES), cargo=app_text("cargo"))
    return tmp_path


def written(out: Path) -> dict[str, bytes]:
    """What was generated, without the manifest."""
    return {name: text for name, text in contents(out).items() if name != MANIFEST}


def test_every_kind_is_written_below_its_folder(space: Path) -> None:
    """Rules by environment and app; what was written is told and counted."""
    ending = headroom("generate", "apps", "--out", "out", cwd=space)
    assert 0 == ending.code, ending.stderr
    names = set(written(space / "out"))
    assert {
        "prometheus/default/cargo.rules.yaml",
        "prometheus/dev/ticketing.rules.yaml",
        "prometheus/prod/ticketing.rules.yaml",
    } == {name for name in names if name.startswith("prometheus/")}
    assert set(KINDS.values()) == {name.partition("/")[0] for name in names}
    assert names == {line.removeprefix("created out/") for line in _shown(ending.stdout, space)}
    assert ending.stderr.endswith(f"{len(names)} created in out\n")


def _shown(stdout: str, space: Path) -> list[str]:
    return stdout.replace(f"{space}/", "").splitlines()


def test_the_same_input_gives_the_same_bytes(space: Path, tmp_path: Path) -> None:
    """Whatever the order and the names of files, and Python's hashes."""
    headroom("generate", "apps", "--out", "one", cwd=space, environment={"PYTHONHASHSEED": "1"})
    again = ("generate", "apps/ticketing.yaml", "apps/cargo.yaml", "--out", "two")
    headroom(*again, cwd=space, environment={"PYTHONHASHSEED": "2"})
    joined = app_text("cargo") + "---\n" + app_text(environments=PLACES)
    write(space / "other", z=joined)
    headroom("generate", "other", "--out", "three", cwd=space)
    assert contents(space / "one") == contents(space / "two") == contents(space / "three")


def test_generating_again_changes_nothing(space: Path) -> None:
    """Not even the times of the files."""
    headroom("generate", "apps", "--out", "out", cwd=space)
    before = {path: path.stat().st_mtime_ns for path in (space / "out").rglob("*")}
    ending = headroom("generate", "apps", "--out", "out", cwd=space)
    assert (0, "") == (ending.code, ending.stdout)
    assert before == {path: path.stat().st_mtime_ns for path in (space / "out").rglob("*")}
    assert "unchanged" in ending.stderr


def test_check_is_0_until_something_is_edited(space: Path) -> None:
    """An edited specification, an edited or missing file; nothing is written by looking."""
    check = ("generate", "apps", "--out", "out", "--check")
    assert 1 == headroom(*check, cwd=space).code
    assert not (space / "out").exists()
    headroom("generate", "apps", "--out", "out", cwd=space)
    assert 0 == headroom(*check, cwd=space).code

    write(space / "apps", cargo=app_text("cargo", objective="99.5"))
    before = contents(space / "out")
    ending = headroom(*check, cwd=space)
    assert 1 == ending.code
    assert "cargo.rules.yaml: " in ending.stdout
    assert "ticketing" not in ending.stdout
    assert before == contents(space / "out")

    headroom("generate", "apps", "--out", "out", cwd=space)
    assert 0 == headroom(*check, cwd=space).code
    (space / "out" / "prometheus" / "default" / "cargo.rules.yaml").unlink()
    assert 1 == headroom(*check, cwd=space).code


@pytest.mark.parametrize("kind", KINDS)
def test_only_one_kind_is_touched_when_only_one_is_asked_for(space: Path, kind: str) -> None:
    """Those of other kinds stay as they are, stale or not, and so do their entries."""
    headroom("generate", "apps", "--out", "out", cwd=space)
    before = written(space / "out")
    write(space / "apps", cargo=app_text("cargo", objective="99.5").replace("bookings", "freight"))
    (space / "apps" / "ticketing.yaml").unlink()
    ending = headroom("generate", "apps", "--out", "out", "--only", kind, cwd=space)
    assert 0 == ending.code, ending.stderr
    after = written(space / "out")
    own = f"{KINDS[kind]}/"
    others = {name: text for name, text in before.items() if not name.startswith(own)}
    assert others == {name: text for name, text in after.items() if not name.startswith(own)}
    # Without receivers there is one route for every team.
    assert (before == after) is (kind == "alertmanager")

    headroom("generate", "apps", "--out", "out", cwd=space)
    headroom("generate", "apps", "--out", "fresh", cwd=space)
    assert written(space / "fresh") == written(space / "out"), "they were not forgotten"


def test_a_removed_apps_files_are_removed(space: Path) -> None:
    """With the folders that this leaves empty, and nothing that somebody else put there."""
    headroom("generate", "apps", "--out", "out", cwd=space)
    theirs = space / "out" / "prometheus" / "prod" / "theirs.rules.yaml"
    theirs.write_text("groups: []\n", encoding="utf-8")
    (space / "apps" / "ticketing.yaml").unlink()
    ending = headroom("generate", "apps", "--out", "out", cwd=space)
    assert 0 == ending.code
    names = set(written(space / "out"))
    assert "prometheus/prod/theirs.rules.yaml" in names
    assert not [name for name in names if "ticketing" in name]
    assert not (space / "out" / "prometheus" / "dev").exists()
    assert "removed out/prometheus/dev/ticketing.rules.yaml" in _shown(ending.stdout, space)


def test_a_file_of_somebody_else_is_in_the_way(space: Path) -> None:
    """Nothing is written until it is gone, or overwriting was asked for."""
    theirs = space / "out" / "prometheus" / "default" / "cargo.rules.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("groups: []\n", encoding="utf-8")
    ending = headroom("generate", "apps", "--out", "out", cwd=space)
    assert (1, "") == (ending.code, ending.stdout)
    assert "nothing was written" in ending.stderr
    assert ["prometheus/default/cargo.rules.yaml"] == list(contents(space / "out"))
    assert 0 == headroom("generate", "apps", "--out", "out", "--force", cwd=space).code


def test_a_wrong_file_means_nothing_is_written(space: Path) -> None:
    """All or none: the sound app waits for the other."""
    write(space / "apps", wrong=app_text("wrong").replace("objective", "objectve"))
    ending = headroom("generate", "apps", "--out", "out", cwd=space)
    assert (1, "") == (ending.code, ending.stdout)
    assert "wrong.yaml:7:7: error:" in ending.stderr
    assert not (space / "out").exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--only", "rule"), 'unknown kind "rule"; did you mean "rules"?'),
        (("--only", ","), "no kind given"),
        (("--layout", "thanso"), 'did you mean "thanos"?'),
        (("--chek",), "did you mean --check?"),
    ],
)
def test_wrong_usage_is_2(space: Path, argv: tuple[str, ...], said: str) -> None:
    """With what was meant."""
    ending = headroom("generate", "apps", "--out", "out", *argv, cwd=space)
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr.replace('"--check"', "--check")
    assert not (space / "out").exists()


def test_a_folder_that_cannot_be_written_is_1(space: Path) -> None:
    """A file stands where the folder should be."""
    (space / "out").write_text("x", encoding="utf-8")
    ending = headroom("generate", "apps", "--out", "out", cwd=space)
    assert (1, "") == (ending.code, ending.stdout)
    assert "error: " in ending.stderr
