"""``headroom doctor join`` and ``doctor collectors`` as commands: arguments, exits, words."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import COMMANDS
from collectors.signals import Signal
from tests.cli.fakes.terminals import Ending, call
from tests.unit.app.services.installation import (
    APPS,
    WORKSPACE,
    install,
    logs,
    lost_logs,
    requests,
)

AT = ("--at", "2025-10-11T12:00:00Z")


def headroom(*argv: str) -> Ending:
    """Run a command of the real registry."""
    return call(argv, commands=COMMANDS)


def doctor(folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Look at a workspace as of the end of its records."""
    ending = headroom("doctor", "join", str(folder), *AT, "--format", "json", *more)
    assert "" == ending.stderr
    return ending.code, json.loads(ending.stdout)


def outcomes(data: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in data["checks"]}


def test_all_that_is_joined_is_well(tmp_path: Path) -> None:
    """Shares by rung, and exit 0."""
    install(tmp_path, [(Signal.SPANS, requests()), (Signal.LOGS, logs())])
    ending = headroom("doctor", "join", str(tmp_path), *AT, "--range", "1d")

    assert (0, "") == (ending.code, ending.stderr)
    lines = ending.stdout.splitlines()
    assert (
        "ok       all apps logs (store): 100 % of 12 records carry enough: "
        "100 % by the app's tag (1)" in lines
    )
    assert any("by service name (2)" in line for line in lines)
    assert lines[-1].startswith("4 ok, 1 skipped")


def test_what_nobody_tagged_is_a_warning_with_its_remedy(tmp_path: Path) -> None:
    """It keeps nobody from working, so the exit is 0."""
    install(tmp_path, [(Signal.LOGS, logs()), (Signal.LOGS, lost_logs(3, claimants=None))])
    code, data = doctor(tmp_path)
    name = "logs of service pdf-renderer (store)"

    assert (0, "warn") == (code, outcomes(data)[name])
    (check,) = (each for each in data["checks"] if each["name"] == name)
    assert "3 records (20 %) lack app; for example: rendered" == check["message"]
    assert "headroom generate --only collectors --collector otelcol writes" in check["advice"]
    (gap,) = data["gaps"]
    assert ("2025-10-11T11:00:00Z", 0.2) == (gap["first"], gap["share"])
    assert {"schema", "checkedAt", "ok", "checks", "shares", "gaps"} == set(data)


def test_two_claimants_are_a_failure(tmp_path: Path) -> None:
    """Only a person can settle it."""
    install(tmp_path, [(Signal.LOGS, lost_logs())])
    code, data = doctor(tmp_path)

    assert (1, "fail") == (code, outcomes(data)["logs of service pdf-renderer (store)"])
    assert "claimed by cargo and ticketing, so neither gets them" in str(data["checks"])
    assert 0 == doctor(tmp_path, "--app", "crew")[0]
    assert 1 == doctor(tmp_path, "--app", "cargo")[0]


def test_a_source_that_is_down_is_a_failure(tmp_path: Path) -> None:
    """Not to know is no health."""
    down = WORKSPACE.replace(
        "{store: {path: store}}", '{prometheus: {eu: {url: "http://127.0.0.1:9", retries: 0}}}'
    )
    install(tmp_path, workspace=down, apps={"loyalty": APPS["loyalty"]}, store=False)
    code, data = doctor(tmp_path)

    assert (1, "fail", "fail") == (code, outcomes(data)["sources"], outcomes(data)["selectors"])
    assert ([], []) == (data["shares"], data["gaps"])


def test_a_store_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    """And is named."""
    install(tmp_path)
    shutil.rmtree(tmp_path / "store")
    code, data = doctor(tmp_path)

    assert (1, "fail") == (code, outcomes(data)["sources"])


@pytest.mark.parametrize(
    "argv",
    [
        ("join", "--app", "nobody"),
        ("join", "--range", "soon"),
        ("join", "--dir", "generated"),
        ("--app", "ticketing"),
        ("collectors", "--range", "1d"),
        ("collectors", "apps"),
        ("collectors", "--prometheus", "http://127.0.0.1:9"),
        ("collectors", "--dir", "no-such-folder"),
        ("collectors", "--dir", ".", "--tool", "promtool"),
        ("collectors", "--dir", ".", "--tool", "promtol=/bin/true"),
        ("collectors", "--dir", ".", "--tool", "promtool=/no/such/program"),
    ],
)
def test_what_was_typed_wrong_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    """It is no finding about this place."""
    install(tmp_path)
    monkeypatch.chdir(tmp_path)
    ending = headroom("doctor", *argv)

    assert (2, "") == (ending.code, ending.stdout), ending.stdout


def test_a_folder_of_a_part_s_name_is_looked_at_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workspace may well be called so."""
    (tmp_path / "join").mkdir()
    install(tmp_path / "join")
    monkeypatch.chdir(tmp_path)
    found = json.loads(headroom("doctor", "./join", "--format", "json").stdout)

    assert "specifications" in outcomes(found)


def test_doctor_collectors_without_generated_files_says_what_writes_them(tmp_path: Path) -> None:
    """There was nothing that could be wrong."""
    ending = headroom("doctor", "collectors", "--dir", str(tmp_path))

    assert 0 == ending.code
    assert "headroom generate --only collectors writes them" in ending.stdout
