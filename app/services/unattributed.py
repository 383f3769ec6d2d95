"""Telemetry that belongs to no application; `app.services.joins` tells what would mend it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.holdings import reshaped
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    *("signal", "service", "host", "namespace", "missing", "claimants", "who"),
    *("records", "share", "first", "last", "example"),
)


def unattributed(world: World, scope: Scope, range_: TimeRange) -> Answered[pd.DataFrame]:
    """Return what belongs to nobody, grouped by what it says of itself, the most records first.

    Columns: signal, service, host, namespace, missing (the key that would have told), claimants
    (list of apps), who (who could mend it), records, share (of the signal's unattributed records
    that are listed), first, last (ns), example. Raises ``Forbidden`` for those who do not see all
    apps, and ``SourceError``.
    """
    scope.check(None)
    found = world.reader("telemetry").unattributed(range_)
    frame = found.value.copy()
    claimants = [claimed(text) for text in frame["claimants"]]
    teams = {app.name: app.team for app in world.project.catalog.apps}
    who = [
        _who(claimed_by, {"service": service, "host": host, "namespace": namespace}, teams)
        for claimed_by, service, host, namespace in zip(
            claimants, frame["service"], frame["host"], frame["namespace"], strict=True
        )
    ]
    frame["claimants"], frame["who"] = claimants, who
    frame["share"] = frame["records"] / frame.groupby("signal")["records"].transform("sum")
    ordered = frame.sort_values("records", ascending=False, kind="stable", ignore_index=True)
    return reshaped(found, ordered[list(COLUMNS)])


def claimed(text: object) -> list[str]:
    """Return the applications of a ``claimants`` cell, which holds a JSON list or nothing."""
    if not isinstance(text, str):
        return []
    found = json.loads(text)
    return [str(each) for each in found] if isinstance(found, list) else []


def _who(claimants: list[str], said: Mapping[str, object], teams: Mapping[str, str]) -> str:
    """Those who claim it have to agree; else whoever runs what sent it has to tag it."""
    if claimants:
        asked = dict.fromkeys(teams.get(app, app) for app in claimants)
        return f"{' or '.join(asked)}: only one of {', '.join(claimants)} can have it"
    known = [f"{name} {value}" for name, value in said.items() if isinstance(value, str)]
    return f"whoever runs {', '.join(known)}" if known else "whoever sends it"
