"""The program that runs the benchmarks: choosing, skipping by name, measuring processes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.__main__ import main, run_one
from bench.model import NEWEST, OLDEST, Bench, FailedError, Result, Run, binaries, expect
from bench.page_delay import our_page
from bench.processes import Command, in_turns, measure
from slo.promql import Query, parse_query


def test_a_missing_peer_is_said_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row stays, without a figure, and says how to get the peer."""
    monkeypatch.setenv("HEADROOM_SERVERS_CACHE", str(tmp_path))
    said: list[str] = []

    def run(_: Run) -> Result:
        binaries("sloth-0.16")
        raise AssertionError

    result = run_one(Bench(name="speed", about="how fast", run=run), quick=True, tell=said.append)

    [row] = result.rows
    assert row.value is None
    assert row.met is None
    assert row.figures.startswith("skipped: sloth-0.16: not in the cache")
    assert "make servers PEERS=1" in row.figures
    assert "speed: how fast" == said[0]


def test_an_unknown_benchmark_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer names those that exist."""
    with pytest.raises(SystemExit) as ended:
        main(["sped"])

    assert 2 == ended.value.code
    assert "rule_cost" in capsys.readouterr().err


def test_a_process_is_measured_from_outside() -> None:
    """Its time, its own memory, and what it printed."""
    hungry = "data = bytearray(80_000_000); import time; time.sleep(0.2); print('done')"

    measured = measure(Command(arguments=[sys.executable, "-c", hungry]))

    assert "done\n" == measured.output
    assert 0.2 <= measured.seconds
    assert 80_000_000 < measured.peak


def test_the_memory_of_whoever_measures_is_not_counted() -> None:
    """Linux hands peak memory down to children."""
    ballast = bytearray(150_000_000)

    measured = measure(Command(arguments=[sys.executable, "-c", "pass"]))

    assert measured.peak < len(ballast)


def test_a_process_that_fails_is_no_figure() -> None:
    """The reason quotes its last words."""
    failing = [sys.executable, "-c", "raise SystemExit('no such server')"]

    with pytest.raises(FailedError, match=r"exits with 1: no such server"):
        measure(Command(arguments=failing))


def test_commands_take_turns_in_a_folder_that_is_empty_each_time(tmp_path: Path) -> None:
    """What one run leaves behind does not make the next one faster."""
    out = tmp_path / "out"
    log = tmp_path / "log"
    script = (
        "import sys, pathlib; out, log, name = sys.argv[1:];"
        "files = list(pathlib.Path(out).iterdir());"
        "pathlib.Path(out, name).touch();"
        "pathlib.Path(log).open('a').write(f'{name}{len(files)} ')"
    )
    commands = {
        name: Command(arguments=[sys.executable, "-c", script, out, log, name], fresh=out)
        for name in "ab"
    }

    found = in_turns(commands, 2)

    assert {"a": 2, "b": 2} == {name: len(runs) for name, runs in found.items()}
    assert "a0 b0 a0 b0 b0 a0 " == log.read_text()


def test_our_page_is_put_together_from_raw_series_alone() -> None:
    """What its group records stands in it as that record's own expression."""
    page = our_page("api")

    assert "slo:" not in page
    assert "[1h:30s]" in page
    assert "[5m:30s]" in page
    assert isinstance(parse_query(page), Query)


def test_the_smallest_benchmark_runs(
    tmp_path: Path, part: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Figures on standard output and in a file, progress elsewhere."""
    part(OLDEST)
    part(NEWEST)
    file = tmp_path / "figures.json"

    assert 0 == main(["page_delay", "--quick", "--json", str(file)])

    printed = capsys.readouterr()
    assert "page of a total outage" in printed.out
    assert "page_delay: 3 outages" in printed.err
    rows = json.loads(file.read_text())["rows"]
    assert {"s"} == {row["unit"] for row in rows}
    assert rows[0]["value"] <= 20


def test_a_wrong_answer_is_a_failure_and_no_figure() -> None:
    """However fast it was."""

    def run(_: Run) -> Result:
        expect(1000, 999, "budgets")
        raise AssertionError

    result = run_one(Bench(name="speed", about="how fast", run=run), quick=True, tell=print)

    [row] = result.rows
    assert row.value is None
    assert "failed: budgets: 999, expected 1000" == row.figures
