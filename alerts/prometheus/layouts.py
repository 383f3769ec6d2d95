"""The files that rules are shipped in, one layout per kind of server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from alerts.prometheus.groups import RuleSettings, ServiceRules, groups_of, joined, service_rules
from alerts.prometheus.render import document, group_data, rule_file
from alerts.prometheus.rules import Group
from slo import naming
from slo.model import App, Environment

Files = Mapping[str, str]
"""Relative paths and texts; one YAML document each."""


def plain(app: App, settings: RuleSettings) -> Files:
    """Rule files as every Prometheus loads them."""
    return {
        f"prometheus/{env.name}/{naming.rule_file(app.name)}": rule_file(groups)
        for env, groups in _by_environment(app, settings)
    }


def operator(app: App, settings: RuleSettings) -> Files:
    """PrometheusRule objects of the Prometheus Operator."""
    return {
        f"operator/{env.name}/{app.name}.yaml": document(
            {
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "PrometheusRule",
                "metadata": {
                    "name": naming.object_name(app.name, env.name),
                    "labels": {
                        "app.kubernetes.io/managed-by": "headroom",
                        "app.kubernetes.io/part-of": app.name,
                    },
                },
                "spec": {"groups": _offset_groups(groups, settings)},
            }
        )
        for env, groups in _by_environment(app, settings)
    }


def mimir(app: App, settings: RuleSettings) -> Files:
    """Namespaces of the Mimir and Cortex rulers, as their command-line tools load them."""
    return {
        f"mimir/{env.name}/{app.name}.yaml": document(
            {
                "namespace": naming.object_name(app.name, env.name),
                "groups": _offset_groups(groups, settings),
            }
        )
        for env, groups in _by_environment(app, settings)
    }


def thanos(app: App, settings: RuleSettings) -> Files:
    """Rule files of Thanos Ruler; a partial answer must not become a number."""
    return {
        f"thanos/{env.name}/{naming.rule_file(app.name)}": document(
            {
                "groups": [
                    {**group_data(group), "partial_response_strategy": "abort"} for group in groups
                ]
            }
        )
        for env, groups in _by_environment(app, settings)
    }


def sharded(app: App, settings: RuleSettings) -> Files:
    """Base rules for each shard, and everything else for the ruler that sees them all."""
    above = replace(settings, above_shards=True)
    files: dict[str, str] = {}
    for env in app.environments:
        rules = list(_rules(app, env, above))
        if rules:
            name = naming.rule_file(app.name)
            base = [group for one in rules for group in groups_of(one.key, one.base)]
            derived = [group for one in rules for group in groups_of(one.key, one.derived)]
            files[f"sharded/shard/{env.name}/{name}"] = rule_file(base)
            files[f"sharded/global/{env.name}/{name}"] = rule_file(derived)
    return files


SHARDED = "sharded"
"""The layout that needs to know which labels tell shards apart."""

LAYOUTS: Mapping[str, Callable[[App, RuleSettings], Files]] = {
    "plain": plain,
    "operator": operator,
    "mimir": mimir,
    "thanos": thanos,
    SHARDED: sharded,
}
"""Every layout by the name that ``generate --layout`` takes."""


def _by_environment(
    app: App, settings: RuleSettings
) -> Iterator[tuple[Environment, tuple[Group, ...]]]:
    for env in app.environments:
        groups = tuple(group for one in _rules(app, env, settings) for group in joined(one))
        if groups:
            yield env, groups


def _rules(app: App, env: Environment, settings: RuleSettings) -> Iterator[ServiceRules]:
    for level in app.levels(env.name):
        rules = service_rules(level, settings)
        if rules is not None:
            yield rules


def _offset_groups(groups: tuple[Group, ...], settings: RuleSettings) -> list[dict[str, object]]:
    if settings.query_offset is None:
        return [group_data(group) for group in groups]
    offset = str(settings.query_offset)
    return [{**group_data(group), "query_offset": offset} for group in groups]
