"""What log lines have in common: templates with their counts, trends, and what is new.

Templates come from Drain (He et al., ICWS 2017) as the library drain3 implements it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from app.access import Scope
from app.services.world import World
from collectors.readers.telemetry import Answered, LogQuery, TimeRange, Where

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from drain3 import TemplateMiner

SAMPLE = 5_000
"""How many of the newest lines are read for patterns, and as many of the time before."""

SLICES = 24
LONGEST_LINE = 2_000

Places: TypeAlias = NDArray[np.int64]

# In RE2's syntax. Numbers are no parts of names; what stands around them is given back.
_MASKS = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "<ID>"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<IP>"),
    (r"\b0x[0-9a-fA-F]+\b|\b[0-9a-f]{16,}\b", "<HEX>"),
    (r"(^|[^A-Za-z0-9_])[-+]?\d+(?:\.\d+)?((?:ms|s|us|[kKMG]i?B)?)\b", r"\1<NUM>\2"),
)


class Miner:
    """Puts lines into patterns; one for each question, since templates grow as lines come.

    Numbers and identifiers are masked first: few different lines are left to be compared.
    """

    def __init__(self) -> None:
        self._miner = _miner()
        self._known: dict[str, int] = {}

    def learn(self, lines: Iterable[str | None]) -> Places:
        """Return the number of the pattern of each line."""
        coded = masked(lines).dictionary_encode()
        different = [self._number(str(line)) for line in coded.dictionary.to_pylist()]
        numbers: Places = np.array(different, np.int64)[coded.indices.to_numpy()]
        return numbers

    def template(self, pattern: int) -> str:
        """Return the text of a pattern, with what varies in angle brackets."""
        cluster = self._miner.drain.id_to_cluster[pattern]
        return str(cluster.get_template())

    def _number(self, line: str) -> int:
        if line not in self._known:
            self._known[line] = int(self._miner.add_log_message(line)["cluster_id"])
        return self._known[line]


def masked(lines: Iterable[str | None]) -> pa.StringArray:
    """Return lines, cut where they are very long, with names for numbers and identifiers."""
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first question
    import pyarrow.compute as pc  # noqa: PLC0415 - as above

    texts = [line if isinstance(line, str) else "" for line in lines]
    found = pc.utf8_slice_codeunits(pa.array(texts, pa.string()), 0, LONGEST_LINE)
    for pattern, name in _MASKS:
        found = pc.replace_substring_regex(found, pattern, name)
    return found


def patterns(
    world: World, scope: Scope, where: Where, *, text: str = "", limit: int = 50
) -> Answered[pd.DataFrame]:
    """Return the patterns of an app's log lines, most frequent first.

    Columns: pattern, count, share, level (the most frequent), first_seen, last_seen (ns), trend
    (counts in 24 slices of the range), example, trace_id, new (in the range, and not in as long a
    time before it). Past ``SAMPLE`` lines, counts are of the newest.
    """
    scope.check(where.app, where.env)
    reader = world.reader("logs")
    query = LogQuery(where=where, text=text, limit=SAMPLE, brief=True)
    now = reader.logs(query)
    earlier = TimeRange(start=where.range.start - where.range.length, end=where.range.start)
    before = reader.logs(replace(query, where=replace(where, range=earlier)))
    miner = Miner()
    old = set(miner.learn(before.value["body"]).tolist())
    found = _mined(now.value, miner.learn(now.value["body"]), where.range)
    found["pattern"] = [miner.template(number) for number in found.index]
    found["share"] = found["count"] / max(1, len(now.value))
    found["new"] = [number not in old for number in found.index]
    found = found.sort_values(["count", "pattern"], ascending=[False, True])
    return now.giving(found[list(_COLUMNS)].head(limit).reset_index(drop=True))


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


def _mined(lines: pd.DataFrame, numbers: Places, span: TimeRange) -> pd.DataFrame:
    """What there is to say of the lines of each pattern, by its number."""
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    order = np.argsort(numbers, kind="stable")
    different, first, counts = np.unique(numbers[order], return_index=True, return_counts=True)
    times = lines["time"].to_numpy(np.int64)
    width = max(1, span.length // SLICES)
    slices = np.clip((times - span.start) // width, 0, SLICES - 1)
    trend = np.zeros((len(different), SLICES), np.int64)
    np.add.at(trend, (np.searchsorted(different, numbers), slices), 1)
    levels, bodies, traces = (
        lines[name].to_numpy(object) for name in ("severity_text", "body", "trace_id")
    )
    groups = np.split(order, first[1:]) if len(order) else []
    shown = [next((place for place in group if _is_text(bodies[place])), None) for group in groups]
    return pd.DataFrame(
        {
            "count": counts,
            "level": [_most_frequent(levels[group]) for group in groups],
            "first_seen": [int(times[group].min()) for group in groups],
            "last_seen": [int(times[group].max()) for group in groups],
            "trend": trend.tolist(),
            "example": ["" if place is None else bodies[place] for place in shown],
            "trace_id": pd.Series(
                [
                    traces[place] if place is not None and _is_text(traces[place]) else None
                    for place in shown
                ],
                index=different,
                dtype=object,
            ),
        },
        index=different,
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _most_frequent(levels: Iterable[object]) -> str:
    """The level that most lines have; of equally many, that of the first line."""
    said = Counter(level if isinstance(level, str) else "" for level in levels)
    lowered: Counter[str] = Counter()
    for level, count in said.items():
        lowered[level.lower() or "unknown"] += count
    return lowered.most_common(1)[0][0]


def overrepresented(lines: pd.DataFrame, limit: int = 3) -> tuple[str, ...]:
    """Return the patterns that failing requests write more often than others do.

    ``lines`` has the columns body and failing. A pattern counts when it makes up at least a
    twentieth of the failing lines and three times its share of the others.
    """
    failing = int(lines["failing"].sum())
    if not failing:
        return ()
    miner = Miner()
    numbers, fails = miner.learn(lines["body"]), lines["failing"].to_numpy(bool)
    bad, good = Counter(numbers[fails].tolist()), Counter(numbers[~fails].tolist())
    others = len(lines) - failing
    telling = [
        number
        for number, count in bad.most_common()
        if count >= failing / 20 and count * (others + 1) >= 3 * (good[number] + 1) * failing
    ]
    return tuple(miner.template(number) for number in telling[:limit])


def _miner() -> TemplateMiner:
    from drain3 import TemplateMiner  # noqa: PLC0415 - loaded when patterns are asked for
    from drain3.template_miner_config import TemplateMinerConfig  # noqa: PLC0415 - as above

    config = TemplateMinerConfig()
    config.drain_sim_th = 0.5
    config.drain_depth = 5
    return TemplateMiner(config=config)
