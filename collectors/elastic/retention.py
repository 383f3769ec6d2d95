"""How long data streams keep what they hold: a lifecycle of their own, or a policy of ISM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collectors.elastic.flavors import Flavor
from collectors.elastic.resources import Kind, Resource, description
from slo.serving import Retention
from slo.units import Duration

_STORED = {"logs": "logs", "traces": "spans", "metrics": "metrics"}
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_POLICY_PRIORITY = 500


def lifecycle(signal: str, kept: Mapping[str, Retention]) -> dict[str, Any]:
    """The part of a template of Elasticsearch; without an age everything is kept."""
    age = _age(signal, kept)
    return {"lifecycle": {} if age is None else {"data_retention": age}}


def policies(
    patterns: Mapping[str, Sequence[str]], flavor: Flavor, kept: Mapping[str, Retention]
) -> Iterator[Resource]:
    """The policies of OpenSearch, one for each signal that does not stay for ever."""
    if flavor is not Flavor.OPENSEARCH:
        return
    for signal, names in sorted(patterns.items()):
        age = _age(signal, kept)
        if names:
            yield Resource(
                kind=Kind.POLICY,
                name=f"headroom-{signal}",
                body={"policy": _policy(signal, names, age)},
            )


def _policy(signal: str, names: Sequence[str], age: str | None) -> dict[str, Any]:
    roll = {"rollover": {"min_index_age": "1d", "min_primary_shard_size": "30gb"}}
    gone = [{"state_name": "gone", "conditions": {"min_rollover_age": age}}]
    states: list[dict[str, Any]] = [
        {"name": "held", "actions": [roll], "transitions": [] if age is None else gone}
    ]
    if age is not None:
        states.append({"name": "gone", "actions": [{"delete": {}}], "transitions": []})
    return {
        "description": description(f"how long {signal} are kept"),
        "default_state": "held",
        "states": states,
        "ism_template": [{"index_patterns": list(names), "priority": _POLICY_PRIORITY}],
    }


def _age(signal: str, kept: Mapping[str, Retention]) -> str | None:
    found = kept.get(_STORED[signal])
    return None if found is None or found.age is None else _text(found.age)


def _text(length: Duration) -> str:
    """A length as both flavours read it: in one unit, the largest that leaves no rest."""
    unit, size = next(each for each in _UNITS if length.milliseconds % each[1] == 0)
    return f"{length.milliseconds // size}{unit}"
