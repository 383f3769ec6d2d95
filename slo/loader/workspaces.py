"""The workspace out of its file."""

from decimal import Decimal

from slo.fields import Fields, Located, Pair
from slo.loader.collecting import build_collecting
from slo.loader.documents import HeadroomDocument, SourceFile, headroom_documents
from slo.loader.external import build_external, default_external
from slo.loader.intake import Intake
from slo.loader.serving import build_costs, build_retention, build_serving, check_forward
from slo.loader.shapes_receivers import Settings
from slo.loader.shapes_sources import NamedSources
from slo.loader.shapes_workspace import WORKSPACE
from slo.loader.slos import build_window
from slo.loader.sources import build_elasticsearch, build_prometheus, default_source
from slo.loader.windows import built_in_defaults
from slo.printable import quote
from slo.problems import Problem, Severity, Span, error, has_errors, in_order
from slo.receivers import receiver_problems
from slo.shape import UNREADABLE
from slo.units import Duration
from slo.workspace import Defaults, Links, Publishing, Receiver, RulesDestination, Workspace


def load_workspace(file: SourceFile) -> tuple[Workspace | None, tuple[Problem, ...]]:
    """Read a workspace file, which has one Workspace document and may have others.

    Paths stay as they are written. ``defaults.catalogue`` is the built-in one; where ``windows``
    names a file, the caller reads it and replaces the catalogue. Never raises.
    """
    problems: list[Problem] = []
    documents = headroom_documents([file], problems)
    found = [document for document in documents if document.kind == "Workspace"]
    if not found and not has_errors(problems):
        message = "this file holds no document of the kind Workspace"
        problems.append(error("spec/no-document", message, Span.at(file.name)))
    for second in found[1:]:
        message = "a workspace file holds one Workspace, and this is another"
        related = ((found[0].root.span, "the first one"),)
        problems.append(
            error("spec/unexpected-document", message, second.root.span, related=related)
        )
    workspace = _workspace(found[0], problems) if found else None
    return None if has_errors(problems) else workspace, in_order(problems)


def _workspace(document: HeadroomDocument, problems: list[Problem]) -> Workspace | None:
    whole = WORKSPACE.read(document.root, problems)
    spec = None if whole is UNREADABLE else whole.get("spec", Fields)
    if spec is None:
        return None
    intake = Intake(
        defaults=built_in_defaults(),
        texts={document.file.name: document.file.text},
        problems=problems,
    )
    own = spec.get("defaults", Fields)
    sources = spec.get("sources", Fields)
    prometheus = None if sources is None else sources.get("prometheus", NamedSources)
    elasticsearch = None if sources is None else sources.get("elasticsearch", NamedSources)
    alertmanager = None if sources is None else sources.get("alertmanager", Fields)
    store = None if sources is None else sources.get("store", Fields)
    clusters = build_elasticsearch(elasticsearch, problems)
    check_forward(spec.get("serve", Fields), clusters, problems)
    return Workspace(
        defaults=intake.defaults if own is None else _defaults(own, intake),
        apps=spec.each("apps", str) or (".",),
        policies=spec.each("policies", str),
        templates=spec.each("templates", str),
        output=spec.get("output", str) or "generated",
        state=spec.get("state", str),
        windows=None if own is None else own.get("windows", str),
        prometheus=build_prometheus(prometheus, problems),
        default_prometheus=default_source(prometheus, problems),
        elasticsearch=clusters,
        default_elasticsearch=default_source(elasticsearch, problems),
        external=build_external(sources),
        default_external=default_external(sources, problems),
        alertmanager_url=None if alertmanager is None else alertmanager.get("url", str),
        store=None if store is None else store.get("path", str),
        retention=build_retention(store),
        metrics=None if sources is None else sources.get("metrics", str),
        serving=build_serving(spec.get("serve", Fields), problems),
        costs=build_costs(spec.get("costs", Fields)),
        receivers=_receivers(spec, problems),
        links=_links(spec.get("links", Fields)),
        publishing=_publishing(spec.get("publish", Fields)),
        collecting=build_collecting(spec.get("collectors", Fields), problems),
    )


def _publishing(fields: Fields | None) -> Publishing:
    if fields is None:
        return Publishing()
    alertmanager = fields.get("alertmanager", Fields)
    return Publishing(
        rules=tuple(
            RulesDestination(
                folder=each.get("folder", str),
                ruler=each.get("ruler", str),
                source=each.get("source", str),
                prefix=each.get("prefix", str),
            )
            for each in fields.each("rules", Fields)
        ),
        alertmanager_file=None if alertmanager is None else alertmanager.get("file", str),
    )


def _defaults(fields: Fields, intake: Intake) -> Defaults:
    buckets: tuple[Pair[tuple[Located[Decimal], ...]], ...] = fields.pairs("buckets", tuple)
    return Defaults(
        window=build_window(fields, intake) or intake.defaults.window,
        scrape_interval=fields.get("scrapeInterval", Duration) or intake.defaults.scrape_interval,
        catalogue=intake.defaults.catalogue,
        buckets={
            pair.key.value: tuple(sorted(bound.value for bound in pair.value.value))
            for pair in buckets
        },
    )


def _receivers(spec: Fields, problems: list[Problem]) -> tuple[Receiver, ...]:
    pairs: tuple[Pair[Settings], ...] = spec.pairs("receivers", tuple)
    receivers = (_receiver(pair, problems) for pair in pairs)
    return tuple(each for each in receivers if each is not None)


def _receiver(pair: Pair[Settings], problems: list[Problem]) -> Receiver | None:
    name, kinds = pair.key.value, pair.value.value
    if len(kinds) != 1:
        message = f"receiver {quote(name)} has {len(kinds)} kinds; a receiver has exactly one"
        hint = "as in pagerduty: {routingKeyFile: …}"
        problems.append(error("alertmanager/unknown-kind", message, pair.value.span, hint=hint))
        return None
    (kind,) = kinds
    places = {each.key.value: each.value.span for each in kind.value.value}
    settings = {each.key.value: each.value.value for each in kind.value.value}

    def span_of(key: str | None) -> Span:
        return kind.key.span if key is None else places.get(key, kind.key.span)

    found = receiver_problems(name, kind.key.value, settings, span_of)
    # Notes are told again, and for all receivers at once, where the configuration is checked.
    problems.extend(problem for problem in found if problem.severity is Severity.ERROR)
    return Receiver(name=name, kind=kind.key.value, settings=settings)


def _links(fields: Fields | None) -> Links:
    if fields is None:
        return Links()
    return Links(
        console=fields.get("console", str),
        grafana=fields.get("grafana", str),
        kibana=fields.get("kibana", str),
        jaeger=fields.get("jaeger", str),
    )
