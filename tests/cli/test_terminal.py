"""What a terminal shows of long work, and what it takes from its environment."""

import io
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.cli.terminal import Terminal

ROOT = Path(__file__).parents[2]

SHOW = """\
from app.cli.terminal import Terminal
terminal = Terminal.of_process()
print(terminal.color, terminal.error_color, terminal.interactive, terminal.width)
"""


class Ticks:
    """A clock that goes one step further each time it is asked."""

    def __init__(self, step: float) -> None:
        self.now = 0.0
        self.step = step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def worked(*, step: float, interactive: bool = True) -> str:
    """Return what is drawn by four steps of so many seconds each."""
    stderr = io.StringIO()
    terminal = Terminal(
        stdout=io.StringIO(),
        stderr=stderr,
        width=50,
        interactive=interactive,
        ticks=Ticks(step),
    )
    with terminal.progress(4, "asking") as progress:
        for _ in range(4):
            progress.advance()
    return stderr.getvalue()


def test_long_work_shows_a_bar_and_takes_it_away() -> None:
    """The line is blank when the work is done."""
    shown = worked(step=1).split("\r")
    assert shown[1].strip() == "asking [############------------] 2/4"
    assert shown[-3].strip() == "asking [########################] 4/4"
    assert (shown[-2], shown[-1]) == (" " * 49, "")
    assert all(len(line) < 50 for line in shown)


def test_short_work_shows_nothing() -> None:
    """Under two seconds nobody needs a bar."""
    assert worked(step=0.4) == ""


def test_nothing_is_drawn_where_nobody_looks() -> None:
    """Logs of pipelines hold no bars."""
    assert worked(step=10, interactive=False) == ""


def test_a_bar_is_not_redrawn_more_often_than_the_eye_sees() -> None:
    """A tenth of a second apart: from 2.0 to 3.0 seconds, about ten."""
    stderr = io.StringIO()
    terminal = Terminal(stdout=io.StringIO(), stderr=stderr, interactive=True, ticks=Ticks(0.01))
    with terminal.progress(300, "asking") as progress:
        for _ in range(300):
            progress.advance()
    assert stderr.getvalue().count("asking") in {10, 11}


def test_the_clock_is_in_utc() -> None:
    """The only place that asks for now."""
    before = datetime.now(UTC)
    now = Terminal(stdout=io.StringIO(), stderr=io.StringIO()).clock()
    assert before <= now <= datetime.now(UTC)


def test_block_characters_are_offered_only_to_encodings_that_have_them() -> None:
    """A burn-down spark needs them."""
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    wide = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    answers = [
        Terminal(stdout=stream, stderr=io.StringIO()).can_show("▁█") for stream in (narrow, wide)
    ]
    assert answers == [False, True]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TERM": "xterm"}, "True True True 80"),
        ({"TERM": "xterm", "NO_COLOR": ""}, "True True True 80"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "False False True 80"),
        ({"TERM": "dumb"}, "False False True 80"),
        ({"TERM": "xterm", "COLUMNS": "120"}, "True True True 120"),
        ({"TERM": "xterm", "COLUMNS": "3"}, "True True True 40"),
        ({"TERM": "xterm", "COLUMNS": "wide"}, "True True True 80"),
    ],
)
def test_color_and_width_follow_a_real_terminal_and_its_environment(
    environment: dict[str, str], expected: str
) -> None:
    """A fresh pseudo terminal has no size, so that 80 columns are taken."""
    leader, follower = pty.openpty()
    try:
        clean = {
            key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "COLUMNS"}
        }
        subprocess.run(
            [sys.executable, "-c", SHOW],
            cwd=ROOT,
            env={**clean, **environment},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            check=True,
            timeout=60,
        )
        assert expected == os.read(leader, 1000).decode().strip()
    finally:
        os.close(leader)
        os.close(follower)
