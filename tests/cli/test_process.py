"""The frame in a process of its own: streams, signals, imports and the installed entry point."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAKE = [sys.executable, "-m", "tests.cli.fakes.program"]
# Containers often switch buffering off, which would move every failure to the first write.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
HEADROOM = [sys.executable, "-m", "app.cli.main"]


def run(
    command: list[str], *, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**ENVIRONMENT, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_shows_its_help_and_its_version() -> None:
    """The real registry, however many commands it has."""
    shown = run([*HEADROOM, "--help"])
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("usage: headroom COMMAND [OPTIONS]\n")
    version = run([*HEADROOM, "--version"])
    assert version.returncode == 0
    assert version.stdout.startswith("headroom ")


def test_an_unknown_command_exits_2_with_nothing_on_stdout() -> None:
    """What reads stdout must not take a complaint for a result."""
    ending = run([*HEADROOM, "frobnicate"])
    assert (ending.returncode, ending.stdout) == (2, "")
    expected = 'error: unknown command "frobnicate"\nhint: see headroom --help\n'
    assert expected == ending.stderr


def test_a_reader_that_goes_away_is_no_error_worth_a_word() -> None:
    """As in `headroom … | head -1`."""
    with subprocess.Popen(
        [*FAKE, "greet", "world", "--times", "200000"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "hello world\n"
        process.stdout.close()
        stderr = process.stderr.read()
        code = process.wait(timeout=60)
    assert (code, stderr) == (141, "")


def test_a_verdict_outlives_a_reader_that_went_away() -> None:
    """What is flushed at the very end may fail too; a denial must still be one."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        ending = subprocess.run(
            [*FAKE, "judge", "deny"],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=stdout,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert (ending.returncode, ending.stderr) == (10, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_does_not_fit_on_the_disk_is_an_error() -> None:
    """Success without output would be a lie."""
    with Path("/dev/full").open("wb") as full:
        ending = subprocess.run(
            [*FAKE, "greet", "world"],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert ending.returncode == 1
    assert "No space left on device\n" in ending.stderr
    assert "Traceback" not in ending.stderr
    assert "Exception ignored" not in ending.stderr


def test_characters_that_the_encoding_cannot_express_are_escaped() -> None:
    """The result is still readable, and nothing crashes."""
    ending = run([*FAKE, "greet", "Zoë ☃"], environment={"PYTHONIOENCODING": "ascii"})
    assert (ending.returncode, ending.stdout) == (0, "hello Zo\\xeb \\u2603\n")


def test_a_bare_container_without_a_locale_does_not_crash() -> None:
    """Python then takes even the arguments for ASCII."""
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ending = run([*FAKE, "greet", "Zoë ☃"], environment=bare)
    assert ending.returncode == 0
    assert ending.stdout.startswith("hello Zo")


def test_bytes_that_are_no_text_do_not_crash_the_output() -> None:
    """File names may be any bytes."""
    ending = subprocess.run(
        [*map(os.fsencode, FAKE), b"greet", b"\xff"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (ending.returncode, ending.stdout) == (0, b"hello \\udcff\n")


def test_closed_standard_streams_do_not_crash() -> None:
    """A verdict needs no stream."""
    ending = run(["sh", "-c", '"$@" >&- 2>&-', "sh", *FAKE, "judge", "deny"])
    assert ending.returncode == 10


def test_output_into_a_pipe_is_plain() -> None:
    """Colour is for terminals."""
    assert run([*FAKE, "greet"]).stderr == "written in plain text\n"


def test_help_imports_no_command_and_nothing_heavy() -> None:
    """A cold start must not pay for what it does not use."""
    code = (
        "import sys; from app.cli.main import main; main(['--help']);"
        "heavy = {'yaml', 'promql_parser', 'requests', 'pandas', 'streamlit', 'duckdb',"
        " 'elasticsearch', 'prometheus_api_client', 'grafana_foundation_sdk'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    assert run([sys.executable, "-c", code]).stderr == "[]\n"


def test_calling_a_command_imports_no_other_command() -> None:
    """A registry of import paths, not of modules."""
    code = (
        "import sys; from tests.cli.fakes.terminals import call; call(['greet', 'x']);"
        "print(sorted(m for m in sys.modules if m.startswith('tests.cli.fakes')))"
    )
    expected = "['tests.cli.fakes', 'tests.cli.fakes.greet', 'tests.cli.fakes.program', "
    assert run([sys.executable, "-c", code]).stdout.startswith(expected)
