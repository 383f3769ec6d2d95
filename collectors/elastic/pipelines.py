"""Ingest pipelines: parse what is JSON, set event time and level, give the untagged an owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.elastic import scripts
from collectors.elastic.flavors import Flavor
from collectors.elastic.mappings import known_roots
from collectors.elastic.resources import META, Kind, Resource, description, meta
from collectors.elastic.routing import FIELDS, Rule, rules
from collectors.tagging.model import (
    LEVEL_FIELDS,
    LIFTED_FIELDS,
    STATIC_CONCEPTS,
    TIME_FIELDS,
    Convention,
    Plan,
    Source,
    name_of,
)

PARSE = "headroom-logs"
"""The pipeline of every application's logs."""

UNATTRIBUTED = "unattributed"
"""The dataset of what nobody owns."""

_PARSED = "headroom_parsed"
_TIME = "headroom_time"
_FAILED = "headroom-pipeline-failure"
_TIME_FORMATS = (
    *("ISO8601", "yyyy-MM-dd HH:mm:ss.SSS", "yyyy-MM-dd HH:mm:ss,SSS", "yyyy-MM-dd HH:mm:ss"),
    *("yyyy-MM-dd'T'HH:mm:ss,SSSXXX", "dd/MMM/yyyy:HH:mm:ss Z"),
)
_DIGITS = {"trace": 32, "span": 16}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "trace": ("verbose", "finest", "finer", "10"),
    "debug": ("dbg", "fine", "20"),
    "info": ("information", "informational", "notice", "30"),
    "warn": ("warning", "wrn", "40"),
    "error": ("err", "severe", "50"),
    "fatal": ("critical", "crit", "alert", "emerg", "emergency", "panic", "60"),
}


def parsing(plans: Sequence[Plan], flavor: Flavor) -> Resource:
    """The pipeline that reads a log record's message and brings its fields to their places."""
    json = {
        "field": "message",
        "target_field": _PARSED,
        "if": "ctx.message instanceof String && ctx.message.startsWith('{') "
        "&& ctx.message.endsWith('}')",
        "ignore_failure": True,
    }
    date = {
        "field": _TIME,
        "target_field": "@timestamp",
        "formats": list(_TIME_FORMATS),
        "if": f"ctx.{_TIME} instanceof String",
        "ignore_failure": True,
    }
    received = {
        "field": "@timestamp",
        "value": "{{_ingest.timestamp}}",
        "if": "ctx['@timestamp'] == null",
    }
    return _pipeline(
        PARSE,
        "parses messages of log records, sets event time and level",
        [
            {"json": json},
            {"script": {"source": scripts.LIFT, "params": _lift_params(plans)}},
            {"date": date},
            {"set": received},
            {"set": {"field": "event.ingested", "value": "{{_ingest.timestamp}}"}},
            {"remove": {"field": [_TIME, _PARSED], "ignore_missing": True}},
            *_folding(flavor),
        ],
        flavor,
    )


def routing(plan: Plan, namespace: str, flavor: Flavor) -> Resource:
    """The pipeline of what arrives untagged in an environment."""
    params = {
        "rules": rules(plan),
        "fields": {key: list(each) for key, each in FIELDS.items()},
        "unattributed": UNATTRIBUTED,
    }
    logs = {"name": PARSE, "if": "ctx._index.startsWith('logs-')"}
    return _pipeline(
        routing_name(namespace),
        f"gives untagged records of {plan.env} to the application they belong to",
        [
            {"pipeline": logs},
            {"script": {"source": scripts.ROUTE, "params": params}},
            _send(flavor),
        ],
        flavor,
    )


def routing_name(namespace: str) -> str:
    """The name of an environment's routing pipeline."""
    return f"headroom-unattributed-{namespace}"


def processors(body: Mapping[str, Any]) -> frozenset[str]:
    """The types of processors that a pipeline needs."""
    found = body.get("processors")
    steps = found if isinstance(found, list) else []
    return frozenset(kind for step in steps if isinstance(step, Mapping) for kind in step)


def _send(flavor: Flavor) -> dict[str, Any]:
    owned = f"ctx.data_stream?.dataset != '{UNATTRIBUTED}'"
    if flavor is Flavor.ELASTICSEARCH:
        # Without settings it goes by data_stream.dataset and data_stream.namespace.
        return {"reroute": {"if": owned}}
    value = "{{data_stream.type}}-{{data_stream.dataset}}-{{data_stream.namespace}}"
    return {"set": {"field": "_index", "value": value, "if": owned}}


def _folding(flavor: Flavor) -> list[dict[str, Any]]:
    if flavor is Flavor.ELASTICSEARCH:
        return []
    return [{"script": {"source": scripts.FOLD, "params": {"known": list(known_roots())}}}]


def _lift_params(plans: Sequence[Plan]) -> dict[str, Any]:
    sources = [each for plan in plans for stream in plan.streams for each in stream.sources]
    times = sorted({each.time for each in sources if each.time is not None} - {*TIME_FIELDS})
    claims = {name_of(concept, each) for concept in STATIC_CONCEPTS for each in Convention}
    owned = {name for name in claims if name is not None and "." in name}
    return {
        "parsed": _PARSED,
        "time": _TIME,
        "times": [*TIME_FIELDS, *times],
        "levels": list(LEVEL_FIELDS),
        # From here on a number counts milliseconds, microseconds, nanoseconds.
        "bounds": ["1000000000000", "1000000000000000", "1000000000000000000"],
        "messages": ["msg", "log", "body"],
        "claims": sorted(owned | {"deployment.environment"}),
        "labels": sorted(
            name.removeprefix("labels.") for name in owned if name.startswith("labels.")
        ),
        "identifiers": [
            {
                "field": name_of(concept, Convention.ECS),
                "digits": digits,
                "names": _names(concept, sources),
            }
            for concept, digits in _DIGITS.items()
        ],
        "words": {word: level for level, words in _WORDS.items() for word in words},
    }


def _names(concept: str, sources: Sequence[Source]) -> list[str]:
    """Where a record may give a concept, the usual places first."""
    own = {name for each in sources for name in each.fields_of(concept)}
    usual = LIFTED_FIELDS[concept]
    return [*usual, *sorted(own - {*usual})]


def _pipeline(name: str, text: str, steps: Sequence[Rule], flavor: Flavor) -> Resource:
    # A record that cannot be understood is still a record: it is marked and kept.
    failed = {"append": {"field": "tags", "value": [_FAILED]}}
    body: dict[str, Any] = {
        "description": description(text),
        "processors": list(steps),
        "on_failure": [failed],
    }
    # OpenSearch knows no such part of a pipeline, and so the description marks it, too.
    if flavor is Flavor.ELASTICSEARCH:
        body[META] = meta(None)
    return Resource(kind=Kind.PIPELINE, name=name, body=body)
