"""Who calls whom, as client, producer and consumer spans tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors.readers.store.asking import Asks, Question
from collectors.readers.store.conditions import Parameters, where
from collectors.readers.telemetry import Answered, TimeRange, Where
from collectors.signals import Signal

if TYPE_CHECKING:
    import pandas as pd

# A call that somebody answered leads to the service that did; otherwise to what was called by
# name. A consumer is led to by the topic or queue it reads.
_EDGES = """
WITH calls AS (
    SELECT trace_id, span_id, app, service, peer, peer_kind, kind, status, duration, weight
    FROM records WHERE kind IN ('client', 'producer') AND {condition}
), answers AS (
    SELECT trace_id, parent_id, app AS target_app, service AS target
    FROM records WHERE kind = 'server' AND parent_id IS NOT NULL
), links AS (
    SELECT app AS source_app, service AS source, target_app,
        coalesce(target, peer) AS target,
        CASE WHEN target IS NOT NULL THEN 'service' ELSE coalesce(peer_kind, 'external') END
            AS target_kind,
        status, duration, weight
    FROM calls LEFT JOIN answers
        ON calls.trace_id = answers.trace_id AND calls.span_id = answers.parent_id
    UNION ALL
    SELECT NULL, peer, app, service, 'service', status, duration, weight
    FROM records WHERE kind = 'consumer' AND peer IS NOT NULL AND {condition}
)
SELECT source_app, source, target_app, target, target_kind, sum(weight) AS count,
    coalesce(sum(weight) FILTER (status = 'error'), 0) AS errors,
    quantile_cont(duration, 0.5) AS p50, quantile_cont(duration, 0.99) AS p99
FROM links WHERE source IS NOT NULL AND target IS NOT NULL AND source <> target
GROUP BY ALL ORDER BY count DESC, source, target
"""


def edges(asker: Asks, asked: Where | None, span: TimeRange) -> Answered[pd.DataFrame]:
    """Return every pair of caller and called in a range, with rates, errors and durations."""
    parameters = Parameters()
    condition = "true" if asked is None else where(asked, Signal.SPANS, parameters)
    if asked is not None and asked.app is not None:
        # Both directions: what the app calls, and who calls it.
        mine = f"app = {parameters.bind(asked.app)}"
        condition = (
            f"({condition}) AND ({mine} OR span_id IN (SELECT parent_id FROM records "
            f"WHERE kind = 'server' AND {mine}))"
        )
    found = asker.frame(
        Question(
            signal=Signal.SPANS,
            sql=_EDGES.format(condition=condition),
            parameters=parameters,
            apps=None,
            range=span,
        )
    )
    found.value["seconds"] = span.length / 1e9
    return found
