"""Environments out of a specification, with the SLOs in force in each."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slo.fields import Fields
from slo.loader.file_names import check_file_name
from slo.loader.indicators import with_common
from slo.loader.intake import Intake
from slo.loader.references import source_reference
from slo.loader.shapes_app import MOST_ENVIRONMENTS
from slo.loader.slos import DraftSlo, build_objective, build_window
from slo.loader.words import listed
from slo.model import DEFAULT_ENVIRONMENT, Cluster, Environment, Slo
from slo.printable import quote
from slo.problems import Span, warning


def build_environments(
    spec: Fields, drafts: Sequence[DraftSlo], declared: Sequence[str], intake: Intake
) -> tuple[Environment, ...]:
    """Return the environments of an app; without any, one that selects everything.

    ``declared`` are the names of all SLOs of the app, those with mistakes among them.
    """
    if spec.value("environments") is None:
        cluster = Cluster(name=DEFAULT_ENVIRONMENT)
        slos = tuple(draft.slo for draft in drafts)
        return (Environment(name=DEFAULT_ENVIRONMENT, clusters=(cluster,), slos=slos),)
    located = spec.items("environments", Fields)[:MOST_ENVIRONMENTS]
    built = [(_environment(item.value, drafts, declared, intake), item.span) for item in located]
    found = [(environment, span) for environment, span in built if environment is not None]
    _check_selections(found, intake)
    return tuple(environment for environment, _ in found)


def _environment(
    fields: Fields, drafts: Sequence[DraftSlo], declared: Sequence[str], intake: Intake
) -> Environment | None:
    name = fields.get("name", str)
    slos = _slos(fields, drafts, declared, intake)
    clusters = _clusters(fields, name or "", intake)
    if name is None:
        return None
    check_file_name(name, fields.span("name"), intake, suffix="env")
    return Environment(name=name, clusters=clusters, slos=slos, gate=fields.get("gate", str))


def _clusters(fields: Fields, name: str, intake: Intake) -> tuple[Cluster, ...]:
    if fields.value("clusters") is None:
        source = source_reference(fields, intake)
        return (Cluster(name=name, match=fields.mapping("match", str), source=source),)
    return tuple(
        Cluster(
            name=cluster.get("name", str) or "",
            match=cluster.mapping("match", str),
            source=source_reference(cluster, intake),
        )
        for cluster in fields.each("clusters", Fields)
    )


def _slos(
    fields: Fields, drafts: Sequence[DraftSlo], declared: Sequence[str], intake: Intake
) -> tuple[Slo, ...]:
    overrides = {}
    for pair in fields.pairs("slos", Fields):
        name = pair.key.value
        overrides[name] = pair.value.value
        _check_override(pair.value.value, intake)
        if name not in declared:
            message = f"the app has no SLO {quote(name)}{intake.did_you_mean(name, declared)}"
            hint = f"its SLOs are {listed(declared)}" if declared else None
            intake.error("spec/unknown-slo", message, pair.key.span, hint=hint)
    changed = (_override(draft, overrides, intake) for draft in drafts)
    return tuple(slo for slo in changed if slo is not None)


def _check_override(fields: Fields, intake: Intake) -> None:
    """Report what is wrong with an override even when its SLO could not be read."""
    build_window(fields, intake)
    indicator = fields.get("indicator", Fields)
    if indicator is not None:
        source_reference(indicator, intake)


def _override(draft: DraftSlo, overrides: Mapping[str, Fields], intake: Intake) -> Slo | None:
    fields = overrides.get(draft.slo.name)
    if fields is None:
        return draft.slo
    window = build_window(fields, intake) or draft.slo.window
    own = fields.get("indicator", Fields)
    indicator = (
        draft.slo.indicator if own is None else with_common(draft.slo.indicator, own, intake)
    )
    if fields.get("enabled", bool) is False:
        return None
    pairs = None if draft.pairs is None else tuple(pair.for_period(window) for pair in draft.pairs)
    return replace(
        draft.slo,
        objective=build_objective(fields) or draft.slo.objective,
        window=window,
        indicator=indicator,
        pairs=pairs,
    )


def _check_selections(found: Sequence[tuple[Environment, Span]], intake: Intake) -> None:
    """Report environments that read the very same series, whose numbers would be one another's."""
    seen: dict[object, tuple[Environment, Span]] = {}
    for environment, span in found:
        selection = frozenset(
            (each.source, tuple(sorted(each.match.items()))) for each in environment.clusters
        )
        first, place = seen.setdefault(selection, (environment, span))
        if first is not environment:
            intake.problems.append(
                warning(
                    "spec/same-selection",
                    f"the environments {quote(first.name)} and {quote(environment.name)} "
                    "select the same series",
                    span,
                    hint="give each the labels that tell its series apart, under match",
                    related=((place, "the other one"),),
                )
            )
