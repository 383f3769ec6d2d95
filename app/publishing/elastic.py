"""Publishing templates, pipelines, retention and roles to Elasticsearch or OpenSearch.

Nothing is put until everything was compared: what somebody else made under one of our names, or
for the same data streams, stops it. What is there and no longer generated is left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from app.publishing.files import OutputFile, read_below
from collectors.elastic.client import Cluster
from collectors.elastic.comparing import difference, overlap
from collectors.elastic.fitting import OLDEST, Fitted, fitted
from collectors.elastic.present import Present, present, processors
from collectors.elastic.refusal import Refusal
from collectors.elastic.resources import Kind, Resource, api_path, is_ours
from collectors.elastic.templates import PRIORITY
from slo.errors import PublishError, SourceError
from slo.records import dataclass

_UNKNOWN_TYPE = re.compile(r"No handler for type \[(\w+)]")
_USUAL_PRIORITY = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticReport:
    """What was put, or with a dry run would be, by title.

    ``skipped`` says of what could not be put why; ``notes`` are what a person should know.
    """

    done: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    skipped: Mapping[str, str]
    notes: tuple[str, ...] = ()


class ElasticRefusedError(PublishError):
    """A cluster refused a resource; ``done`` was put before and stays, ``left`` was not put."""

    def __init__(
        self, message: str, *, done: Sequence[str], left: Sequence[str], hint: str | None
    ) -> None:
        self.done = tuple(done)
        self.left = tuple(left)
        super().__init__(message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A resource that is not in the cluster as it should be; ``diff`` is unified."""

    resource: Resource
    diff: str
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticPlan:
    """Everything that publishing to one cluster would do."""

    changes: tuple[Change, ...]
    unchanged: tuple[str, ...]
    skipped: Mapping[str, str]
    notes: tuple[str, ...]

    def preview(self) -> ElasticReport:
        """What a run would report."""
        return ElasticReport(
            done=tuple(each.resource.title for each in self.changes),
            unchanged=self.unchanged,
            skipped=self.skipped,
            notes=self.notes,
        )


def read_elastic(out: Path, source: str) -> tuple[Resource, ...]:
    """The generated resources for a source of the workspace. Raises ``PublishError``."""
    found = [_resource(file) for file in read_below(out, f"elastic/{source}")]
    order = list(Kind)
    return tuple(sorted(found, key=lambda each: order.index(each.kind)))


def plan(cluster: Cluster, wanted: Sequence[Resource]) -> ElasticPlan:
    """Compare with what a cluster has; nothing is changed.

    Raises ``PublishError`` when something there is in the way, and ``SourceError``.
    """
    version, oldest = cluster.version, OLDEST[cluster.flavor]
    if version < oldest:
        raise PublishError(
            f"{cluster.reference}: {cluster.flavor} {_number(version)} is too old",
            hint=f"{_number(oldest)} is the oldest that can bound fields and keep apps apart",
        )
    there = present(cluster, frozenset({each.kind for each in wanted} | {Kind.INDEX}))
    found = fitted(wanted, version, lacking=there.lacking, known=processors(cluster))
    _refuse_foreign(cluster, found, there)
    _refuse_overlaps(cluster, found, there)
    changes, unchanged = [], []
    for each in found.resources:
        diff = difference(each, there.body(each.kind, each.name))
        if diff:
            params = there.versions.get(each.name, {}) if each.kind is Kind.POLICY else {}
            changes.append(Change(resource=each, diff=diff, params=params))
        else:
            unchanged.append(each.title)
    return ElasticPlan(
        changes=tuple(changes),
        unchanged=tuple(unchanged),
        skipped=found.skipped,
        notes=(*found.notes, *_stronger(found, there)),
    )


def carry_out(
    cluster: Cluster, planned: ElasticPlan, seen: Callable[[int, int], None]
) -> ElasticReport:
    """Put what differs, in the order of dependence; ``seen`` hears how many of how many.

    Raises ``ElasticRefusedError`` with what was and what was not put.
    """
    done: list[str] = []
    skipped = dict(planned.skipped)
    for at, change in enumerate(planned.changes):
        seen(at, len(planned.changes))
        each = change.resource
        reason = _needs(each, skipped)
        try:
            reason = reason or _put(cluster, change)
        except SourceError as error:
            left = [rest.resource.title for rest in planned.changes[at:]]
            raise ElasticRefusedError(
                f"{each.title}: {error}", done=done, left=left, hint=error.hint
            ) from error
        if reason:
            skipped[each.title] = reason
        else:
            done.append(each.title)
    seen(len(planned.changes), len(planned.changes))
    return ElasticReport(
        done=tuple(done), unchanged=planned.unchanged, skipped=skipped, notes=planned.notes
    )


def _put(cluster: Cluster, change: Change) -> str | None:
    """Put one resource; returns what the cluster lacks for it, if that is why it was refused."""
    each = change.resource
    path = f"{api_path(each.kind, cluster.flavor)}/{each.name}"
    try:
        cluster.call("PUT", path, each.body, params=change.params or None)
    except Refusal as refusal:
        lacking = _UNKNOWN_TYPE.search(refusal.reason)
        if lacking is None:
            raise
        return f"this cluster has no fields of type {lacking[1]}"
    return None


def _needs(each: Resource, skipped: Mapping[str, str]) -> str | None:
    """Why an index template cannot be put: a component of it was not."""
    for name in each.body.get("composed_of", ()):
        title = f"{Kind.COMPONENT}/{name}"
        if title in skipped:
            return f"it needs {title}"
    return None


def _resource(file: OutputFile) -> Resource:
    parts = PurePosixPath(file.path).relative_to(file.below).parts
    try:
        kind, name = Kind(parts[0]), parts[1].removesuffix(".json")
        body = json.loads(file.text)
    except (ValueError, IndexError, RecursionError) as cause:
        raise PublishError(
            f"{file.path}: this is no resource of Elasticsearch", hint="run headroom generate again"
        ) from cause
    if not isinstance(body, dict):
        raise PublishError(f"{file.path}: it holds no object", hint="run headroom generate again")
    return Resource(kind=kind, name=name, body=body)


def _refuse_foreign(cluster: Cluster, found: Fitted, there: Present) -> None:
    foreign = [
        each.title
        for each in found.resources
        if (body := there.body(each.kind, each.name)) is not None and not is_ours(body)
    ]
    if foreign:
        raise PublishError(
            f"{cluster.reference}: not made by Headroom: {', '.join(foreign)}; nothing was put",
            hint="rename or remove it there; Headroom overwrites nothing of others",
        )


def _refuse_overlaps(cluster: Cluster, found: Fitted, there: Present) -> None:
    clashes = [
        f"{name} ({theirs}) and {ours.name} ({mine})"
        for name, theirs, priority, ours, mine in _meetings(found, there)
        if priority == PRIORITY
    ]
    if clashes:
        raise PublishError(
            f"{cluster.reference}: index templates of others have the same priority, {PRIORITY}, "
            f"for the same data streams: {'; '.join(clashes[:5])}; nothing was put",
            hint="give theirs another priority, or other patterns",
        )


def _stronger(found: Fitted, there: Present) -> list[str]:
    return [
        f"index template {name} of others ({theirs}, priority {priority}) goes before {ours.name}"
        for name, theirs, priority, ours, _ in _meetings(found, there)
        if priority > PRIORITY
    ]


def _meetings(found: Fitted, there: Present) -> list[tuple[str, str, int, Resource, str]]:
    """Templates of others beside ours that some data stream would meet, each pair once."""
    mine = [each for each in found.resources if each.kind is Kind.INDEX]
    names = {each.name for each in mine}
    met = []
    for name, body in sorted(there.bodies.get(Kind.INDEX, {}).items()):
        priority = int(body.get("priority") or _USUAL_PRIORITY)
        if name in names or priority < PRIORITY:
            continue
        for ours in mine:
            pairs = ((a, b) for a in body["index_patterns"] for b in ours.body["index_patterns"])
            both = next(((a, b) for a, b in pairs if overlap(a, b)), None)
            if both is not None:
                met.append((name, both[0], priority, ours, both[1]))
    return met


def _number(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
