"""A thousand error budgets, with specifications loaded and as whole processes."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import recorded
from bench.gate_start import SLO_GENERATOR
from bench.generate import in_figures
from bench.model import Bench, FailedError, Result, Row, Run, UnavailableError, binaries, expect
from bench.processes import Command, headroom, in_turns
from bench.specs import (
    PERIOD_SECONDS,
    SLO_GENERATOR_WINDOWS,
    app_file,
    names,
    service,
    slo_generator_config,
    write_all,
)
from bench.table import quotient
from collectors.readers.prometheus import PrometheusReader
from slo.evaluate import State, evaluate, windows_of
from slo.model import ServiceLevel
from slo.units import Duration
from slo.workspace import PrometheusSource
from tests.builders import CATALOGUE

_DEFAULT, _LEAST = "slo-generator", "slo-generator of one window"
_LOADED_TARGET, _WHOLE_TARGET = 1 / 100, 1 / 10
# Run by slo-generator's own interpreter.
_PEER_LOOP = """
import json, sys, time
from slo_generator import utils
from slo_generator.compute import compute
config = utils.load_config(sys.argv[1])
specs = utils.load_configs(sys.argv[2], kind="ServiceLevelObjective")
began = time.perf_counter()
valid = sum(report["valid"] for spec in specs for report in compute(spec, config))
print(json.dumps({"seconds": time.perf_counter() - began, "valid": valid}))
"""


def run(bench: Run) -> Result:
    """Compute every budget in turns; slo-generator by its default policy of four windows."""
    peer = binaries(SLO_GENERATOR)
    jobs = names(50 if bench.quick else 1000)
    bench.tell(f"{len(jobs)} applications: writing what their rules recorded")
    with recorded.prometheus(bench, jobs) as server:
        config, specs = recorded.peer_files(bench, jobs, server.url)
        rows = _loaded(bench, server.url, (peer, config, specs), jobs)
        whole: list[str | Path] = [peer / "slo-generator", "compute", "-f", specs, "-c", config]
        rows.append(_whole(bench, server.url, whole, jobs))
    return Result(rows=rows)


def _loaded(bench: Run, url: str, peer: tuple[Path, Path, Path], jobs: Sequence[str]) -> list[Row]:
    folder, config, specs = peer
    levels = [service(job) for job in jobs]
    # The least that yields a budget is one window; nobody runs it like that.
    least = config.with_name("one-window.yaml")
    least.write_text(slo_generator_config(url, [PERIOD_SECONDS]), encoding="utf-8")
    walls: dict[str, list[float]] = {"ours": [], _DEFAULT: [], _LEAST: []}
    for turn in range(2 if bench.quick else 3):
        bench.tell(f"{len(jobs)} budgets with specifications loaded, round {turn}")
        took = {
            "ours": read(url, levels),
            _DEFAULT: peer_loop(folder, config, specs, len(jobs) * len(SLO_GENERATOR_WINDOWS)),
            _LEAST: peer_loop(folder, least, specs, len(jobs)),
        }
        for name, seconds in took.items() if turn else ():
            walls[name].append(seconds)
    what = f"{len(jobs):,} budgets, specifications loaded"
    pair = {name: walls[name] for name in ("ours", _DEFAULT)}
    one = {name: walls[name] for name in ("ours", _LEAST)}
    return [
        _row(what, pair, _LOADED_TARGET),
        _row(f"{what}, peer with the period alone", one, None),
    ]


def read(url: str, levels: Sequence[ServiceLevel]) -> float:
    """Seconds to read and judge all levels; every one must have its budget."""
    source = PrometheusSource(name="bench", url=url, timeout=Duration.parse("30s"))
    windows = {window for level in levels for window in windows_of(level, CATALOGUE)}
    began = time.perf_counter()
    reader = PrometheusReader(source)
    readings = reader.read(levels, sorted(windows), datetime.now(UTC))
    judged = [evaluate(level, readings[level.key], CATALOGUE) for level in levels]
    seconds = time.perf_counter() - began
    expect({State.OK}, {each.state for each in judged}, "states")
    expect({"recorded"}, {each.reading.mode for each in judged}, "ways of reading")
    return seconds


def peer_loop(folder: Path, config: Path, specs: Path, expected: int) -> float:
    """Seconds of slo-generator's own loop over specifications that it has loaded."""
    python = folder.parent / "venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", _PEER_LOOP, config, specs],
        cwd=config.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FailedError(f"slo-generator exits with {done.returncode}: {done.stderr[-500:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    expect(expected, answer["valid"], "slo-generator's valid reports")
    return float(answer["seconds"])


def _whole(bench: Run, url: str, peer: Sequence[str | Path], jobs: Sequence[str]) -> Row:
    what = f"{len(jobs):,} budgets, whole process"
    try:
        status = headroom("status")
        apps = write_all(bench.folder / "apps", jobs, app_file)
        commands = {
            "ours": Command(arguments=[*status, apps, "--prometheus", url, "--format", "json"]),
            _DEFAULT: Command(arguments=peer),
        }
        bench.tell("whole processes in turns")
        found = in_turns(commands, 1 if bench.quick else 2)
    except UnavailableError as missing:
        figures = f"skipped: {str(missing).splitlines()[0]}"
        return Row(bench="budgets", what=what, value=None, figures=figures)
    answered = json.loads(found["ours"][0].output)["slos"]
    expect({"ok": len(jobs)}, Counter(each["state"] for each in answered), "our budgets")
    walls = {name: [one.seconds for one in each] for name, each in found.items()}
    return _row(what, walls, _WHOLE_TARGET)


def _row(what: str, walls: dict[str, list[float]], target: float | None) -> Row:
    ours, theirs = walls.values()
    return Row(
        bench="budgets",
        what=what,
        value=quotient(ours, theirs),
        target=target,
        figures=in_figures(walls),
    )


BENCH = Bench(
    name="budgets",
    about="1,000 error budgets ÷ slo-generator 2.6, with specifications loaded and from cold",
    run=run,
)
