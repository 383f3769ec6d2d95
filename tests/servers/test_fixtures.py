"""The shared fixtures: missing servers, golden files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDS_A_SERVER = (
    "def test_it(alertmanager_bin):\n    assert (alertmanager_bin / 'amtool').exists()\n"
)
COMPARES = "def test_it(golden):\n    golden('folder/file.txt', 'new')\n"


class Project:
    """A project of one test file that uses this project's conftest as a plugin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.golden = folder / "tests" / "golden" / "folder" / "file.txt"
        (folder / "pytest.ini").write_text("[pytest]\nmarkers = servers\n")

    def run(self, test: str, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run the test file in another pytest; return its exit code and what it printed."""
        (self.folder / "test_it.py").write_text(test)
        kept = {name: value for name, value in os.environ.items() if not _decides(name)}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "tests.conftest",
                "-ra",
                *arguments,
                "test_it.py",
            ],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _decides(name: str) -> bool:
    return name == "CI" or name.startswith(("HEADROOM_", "PYTEST_"))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a temporary folder."""
    return Project(tmp_path)


def test_a_missing_server_skips_by_name(project: Project) -> None:
    """The reason says which part and how to get it."""
    code, said = project.run(NEEDS_A_SERVER, HEADROOM_SERVERS_CACHE=str(project.folder))

    assert 0 == code
    assert "1 skipped" in said
    assert "alertmanager-0.25: not in the cache of test servers; `make servers`" in said


def test_a_missing_server_fails_where_servers_are_required(project: Project) -> None:
    """CI cannot pass by skipping."""
    code, said = project.run(
        NEEDS_A_SERVER, HEADROOM_SERVERS_CACHE=str(project.folder), HEADROOM_REQUIRE_SERVERS="1"
    )

    assert 1 == code
    assert "HEADROOM_REQUIRE_SERVERS=1, but alertmanager-0.25: not in the cache" in said


def test_tests_of_real_servers_can_be_left_out(project: Project) -> None:
    """Using a server's fixture marks a test."""
    code, said = project.run(NEEDS_A_SERVER, "-m", "not servers")

    assert pytest.ExitCode.NO_TESTS_COLLECTED == code
    assert "1 deselected" in said


def test_a_text_that_differs_from_its_golden_file_fails(project: Project) -> None:
    """The message names the file and shows both texts; the file stays."""
    project.golden.parent.mkdir(parents=True)
    project.golden.write_text("old")

    code, said = project.run(COMPARES)

    assert 1 == code
    assert "differs from tests/golden/folder/file.txt" in said
    assert "'old' == 'new'" in said
    assert "old" == project.golden.read_text()


def test_a_missing_golden_file_fails(project: Project) -> None:
    """A test without its file proves nothing."""
    code, said = project.run(COMPARES)

    assert 1 == code
    assert "no tests/golden/folder/file.txt" in said


@pytest.mark.parametrize("parallel", [(), ("-n", "1")])
def test_golden_files_are_written_when_asked(project: Project, parallel: tuple[str, ...]) -> None:
    """The files written are named at the end, and the next run agrees with them."""
    code, said = project.run(COMPARES, "--update-golden", *parallel)

    assert 0 == code
    assert "golden file written: tests/golden/folder/file.txt" in said
    assert "new" == project.golden.read_text()
    code, said = project.run(COMPARES, "--update-golden")
    assert 0 == code
    assert "golden file written" not in said


def test_golden_files_are_never_written_in_ci(project: Project) -> None:
    """The run is refused before any test."""
    code, said = project.run(COMPARES, "--update-golden", CI="true")

    assert pytest.ExitCode.USAGE_ERROR == code
    assert "--update-golden is refused: CI is set" in said
    assert not project.golden.exists()
