"""Everything that a cluster needs to hold the telemetry of a workspace, as a pure function.

Data streams are called ``logs-<app>.<component>-<env>``, likewise ``traces-`` and ``metrics-``;
what no component sent is in ``logs-<app>-<env>``. Security events are in
``logs-security.<source>-<env>``, and what nobody owns is in ``logs-unattributed-<env>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collectors.elastic import access, mappings, pipelines, retention
from collectors.elastic.flavors import Flavor
from collectors.elastic.pipelines import UNATTRIBUTED
from collectors.elastic.resources import META, Kind, Resource, meta
from collectors.tagging.model import Plan
from slo.errors import UsageError
from slo.naming import data_stream_part
from slo.serving import Retention

PRIORITY = 500
"""Above the templates that Elasticsearch brings, which have 100 to 200."""

SECURITY = "security"
SIGNALS = ("logs", "traces", "metrics")
_RESERVED = frozenset({SECURITY, UNATTRIBUTED, "apm", "generic"})
_SETTINGS = "headroom@settings"
_MAPPINGS = "headroom@mappings"
_MANY = "headroom@many"

Retentions = Mapping[str, Retention]


def resources(
    plans: Sequence[Plan], flavor: Flavor, kept: Retentions | None = None
) -> tuple[Resource, ...]:
    """What to put, in the order to put it; the same input makes the same output.

    ``kept`` says how long each signal stays. Raises ``UsageError`` when an application's streams
    would be those of others.
    """
    _check_names(plans)
    kept = kept or {}
    found = [*_shared(plans, flavor)]
    for plan in plans:
        found += _of_plan(plan, flavor, kept)
    found += retention.policies(_patterns_of_all(plans), flavor, kept)
    for app, patterns in sorted(_patterns_of_apps(plans).items()):
        found += access.roles(app, patterns, flavor)
    order = list(Kind)
    return tuple(sorted(_unique(found), key=lambda each: order.index(each.kind)))


def files(found: Sequence[Resource], source: str) -> dict[str, str]:
    """The texts of resources by path below the output: ``elastic/SOURCE/KIND/NAME.json``."""
    return {f"elastic/{source}/{each.kind}/{each.name}.json": each.text for each in found}


def patterns(signal: str, app: str, env: str) -> tuple[str, ...]:
    """The names that the data streams of an application have in an environment."""
    dataset, namespace = data_stream_part(app), data_stream_part(env)
    return (f"{signal}-{dataset}.*-{namespace}", f"{signal}-{dataset}-{namespace}")


def _shared(plans: Sequence[Plan], flavor: Flavor) -> Iterator[Resource]:
    yield pipelines.parsing(plans, flavor)
    settings: dict[str, Any] = {"index.mapping.total_fields.limit": mappings.FIELD_LIMIT}
    if flavor is Flavor.ELASTICSEARCH:
        settings["index.mapping.total_fields.ignore_dynamic_beyond_limit"] = True
    yield _component(_SETTINGS, None, {"settings": settings})
    yield _component(_MAPPINGS, None, {"mappings": mappings.common(flavor)})
    for signal in (*SIGNALS, SECURITY):
        template: dict[str, Any] = {"mappings": mappings.of_signal(signal, flavor)}
        if signal in {"logs", SECURITY}:
            template["settings"] = _log_settings(flavor)
        yield _component(f"headroom-{signal}@mappings", None, template)
    yield _component(_MANY, None, {"mappings": mappings.of_many()})


def _log_settings(flavor: Flavor) -> dict[str, Any]:
    usual = {"index.default_pipeline": pipelines.PARSE}
    return {**usual, "index.mode": "logsdb"} if flavor is Flavor.ELASTICSEARCH else usual


def _of_plan(plan: Plan, flavor: Flavor, kept: Retentions) -> Iterator[Resource]:
    namespace = data_stream_part(plan.env)
    route = pipelines.routing(plan, namespace, flavor)
    yield route
    for app in sorted(each.name for each in plan.apps):
        owner = f"headroom-{data_stream_part(app)}@owner"
        for signal in SIGNALS:
            yield _index(
                f"headroom-{signal}-{data_stream_part(app)}-{namespace}",
                patterns(signal, app, plan.env),
                (_SETTINGS, _MAPPINGS, f"headroom-{signal}@mappings", owner),
                _lasting(signal, flavor, kept),
                app,
            )
        yield _component(owner, app, {"mappings": mappings.of_owner(app)})
    for signal in SIGNALS:
        template = _lasting(signal, flavor, kept)
        template["settings"] = {"index.default_pipeline": route.name}
        yield _index(
            f"headroom-{signal}-{UNATTRIBUTED}-{namespace}",
            (f"{signal}-{UNATTRIBUTED}-{namespace}",),
            (_SETTINGS, _MAPPINGS, f"headroom-{signal}@mappings", _MANY),
            template,
            None,
        )
    yield _index(
        f"headroom-logs-{SECURITY}-{namespace}",
        (f"logs-{SECURITY}.*-{namespace}",),
        (_SETTINGS, _MAPPINGS, f"headroom-{SECURITY}@mappings", _MANY),
        _lasting("logs", flavor, kept),
        None,
    )


def _lasting(signal: str, flavor: Flavor, kept: Retentions) -> dict[str, Any]:
    return retention.lifecycle(signal, kept) if flavor is Flavor.ELASTICSEARCH else {}


def _component(name: str, owner: str | None, template: Mapping[str, Any]) -> Resource:
    body = {"template": dict(template), META: meta(owner)}
    return Resource(kind=Kind.COMPONENT, name=name, body=body, owner=owner)


def _index(
    name: str,
    names: Sequence[str],
    composed_of: Sequence[str],
    template: Mapping[str, Any],
    owner: str | None,
) -> Resource:
    body: dict[str, Any] = {
        "index_patterns": list(names),
        "data_stream": {},
        "priority": PRIORITY,
        "composed_of": list(composed_of),
        META: meta(owner),
    }
    if template:
        body["template"] = dict(template)
    return Resource(kind=Kind.INDEX, name=name, body=body, owner=owner)


def _patterns_of_apps(plans: Sequence[Plan]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for plan in plans:
        for app in plan.apps:
            mine = found.setdefault(app.name, [])
            mine += [each for signal in SIGNALS for each in patterns(signal, app.name, plan.env)]
    return found


def _patterns_of_all(plans: Sequence[Plan]) -> dict[str, list[str]]:
    """The names of all streams by signal."""
    found: dict[str, list[str]] = {signal: [] for signal in SIGNALS}
    for plan in plans:
        namespace = data_stream_part(plan.env)
        for signal in SIGNALS:
            for app in plan.apps:
                found[signal] += patterns(signal, app.name, plan.env)
            found[signal].append(f"{signal}-{UNATTRIBUTED}-{namespace}")
        found["logs"].append(f"logs-{SECURITY}.*-{namespace}")
    return {signal: sorted(set(each)) for signal, each in found.items()}


def _check_names(plans: Sequence[Plan]) -> None:
    names: dict[str, str] = {}
    for app in (each for plan in plans for each in plan.apps):
        part = data_stream_part(app.name)
        if part in _RESERVED:
            raise UsageError(
                f"the data streams of an app called {app.name} would be those of others: "
                f"logs-{part}.* is not an app's",
                hint="give the app another name",
            )
        other = names.setdefault(part, app.name)
        if other != app.name:
            raise UsageError(
                f"the apps {other} and {app.name} would have the same data streams, logs-{part}.*",
                hint="rename one: data streams cannot hold -, so it becomes _",
            )


def _unique(found: Sequence[Resource]) -> Iterator[Resource]:
    """Each once of those that environments share; two that differ are refused."""
    known: dict[tuple[Kind, str], Resource] = {}
    for each in found:
        other = known.setdefault((each.kind, each.name), each)
        if other is each:
            yield each
        elif other.body != each.body:
            raise UsageError(f"two different resources would be called {each.title}")
