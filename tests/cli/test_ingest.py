"""`headroom ingest` as a process: what it prints, and its exit codes."""

import json
import subprocess
from pathlib import Path

import pytest

from collectors.store import StoreWriter
from tests.cli.installed import PROGRAM, app_text, headroom


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ticketing.yaml").write_text(app_text(), encoding="utf-8")
    (tmp_path / "good.log").write_text('{"ts": "2026-11-01T00:00:00Z", "app": "ticketing"}\n' * 2)
    (tmp_path / "bad.log").write_text('{"msg": "x"}\nnonsense\n')
    return tmp_path


def test_every_line_that_can_be_read_is_stored(folder: Path) -> None:
    """The summary says what became of all."""
    ending = headroom("ingest", "good.log", "--store", "data", cwd=folder)

    assert (0, "") == (ending.code, ending.stderr)
    assert ending.stdout.splitlines() == [
        "2 lines read: 2 records stored (2 logs), 0 duplicates, 0 rejected",
        "of those stored, 2 belong to an app, 0 were claimed by several, 0 by none",
    ]
    stats = headroom("store", "stats", "--store", "data", "--format", "json", cwd=folder)
    assert 2 == stats.json["signals"]["logs"]["records"]


def test_an_unsound_app_file_of_the_folder_is_told_and_left_out(folder: Path) -> None:
    """Without a workspace; an unsound workspace is refused, since records stay whose they are."""
    (folder / "broken.yaml").write_text("apiVersion: headroom/v1\nkind: App\nmetadata: {}\n")
    ending = headroom("ingest", "good.log", "--store", "data", cwd=folder)

    assert 0 == ending.code
    assert ending.stderr.startswith("broken.yaml:1:1: error: missing key")
    assert "2 belong to an app" in ending.stdout

    (folder / "headroom.yaml").write_text("apiVersion: headroom/v1\nkind: Workspace\n")
    refused = headroom("ingest", "good.log", "--store", "other", cwd=folder)
    assert 1 == refused.code
    assert not (folder / "other").exists()


def test_bad_lines_are_told_by_place_and_exit_1(folder: Path) -> None:
    """The others are stored."""
    ending = headroom(
        "ingest", "good.log", "bad.log", "--store", "data", "--format", "json", cwd=folder
    )

    assert 1 == ending.code
    assert ending.stderr.startswith("bad.log:2: the body is no JSON")
    assert (4, 3, 1) == tuple(ending.json[key] for key in ("lines", "stored", "rejected"))
    assert [[], [2]] == [[each["line"] for each in one["faults"]] for one in ending.json["files"]]


def test_a_file_counts_once_and_a_pipe_too(folder: Path) -> None:
    """What comes through a pipe is told as such."""
    for expected in (2, 0):
        ending = headroom("ingest", "good.log", "--store", "data", "--format", "json", cwd=folder)
        assert (expected, 2 - expected) == (ending.json["stored"], ending.json["duplicates"])
    done = subprocess.run(
        [PROGRAM, "ingest", "-", "--store", "piped"],
        cwd=folder,
        input=b'{"msg": "x"}\nnope\n',
        capture_output=True,
        check=False,
    )
    assert 1 == done.returncode
    assert done.stderr.startswith(b"stdin:2: ")


def test_a_store_that_is_written_already_says_where_to_send(folder: Path) -> None:
    """`headroom serve` holds it as a rule."""
    with StoreWriter(folder / "data"):
        ending = headroom("ingest", "good.log", "--store", "data", cwd=folder)

    assert 1 == ending.code
    assert "is being written by process" in ending.stderr
    assert "if that is headroom serve, post to it instead" in ending.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("good.log",), "the workspace names no store"),
        (("nope.log", "--store", "data"), "there is no file nope.log"),
        ((".", "--store", "data"), ". is a folder"),
        (("good.log", "--store", "data", "--app", "ticketin"), 'did you mean "ticketing"'),
        (("good.log", "--store", "data", "--map", "tme=x"), 'did you mean "time"'),
        (("-", "-", "--store", "data"), "standard input can be read once"),
    ],
)
def test_wrong_usage_is_told_before_a_store_is_made(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    """Exit code 2."""
    ending = headroom("ingest", *arguments, cwd=folder)

    assert 2 == ending.code
    assert message in ending.stderr
    assert not (folder / "data").exists()


def test_the_page_shows_every_key_of_the_answer(folder: Path, pytestconfig: pytest.Config) -> None:
    """In the order of the answer."""
    page = (pytestconfig.rootpath / "docs" / "commands" / "ingest.md").read_text()
    shown = json.loads(page.split("```json\n")[1].split("```")[0])
    ending = headroom("ingest", "bad.log", "--store", "data", "--format", "json", cwd=folder)

    assert list(shown) == list(ending.json)
    assert list(shown["files"][0]) == list(ending.json["files"][0])
    assert list(shown["files"][0]["faults"][0]) == list(ending.json["files"][0]["faults"][0])
