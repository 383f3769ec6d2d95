"""Rules for a thousand SLOs, ours and Sloth's, as whole processes."""

from collections.abc import Mapping, Sequence

from bench.model import Bench, Result, Row, Run, binaries, expect
from bench.processes import Command, headroom, in_turns
from bench.rules import SLOTH
from bench.specs import app_file, names, sloth_file, write_all
from bench.table import quotient

_TARGET = 1.5


def run(bench: Run) -> Result:
    """Generate rules from as many files as there are SLOs."""
    jobs = names(50 if bench.quick else 1000)
    apps = write_all(bench.folder / "apps", jobs, app_file)
    specs = write_all(bench.folder / "sloth", jobs, sloth_file)
    out = bench.folder / "out"
    sloth_out = bench.folder / "sloth-out"
    generate, sloth = headroom("generate"), binaries(SLOTH) / "sloth"
    commands = {
        "ours": Command(
            arguments=[*generate, apps, "--out", out, "--only", "rules"],
            fresh=out,
        ),
        "sloth": Command(
            arguments=[sloth, "generate", "--no-log", "-i", specs, "-o", sloth_out],
            fresh=sloth_out,
        ),
    }
    bench.tell(f"{len(jobs)} SLOs in turns")
    found = in_turns(commands, 2 if bench.quick else 5)
    walls = {name: [one.seconds for one in each] for name, each in found.items()}
    work = {name: [one.cpu for one in each] for name, each in found.items()}
    expect(len(jobs), len(list(out.rglob("*.rules.yaml"))), "our rule files")
    expect(len(jobs), len(list(sloth_out.iterdir())), "Sloth's rule files")
    rows = [
        Row(
            bench="generate",
            what=f"rules for {len(jobs):,} SLOs, wall",
            value=quotient(walls["ours"], walls["sloth"]),
            target=_TARGET,
            figures=in_figures(walls),
        ),
        Row(
            bench="generate",
            what=f"rules for {len(jobs):,} SLOs, processor time",
            value=quotient(work["ours"], work["sloth"]),
            figures=in_figures(work),
        ),
    ]
    return Result(rows=rows)


def in_figures(walls: Mapping[str, Sequence[float]]) -> str:
    """Each one's fastest, median and slowest run, in seconds."""
    texts = []
    for name, seconds in walls.items():
        ordered = sorted(seconds)
        middle = ordered[len(ordered) // 2]
        texts.append(f"{name} {middle:.3g} s ({ordered[0]:.3g} to {ordered[-1]:.3g})")
    return ", ".join(texts)


BENCH = Bench(
    name="generate",
    about="`headroom generate` for 1,000 SLOs ÷ sloth 0.16, whole processes",
    run=run,
)
