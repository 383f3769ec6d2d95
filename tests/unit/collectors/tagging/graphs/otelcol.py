"""The ways of records through a configuration of the OpenTelemetry Collector."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.unit.collectors.tagging.graphs.model import Path

_EXPANSION = re.compile(r"\$\$|\$\{env:[A-Z_]+:-(?P<default>[^}]*)\}|(?P<lone>\$)")
_SET = re.compile(r'set\(resource\.attributes\["([^"]+)"\], (".*")\)')
_SERVICE = re.compile(r'resource\.attributes\["service\.name"\] == ("(?:[^"\\]|\\.)*")')
_LIFTED = {
    "trace": "set(log.trace_id.string",
    "span": "set(log.span_id.string",
}
_SIGNALS = {"logs": "log", "metrics": "metric", "traces": "trace"}
_OF_SENDER = frozenset({"version", "trace", "span"})


def configuration(text: str) -> dict[str, Any]:
    """A file as the Collector reads it where no variable is set."""
    config: dict[str, Any] = _expanded(yaml.load(text, yaml.CSafeLoader))
    return config


def _expanded(value: Any) -> Any:
    if isinstance(value, str):
        return _EXPANSION.sub(_replacement, value)
    if isinstance(value, dict):
        return {key: _expanded(each) for key, each in value.items()}
    return [_expanded(each) for each in value] if isinstance(value, list) else value


def _replacement(match: re.Match[str]) -> str:
    assert match["lone"] is None, f"a $ that begins nothing: {match.string!r}"
    return "$" if match.group() == "$$" else match["default"]


def text_of(value: str) -> str:
    """A literal of an operator as its text."""
    if not (value.startswith("EXPR(") and value.endswith(")")):
        assert "EXPR(" not in value
        return value
    expression = value[len("EXPR(") : -1]
    assert "EXPR(" not in expression
    return "".join(json.loads(part) for part in re.findall(r'"(?:[^"\\]|\\.)*"', expression))


def paths(text: str) -> tuple[Path, ...]:
    """Every way from a source to an exporter; a source that nobody owns has no tags."""
    config = configuration(text)
    found: list[Path] = []
    for name, pipeline in config["service"]["pipelines"].items():
        for receiver in pipeline["receivers"]:
            for output in pipeline["exporters"]:
                assert output in config["exporters"]
                found.extend(
                    Path(source=source, tags=tags, lifted=lifted, output=output)
                    for source, tags, lifted in _ways(config, name, receiver)
                )
    return tuple(found)


def _ways(
    config: Mapping[str, Any], pipeline: str, receiver: str
) -> Iterator[tuple[str, dict[str, str], frozenset[str]]]:
    steps = config["service"]["pipelines"][pipeline]["processors"]
    statements = [
        group for step in steps for group in _groups(config["processors"][step], pipeline)
    ]
    if receiver == "otlp":
        for service, tags in _services(statements):
            yield f"otlp {pipeline} {service}", tags, _OF_SENDER
        return
    flat = [each for group in statements for each in group["statements"]]
    late = {name for name, sign in _LIFTED.items() if any(each.startswith(sign) for each in flat)}
    for source, tags, early in _lines(config["receivers"][receiver], receiver):
        if tags or not statements:
            yield source, tags, frozenset(late | early)
            continue
        # Nobody's yet: labels of the pod may tell the owner, once they are known.
        for group in statements:
            for condition in group.get("conditions", []):
                yield f"late {condition}", assigned(group["statements"]), frozenset(late | early)


def _groups(processor: Mapping[str, Any], pipeline: str) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = processor.get(
        f"{_SIGNALS[pipeline.partition('/')[0]]}_statements", []
    )
    return groups


def _services(groups: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, str]]]:
    for group in groups:
        for condition in group.get("conditions", []):
            service = _SERVICE.search(condition)
            if service is not None:
                yield json.loads(service[1]), assigned(group["statements"])


def assigned(statements: list[str]) -> dict[str, str]:
    """What plain assignments to attributes of a resource give it."""
    matches = (_SET.fullmatch(each) for each in statements)
    return {match[1]: json.loads(match[2]) for match in matches if match is not None}


def _lines(
    receiver: Mapping[str, Any], name: str
) -> Iterator[tuple[str, dict[str, str], set[str]]]:
    operators = receiver["operators"]
    own = {key: text_of(value) for key, value in receiver.get("resource", {}).items()}
    by_id = {each["id"]: at for at, each in enumerate(operators) if "id" in each}
    router = next((each for each in operators if each["type"] == "router"), None)
    kind = name if name.startswith("syslog/") else name.partition("/")[0]
    if router is None:
        yield f"{kind} {receiver['include'][0]}", *_walk(operators, 0, own)
        return
    for route in router["routes"]:
        yield f"{kind} {route['expr']}", *_walk(operators, by_id[route["output"]], own)


def _walk(
    operators: list[dict[str, Any]], at: int, own: Mapping[str, str]
) -> tuple[dict[str, str], set[str]]:
    """What operators add from one of them to the end."""
    tags, lifted = dict(own), set()
    while at < len(operators):
        step = operators[at]
        field = re.fullmatch(r'resource\["([^"]+)"\]', step.get("field", step.get("to", "")))
        if field is not None and step["type"] == "add":
            tags[field[1]] = text_of(step["value"])
        elif field is not None and field[1] == "service.version":
            lifted.add("version")
        if step.get("output") == "end":
            break
        at += 1
    return tags, lifted
