"""The parts of an application, its infrastructure included, as far as they are its own.

A database, queue or load balancer that other applications use as well is shown by what this
application did with it: its own calls, and what its share was found to carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.subjects import allowed, subject
from app.services.world import World
from collectors.joining.index import Index, place
from collectors.joining.ladder import ENGINES
from collectors.readers.telemetry import (
    Answered,
    Filter,
    LogQuery,
    TelemetryReader,
    TimeRange,
    Where,
)
from slo.model import Component, ComponentKind
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "component",
    "kind",
    "address",
    "shared",
    "share",
    "rate",
    "error_ratio",
    "p99",
    "note",
)

_CALLED = {ComponentKind.DATABASE, ComponentKind.QUEUE, ComponentKind.LOAD_BALANCER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What was seen of one part: events and errors, and the slowest hundredth in nanoseconds."""

    count: float
    errors: float
    p99: float | None
    basis: str


def components(
    world: World, scope: Scope, app: str, env: str | None, range_: TimeRange
) -> Answered[pd.DataFrame]:
    """Return an application's declared components with what was seen of each in a range.

    Columns: component, kind, address, shared, share (``name=value``), rate (per second),
    error_ratio, p99 (ns), note. Numbers are of requests that a component took, or of this
    application's calls to it; they are NaN where nothing was seen.
    """
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    owner = subject(world, scope, app, env)
    where = allowed(world, scope, Where(app=app, env=env, range=range_))
    reader = world.reader("components")
    taken = reader.red(where, "component", 1)
    calls = reader.edges(where, range_)
    shared = Index(world.project.catalog).shared
    seconds = max(1, range_.length) / 1e9
    mine = calls.value[calls.value["source_app"] == app]
    rows = []
    for part in owner.components:
        found = _taken(taken.value, part)
        if found is None and part.kind in _CALLED:
            found = _calls(mine, part) or _at_address(reader, where, part)
        is_shared = (app, part.name) in shared
        lines = 0 if found is not None else _lines(reader, where, part)
        rows.append(
            {
                "component": part.name,
                "kind": part.kind.value,
                "address": part.address,
                "shared": is_shared,
                "share": ", ".join(f"{k}={v}" for k, v in part.share.items()) or None,
                "rate": float("nan") if found is None else found.count / seconds,
                "error_ratio": float("nan")
                if found is None or not found.count
                else found.errors / found.count,
                "p99": float("nan") if found is None or found.p99 is None else found.p99,
                "note": ". ".join(_notes(part, found, lines, shared=is_shared)),
            }
        )
    return replace(
        taken.giving(pd.DataFrame(rows, columns=list(COLUMNS))),
        query=f"{taken.query}; {calls.query}",
        partial=tuple(dict.fromkeys((*taken.partial, *calls.partial))),
        seconds=(taken.seconds or 0) + (calls.seconds or 0),
    )


def is_peer(part: Component, peer: str) -> bool:
    """Whether what a span talked to is this component, by name, address or share.

    A peer is ``system/name`` or ``system/address`` (see `collectors.receive.peers`), or one name.
    """
    system, slash, rest = peer.partition("/")
    names = {part.name, part.service, *part.share.values()} - {None}
    if not slash:
        return peer in names or _is_at(part, peer)
    if part.engine is not None and _engine(system) != _engine(part.engine):
        return False
    # PostgreSQL's namespace is database|schema.
    return bool(names & {rest, *rest.split("|")}) or _is_at(part, rest)


def _is_at(part: Component, text: str) -> bool:
    return part.address is not None and place(part.address).meets(place(text))


def _engine(name: str) -> str:
    plain = name.strip().lower()
    return ENGINES.get(plain, plain)


def _taken(frame: pd.DataFrame, part: Component) -> Activity | None:
    """Requests that the component itself took."""
    rows = frame[frame["key"] == part.name]
    return _activity(rows, "requests") if len(rows) else None


def _calls(frame: pd.DataFrame, part: Component) -> Activity | None:
    """Calls that this application made to the component."""
    rows = frame[[is_peer(part, str(peer)) for peer in frame["target"]]]
    return _activity(rows, "calls") if len(rows) else None


def _at_address(reader: TelemetryReader, where: Where, part: Component) -> Activity | None:
    """Calls whose spans name the component's address, and something else as their peer."""
    if part.address is None or part.share:
        return None
    host = Filter(field="attributes.server.address", value=place(part.address).host)
    found = reader.edges(replace(where, filters=(*where.filters, host)), where.range).value
    rows = found[found["source_app"] == where.app]
    return _activity(rows, "calls") if len(rows) else None


def _lines(reader: TelemetryReader, where: Where, part: Component) -> int:
    """How many log lines a part wrote that takes no requests anybody saw."""
    mine = Filter(field="component", value=part.name)
    asked = LogQuery(where=replace(where, filters=(*where.filters, mine)))
    return int(reader.log_histogram(asked, 1).value["count"].sum())


def _activity(rows: pd.DataFrame, basis: str) -> Activity:
    slowest = rows["p99"].dropna()
    return Activity(
        count=float(rows["count"].sum()),
        errors=float(rows["errors"].sum()),
        p99=float(slowest.max()) if len(slowest) else None,
        basis=basis,
    )


def _notes(part: Component, found: Activity | None, lines: int, *, shared: bool) -> Iterator[str]:
    if shared:
        yield _of_shared(part.share)
    if found is None:
        wrote = f", log lines: {lines:,}" if lines else ""
        host = part.kind is ComponentKind.HOST
        yield f"{'a host takes no requests' if host else 'no requests seen'}{wrote}"
    elif found.basis == "calls":
        yield "calls of this app"


def _of_shared(share: Mapping[str, str]) -> str:
    parts = ", ".join(f"{name} {value}" for name, value in share.items())
    return f"shared: only {parts} is shown" if parts else "shared: only this app's calls are shown"
