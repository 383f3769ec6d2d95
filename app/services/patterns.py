"""What log lines have in common: templates with their counts, trends, and what is new.

Templates come from Drain (He et al., ICWS 2017) as the library drain3 implements it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.world import World
from collectors.readers.telemetry import Answered, LogQuery, TimeRange, Where
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd
    from drain3 import TemplateMiner

SAMPLE = 10_000
"""How many of the newest lines are read for patterns, and as many of the time before."""

SLICES = 24
LONGEST_LINE = 2_000

_MASKS = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "ID"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "IP"),
    (r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{16,}\b", "HEX"),
    (r"(?<![A-Za-z0-9_])[-+]?\d+(?:\.\d+)?(?=(?:ms|s|us|%|[kKMG]i?B)?\b)", "NUM"),
)


@dataclass(slots=True, kw_only=True)
class _Pattern:
    """One template while lines are being read."""

    lines: int = 0
    before: int = 0
    first: int | None = None
    last: int | None = None
    trend: list[int] = field(default_factory=lambda: [0] * SLICES)
    levels: Counter[str] = field(default_factory=Counter)
    example: str = ""
    trace_id: str | None = None


class Miner:
    """Puts lines into patterns; one for each question, since templates grow as lines come."""

    def __init__(self) -> None:
        self._miner = _miner()

    def learn(self, lines: Sequence[str]) -> list[int]:
        """Return the number of the pattern of each line."""
        return [
            int(self._miner.add_log_message(line[:LONGEST_LINE])["cluster_id"]) for line in lines
        ]

    def template(self, pattern: int) -> str:
        """Return the text of a pattern, with what varies in angle brackets."""
        cluster = self._miner.drain.id_to_cluster[pattern]
        return str(cluster.get_template())


def patterns(
    world: World, scope: Scope, where: Where, *, text: str = "", limit: int = 50
) -> Answered[pd.DataFrame]:
    """Return the patterns of an app's log lines, most frequent first.

    Columns: pattern, count, share, level (the most frequent), first_seen, last_seen (ns), trend
    (counts in 24 slices of the range), example, trace_id, new (in the range, and not in as long a
    time before it). Past ``SAMPLE`` lines, counts are of the newest.
    """
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    scope.check(where.app, where.env)
    reader = world.reader("logs")
    query = LogQuery(where=where, text=text, limit=SAMPLE)
    now = reader.logs(query)
    earlier = TimeRange(start=where.range.start - where.range.length, end=where.range.start)
    before = reader.logs(replace(query, where=replace(where, range=earlier)))
    found, miner = _mine(now.value, before.value, where.range)
    total = max(1, len(now.value))
    rows = [
        {
            "pattern": miner.template(number),
            "count": one.lines,
            "share": one.lines / total,
            "level": one.levels.most_common(1)[0][0],
            "first_seen": one.first,
            "last_seen": one.last,
            "trend": one.trend,
            "example": one.example,
            "trace_id": one.trace_id,
            "new": one.before == 0,
        }
        for number, one in found.items()
        if one.lines
    ]
    rows.sort(key=lambda row: (-int(str(row["count"])), str(row["pattern"])))
    return now.giving(pd.DataFrame(rows[:limit], columns=list(_COLUMNS)))


_COLUMNS = (
    "pattern",
    "count",
    "share",
    "level",
    "first_seen",
    "last_seen",
    "trend",
    "example",
    "trace_id",
    "new",
)


def _mine(
    now: pd.DataFrame, before: pd.DataFrame, span: TimeRange
) -> tuple[dict[int, _Pattern], Miner]:
    miner = Miner()
    found: dict[int, _Pattern] = {}
    for number in miner.learn(_bodies(before)):
        found.setdefault(number, _Pattern()).before += 1
    width = max(1, span.length // SLICES)
    numbers = miner.learn(_bodies(now))
    columns = (now["time"], now["severity_text"], now["body"], now["trace_id"])
    for number, time, level, body, trace in zip(numbers, *columns, strict=True):
        one = found.setdefault(number, _Pattern())
        one.lines += 1
        one.first = time if one.first is None else min(one.first, time)
        one.last = time if one.last is None else max(one.last, time)
        one.trend[min(SLICES - 1, max(0, (time - span.start) // width))] += 1
        one.levels[str(level or "unknown").lower()] += 1
        if not one.example:
            one.example, one.trace_id = str(body), trace if isinstance(trace, str) else None
    return found, miner


def overrepresented(lines: pd.DataFrame, limit: int = 3) -> tuple[str, ...]:
    """Return the patterns that failing requests write more often than others do.

    ``lines`` has the columns body and failing. A pattern counts when it makes up at least a
    twentieth of the failing lines and three times its share of the others.
    """
    failing = int(lines["failing"].sum())
    if not failing:
        return ()
    miner = Miner()
    bad: Counter[int] = Counter()
    good: Counter[int] = Counter()
    for number, fails in zip(miner.learn(_bodies(lines)), lines["failing"], strict=True):
        (bad if fails else good)[number] += 1
    others = len(lines) - failing
    telling = [
        number
        for number, count in bad.most_common()
        if count >= failing / 20 and count * (others + 1) >= 3 * (good[number] + 1) * failing
    ]
    return tuple(miner.template(number) for number in telling[:limit])


def _bodies(lines: pd.DataFrame) -> list[str]:
    return [str(body) if body is not None else "" for body in lines["body"]]


def _miner() -> TemplateMiner:
    from drain3 import TemplateMiner  # noqa: PLC0415 - loaded when patterns are asked for
    from drain3.masking import MaskingInstruction  # noqa: PLC0415 - as above
    from drain3.template_miner_config import TemplateMinerConfig  # noqa: PLC0415 - as above

    config = TemplateMinerConfig()
    config.drain_sim_th = 0.5
    config.drain_depth = 5
    config.drain_max_clusters = 2_000
    config.masking_instructions = [MaskingInstruction(*each) for each in _MASKS]
    return TemplateMiner(config=config)
