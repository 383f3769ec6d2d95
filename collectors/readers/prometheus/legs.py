"""The queries that read recorded series: parts of one union, told apart by a label of ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slo import naming
from slo.clusters import pattern
from slo.model import ServiceLevel, SloKey
from slo.promql import Matcher, quote, selector_text
from slo.units import Duration
from slo.windows import FRESHNESS, LEDGER_SLOT

PART = "headroom_part"
"""The label that says which part of a union a sample belongs to."""

HEARTBEAT = "heartbeat"
INDICATOR = "indicator"
"""When the newest slot of the ledger, and of the total in it, was recorded; Unix seconds."""

FIRST_SLOT = "first_slot"
LAST_HEARTBEAT = "last_heartbeat"
LAST_INDICATOR = "last_indicator"
REVISIONS = "revisions"

LEDGER_FROM = Duration.parse("2h")
"""The shortest window that is summed over the ledger; shorter ones take the fast pair."""

MEMORY = Duration.parse("365d")
"""How far back something that is gone is looked for."""

_LONGEST_SCOPE = 8000


def chunks(levels: Sequence[ServiceLevel]) -> Iterable[tuple[ServiceLevel, ...]]:
    """Cut levels into groups whose queries stay short: one for most, few for a thousand."""
    chunk: list[ServiceLevel] = []
    length = 0
    for level in sorted(levels, key=lambda each: each.key):
        name = level.app.name
        more = 0 if chunk and chunk[-1].app.name == name else len(name) + 1
        if chunk and length + more > _LONGEST_SCOPE:
            yield tuple(chunk)
            chunk, length, more = [], 0, len(name) + 1
        length += more
        chunk.append(level)
    if chunk:
        yield tuple(chunk)


def scope(keys: Iterable[SloKey]) -> tuple[Matcher, ...]:
    """Return matchers that select at least these; SLOs are named only within one application."""
    wanted = sorted(keys)
    apps = sorted({key.app for key in wanted})
    matchers = [_either(naming.APP, apps), _either(naming.ENV, sorted({k.env for k in wanted}))]
    if len(apps) == 1:
        matchers.append(_either(naming.SLO, sorted({key.slo for key in wanted})))
    return tuple(matchers)


def present(keys: Iterable[SloKey], windows: Iterable[Duration], *, shards: bool) -> str:
    """Return the query for what the rules derived, and for how fresh it is.

    With ``shards``, a shard that fell silent within a day is still seen to be missing.
    """
    where = scope(keys)
    names = [
        *(naming.TOTAL_PERIOD, naming.BAD_PERIOD, naming.PERIOD_COVERAGE),
        *(naming.REVISION_START, naming.INFO),
        *map(naming.error_ratio, windows),
    ]
    derived = selector_text(None, (_either("__name__", names), *where))
    # Twice the freshness tells a late series from one that is gone.
    span = "[1d:1m]" if shards else "[20m:1m]"
    return union(
        [
            f"last_over_time({derived}[{FRESHNESS.promql}])",
            tagged(f"max_over_time({_times(naming.LEDGER_SLOT, where)}{span})", HEARTBEAT),
            tagged(f"max_over_time({_times(naming.TOTAL_INCREASE, where)}{span})", INDICATOR),
        ]
    )


def counted(keys: Iterable[SloKey], window: Duration) -> list[str]:
    """Return the legs that sum a window; its bad events only when no slot of them is missing."""
    where = scope(keys)
    ledger = window >= LEDGER_FROM
    total = selector_text(naming.TOTAL_INCREASE if ledger else naming.TOTAL_RATE, where)
    bad = selector_text(naming.BAD_INCREASE if ledger else naming.BAD_RATE, where)
    # A millisecond short, or servers before 3.0, whose ranges are closed, take one sample more.
    over = f"[{Duration(milliseconds=window.milliseconds - 1).promql}]"
    complete = f"count_over_time({bad}{over}) >= count_over_time({total}{over})"
    return [
        tagged(f"sum_over_time({total}{over})", total_part(window)),
        tagged(f"(sum_over_time({bad}{over}) and ({complete}))", bad_part(window)),
    ]


def first_slot(keys: Iterable[SloKey], period: Duration) -> str:
    """Return the leg for when the ledger began, within a period."""
    span = f"[{period.promql}:{LEDGER_SLOT.promql}]"
    return tagged(f"min_over_time({_times(naming.LEDGER_SLOT, scope(keys))}{span})", FIRST_SLOT)


def last_seen(keys: Iterable[SloKey], part: str) -> str:
    """Return the leg for when something that is gone was there, to the half hour.

    What lived too briefly for that has the time 0.
    """
    series = naming.LEDGER_SLOT if part == LAST_HEARTBEAT else naming.TOTAL_INCREASE
    where = scope(keys)
    over = f"[{MEMORY.promql}"
    seen = f"max_over_time({_times(series, where)}{over}:30m])"
    return tagged(f"({seen} or 0 * count_over_time({selector_text(series, where)}{over}]))", part)


def revisions(keys: Iterable[SloKey], period: Duration) -> str:
    """Return the leg for the revisions that were in force in a period."""
    info = selector_text(naming.INFO, scope(keys))
    labels = ",".join((*naming.IDENTITY_LABELS, "revision"))
    return tagged(f"count by ({labels}) (last_over_time({info}[{period.promql}]))", REVISIONS)


def total_part(window: Duration) -> str:
    """Name the part that holds a window's events."""
    return f"total {window}"


def bad_part(window: Duration) -> str:
    """Name the part that holds a window's bad events."""
    return f"bad {window}"


def tagged(expression: str, part: str) -> str:
    """Mark what an expression gives as a part of the union."""
    return f'label_replace({expression},"{PART}",{quote(part)},"","")'


def union(legs: Iterable[str]) -> str:
    """Join legs into one query."""
    return " or ".join(legs)


def _times(series: str, where: Sequence[Matcher]) -> str:
    return f"timestamp({selector_text(series, where)})"


def _either(label: str, values: Sequence[str]) -> Matcher:
    if len(values) == 1:
        return Matcher(name=label, value=values[0])
    return Matcher(name=label, op="=~", value=pattern(values))
