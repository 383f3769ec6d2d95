"""Resources as one cluster can take them: what its version or its modules lack is left out, told.

Nothing is put in the place of what is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from collectors.elastic.flavors import Flavor, Version
from collectors.elastic.pipelines import processors
from collectors.elastic.resources import Kind, Resource
from slo.records import dataclass

OLDEST: Mapping[Flavor, Version] = {Flavor.ELASTICSEARCH: (8, 14, 0), Flavor.OPENSEARCH: (2, 14, 0)}
"""From here on a flavour has what bounds the fields and keeps applications apart."""

_SINCE: Mapping[str, Version] = {"index.mode": (8, 17, 0)}
_PIPELINE = "index.default_pipeline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What can be put, what cannot with the reason by title, and what was left out in words."""

    resources: tuple[Resource, ...]
    skipped: Mapping[str, str]
    notes: tuple[str, ...]


def fitted(
    found: Sequence[Resource],
    version: Version,
    *,
    lacking: Mapping[Kind, str],
    known: frozenset[str] | None,
) -> Fitted:
    """Resources as a cluster of a version takes them.

    ``lacking`` says why kinds cannot be put at all; ``known`` are the types of processors that it
    has, ``None`` where it does not say.
    """
    skipped = {each.title: lacking[each.kind] for each in found if each.kind in lacking}
    for each in found:
        missing = processors(each.body) - (known or frozenset())
        if each.kind is Kind.PIPELINE and known is not None and missing:
            skipped[each.title] = (
                f"this cluster has no ingest processor {', '.join(sorted(missing))}"
            )
    gone = {each.name for each in found if each.kind is Kind.PIPELINE and each.title in skipped}
    kept, notes = [], []
    for each in found:
        if each.title not in skipped:
            slimmed, said = _slimmed(each, version, gone)
            kept.append(slimmed)
            notes += said
    return Fitted(resources=tuple(kept), skipped=skipped, notes=tuple(notes))


def _slimmed(each: Resource, version: Version, gone: set[str]) -> tuple[Resource, list[str]]:
    settings = _settings(each.body)
    notes = []
    for name, since in _SINCE.items():
        if name in settings and version < since:
            del settings[name]
            number = ".".join(map(str, since[:2]))
            notes.append(f"{each.title}: without {name}, which needs {number}")
    if settings.get(_PIPELINE) in gone:
        notes.append(f"{each.title}: without its pipeline {settings.pop(_PIPELINE)}")
    if not notes:
        return each, []
    template = {**each.body["template"], "settings": settings}
    return replace(each, body={**each.body, "template": template}), notes


def _settings(body: Mapping[str, Any]) -> dict[str, Any]:
    template = body.get("template")
    found = template.get("settings") if isinstance(template, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}
