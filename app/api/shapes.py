"""Frames and small records as JSON: names in camelCase, times in RFC 3339, absence as null."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from app.reports.status_json import instant
from app.services.alerts import ActiveAlert
from app.services.results import DeployReport, Estimate
from collectors.readers.telemetry import Answered, TimeRange
from collectors.store import rfc3339
from slo import naming
from slo.model import App, Component

if TYPE_CHECKING:
    import pandas as pd

TIMES = frozenset({"time", "end", "first", "last", "first_seen", "last_seen", "observed"})
"""Columns that hold Unix nanoseconds."""

_NANOSECONDS: Mapping[str, str] = {"duration": "durationNanoseconds"}
_NESTED = frozenset({"attributes", "resource"})


def camel(name: str) -> str:
    """Write a column's name as keys of JSON are written."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def records(frame: pd.DataFrame, leave_out: Iterable[str] = ()) -> list[dict[str, object]]:
    """Write the rows of a frame as objects."""
    without = set(leave_out)
    names = [str(name) for name in frame.columns if name not in without]
    columns = [[_value(name, value) for value in frame[name].tolist()] for name in names]
    keys = [_NANOSECONDS.get(name, camel(name)) for name in names]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]


def _value(name: str, value: object) -> object:
    found = plain(value)
    if found is None:
        return None
    if name in TIMES and isinstance(found, int):
        return rfc3339(found)
    if name in _NESTED and isinstance(found, str):
        return json.loads(found)
    return found


def plain(value: object) -> object:
    """Make what a frame holds into what JSON holds; NaN and NA become null."""
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    item: Callable[[], object] | None = getattr(value, "item", None)
    if item is not None:  # a scalar of NumPy's
        return plain(item())
    to_list: Callable[[], object] | None = getattr(value, "tolist", None)
    return None if to_list is None else plain(to_list())


def answered(found: Answered[Any], range_: TimeRange | None = None) -> dict[str, object]:
    """Write where an answer came from, and what is missing from it."""
    span = found.range or range_
    return {
        "source": found.source,
        "query": found.query,
        "range": None if span is None else {"from": rfc3339(span.start), "to": rfc3339(span.end)},
        "observedAt": instant(found.observed_at),
        "partial": list(found.partial),
        "notes": list(found.notes),
    }


def app_summary(app: App) -> dict[str, object]:
    """Write an application as lists show it."""
    return {
        "name": app.name,
        "title": app.title or app.name,
        "team": app.team,
        "tier": app.labels.get("tier"),
        "environments": [each.name for each in app.environments],
        "slos": sorted({level.slo.name for level in app.levels()}),
    }


def app_detail(app: App, environments: Iterable[str]) -> dict[str, object]:
    """Write an application whole, with those of its environments that may be shown."""
    shown = set(environments)
    return {
        **app_summary(app),
        "environments": [
            {
                "name": each.name,
                "clusters": [
                    {"name": cluster.name, "match": dict(cluster.match)}
                    for cluster in each.clusters
                ],
                "slos": [
                    {
                        "name": slo.name,
                        "title": slo.title or slo.name,
                        "objective": float(slo.objective.percent),
                        "window": str(slo.window),
                    }
                    for slo in each.slos
                ],
            }
            for each in app.environments
            if each.name in shown
        ],
        "labels": dict(app.labels),
        "runbook": app.runbook,
        "dependsOn": list(app.depends_on),
        "components": [_component(each) for each in app.components],
    }


def _component(component: Component) -> dict[str, object]:
    return {
        "name": component.name,
        "kind": str(component.kind),
        "service": component.service,
        "engine": component.engine,
        "address": component.address,
        "share": dict(component.share) or None,
        "dependsOn": list(component.depends_on),
    }


def alert_json(alert: ActiveAlert) -> dict[str, object]:
    """Write an alert; what its source does not tell is null."""
    return {
        "name": alert.name,
        "state": alert.state,
        "severity": alert.labels.get(naming.SEVERITY),
        "slo": alert.labels.get(naming.SLO),
        "since": None if alert.since is None else rfc3339(alert.since),
        "value": plain(alert.value),
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
    }


def deploy_json(deploy: DeployReport) -> dict[str, object]:
    """Write a deploy with what changed after it; latencies are in seconds."""
    return {
        "at": rfc3339(deploy.time),
        "component": deploy.component,
        "version": deploy.version,
        "previous": deploy.previous,
        "told": deploy.told,
        "verdict": deploy.verdict,
        "errorRatio": _estimate(deploy.errors, 1),
        "p50Seconds": _estimate(deploy.p50, 1e9),
        "p99Seconds": _estimate(deploy.p99, 1e9),
        "commit": deploy.commit,
        "actor": deploy.actor,
        "url": deploy.url,
        "title": deploy.title,
    }


def _estimate(found: Estimate, unit: float) -> dict[str, object]:
    def scaled(value: float | None) -> float | None:
        return None if value is None or not math.isfinite(value) else value / unit

    return {
        "before": scaled(found.before),
        "after": scaled(found.after),
        "beforeCount": plain(found.before_count),
        "afterCount": plain(found.after_count),
        "difference": {"low": scaled(found.low), "high": scaled(found.high)},
    }
