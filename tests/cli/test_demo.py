"""`headroom demo` as it is called: its flags, what it fills, and that it leaves nothing running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.installed import headroom

PATIENCE = 300
"""Seconds; many times what it takes on a machine with nothing else to do."""

SMALL = ("--once", "--days", "1", "--scale", "0.02")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--days", "0"), '"0" is no number from 1 to 400'),
        (("--days", "two"), '"two" is no number from 1 to 400'),
        (("--scale", "nan"), '"nan" is no number from 0.001 to 100.0'),
        (("--scale", "-1"), '"-1" is no number'),
        (("--port", "65536"), '"65536" is no number from 1 to 65535'),
        (("--seed", "-3"), '"-3" is no number from 0'),
    ],
)
def test_wrong_numbers_are_wrong_usage(argv: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Nothing is written."""
    ending = headroom("demo", "--once", "--store", tmp_path / "store", *argv, cwd=tmp_path)
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr
    assert not (tmp_path / "store").exists()


def test_once_fills_a_store_and_exits(tmp_path: Path) -> None:
    """It says how much, refuses to mix two worlds, and begins anew when told to."""
    flags = ("demo", *SMALL, "--store", "data")
    first = headroom(*flags, cwd=tmp_path, timeout=PATIENCE)
    assert (0, "") == (first.code, first.stderr)
    assert first.stdout.startswith("wrote ")
    assert f"records of 1 day to {tmp_path / 'data'}\n" in first.stdout
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_text())
    assert manifest
    second = headroom(*flags, cwd=tmp_path, timeout=PATIENCE)
    assert (2, "") == (second.code, second.stdout)
    assert "holds data already" in second.stderr
    assert 0 == headroom(*flags, "--clean", cwd=tmp_path, timeout=PATIENCE).code


def test_a_folder_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    """`--clean` removes stores, not whatever a typing mistake names."""
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("Dear")
    ending = headroom("demo", *SMALL, "--clean", "--store", "letters", cwd=tmp_path)
    assert (2, "") == (ending.code, ending.stdout)
    assert "holds more than a store" in ending.stderr
    assert (tmp_path / "letters" / "letter.txt").exists()


def test_the_demos_workspace_is_an_ordinary_one(tmp_path: Path) -> None:
    """It validates without a warning, and generates."""
    workspace = Path(__file__).parents[2] / "examples" / "airline"
    ending = headroom("validate", workspace, cwd=tmp_path)
    assert (0, "") == (ending.code, ending.stderr)
    assert "7 apps" in ending.stdout
    assert "no problems" in ending.stdout
    assert 0 == headroom("generate", workspace, "--out", tmp_path / "out", cwd=tmp_path).code
