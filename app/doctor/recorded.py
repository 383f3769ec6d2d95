"""Whether what our rules record is fresh, and recorded by the rules of today's specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.doctor.model import Check, fail, ok, skipped, warn
from collectors.readers.prometheus import PrometheusClient
from collectors.readers.prometheus.legs import chunks, scope
from slo import naming
from slo.ledger import expressions
from slo.model import ServiceLevel, SloKey
from slo.promql import selector_text
from slo.windows import FRESHNESS, LEDGER_SLOT

_MOST = 3


def recorded_check(
    name: str, client: PrometheusClient, levels: Sequence[ServiceLevel], at: datetime
) -> Check:
    """Judge the heartbeats and revisions of service levels; raises ``SourceError``."""
    ours = [level for level in levels if expressions(level) is not None]
    if not ours:
        return skipped(name, "no SLO is computed by it")
    beats: dict[SloKey, float] = {}
    revisions: dict[SloKey, set[str]] = {}
    for chunk in chunks(ours):
        beats |= _heartbeats(client, chunk, at)
        revisions |= _revisions(client, chunk, at)
    return _judge(name, ours, beats, revisions, at)


def _judge(
    name: str,
    levels: Sequence[ServiceLevel],
    beats: dict[SloKey, float],
    revisions: dict[SloKey, set[str]],
    at: datetime,
) -> Check:
    if not any(level.key in beats for level in levels):
        return skipped(name, "nothing has been recorded in the last day")
    limit = at.timestamp() - float(FRESHNESS.seconds)
    stale = [str(level.key) for level in levels if beats.get(level.key, 0) < limit]
    if stale:
        oldest = min((beats[level.key] for level in levels if level.key in beats), default=0.0)
        age = int(at.timestamp() - oldest) // 60
        return fail(
            name,
            f"{len(stale)} of {len(levels)} SLOs have no slot in the last {FRESHNESS}: "
            f"{_shown(stale)}; the oldest one ended {age} minutes ago",
            "are the rules loaded and evaluated? until they are, headroom status reads raw series",
        )
    other = [
        str(level.key)
        for level in levels
        if revisions.get(level.key) and naming.revision(level) not in revisions[level.key]
    ]
    if other:
        return warn(
            name,
            f"{len(other)} SLOs are recorded by rules of another revision: {_shown(other)}",
            "headroom generate, then headroom publish rules",
        )
    return ok(name, f"{len(levels)} SLOs have a slot in the last {FRESHNESS}")


def _heartbeats(
    client: PrometheusClient, levels: Sequence[ServiceLevel], at: datetime
) -> dict[SloKey, float]:
    """Return when the newest slot of each level was recorded, in Unix seconds."""
    series = selector_text(naming.LEDGER_SLOT, scope(level.key for level in levels))
    by = ", ".join(naming.IDENTITY_LABELS)
    newest = f"max_over_time(timestamp({series})[1d:{LEDGER_SLOT}])"
    fresh = f"max_over_time(timestamp({series})[{FRESHNESS}:1m])"
    answer = client.query(f"max by ({by}) ({fresh} or {newest})", at, client.deadline(None))
    return {_key(one.labels): float(value) for one in answer.series for _, value in one.points}


def _revisions(
    client: PrometheusClient, levels: Sequence[ServiceLevel], at: datetime
) -> dict[SloKey, set[str]]:
    info = selector_text(naming.INFO, scope(level.key for level in levels))
    answer = client.query(f"last_over_time({info}[{FRESHNESS}])", at, client.deadline(None))
    found: dict[SloKey, set[str]] = {}
    for one in answer.series:
        found.setdefault(_key(one.labels), set()).add(one.labels.get("revision", ""))
    return found


def _key(labels: Mapping[str, str]) -> SloKey:
    return SloKey(
        app=labels.get(naming.APP, ""),
        env=labels.get(naming.ENV, ""),
        slo=labels.get(naming.SLO, ""),
    )


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
