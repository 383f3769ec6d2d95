"""Applications out of App documents."""

from collections.abc import Collection
from dataclasses import replace

from slo.fields import Fields, Located
from slo.loader import shapes_app
from slo.loader.components import build_component
from slo.loader.contradictions import check_contradictions
from slo.loader.documents import HeadroomDocument
from slo.loader.environments import build_environments
from slo.loader.file_names import check_file_name
from slo.loader.intake import Intake
from slo.loader.labels import own_labels
from slo.loader.pair_checks import check_pairs
from slo.loader.shapes_app import MOST_SLOS
from slo.loader.slos import build_slo
from slo.model import App, Contacts
from slo.printable import quote
from slo.problems import has_errors, warning
from slo.records import dataclass
from slo.shape import UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftApp:
    """What one App document gave: its name, the app if it is whole, and what it depends on.

    ``apps_needed`` may name any app; ``parts_needed`` components of this one or other apps.
    """

    name: Located[str] | None
    app: App | None
    components: tuple[str, ...] = ()
    apps_needed: tuple[Located[str], ...] = ()
    parts_needed: tuple[Located[str], ...] = ()

    def check_names(self, apps: Collection[str], intake: Intake) -> None:
        """Warn of every dependency that no document describes."""
        for each in self.apps_needed:
            if each.value not in apps:
                message = f"there is no app named {quote(each.value)}"
                _warn("spec/unknown-app", message, each, apps, intake)
        for each in self.parts_needed:
            if each.value not in apps and each.value not in self.components:
                message = f"there is no component or app named {quote(each.value)}"
                known = [*self.components, *apps]
                _warn("spec/unknown-component", message, each, known, intake)


def build_app(document: HeadroomDocument, intake: Intake) -> DraftApp:
    """Read one App document; its problems are added to the intake's, and none stops the rest."""
    own = replace(intake, problems=[])
    draft = _draft(document, own)
    intake.problems.extend(own.problems)
    whole = document.sound and not has_errors(own.problems)
    return draft if whole else replace(draft, app=None)


def _draft(document: HeadroomDocument, intake: Intake) -> DraftApp:
    whole = shapes_app.APP.read(document.root, intake.problems)
    if whole is UNREADABLE:
        return DraftApp(name=None, app=None)
    metadata, spec = whole.get("metadata", Fields), whole.get("spec", Fields)
    name = _name(metadata)
    if name is not None:
        check_file_name(name.value, name.span, intake, suffix="app")
    if metadata is None or spec is None:
        return DraftApp(name=name, app=None)
    app = _app(metadata, spec, intake)
    components = spec.each("components", Fields)
    return DraftApp(
        name=name,
        app=app,
        components=tuple(each.get("name", str) or "" for each in components),
        apps_needed=spec.items("dependsOn", str),
        parts_needed=tuple(need for each in components for need in each.items("dependsOn", str)),
    )


def _name(metadata: Fields | None) -> Located[str] | None:
    name = None if metadata is None else metadata.get("name", str)
    if metadata is None or name is None:
        return None
    return Located(value=name, span=metadata.span("name"))


def _app(metadata: Fields, spec: Fields, intake: Intake) -> App | None:
    name, team = metadata.get("name", str), metadata.get("team", str)
    records = spec.each("slos", Fields)[:MOST_SLOS]
    drafts = [draft for draft in (build_slo(each, intake) for each in records) if draft is not None]
    declared = tuple(each.get("name", str) or "" for each in records)
    environments = build_environments(spec, drafts, declared, intake)
    components = tuple(build_component(each, intake) for each in spec.each("components", Fields))
    labels = own_labels(metadata, "labels", intake)
    if name is None or team is None:
        return None
    security, dashboards = spec.get("security", Fields), spec.get("dashboards", Fields)
    grafana = None if dashboards is None else dashboards.get("grafana", Fields)
    kibana = None if dashboards is None else dashboards.get("kibana", Fields)
    app = App(
        name=name,
        team=team,
        title=metadata.get("title", str) or name,
        environments=environments,
        components=tuple(each for each in components if each is not None),
        labels=labels,
        annotations=metadata.mapping("annotations", str),
        contacts=_contacts(spec.get("contacts", Fields)),
        runbook=spec.get("runbook", str),
        depends_on=spec.each("dependsOn", str),
        gate=spec.get("gate", str),
        security_sources=() if security is None else security.each("sources", str),
        grafana_folder=None if grafana is None else grafana.get("folder", str),
        kibana_slos=kibana is not None and kibana.get("slos", bool) is True,
        span=metadata.span("name"),
    )
    check_pairs(app, drafts, intake)
    check_contradictions(app, intake)
    return app


def _contacts(fields: Fields | None) -> Contacts:
    if fields is None:
        return Contacts()
    return Contacts(
        page=fields.get("page", str),
        ticket=fields.get("ticket", str),
        chat=fields.get("chat", str),
        email=fields.get("email", str),
        spans={key: fields.span(key) for key in fields},
    )


def _warn(
    id_: str, message: str, name: Located[str], known: Collection[str], intake: Intake
) -> None:
    meant = intake.did_you_mean(name.value, known)
    intake.problems.append(warning(id_, f"{message}{meant}", name.span))
