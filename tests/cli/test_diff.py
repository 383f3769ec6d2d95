"""`headroom diff` as a process: what generating again would change, by app and SLO."""

from pathlib import Path

import pytest

from tests.cli.installed import app_text, contents, headroom, write


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A folder with two apps, generated."""
    write(tmp_path / "apps", ticketing=app_text(), cargo=app_text("cargo"))
    assert 0 == headroom("generate", "apps", "--out", "out", cwd=tmp_path).code
    return tmp_path


DIFF = ("diff", "apps", "--out", "out", "--exit-code")


def test_nothing_changed_is_0(space: Path) -> None:
    """And looking writes nothing."""
    before = contents(space)
    ending = headroom(*DIFF, cwd=space)
    assert (0, "") == (ending.code, ending.stderr)
    assert before == contents(space)


def test_a_changed_objective_is_told_by_slo(space: Path) -> None:
    """Of the app that changed, and of no other; the code is 1 only when asked for."""
    write(space / "apps", cargo=app_text("cargo", objective="99.5"))
    before = contents(space)
    ending = headroom(*DIFF, cwd=space)
    assert 1 == ending.code
    assert "cargo" in ending.stdout
    assert "availability" in ending.stdout
    assert "ticketing" not in ending.stdout
    assert 0 == headroom(*DIFF[:-1], cwd=space).code
    assert before == contents(space)


def test_new_and_removed_apps_are_told(space: Path) -> None:
    """In every format."""
    (space / "apps" / "ticketing.yaml").unlink()
    write(space / "apps", hotels=app_text("hotels"))
    for form in ("text", "json", "markdown"):
        ending = headroom(*DIFF, "--format", form, cwd=space)
        assert 1 == ending.code
        assert "hotels" in ending.stdout
        assert "ticketing" in ending.stdout
    assert isinstance(headroom(*DIFF, "--format", "json", cwd=space).json, dict)


def test_after_generating_there_is_no_difference(space: Path) -> None:
    """What diff told is what generate did."""
    write(space / "apps", cargo=app_text("cargo", objective="99.5"))
    assert 1 == headroom(*DIFF, cwd=space).code
    assert 0 == headroom("generate", "apps", "--out", "out", cwd=space).code
    assert 0 == headroom(*DIFF, cwd=space).code


def test_only_the_kinds_asked_for_are_compared(space: Path) -> None:
    """Rules are stale; routes and dashboards are another question."""
    path = space / "out" / "prometheus" / "default" / "cargo.rules.yaml"
    path.unlink()
    assert 1 == headroom(*DIFF, "--only", "rules", cwd=space).code
    assert 0 == headroom(*DIFF, "--only", "dashboards", cwd=space).code


def test_a_wrong_file_is_1_with_its_problems(space: Path) -> None:
    """Nothing is compared."""
    write(space / "apps", wrong=app_text("wrong").replace("objective", "objectve"))
    ending = headroom(*DIFF, cwd=space)
    assert (1, "") == (ending.code, ending.stdout)
    assert "wrong.yaml:7:7: error:" in ending.stderr
