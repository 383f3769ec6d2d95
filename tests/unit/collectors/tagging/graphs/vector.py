"""Vector's configuration as the ways of records through its graph."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.unit.collectors.tagging.graphs.model import Path

_VARIABLE = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
_PAIR = re.compile(r'^  ("(?:[^"\\]|\\.)*"): ("(?:[^"\\]|\\.|\\u\{[0-9A-F]+\})*"),$')
_ESCAPE = re.compile(r'\\(?:u\{(?P<code>[0-9A-F]+)\}|(?P<plain>["\\]))')
_LIFTED = {
    "trace": '["trace.id"], trace)',
    "span": '["span.id"], span)',
    "version": '["service.version"], value)',
}


def configuration(text: str) -> dict[str, Any]:
    """A file as Vector reads it, which is the same whether it expands variables or not."""
    expanded = _VARIABLE.sub(lambda match: match[1], text)
    # What Vector would take for a variable, or for an escaped one.
    assert re.search(r"\$(?:\$|\{|[A-Za-z0-9_.])", _without_comments(expanded)) is None
    config: dict[str, Any] = yaml.load(expanded, yaml.CSafeLoader)
    return config


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.startswith("#"))


def text_of(literal: str) -> str:
    """A literal as its text; braces would begin a template."""
    inside = literal[1:-1]
    assert "{" not in _ESCAPE.sub("", inside)
    return _ESCAPE.sub(
        lambda match: chr(int(match["code"], 16)) if match["code"] else match["plain"], inside
    )


def tags_of(program: str) -> dict[str, str]:
    """The tags that a program hands on."""
    block = program.split("tags = {\n", 1)[1].split("\n}", 1)[0]
    pairs = [_PAIR.fullmatch(line) for line in block.split("\n")]
    return {text_of(pair[1]): text_of(pair[2]) for pair in pairs if pair is not None}


def paths(text: str) -> tuple[Path, ...]:
    """Every way from a source to a sink that has been tagged on it."""
    config = configuration(text)
    followers: dict[str, list[str]] = {}
    for kind in ("transforms", "sinks"):
        for name, each in config[kind].items():
            for given in each["inputs"]:
                followers.setdefault(given, []).append(name)
    _check_inputs(config, followers)
    return tuple(
        path
        for source in config["sources"]
        for path in _ways(config, followers, source, source, {}, frozenset())
    )


def _check_inputs(config: Mapping[str, Any], followers: Mapping[str, list[str]]) -> None:
    for given in followers:
        name, _, port = given.partition(".")
        assert name in config["sources"] or name in config["transforms"], given
        if port and port not in {"dropped", "_unmatched", "logs"}:
            routes = config["transforms"][name]["routes"]
            assert port in {route["name"] for route in routes}, given


def _ways(
    config: Mapping[str, Any],
    followers: Mapping[str, list[str]],
    source: str,
    at: str,
    tags: Mapping[str, str],
    lifted: frozenset[str],
) -> Iterator[Path]:
    """From a component on; records that a program fails on take another way, and are no path."""
    here = [key for key in followers if key.partition(".")[0] == at and not key.endswith("dropped")]
    for given in here:
        for name in followers[given]:
            if name in config["sinks"]:
                yield Path(source=source, tags=tags, lifted=lifted, output=name)
                continue
            step = config["transforms"][name]
            program = step.get("source", "")
            more = dict(tags_of(program)) if "tags = {\n" in program else {}
            found = {concept for concept, sign in _LIFTED.items() if sign in program}
            yield from _ways(config, followers, source, name, {**tags, **more}, lifted | found)
