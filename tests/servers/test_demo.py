"""The program of `make demo-prometheus` from start to end: what it shows and how it ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.servers.processes import wait_until
from tests.servers.provision.cache import default_cache

ROOT = Path(__file__).parents[2]
# Heavy things share a worker, so that the other one is left to quick tests.
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(autouse=True)
def demo_part(part: Callable[[str], Path]) -> Path:
    """The version of Prometheus that the demo starts."""
    return part("prometheus-2.42")


@contextmanager
def demo(folder: Path, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the demo in the checkout with a home of its own; its output goes to two files."""
    home = folder / "home"
    home.mkdir()
    own = {"HOME": str(home), "HEADROOM_SERVERS_CACHE": str(default_cache())}
    environment = {**os.environ, **own, "PYTHONUNBUFFERED": "1"}
    environment.pop("XDG_STATE_HOME", None)
    with (folder / "stdout").open("wb") as stdout, (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "examples.prometheus_demo", "--folder", folder / "demo", *flags],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=20)
                process.kill()
                process.wait()


def _text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8", errors="replace")


def _own() -> set[tuple[Path, int]]:
    """What stands in the checkout's own demo folder."""
    return {(path, path.stat().st_mtime_ns) for path in (ROOT / ".demo").glob("state/**/*")}


def _left(folder: Path) -> list[str]:
    """Every process whose command names something below the folder."""
    listed = subprocess.check_output(["ps", "-ww", "-eo", "args"], text=True)
    return [line for line in listed.splitlines() if str(folder) in line]


def test_it_shows_one_app_that_may_ship_and_one_that_may_not(tmp_path: Path) -> None:
    """Budgets of both, both answers with their codes, and it touches nothing but its folder."""
    before = _own()
    with demo(tmp_path, "--once") as process:
        assert 0 == process.wait(timeout=240), _text(tmp_path, "stderr")
    shown = _text(tmp_path, "stdout")
    parts = [part.splitlines() for part in shown.split("\n$ headroom ")[1:]]
    status, cargo, ticketing = parts
    assert status[0].startswith("status examples/prometheus_demo --prometheus http://127.0.0.1:")
    assert any("exhausted" in line for line in status)
    assert any(line.endswith("read from recorded series") for line in status)
    assert ("ALLOW", True) == (cargo[1], "(exit code 0)" in cargo)
    assert ("DENY", True) == (ticketing[1], "(exit code 10)" in ticketing)
    assert "what would turn it" in ticketing
    assert str(tmp_path / "demo" / "generated") in shown
    assert "Traceback" not in _text(tmp_path, "stderr")
    audit = tmp_path / "demo" / "state" / "headroom" / "audit.ndjson"
    assert 2 == len(audit.read_text(encoding="utf-8").splitlines())
    assert [] == list((tmp_path / "home").iterdir())
    assert before == _own()


def test_a_signal_ends_it_and_its_server(tmp_path: Path) -> None:
    """Seconds later neither of them is there, and that is no failure."""
    with demo(tmp_path) as process:
        wait_until(
            lambda: "keeps running" in _text(tmp_path, "stderr") or process.poll() is not None,
            timeout=240,
            what="the demo serves",
        )
        assert process.poll() is None, _text(tmp_path, "stderr")
        assert any("prometheus" in command for command in _left(tmp_path))
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=20)
        assert time.monotonic() - began < 15
    assert [] == _left(tmp_path)
    assert "nothing is left running" in _text(tmp_path, "stderr")
    assert "Traceback" not in _text(tmp_path, "stderr")


def test_a_signal_ends_it_while_it_sets_the_stage(tmp_path: Path) -> None:
    """Impatience leaves nothing behind either."""
    with demo(tmp_path) as process:
        wait_until(
            lambda: (
                "recording the rules" in _text(tmp_path, "stderr") or process.poll() is not None
            ),
            timeout=120,
            what="the demo records",
        )
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=20)
    assert [] == _left(tmp_path)
    assert "Traceback" not in _text(tmp_path, "stderr")
