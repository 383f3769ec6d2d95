"""Processors that say whose a resource is, and the gateway's that checks it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collectors.tagging.model import (
    STATIC_CONCEPTS,
    Convention,
    OtlpSource,
    Plan,
    PodSource,
    Stream,
    name_of,
)
from collectors.tagging.otelcol_parts.operators import Resource
from collectors.tagging.otelcol_parts.receivers import told_by_name
from collectors.tagging.otelcol_parts.text import quoted
from slo.portable_regex import escaped

Statements = list[str]
Groups = list[dict[str, Any]]

SIGNALS = {"log": "log", "metric": "datapoint", "trace": "span"}
"""The signals as statements are called for them, and what one record of each is called."""

UNATTRIBUTED = "headroom.unattributed"
"""The attribute of a resource that nobody was found to own."""

_SENDER = "headroom.sender"
_ROUTING = "^(data_stream|elasticsearch)[.]"


def _assign(attributes: Mapping[str, str]) -> Statements:
    return [
        f"set(resource.attributes[{quoted(name)}], {quoted(value)})"
        for name, value in attributes.items()
    ]


def _is(name: str, value: str) -> str:
    return f"resource.attributes[{quoted(name)}] == {quoted(value)}"


def _none_or(name: str, value: str) -> str:
    return f"(resource.attributes[{quoted(name)}] == nil or {_is(name, value)})"


def services(plan: Plan, resource: Resource) -> dict[str, Any]:
    """The processor for what services send: their owner by ``service.name``.

    What names another application of the plan, or another environment, is not claimed.
    """
    apps = "|".join(dict.fromkeys(escaped(stream.app) for stream in plan.streams))
    said = 'resource.attributes["service.namespace"]'
    mark = f"resource.attributes[{quoted(_SENDER)}]"
    groups: Groups = [_of_resource([f'set({mark}, {said}) where IsMatch({said}, "^({apps})$")'])]
    for stream, source in plan.of(OtlpSource):
        conditions = [
            _is("service.name", source.service),
            _none_or(_SENDER, stream.app),
            _none_or("deployment.environment.name", plan.env),
            _none_or("deployment.environment", plan.env),
        ]
        groups.append(_of_resource(_assign(resource(stream)), " and ".join(conditions)))
    groups.append(_of_resource([f"delete_key(resource.attributes, {quoted(_SENDER)})"]))
    return {
        "error_mode": "silent",
        **{
            f"{signal}_statements": [
                {
                    "context": record,
                    "statements": [
                        f"delete_matching_keys({record}.attributes, {quoted(_ROUTING)})",
                        *(["flatten(log.attributes)"] if record == "log" else []),
                    ],
                },
                *groups,
            ]
            for signal, record in SIGNALS.items()
        },
    }


def _of_resource(statements: Statements, condition: str | None = None) -> dict[str, Any]:
    where = {} if condition is None else {"conditions": [condition]}
    return {"context": "resource", **where, "statements": statements}


def labelled_pods(plan: Plan, resource: Resource) -> dict[str, Any] | None:
    """The processor for pods that only their labels tell apart, if there are any."""
    groups = [
        _of_resource(
            _assign(resource(stream)),
            " and ".join(
                (
                    'resource.attributes["data_stream.dataset"] == nil',
                    _is("k8s.namespace.name", source.namespace),
                    *(_is(label_name(key), value) for key, value in source.labels.items()),
                    *([] if source.container is None else [_container(source)]),
                )
            ),
        )
        for stream, source in _labelled(plan)
    ]
    return {"error_mode": "silent", "log_statements": groups} if groups else None


def _container(source: PodSource) -> str:
    return _is("k8s.container.name", source.container or "")


def _labelled(plan: Plan) -> Iterator[tuple[Stream, PodSource]]:
    # The one that asks for most labels first: it is the most particular.
    found = [each for each in plan.of(PodSource) if not told_by_name(each[1])]
    return iter(sorted(found, key=lambda each: -len(each[1].labels)))


def label_name(key: str) -> str:
    """The attribute that holds a pod's label."""
    return f"k8s.pod.labels.{key}"


def labels(plan: Plan) -> tuple[str, ...]:
    """The pods' labels that owners are told by."""
    return tuple(sorted({key for _, source in _labelled(plan) for key in source.labels}))


def checked(plan: Plan, more: Statements) -> dict[str, Any]:
    """The gateway's processor: what has no owner says so and goes to a stream of its own."""
    app = 'resource.attributes["service.namespace"]'
    dataset = 'resource.attributes["data_stream.dataset"]'
    namespace = 'resource.attributes["data_stream.namespace"]'
    service = 'resource.attributes["service.name"]'
    mine = plan.streams[0].namespace
    statements = [
        f'set(resource.attributes["{UNATTRIBUTED}"], true) where {app} == nil',
        f'set({dataset}, "unattributed") where {app} == nil',
        f"set({dataset}, {app}) where {dataset} == nil and {service} == nil",
        f'set({dataset}, Concat([{app}, {service}], ".")) where {dataset} == nil',
        f'set({dataset}, ConvertCase({dataset}, "lower"))',
        f'replace_pattern({dataset}, "[^a-z0-9_.]", "_")',
        f"set({namespace}, {quoted(mine)}) where {namespace} == nil",
        *more,
    ]
    groups = [_of_resource(statements)]
    return {"error_mode": "silent", **{f"{signal}_statements": groups for signal in SIGNALS}}


def environment_named_as_before() -> Statements:
    """Statements for back ends that know the environment by its former name only."""
    new = 'resource.attributes["deployment.environment.name"]'
    return [f'set(resource.attributes["deployment.environment"], {new}) where {new} != nil']


def elastic_fields() -> Statements:
    """Statements that add the tags under the names that only ECS has."""
    found = []
    for concept in STATIC_CONCEPTS:
        otel, ecs = name_of(concept, Convention.OTEL), name_of(concept, Convention.ECS)
        if ecs is not None and ecs.startswith("labels."):
            value = f"resource.attributes[{quoted(otel or '')}]"
            found.append(f"set(resource.attributes[{quoted(ecs)}], {value}) where {value} != nil")
    return found + environment_named_as_before()
