"""All checks in their order; whatever becomes of one, the others run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from alerts.prometheus.groups import RuleSettings
from app.doctor.alertmanager import alertmanager_check
from app.doctor.installation import installation
from app.doctor.model import Check, fail, warn
from app.doctor.products import ProductVisit, product_checks
from app.doctor.sources import Visit, source_checks
from app.doctor.workspace import generated_files_check, workspace_checks
from app.generation import has_counters, shard_labels
from app.project import Project
from app.services import default_reference
from collectors.readers.places import sources_of
from collectors.readers.prometheus import Clock
from slo.errors import HeadroomError
from slo.model import ServiceLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined: how to open the project, and what time it is."""

    open: Callable[[], Project]
    now: Callable[[], datetime]
    clock: Clock = field(default_factory=Clock)
    environ: Mapping[str, str] | None = None


def examine(patient: Patient) -> Iterator[Check]:
    """Yield every check as it is done."""
    yield from _safely("installation", installation)
    try:
        project = patient.open()
    except HeadroomError as cause:
        yield fail("workspace", str(cause), getattr(cause, "hint", None) or "headroom validate")
        return
    yield from _safely("workspace", lambda: workspace_checks(project))
    yield from _safely("generated files", lambda: [generated_files_check(project)])
    yield from _sources(patient, project)
    yield from _products(patient, project)
    url = project.workspace.alertmanager_url
    yield from _safely("alertmanager", lambda: [alertmanager_check(url, patient.clock)])


def _sources(patient: Patient, project: Project) -> Iterator[Check]:
    space = project.workspace
    if not space.prometheus:
        yield warn(
            "prometheus",
            "no Prometheus is configured",
            "name it under sources in headroom.yaml, or give --prometheus URL",
        )
    settings = RuleSettings(
        catalogue=space.defaults.catalogue,
        links=space.links,
        shard_labels=shard_labels(space),
        counters=has_counters(space),
    )
    for source in space.prometheus.values():
        visit = Visit(
            source=source,
            levels=_levels_on(project, source.reference),
            settings=settings,
            now=patient.now,
            clock=patient.clock,
            environ=patient.environ,
        )
        yield from _safely(source.reference, partial(source_checks, visit))


def _products(patient: Patient, project: Project) -> Iterator[Check]:
    if project.one_source:
        return
    for source in project.workspace.external.values():
        visit = ProductVisit(
            source=source,
            levels=_levels_on(project, source.reference),
            at=patient.now(),
            clock=patient.clock,
            environ=patient.environ,
        )
        yield from _safely(source.reference, partial(product_checks, visit))


def _levels_on(project: Project, reference: str) -> list[ServiceLevel]:
    levels = project.catalog.levels()
    if project.one_source:
        return list(levels)
    default = default_reference(project.workspace)
    return [level for level in levels if reference in sources_of(level, default)]


def _safely(name: str, look: Callable[[], list[Check]]) -> list[Check]:
    """Do a check whose failure must not take the others along."""
    try:
        return look()
    except HeadroomError as cause:
        return [fail(name, str(cause), getattr(cause, "hint", None) or "see the message")]
    except Exception as cause:  # noqa: BLE001 - a doctor that dies tells nothing
        message = f"the check itself failed: {type(cause).__name__}: {cause}"
        return [fail(name, message, "this is a bug in Headroom; please report it")]
