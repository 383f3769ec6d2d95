"""Which environment of its application a record belongs to."""

from __future__ import annotations

from collectors.joining.facts import ENVIRONMENT_TAG, Facts, keys_of_label
from slo.model import DEFAULT_ENVIRONMENT, App, Cluster

_LONGEST = 100


def environment_of(app: App, facts: Facts) -> tuple[str | None, str | None]:
    """Return the environment, and the key that would have told when it is not a declared one."""
    if _undeclared(app):
        return DEFAULT_ENVIRONMENT, None
    tags = facts.tags(ENVIRONMENT_TAG)
    names = {each.name for each in app.environments}
    if tags:
        declared = {each.value for each in tags} & names
        if len(declared) == 1:
            return declared.pop(), None
        return None if declared else tags[0].value[:_LONGEST], str(tags[0])
    fitting = [
        each.name
        for each in app.environments
        if any(cluster.match and _fits(cluster, facts) for cluster in each.clusters)
    ]
    if len(fitting) == 1:
        return fitting[0], None
    if not fitting and len(app.environments) == 1:
        only = app.environments[0]
        if not only.clusters or not all(_contradicts(each, facts) for each in only.clusters):
            return only.name, None
    return None, ENVIRONMENT_TAG[0]


def _undeclared(app: App) -> bool:
    """Whether an app file leaves environments out: one holds everything then."""
    if len(app.environments) != 1 or app.environments[0].name != DEFAULT_ENVIRONMENT:
        return False
    return not any(cluster.match for cluster in app.environments[0].clusters)


def _fits(cluster: Cluster, facts: Facts) -> bool:
    return all(
        (fact := facts.sender(keys_of_label(label))) is not None and fact.value == wanted
        for label, wanted in cluster.match.items()
    )


def _contradicts(cluster: Cluster, facts: Facts) -> bool:
    return any(
        (fact := facts.sender(keys_of_label(label))) is not None and fact.value != wanted
        for label, wanted in cluster.match.items()
    )
