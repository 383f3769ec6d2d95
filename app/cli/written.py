"""What writing generated files did, or would do, told to the person at the terminal."""

from collections.abc import Sequence

from app.artefacts import Difference, Plan
from app.cli.output import count
from app.cli.terminal import Terminal
from slo.printable import printable


def report_written(terminal: Terminal, plan: Plan) -> None:
    """Write a line for each file that a plan touched, and one that counts."""
    for verb, paths in (
        ("created", plan.create),
        ("changed", plan.change),
        ("removed", plan.remove),
    ):
        for path in paths:
            remark = " (it had been edited by hand)" if path in plan.edited else ""
            terminal.line(f"{verb} {printable(str(plan.out / path))}{remark}")
    counts = [
        f"{len(paths)} {verb}"
        for verb, paths in (
            ("created", plan.create),
            ("changed", plan.change),
            ("removed", plan.remove),
            ("unchanged", plan.unchanged),
        )
        if paths
    ]
    terminal.note(f"{', '.join(counts) or 'no files'} in {printable(str(plan.out))}")


def report_conflicts(terminal: Terminal, plan: Plan) -> None:
    """Write on stderr why each file that a plan cannot write cannot be written."""
    for conflict in plan.conflicts:
        place = printable(str(plan.out / conflict.path))
        terminal.note(f"{place}: error: {printable(conflict.message)} [{conflict.trouble}]")
        if conflict.hint is not None:
            terminal.note(f"hint: {conflict.hint}")
    if plan.conflicts:
        terminal.note(f"{count(len(plan.conflicts), 'conflict')}; nothing was written")


def report_check(terminal: Terminal, plan: Plan, differences: Sequence[Difference]) -> None:
    """Write each file that is not as `generate` would leave it, and one line that counts."""
    for difference in differences:
        terminal.line(f"{printable(str(plan.out / difference.path))}: {difference.state}")
    if differences:
        terminal.note(f"{count(len(differences), 'file')} out of date; run headroom generate")
    else:
        terminal.note(f"{printable(str(plan.out))} is up to date")
