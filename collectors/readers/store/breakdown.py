"""Which requests fail, by every combination of what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collectors.readers.store.asking import Asks, Question
from collectors.readers.store.conditions import Parameters, bad_span, counted_spans, where
from collectors.readers.store.traces import column, entries
from collectors.readers.telemetry import Answered, Badness, Where
from collectors.signals import Signal

if TYPE_CHECKING:
    import pandas as pd

DEPENDENCY = "dependency"

MOST_COMBINATIONS = 20_000
"""How many combinations one answer has; the largest by bad events are kept."""

# What a request's trouble came from beneath it: the failing call that took longest; without one,
# for a request that did not fail itself, the longest call if it made up half of the time.
_CULPRIT = """
calls AS (
    SELECT trace_id,
        max_by(peer, duration) FILTER (status = 'error') AS failing,
        max_by(peer, duration) AS longest, max(duration) AS spent
    FROM records WHERE kind IN ('client', 'producer') AND peer IS NOT NULL GROUP BY trace_id
)"""


def breakdown(
    asker: Asks, asked: Where, bad: Badness, dimensions: Sequence[str]
) -> Answered[pd.DataFrame]:
    """Return requests by every combination of dimensions that occurs among them."""
    parameters = Parameters()
    common = _counted(asked, bad, parameters)
    chosen = ", ".join(
        "CASE WHEN status = 'error' THEN failing "
        f"WHEN spent * 2 >= duration THEN longest END AS {DEPENDENCY}"
        if name == DEPENDENCY
        else column(name)
        for name in dimensions
    )
    keys = ", ".join(f'"{name}"' for name in dimensions)
    comma = ", " if dimensions else ""
    return asker.frame(
        Question(
            signal=Signal.SPANS,
            sql=f"WITH {common}, {_CULPRIT}, seen AS (SELECT {chosen}{comma}"
            f"weight, {bad_span(bad, parameters)} AS is_bad, trace_id, time "
            "FROM entries LEFT JOIN calls USING (trace_id)) "
            f"SELECT {keys}{comma}sum(weight) AS total, "
            "coalesce(sum(weight) FILTER (is_bad), 0) AS bad, count(*) AS sampled_total, "
            "count(*) FILTER (is_bad) AS sampled_bad, "
            "max_by(trace_id, time) FILTER (is_bad) AS trace_id, "
            "max(time) FILTER (is_bad) AS time FROM seen GROUP BY ALL "
            f"ORDER BY bad DESC, total DESC, {keys or 'total'} LIMIT {MOST_COMBINATIONS}",
            parameters=parameters,
            apps=(asked.app,),
            range=asked.range,
        )
    )


def _counted(asked: Where, bad: Badness, parameters: Parameters) -> str:
    """The spans that count: an indicator's own where it names a service or an operation."""
    if bad.service is None and bad.operation is None:
        return entries(asked, parameters)
    condition = where(asked, Signal.SPANS, parameters)
    counted = counted_spans(bad, parameters)
    return f"entries AS (SELECT * FROM records WHERE {condition} AND {counted})"
