"""The answer of ``headroom status`` as JSON, ``headroom/status/v1``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

from slo.evaluate import Evaluation
from slo.ports import NoData

SCHEMA = "headroom/status/v1"


def status_json(evaluations: Sequence[Evaluation], at: datetime) -> dict[str, object]:
    """Every evaluation as data; numbers that are not known are null."""
    return {
        "schema": SCHEMA,
        "evaluatedAt": instant(at),
        "slos": [_slo(one) for one in evaluations],
    }


def instant(at: datetime | None) -> str | None:
    """A moment as RFC 3339 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _slo(one: Evaluation) -> dict[str, object]:
    slo, reading = one.level.slo, one.reading
    return {
        "app": one.key.app,
        "env": one.key.env,
        "slo": one.key.slo,
        "team": one.level.app.team,
        "objective": float(slo.objective.percent),
        "window": str(slo.window),
        "state": str(one.state),
        "unit": "events" if slo.indicator.counts_events else "seconds",
        "total": _number(None if one.counts is None else one.counts.total),
        "bad": _number(None if one.counts is None else one.counts.bad),
        "errorRatio": _number(one.error_ratio),
        "budgetRemaining": _number(None if one.budget is None else one.budget.remaining),
        "failuresLeft": _number(None if one.budget is None else one.budget.failures_left),
        "burnRates": {str(window): _number(rate) for window, rate in one.burn_rates.items()},
        "burnRatePeriod": _number(one.period_burn_rate),
        "timeToExhaustionSeconds": _number(one.seconds_to_exhaustion),
        "firing": [
            {"severity": str(pair.severity), "long": str(pair.long), "short": str(pair.short)}
            for pair in one.firing
        ],
        "source": reading.mode,
        "sources": list(dict.fromkeys(each.source for each in reading.evidence)),
        "coverage": _number(reading.coverage),
        "observedAt": instant(reading.observed_at),
        "noData": _no_data(one.no_data),
        "unproven": reading.unproven,
        "revision": None
        if reading.revision is None
        else {
            "revision": reading.revision.revision,
            "since": instant(reading.revision.since),
            "previous": list(reading.revision.previous),
        },
        "partial": list(reading.partial),
        "warnings": list(reading.warnings),
        "notes": list(reading.notes),
    }


def _no_data(missing: NoData | None) -> dict[str, object] | None:
    return None if missing is None else {"reason": str(missing.reason), "detail": missing.detail}


def _number(value: Fraction | None) -> float | int | None:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)
