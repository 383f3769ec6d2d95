"""Everything ``generate`` writes, by kind: pure functions of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from alerts import alertmanager
from alerts.prometheus.groups import RuleSettings
from alerts.prometheus.layouts import LAYOUTS
from slo.model import Catalog
from slo.workspace import Workspace

Files = Mapping[str, str]

ELASTIC = "elastic"
"""The kind that is only for those who have such a source."""


def rules(catalog: Catalog, space: Workspace, layout: str) -> Files:
    """Prometheus rules in one layout."""
    settings = RuleSettings(
        catalogue=space.defaults.catalogue,
        links=space.links,
        shard_labels=shard_labels(space),
        counters=has_counters(space),
    )
    make = LAYOUTS[layout]
    return {path: text for app in catalog.apps for path, text in make(app, settings).items()}


def routes(catalog: Catalog, space: Workspace, layout: str) -> Files:
    """Alertmanager's configuration, the same in every layout."""
    del layout
    return {
        alertmanager.FILE: alertmanager.render(alertmanager.alertmanager_config(catalog, space))
    }


def dashboards(catalog: Catalog, space: Workspace, layout: str) -> Files:
    """Grafana dashboards."""
    from dashboards.grafana import overview  # noqa: PLC0415 - its library is slow to import

    del layout
    return {
        path: text
        for app in catalog.apps
        for path, text in overview.files(
            app, space.defaults.catalogue, space.links, counters=has_counters(space)
        ).items()
    }


def elastic(catalog: Catalog, space: Workspace, layout: str) -> Files:
    """What Elasticsearch and OpenSearch need to hold telemetry, for each source of the workspace.

    Without a source it is for Elasticsearch, below ``elastic/default``.
    """
    from collectors.elastic.flavors import Flavor  # noqa: PLC0415 - other kinds need none of it
    from collectors.elastic.templates import files, resources  # noqa: PLC0415
    from collectors.tagging.plan import plans  # noqa: PLC0415

    del layout
    every = plans(catalog, space.collecting)
    flavors = {name: Flavor(source.flavor) for name, source in space.elasticsearch.items()}
    return {
        path: text
        for name, flavor in (flavors or {"default": Flavor.ELASTICSEARCH}).items()
        for path, text in files(resources(every, flavor, space.retention), name).items()
    }


GENERATORS: Mapping[str, Callable[[Catalog, Workspace, str], Files]] = {
    "rules": rules,
    "alertmanager": routes,
    "dashboards": dashboards,
    ELASTIC: elastic,
}
"""The kinds of output that are made whole, by the name that ``generate --only`` takes."""

COLLECTORS = "collectors"
"""The kind that has a part for each collector."""

KINDS = (*GENERATORS, COLLECTORS)
"""Every kind of output."""


def usual_kinds(space: Workspace) -> tuple[str, ...]:
    """What is written where nobody names a kind: of some only what the workspace has a use for."""
    needless = set() if space.elasticsearch else {ELASTIC}
    needless |= set() if space.collecting.use else {COLLECTORS}
    return tuple(kind for kind in KINDS if kind not in needless)


def generate(
    catalog: Catalog,
    space: Workspace,
    *,
    kinds: Sequence[str],
    layout: str,
    collectors: Sequence[str] | None = None,
) -> dict[str, Files]:
    """The files of each kind by relative path; same input, same bytes.

    ``collectors`` are the names of collectors, by default those that the workspace uses, else
    all; each is a kind of its own, ``collectors/NAME``. Raises ``UsageError`` when two components
    claim the same records.
    """
    found = {kind: GENERATORS[kind](catalog, space, layout) for kind in kinds if kind != COLLECTORS}
    if COLLECTORS in kinds:
        found |= tagging(catalog, space, collectors)
    return found


def tagging(
    catalog: Catalog, space: Workspace, names: Sequence[str] | None = None
) -> dict[str, Files]:
    """The configuration of collectors: files by path below the output, by ``collectors/NAME``."""
    from collectors.tagging.plan import plans  # noqa: PLC0415 - other kinds need none of it
    from collectors.tagging.registry import GENERATORS as KNOWN  # noqa: PLC0415
    from collectors.tagging.registry import generator  # noqa: PLC0415

    every = plans(catalog, space.collecting)
    return {
        f"{COLLECTORS}/{name}": {
            f"{COLLECTORS}/{name}/{plan.env}/{path}": text
            for plan in every
            for path, text in generator(name)(plan).items()
        }
        for name in names or space.collecting.use or tuple(KNOWN)
    }


def disputes(catalog: Catalog, space: Workspace) -> tuple[tuple[str, str], ...]:
    """What several components claim, in words, with the environment."""
    from collectors.tagging.plan import plans  # noqa: PLC0415 - other kinds need none of it

    every = plans(catalog, space.collecting)
    return tuple((plan.env, str(each)) for plan in every for each in plan.disputes)


def kinds_of(found: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The kinds and the collectors that a manifest's kinds stand for."""
    known = set(found)
    kinds = tuple(kind for kind in GENERATORS if kind in known)
    names = tuple(sorted(each.partition("/")[2] for each in known if "/" in each))
    return (*kinds, COLLECTORS) if names else kinds, names


def shard_labels(space: Workspace) -> tuple[str, ...]:
    """The labels that tell shards apart in any source."""
    found = (label for source in space.prometheus.values() for label in source.shard_labels)
    return tuple(dict.fromkeys(found))


def has_counters(space: Workspace) -> bool:
    """Whether a Prometheus is there to have the counters that `headroom serve` makes."""
    return bool(space.prometheus)
