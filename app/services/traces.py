"""Traces of an application: lists, one as a waterfall, the heatmap, and exemplars."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.exemplars import exemplars
from app.services.subjects import allowed, may_see, subject
from app.services.waterfall import Bar, waterfall
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange, TraceQuery
from slo.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BOUNDS", "exemplars", "heatmap", "trace", "traces"]

MOST = 1_000
"""How many traces one list has at most."""

SLICES = 60

_MILLISECOND = 1_000_000
_STEPS = (10, 15, 20, 30, 50, 70)  # tenths: six a decade, evenly spaced by eye

BOUNDS: tuple[int, ...] = (
    *(
        step * 10**decade * _MILLISECOND // 10
        for decade in range(5)
        for step in _STEPS
        if step * 10**decade <= 600_000  # noqa: PLR2004 - tenths of milliseconds: a minute
    ),
    60_000 * _MILLISECOND,
)
"""The bounds of the heatmap's rows: 1 ms to a minute in nanoseconds, evenly on a log scale."""

_KEPT = frozenset({"span_id", "parent_id", "time", "end", "duration", "kind"})
"""What is told of a span whose owner may not be seen: how it lies in the trace, and no more."""


def traces(world: World, scope: Scope, query: TraceQuery) -> Answered[pd.DataFrame]:
    """Return one row per trace; `TelemetryReader.traces` has the columns."""
    where = allowed(world, scope, query.where)
    limited = replace(query, where=where, limit=max(1, min(query.limit, MOST)))
    return world.reader("traces").traces(limited)


def heatmap(
    world: World, scope: Scope, query: TraceQuery, slices: int = SLICES
) -> Answered[pd.DataFrame]:
    """Return entry spans by time and duration: time, bucket, low, high, count, errors.

    ``low`` and ``high`` are the bucket's durations in nanoseconds; the last has no ``high``.
    Cells without spans have no rows.
    """
    if slices < 1:
        raise UsageError("a heatmap has at least one slice")
    where = allowed(world, scope, query.where)
    found = world.reader("traces").heatmap(replace(query, where=where), slices, BOUNDS)
    frame = found.value.copy()
    buckets = frame["bucket"].astype("int64")
    frame["bucket"] = buckets
    frame["low"] = buckets.map(dict(enumerate((0, *BOUNDS)))).astype("int64")
    frame["high"] = buckets.map(dict(enumerate(BOUNDS))).astype("Int64")
    return found.giving(frame[["time", "bucket", "low", "high", "count", "errors"]])


def trace(
    world: World, scope: Scope, app: str, trace_id: str, around: TimeRange | None = None
) -> Answered[pd.DataFrame]:
    """Return the spans of a trace that went through an application, as a waterfall.

    Besides the columns of `TelemetryReader.trace`: depth, self_time (ns), critical, order (rows
    are in it), and hidden. Hidden spans belong to what the asker may not see; they keep their
    place and time and nothing else. A trace without a span of the application that the asker may
    see is empty, whosever it is.
    """
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    subject(world, scope, app)
    found = world.reader("traces").trace(trace_id.lower(), around)
    frame = found.value.copy()
    owners = [
        (_text(owner), _text(env)) for owner, env in zip(frame["app"], frame["env"], strict=True)
    ]
    seen = [may_see(scope, owner, env) for owner, env in owners]
    mine = [ok and owner == app for ok, (owner, _) in zip(seen, owners, strict=True)]
    if not any(mine):
        frame, seen = frame.iloc[:0], []
        found = replace(found, notes=(*found.notes, f"no span of {app} in this trace"))
    hidden = [not each for each in seen]
    for name in frame.columns:
        if name not in _KEPT:
            frame[name] = frame[name].astype(object).where(pd.Series(seen, frame.index), None)
    places = waterfall(_bars(frame))
    frame["depth"] = [place.depth for place in places]
    frame["self_time"] = [place.self_time for place in places]
    frame["critical"] = [place.critical for place in places]
    frame["order"] = [place.order for place in places]
    frame["hidden"] = hidden
    return found.giving(frame.sort_values("order", ignore_index=True))


def _bars(frame: pd.DataFrame) -> list[Bar]:
    return [
        Bar(id=str(span), parent=_text(parent), start=int(start), end=int(end))
        for span, parent, start, end in zip(
            frame["span_id"], frame["parent_id"], frame["time"], frame["end"], strict=True
        )
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
