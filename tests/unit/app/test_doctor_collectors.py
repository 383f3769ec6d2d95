"""How validators are found, run and bounded; real ones are run in ``tests/servers``."""

import os
import time
from pathlib import Path

import pytest

from app.doctor import Check, Outcome
from app.doctor.collectors import TOOLS, collector_checks
from slo.collecting import COLLECTORS

FILE = "collectors/prometheus/prod/scrape.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one generated file, and one that no tool checks."""
    made = tmp_path / "generated"
    (made / FILE).parent.mkdir(parents=True)
    (made / FILE).write_text("scrape_configs: []\n")
    (made / "collectors/prometheus/prod/targets.json").write_text("[]")
    return made


def program(folder: Path, text: str) -> Path:
    """A program of a few lines of shell."""
    path = folder / "tool"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def checked(folder: Path, tool: Path, seconds: float = 30) -> list[Check]:
    return list(collector_checks(folder, {"promtool": tool}, seconds=seconds))


def test_a_tool_that_is_content_makes_a_file_ok(folder: Path, tmp_path: Path) -> None:
    """And what no tool checks is named."""
    said, left = checked(folder, program(tmp_path, 'echo "$@"; exit 0'))

    assert (Outcome.OK, f"promtool {FILE}") == (said.outcome, said.name)
    assert Outcome.SKIPPED is left.outcome
    assert "no installed tool checks prod/targets.json" == left.message


def test_a_refusal_is_told_in_the_tool_s_words_on_one_line(folder: Path, tmp_path: Path) -> None:
    """With the file's name as the reader knows it; the same line once."""
    said, _ = checked(folder, program(tmp_path, 'echo "$4: bad"; echo "$4: bad"; echo two; exit 3'))

    assert Outcome.FAIL is said.outcome
    assert said.message.endswith(f"refuses it: {FILE}: bad; two")


def test_a_tool_that_says_nothing_is_told_by_its_exit_code(folder: Path, tmp_path: Path) -> None:
    assert "exit code 3" in checked(folder, program(tmp_path, "exit 3"))[0].message


def test_a_tool_that_hangs_is_ended_with_what_it_started(folder: Path, tmp_path: Path) -> None:
    """Its time is for all of its files; nothing of it is left behind."""
    note = tmp_path / "pid"
    began = time.monotonic()
    said, _ = checked(folder, program(tmp_path, f"sleep 60 & echo $! > {note}; wait"), 1)

    assert time.monotonic() - began < 20
    assert (Outcome.FAIL, True) == (said.outcome, "gave no answer" in said.message)
    with pytest.raises(ProcessLookupError):
        _until_gone(int(note.read_text()))


def _until_gone(pid: int) -> None:
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            raise ProcessLookupError  # ended; nobody has asked for its exit code
        os.kill(pid, 0)
        time.sleep(0.05)


def test_a_tool_that_floods_is_read_in_part(folder: Path, tmp_path: Path) -> None:
    """Its words are bounded."""
    flood = program(
        tmp_path, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 1"
    )
    said, _ = checked(folder, flood)

    assert len(said.message) < 1_500


def test_a_tool_learns_no_secret_and_nothing_is_typed_to_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment is bare, its home a folder that goes away."""
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    (folder / "collectors/prometheus/prod/headroom.env").write_text("HEADROOM_TOKEN=none\n#X=1\n")
    said = checked(folder, program(tmp_path, "env; cat; exit 1"))[0].message

    assert "hunter2" not in said
    assert "HEADROOM_TOKEN=none" in said
    assert str(Path.home()) not in said.partition("refuses it")[2].replace(os.environ["PATH"], "")


def test_a_file_that_is_no_program_of_this_machine_is_said(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "tool"
    path.write_bytes(b"\x7fELF nonsense")
    path.chmod(0o755)

    said, _ = checked(folder, path)

    assert (Outcome.FAIL, True) == (said.outcome, "cannot be run" in said.message)


def test_every_tool_is_for_files_of_collectors_that_are_known() -> None:
    """Its patterns begin with the name of one."""
    named = {pattern.partition("/")[0] for tool in TOOLS for pattern in tool.files}

    assert named - {"*"} <= set(COLLECTORS)
    assert len(TOOLS) == len({tool.name for tool in TOOLS})


def test_tools_are_asked_for_nothing_that_talks(tmp_path: Path) -> None:
    """No dry run against a cluster, no test of an output, no health check."""
    for tool in TOOLS:
        for run in tool.runs(_file(tmp_path), tmp_path):
            words = " ".join(map(str, run.arguments))
            assert "apply" not in words, tool.name
            assert "test output" not in words, tool.name
            assert tool.name != "vector" or "--no-environment" in words
            assert tool.name != "promtool" or "--syntax-only" in words


def _file(folder: Path) -> Path:
    path = folder / "kustomization.yaml"
    path.write_text("kind: Component\n")
    return path
