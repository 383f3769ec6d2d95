"""Everything ``generate`` writes, by kind: pure functions of a project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from alerts import alertmanager
from alerts.prometheus.groups import RuleSettings
from alerts.prometheus.layouts import LAYOUTS
from slo.model import Catalog
from slo.workspace import Workspace

Files = Mapping[str, str]


def rules(catalog: Catalog, space: Workspace, layout: str) -> Files:
    """Prometheus rules in one layout."""
    settings = RuleSettings(
        catalogue=space.defaults.catalogue,
        links=space.links,
        shard_labels=shard_labels(space),
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
        for path, text in overview.files(app, space.defaults.catalogue, space.links).items()
    }


GENERATORS: Mapping[str, Callable[[Catalog, Workspace, str], Files]] = {
    "rules": rules,
    "alertmanager": routes,
    "dashboards": dashboards,
}
"""Every kind of output by the name that ``generate --only`` takes."""


def generate(
    catalog: Catalog, space: Workspace, *, kinds: Sequence[str], layout: str
) -> dict[str, Files]:
    """The files of each kind by relative path; same input, same bytes."""
    return {kind: GENERATORS[kind](catalog, space, layout) for kind in kinds}


def shard_labels(space: Workspace) -> tuple[str, ...]:
    """The labels that tell shards apart in any source."""
    found = (label for source in space.prometheus.values() for label in source.shard_labels)
    return tuple(dict.fromkeys(found))
