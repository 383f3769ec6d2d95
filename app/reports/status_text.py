"""The answer of ``headroom status`` for people: a table that fits 80 columns, then what is off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from itertools import groupby
from textwrap import wrap

from app.reports.figures import amount, percent, span, spark, times
from app.reports.status_json import instant
from slo.evaluate import EXHAUSTION_WINDOW, Evaluation, State
from slo.model import SloKey
from slo.printable import printable

_COLORS = {
    State.OK: "\x1b[32m",
    State.BURNING: "\x1b[33m",
    State.EXHAUSTED: "\x1b[31m",
    State.NO_DATA: "\x1b[35m",
}
_END = "\x1b[0m"
_NAME = 15
_WIDTH = 80
_SIGNS = {State.OK: " ", State.BURNING: "!", State.EXHAUSTED: "x", State.NO_DATA: "?"}

BurnDown = Mapping[SloKey, Sequence[Fraction | None]]
"""Budget remaining over the period in equal steps, 1 = untouched; ``None`` where unknown."""


def status_text(
    evaluations: Sequence[Evaluation],
    at: datetime,
    *,
    burn_down: BurnDown,
    color: bool = False,
    blocks: bool = True,
) -> str:
    """A table by application and environment, and a line for everything that needs one."""
    lines = [_header()]
    for (app, env), group in groupby(evaluations, key=lambda one: (one.key.app, one.key.env)):
        lines.append(f"{app} · {env}" if blocks else f"{app} / {env}")
        for one in group:
            lines.append(_row(one, burn_down.get(one.key, ()), color=color, blocks=blocks))
            lines.extend(line for text in remarks(one) for line in _wrapped(text))
    lines.append("")
    lines.append(_footer(evaluations, at))
    return "\n".join(lines) + "\n"


def remarks(one: Evaluation) -> Iterator[str]:
    """What a reader must know besides the row's numbers."""
    reading = one.reading
    if one.no_data is not None:
        detail = f": {printable(one.no_data.detail)}" if one.no_data.detail else ""
        yield f"no data ({one.no_data.reason}){detail}"
    for name in reading.partial:
        yield f"partial: without {printable(name)}"
    for pair in one.firing:
        long, short = one.pair_burn(pair)
        yield (
            f"{pair.severity}: burns {times(long)} over {pair.long} and {times(short)} "
            f"over {pair.short}, above {times(pair.factor)}"
        )
    if reading.revision is not None and reading.revision.previous:
        since = instant(reading.revision.since)
        yield f"objective or query changed within the window, at {since}; older events count too"
    if reading.unproven:
        yield "unproven: the selector of bad events has never matched a series"
    for text in (*reading.warnings, *reading.notes):
        yield printable(text)


def _wrapped(text: str) -> list[str]:
    return wrap(
        text,
        _WIDTH,
        initial_indent="    ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _header() -> str:
    return (
        f"  {'SLO':<{_NAME}} {'GOAL':>8}    {'STATE':<10}{'BUDGET LEFT':>11} "
        f"{'BURN 1h':>8} {'LASTS':>7}  BURN-DOWN"
    )


def _row(one: Evaluation, left: Sequence[Fraction | None], *, color: bool, blocks: bool) -> str:
    state = f"{_SIGNS[one.state]} {str(one.state).replace('_', ' '):<10}"
    if color:
        state = f"{_COLORS[one.state]}{state}{_END}"
    name = one.key.slo if len(one.key.slo) <= _NAME else f"{one.key.slo[: _NAME - 1]}~"
    remaining = None if one.budget is None else one.budget.remaining
    return (
        f"  {name:<{_NAME}} {one.level.slo.objective.text + ' %':>8}  {state}"
        f"{percent(remaining):>11} {times(one.burn_rates.get(EXHAUSTION_WINDOW)):>8} "
        f"{_lasts(one):>7}  {spark(left, blocks=blocks)}"
    ).rstrip()


def _lasts(one: Evaluation) -> str:
    seconds = one.seconds_to_exhaustion
    if seconds is None or seconds > Fraction(one.level.slo.window.milliseconds, 1000):
        return "-" if seconds is None else f">{one.level.slo.window}"
    return span(seconds)


def _footer(evaluations: Sequence[Evaluation], at: datetime) -> str:
    modes = ", ".join(sorted({one.reading.mode for one in evaluations}))
    count = len(evaluations)
    return f"{count} SLO{'' if count == 1 else 's'} at {instant(at)}, read from {modes} series"


def status_markdown(evaluations: Sequence[Evaluation], at: datetime) -> str:
    """A table for pull requests and job summaries."""
    rows = [
        "| app | env | SLO | objective | state | budget left | failures left | burn 1h | lasts |",
        "|---|---|---|---:|---|---:|---:|---:|---:|",
    ]
    for one in evaluations:
        budget = one.budget
        cells = (
            one.key.app,
            one.key.env,
            one.key.slo,
            f"{one.level.slo.objective.text} %",
            str(one.state).replace("_", " "),
            percent(None if budget is None else budget.remaining),
            amount(None if budget is None else budget.failures_left),
            times(one.burn_rates.get(EXHAUSTION_WINDOW)),
            _lasts(one),
        )
        rows.append("| " + " | ".join(cells) + " |")
    noted = [f"- `{one.key}`: {_escape(text)}" for one in evaluations for text in remarks(one)]
    tail = ["", *noted] if noted else []
    return "\n".join([*rows, *tail, "", f"_{_footer(evaluations, at)}_"]) + "\n"


def _escape(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in text)
