"""Output names and output folders that are out to do harm (row 18 of the hostile inputs)."""

import json
import os
from pathlib import Path

import pytest

from app.artefacts import MANIFEST_NAME, ArtefactError, Trouble, apply, check, plan, read_files

LONG = "x" * 256


def planned_troubles(out: Path, *paths: str) -> dict[str, Trouble]:
    """Return the conflicts of a plan, which must not be applicable if there are any."""
    planned = plan(out, {"rules": dict.fromkeys(paths, "text")})
    if planned.conflicts:
        with pytest.raises(ArtefactError):
            apply(planned)
        assert not list(out.iterdir())
    return {conflict.path: conflict.trouble for conflict in planned.conflicts}


@pytest.mark.parametrize(
    "path",
    [
        "../../x",
        "a/../../x",
        "a/..",
        "..",
        ".",
        "./a",
        "",
        "a//b",
        "a/",
        "/etc/passwd",
        "C:x",
        "C:\\x",
        "a\\b",
        "CON",
        "con.yaml",
        "a/NUL/b.yaml",
        "nul.rules.yaml",
        "COM1",
        "lpt9.txt",
        "COM¹",
        "aux .yaml",
        "CONIN$",
        LONG,
        f"{LONG}/a",
        "é" * 128,
        "/".join(["x" * 200] * 6),
        "a\0b",
        "a\nb",
        "a\x1b[2Jb",
        "a\x7f",
        'a"b',
        "a|b",
        "a?b",
        "a*b",
        "a<b>",
        "trailing.",
        "trailing ",
        "lone\udcff",
        MANIFEST_NAME,
        MANIFEST_NAME.upper(),
        f"a/{MANIFEST_NAME}",
        ".headroom-0123456789abcdef",
    ],
)
def test_an_unsafe_name_is_refused_and_nothing_is_written(tmp_path: Path, path: str) -> None:
    """Neither that file nor the harmless one beside it."""
    assert {path: Trouble.UNSAFE_NAME} == planned_troubles(tmp_path, path, "harmless.yaml")


@pytest.mark.parametrize(
    "path", ["a.yaml", "a/b/c.yaml", "console.yaml", "com.yaml", "x" * 255, "..a", "a..b", "é.yaml"]
)
def test_names_that_only_look_unsafe_are_written(tmp_path: Path, path: str) -> None:
    """A name of exactly 255 bytes fits, together with its temporary sibling."""
    apply(plan(tmp_path, {"rules": {path: "text"}}))
    assert (tmp_path / path).read_text() == "text"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("App.yaml", "app.yaml"),
        ("a/App.yaml", "A/app.yaml"),
        ("straße", "strasse"),
        ("\u00e9.yaml", "e\u0301.yaml"),
        ("a", "a/b"),
        ("A", "a/b/c"),
    ],
)
def test_two_outputs_that_some_file_system_takes_for_one_are_refused(
    tmp_path: Path, first: str, second: str
) -> None:
    """Whatever file system it is that we write to."""
    (trouble,) = planned_troubles(tmp_path, first, second).values()
    assert trouble is Trouble.CLASH


def test_an_output_clashes_with_one_of_another_kind_written_earlier(tmp_path: Path) -> None:
    """It is on disk, and stays there."""
    apply(plan(tmp_path, {"dashboards": {"a.yaml": "d"}}))
    planned = plan(tmp_path, {"rules": {"A.yaml": "r"}})
    assert [Trouble.CLASH] == [conflict.trouble for conflict in planned.conflicts]


def test_one_path_of_two_kinds_is_refused(tmp_path: Path) -> None:
    """One of them would be lost."""
    planned = plan(tmp_path, {"rules": {"a": "r"}, "dashboards": {"a": "d"}})
    assert [Trouble.CLASH] == [conflict.trouble for conflict in planned.conflicts]


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("link", ["rules", "rules/prod", "rules/prod/a.yaml"])
def test_a_symbolic_link_inside_the_folder_is_never_followed(
    tmp_path: Path, link: str, *, force: bool
) -> None:
    """Not even with force, and not even where it points back inside."""
    out, outside = tmp_path / "out", tmp_path / "outside"
    (outside / "prod").mkdir(parents=True)
    (outside / "a.yaml").write_text("theirs")
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(outside / "a.yaml" if link.endswith(".yaml") else outside)
    planned = plan(out, {"rules": {"rules/prod/a.yaml": "ours"}}, force=force)
    assert [Trouble.LINK] == [conflict.trouble for conflict in planned.conflicts]
    with pytest.raises(ArtefactError, match="is a symbolic link, which is never followed"):
        apply(planned)
    with pytest.raises(ArtefactError, match="symbolic link"):
        check(planned)
    assert (outside / "a.yaml").read_text() == "theirs"
    assert [] == list((outside / "prod").iterdir())


def test_a_link_that_appears_after_the_plan_was_made_is_not_followed_either(
    tmp_path: Path,
) -> None:
    """Folders are opened one by one, each refusing to be a link."""
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    planned = plan(out, {"rules": {"rules/a.yaml": "ours"}})
    (out / "rules").symlink_to(outside)
    with pytest.raises(ArtefactError, match=r"rules/a\.yaml: "):
        apply(planned)
    assert [] == list(outside.iterdir())


def test_a_left_over_file_behind_a_link_is_not_removed(tmp_path: Path) -> None:
    """The manifest says it was ours, but the link leads to someone else's file."""
    out, outside = tmp_path / "out", tmp_path / "outside"
    apply(plan(out, {"rules": {"rules/a.yaml": "ours", "b.yaml": "b"}}))
    outside.mkdir()
    (out / "rules" / "a.yaml").rename(outside / "a.yaml")
    (out / "rules").rmdir()
    (out / "rules").symlink_to(outside)
    with pytest.raises(ArtefactError, match="symbolic link"):
        apply(plan(out, {"rules": {"b.yaml": "b"}}))
    assert (outside / "a.yaml").exists()


@pytest.mark.parametrize("special", ["folder", "pipe"])
def test_something_that_is_no_file_is_never_replaced(tmp_path: Path, special: str) -> None:
    """And looking at a named pipe does not wait for a writer."""
    path = tmp_path / "a.yaml"
    if special == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    planned = plan(tmp_path, {"rules": {"a.yaml": "ours"}}, force=True)
    assert [Trouble.BLOCKED] == [conflict.trouble for conflict in planned.conflicts]


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The file stays as it is."""
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(ArtefactError, match="the output folder is not a folder"):
        plan(out, {"rules": {"a.yaml": "ours"}})
    assert out.read_text() == "mine"


def test_an_output_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    """With the path that is in the way."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ArtefactError, match="file/out: Not a directory"):
        apply(plan(tmp_path / "file" / "out", {"rules": {"a.yaml": "ours"}}))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<<<<<<< HEAD\n",
        "[]",
        "[" * 100_000,
        '{"schema": "headroom/manifest/v2", "files": []}',
        '{"schema": "headroom/manifest/v1"}',
        '{"schema": "headroom/manifest/v1", "files": [1]}',
        '{"schema": "headroom/manifest/v1", "files": [{"path": "a"}]}',
    ],
)
def test_a_manifest_that_headroom_did_not_write_is_refused(tmp_path: Path, content: str) -> None:
    """Guessing at it could remove the wrong files."""
    (tmp_path / MANIFEST_NAME).write_text(content)
    for use in (lambda: plan(tmp_path, {"rules": {}}), lambda: read_files(tmp_path)):
        with pytest.raises(ArtefactError) as caught:
            use()
        assert str(caught.value).startswith(f"{tmp_path / MANIFEST_NAME}: ")


@pytest.mark.parametrize("path", ["../victim", "/tmp/victim", "a/../../victim"])
def test_a_manifest_cannot_make_headroom_touch_files_elsewhere(tmp_path: Path, path: str) -> None:
    """It lists what to remove, and anyone with a branch can edit it."""
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "victim").write_text("theirs")
    entry = {"path": path, "kind": "rules", "sha256": "0" * 64}
    manifest = {"schema": "headroom/manifest/v1", "files": [entry]}
    (out / MANIFEST_NAME).write_text(json.dumps(manifest))
    with pytest.raises(ArtefactError, match="it lists"):
        apply(plan(out, {"rules": {}}))
    assert (tmp_path / "victim").read_text() == "theirs"


def test_a_manifest_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """It would be read from, and written to, somewhere else."""
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "elsewhere").write_text('{"schema": "headroom/manifest/v1", "files": []}')
    (out / MANIFEST_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtefactError, match="it is not a file that Headroom wrote"):
        plan(out, {"rules": {"a.yaml": "ours"}})
