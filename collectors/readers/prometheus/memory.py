"""What was recorded once: raw series that were never there do not mean that nothing ever was.

A server that only holds what rules recorded, or keeps raw series for a short time, would make
every application look new whose rules have stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from collectors.readers.prometheus import legs
from collectors.readers.prometheus.answers import milliseconds
from collectors.readers.prometheus.outcome import Asked, Trail, age, failed
from collectors.readers.telemetry import MetricReader
from slo import naming
from slo.errors import SourceError
from slo.model import ServiceLevel, SloKey
from slo.ports import NoData, NoDataReason, Reading


def once_recorded(
    levels: Sequence[ServiceLevel],
    readings: Mapping[SloKey, Reading],
    client: MetricReader,
    asked: Asked,
) -> dict[SloKey, Reading]:
    """Return new readings for those of the levels that are known, or may be, from a year back.

    The readings given say that there never was any data; a question that fails leaves it open.
    """
    changed: dict[SloKey, Reading] = {}
    for chunk in legs.chunks(levels):
        trail = Trail(client=client, asked=asked)
        seen: dict[SloKey, Fraction] = {}
        failure: NoData | None = None
        try:
            seen = _last_seen(chunk, trail)
        except SourceError as error:
            failure = failed(error)
        for level in chunk:
            missing = failure
            if level.key in seen:
                missing = NoData(
                    reason=NoDataReason.LOST,
                    detail=f"the indicator's recorded series ended {_ago(seen[level.key], asked)}",
                )
            reading = readings[level.key]
            if missing is not None:
                reading = replace(
                    reading, period=missing, windows=dict.fromkeys(reading.windows, missing)
                )
            evidence = (*reading.evidence, *trail.evidence)
            changed[level.key] = trail.stamped(replace(reading, evidence=evidence))
    return changed


def _last_seen(levels: Sequence[ServiceLevel], trail: Trail) -> dict[SloKey, Fraction]:
    """Return when each level's events were last recorded, as Unix seconds; 0 for some time ago."""
    query = legs.last_seen((level.key for level in levels), legs.LAST_INDICATOR)
    seen: dict[SloKey, Fraction] = {}
    for series in trail.query(query).series:
        app, env, slo = (series.labels.get(name, "") for name in naming.IDENTITY_LABELS)
        key = SloKey(app=app, env=env, slo=slo)
        seen[key] = max(seen.get(key, Fraction(0)), series.points[-1][1])
    return seen


def _ago(seen: Fraction, asked: Asked) -> str:
    if not seen:
        return "some time ago"
    return f"{age(Fraction(milliseconds(asked.at), 1000) - seen)} ago"
