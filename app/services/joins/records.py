"""What a store or a cluster of records tells of how they are joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.access import Scope
from app.project import Project
from app.services.holdings import held_by
from app.services.joins.model import Findings, Stray, Tally
from app.services.unattributed import claimed
from collectors.joining import Joiner, Ownership
from collectors.joining.facts import APP_TAG, ENVIRONMENT_TAG, HOST, NAMESPACE, SERVICE_NAME
from collectors.readers.telemetry import Answered, TelemetryReader, TimeRange
from collectors.store import nanoseconds

if TYPE_CHECKING:
    import pandas as pd

_STORE = "store"


def of_records(
    reader: TelemetryReader, project: Project, scope: Scope, range_: TimeRange, joiner: Joiner
) -> Findings:
    """Return what a source of records tells of what the asker sees; raises ``SourceError``.

    A source that joined its records when it took them says by which rung. Of a cluster's records
    without a tag, the ladder tells here what else they carry.
    """
    held = held_by(reader, project, scope, range_)
    nobody = reader.unattributed(range_)
    climbed = [_climbed(row, joiner, reader.reference) for row in _rows(nobody)]
    untagged = [tally for _, tally in climbed if tally is not None and _seen(scope, tally)]
    strays = [stray for stray, _ in climbed]
    known = {app.name for app in project.catalog.apps}
    rows = list(_rows(held))
    tallies = [_tally(row, known) for row in rows]
    if scope.apps is None:
        strays += _unknown_apps(rows, known)
        strays += _without_environment(rows, project)
    newest = held.observed_at
    return Findings(
        source=reader.reference,
        unit="records",
        query=f"{held.query}; {nobody.query}",
        tallies=(*_less(tallies, untagged), *untagged),
        strays=tuple(strays),
        observed_at=None if newest is None else nanoseconds(newest),
        partial=tuple(dict.fromkeys((*held.partial, *nobody.partial))),
        notes=tuple(dict.fromkeys((*held.notes, *nobody.notes))),
    )


def _rows(found: Answered[pd.DataFrame]) -> list[dict[str, Any]]:
    """The rows of a frame with None in the place of whatever pandas calls missing."""
    frame = found.value.astype(object)
    rows = frame.where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _climbed(row: Mapping[str, Any], joiner: Joiner, reference: str) -> tuple[Stray, Tally | None]:
    """What nobody owns, and the rung that would give it to an application of a cluster."""
    stray = Stray(
        signal=row["signal"],
        records=int(row["records"]),
        missing=row["missing"],
        claimants=tuple(claimed(row["claimants"])),
        service=row["service"],
        host=row["host"],
        namespace=row["namespace"],
        stream=row["stream"],
        first=int(row["first"]),
        last=int(row["last"]),
        example=row["example"],
    )
    if reference == _STORE:
        return stray, None
    owner = joiner.join(_facts(stray), {})
    return _owned(stray, owner), _carried(stray, owner)


def _facts(stray: Stray) -> dict[str, object]:
    said = {SERVICE_NAME[0]: stray.service, HOST[0]: stray.host, NAMESPACE[0]: stray.namespace}
    return {key: value for key, value in said.items() if value is not None}


def _owned(stray: Stray, owner: Ownership) -> Stray:
    return replace(stray, app=owner.app, claimants=owner.claimants)


def _carried(stray: Stray, owner: Ownership) -> Tally | None:
    if owner.app is None:
        return None
    return Tally(app=owner.app, signal=stray.signal, rung=owner.rung, records=stray.records)


def _seen(scope: Scope, tally: Tally) -> bool:
    # The group may hold records of an environment that is not to be seen.
    return tally.app is not None and scope.environments is None and scope.sees(tally.app)


def _tally(row: Mapping[str, Any], known: set[str]) -> Tally:
    app = row["app"] if row["app"] in known else None
    rung = None if app is None or row["rung"] is None else int(row["rung"])
    return Tally(app=app, signal=row["signal"], rung=rung, records=int(row["records"]))


def _less(tallies: list[Tally], carried: list[Tally]) -> Iterator[Tally]:
    """What is left of nobody's when what carries enough is taken off."""
    taken: dict[str, int] = {}
    for each in carried:
        taken[each.signal] = taken.get(each.signal, 0) + each.records
    for tally in tallies:
        if tally.app is not None:
            yield tally
            continue
        less = min(tally.records, taken.get(tally.signal, 0))
        taken[tally.signal] = taken.get(tally.signal, 0) - less
        yield Tally(app=None, signal=tally.signal, rung=tally.rung, records=tally.records - less)


def _unknown_apps(rows: list[dict[str, Any]], known: set[str]) -> Iterator[Stray]:
    """What is tagged with an application that the workspace does not have."""
    for row in rows:
        if row["app"] is not None and row["app"] not in known:
            yield Stray(
                signal=row["signal"],
                records=int(row["records"]),
                missing=f"{APP_TAG[0]}={row['app']}",
                first=int(row["first"]),
                last=int(row["last"]),
            )


def _without_environment(rows: list[dict[str, Any]], project: Project) -> Iterator[Stray]:
    """What is an application's and does not say of which of its environments."""
    for row in rows:
        app = None if row["app"] is None else project.catalog.app(row["app"])
        if app is None or row["env"] in {each.name for each in app.environments}:
            continue
        said = "" if row["env"] is None else f"={row['env']}"
        yield Stray(
            signal=row["signal"],
            records=int(row["records"]),
            missing=f"{ENVIRONMENT_TAG[0]}{said}",
            app=app.name,
            first=int(row["first"]),
            last=int(row["last"]),
        )
