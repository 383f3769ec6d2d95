"""What was deployed: what somebody told, and versions that appeared without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors.readers.telemetry import Answered, TelemetryReader, TimeRange, Where
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

HOUR = 3_600_000_000_000

SAME = HOUR
"""How long after it was told a deploy may take to be seen."""

LOOK_BACK = 24 * HOUR
"""How long before a range a version is looked for, to tell a new one from the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """One deploy; ``told`` is false when it was seen as a new version only."""

    time: int
    component: str | None
    version: str | None
    told: bool
    previous: str | None = None
    commit: str | None = None
    actor: str | None = None
    url: str | None = None
    title: str | None = None


def listed(reader: TelemetryReader, where: Where, env: str | None) -> Answered[list[Deploy]]:
    """Return the deploys of a range and of a day before it, oldest first.

    Of those that were told, the ones that name ``env`` or no environment; any, where it is
    ``None``. ``where`` says which telemetry shows versions.
    """
    span = TimeRange(start=where.range.start - LOOK_BACK, end=where.range.end)
    told = reader.deploys(replace(where, range=span, env=None))
    mine = told.value[told.value["env"].isna() | (told.value["env"] == env)]
    chosen = told.value if env is None else mine
    versions = reader.versions(replace(where, range=span))
    return Answered(
        value=merged(_told(chosen), versions.value),
        source=told.source,
        query=f"{told.query}; {versions.query}",
        range=where.range,
        observed_at=max(
            (each.observed_at for each in (told, versions) if each.observed_at), default=None
        ),
        partial=tuple(dict.fromkeys((*told.partial, *versions.partial))),
    )


def merged(told: Sequence[Deploy], versions: pd.DataFrame) -> list[Deploy]:
    """Put what was told and what was seen together, by time; what was told is not seen again.

    ``versions`` are those of `TelemetryReader.versions`.
    """
    rows = [
        (str(component), str(version), int(first))
        for component, version, first in zip(
            versions["component"], versions["version"], versions["first"], strict=True
        )
        if isinstance(component, str)
    ]
    seen = [
        Deploy(time=first, component=component, version=version, told=False, previous=before)
        for component, version, first in rows
        if (before := _before(rows, component, version, first)) is not None
    ]
    known = [
        one
        if one.previous or one.component is None
        else replace(one, previous=_before(rows, one.component, one.version, one.time))
        for one in told
    ]
    new = [one for one in seen if not any(_same(each, one) for each in known)]
    return sorted([*known, *new], key=lambda one: (one.time, one.component or ""))


def _told(frame: pd.DataFrame) -> list[Deploy]:
    def text(value: object) -> str | None:
        return value if isinstance(value, str) and value else None

    return [
        Deploy(
            time=int(row["time"]),
            component=text(row["component"]),
            version=text(row["version"]),
            told=True,
            previous=text(row["previous"]),
            commit=text(row["commit_id"]),
            actor=text(row["actor"]),
            url=text(row["url"]),
            title=text(row["title"]),
        )
        for row in frame.to_dict("records")
    ]


def _before(
    rows: Sequence[tuple[str, str, int]], component: str, version: str | None, time: int
) -> str | None:
    """The newest other version of a component that was there before an instant."""
    others = [
        (first, other) for name, other, first in rows if name == component and other != version
    ]
    return max(((first, other) for first, other in others if first < time), default=(0, None))[1]


def _same(told: Deploy, seen: Deploy) -> bool:
    if abs(told.time - seen.time) > SAME:
        return False
    if told.component is not None and told.component != seen.component:
        return False
    return told.version is None or told.version == seen.version
