"""The time from starting a process to its answer, for one SLO."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import recorded
from bench.generate import in_figures
from bench.model import Bench, Result, Row, Run, binaries
from bench.processes import Command, headroom, in_turns
from bench.specs import app_file, names, write_all
from bench.table import quotient

SLO_GENERATOR = "slo-generator-2.6"
_TARGET = 0.8


def run(bench: Run) -> Result:
    """Ask for one SLO of one application, in turns."""
    peer = binaries(SLO_GENERATOR) / "slo-generator"
    gate = headroom("gate")
    jobs = names(1)
    apps = write_all(bench.folder / "apps", jobs, app_file)
    audit: list[str | Path] = ["--audit", bench.folder / "audit.jsonl"]
    with recorded.prometheus(bench, jobs) as server:
        config, specs = recorded.peer_files(bench, jobs, server.url)
        commands = {
            "ours": Command(
                arguments=[*gate, apps, "--app", *jobs, "--prometheus", server.url, *audit]
            ),
            "slo-generator": Command(arguments=[peer, "compute", "-f", specs, "-c", config]),
        }
        bench.tell("one SLO in turns")
        found = in_turns(commands, 3 if bench.quick else 11)
    walls = {name: [one.seconds for one in each] for name, each in found.items()}
    work = {name: [one.cpu for one in each] for name, each in found.items()}
    return Result(
        rows=[
            _row("gate's cold start to its answer, wall", walls, _TARGET),
            _row("gate's cold start to its answer, processor time", work, None),
        ]
    )


def _row(what: str, seconds: Mapping[str, Sequence[float]], target: float | None) -> Row:
    return Row(
        bench="gate_start",
        what=what,
        value=quotient(seconds["ours"], seconds["slo-generator"]),
        target=target,
        figures=in_figures(seconds),
    )


BENCH = Bench(
    name="gate_start",
    about="`headroom gate` from cold start to answer ÷ slo-generator 2.6, same Prometheus",
    run=run,
)
