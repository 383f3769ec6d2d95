"""Whether `validate` grows in line with its input: 10, 100 and 1,000 applications."""

import math
from collections.abc import Mapping
from itertools import pairwise

from bench.model import Bench, Result, Row, Run
from bench.processes import Command, headroom, in_turns
from bench.specs import app_file, names, write_all

_TARGET = 1.2
_BASELINE = 1


def run(bench: Run) -> Result:
    """Validate folders in turns, and take off what one application costs."""
    sizes = (_BASELINE, 5, 25, 125) if bench.quick else (_BASELINE, 10, 100, 1000)
    validate = headroom("validate")
    commands = {
        str(size): Command(
            arguments=[*validate, write_all(bench.folder / str(size), names(size), app_file)]
        )
        for size in sizes
    }
    bench.tell(f"{', '.join(commands)} applications in turns")
    found = in_turns(commands, 1 if bench.quick else 3)
    # What ten applications add is a few milliseconds: only many runs show it.
    small = {size: commands[size] for size in list(commands)[:-1]}
    for size, runs in in_turns(small, 4 if bench.quick else 20).items():
        found[size] += runs
    measured = {int(size): runs for size, runs in found.items()}
    # Others on the machine only ever add: the least is nearest to what was needed.
    walls = {size: min(one.seconds for one in runs) for size, runs in measured.items()}
    work = {size: min(one.cpu for one in runs) for size, runs in measured.items()}
    peaks = {size: min(one.peak for one in runs) / 2**20 for size, runs in measured.items()}
    rows = [
        _row("wall time", walls, "s"),
        _row("processor time", work, "s"),
        _row("peak memory", peaks, "MiB"),
    ]
    return Result(rows=rows)


def growth(figures: Mapping[int, float]) -> float:
    """How a figure's growth over the last step compares with that over the step before.

    All of it per application above the first size; 1 is growth in line with the input, also
    where the sizes are no round multiples of each other.
    """
    ordered = sorted(figures.items())
    if any(more <= less for (_, less), (_, more) in pairwise(ordered)):
        # Noise was larger than what a size added.
        return math.nan
    (one, base), *larger = ordered
    least, middle, most = ((figure - base) / (size - one) for size, figure in larger)
    return (most / middle) / (middle / least)


def _row(what: str, figures: Mapping[int, float], unit: str) -> Row:
    sizes = " / ".join(f"{size:,}" for size in figures)
    listed = " / ".join(f"{figure:.4g}" for figure in figures.values())
    return Row(
        bench="validate_scaling",
        what=f"validate, growth of {what}",
        value=growth(figures),
        target=_TARGET,
        figures=f"{listed} {unit} at {sizes} applications",
    )


BENCH = Bench(
    name="validate_scaling",
    about="`headroom validate` on 10, 100, 1,000 applications: growth of time and memory",
    run=run,
)
