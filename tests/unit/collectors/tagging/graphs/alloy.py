"""The ways of records through Alloy's components."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.unit.collectors.tagging.graphs.alloy_syntax import Block, Reference, parsed
from tests.unit.collectors.tagging.graphs.model import Path

_SET = re.compile(r'set\((?:resource|log)\.attributes\["([^"]+)"\], (.+?)\)(?: where .*)?')
_COPY = re.compile(r'log\.attributes\["([^"]+)"\]')
_SERVICE = re.compile(r'resource\.attributes\["service\.name"\] == ("(?:[^"\\]|\\.)*")')
_OUTPUTS = {"otelcol.exporter.otlphttp", "loki.write"}
_SOURCES = {
    "loki.source.file",
    "loki.source.kubernetes",
    "loki.source.journal",
    "loki.source.syslog",
}
LIFTED = frozenset({"trace", "span", "version"})

Tags = dict[str, str]


def paths(text: str) -> tuple[Path, ...]:
    """Every way from a source to an output; sources by the names of their pipelines."""
    blocks = {each.component: each for each in parsed(text)}
    assert len(blocks) == len(parsed(text)), "two components of one name"
    for each in blocks.values():
        for reference in _references(each):
            assert reference.component in blocks, f"{reference.text} is nowhere"
    found = []
    for block in blocks.values():
        if block.name in _SOURCES:
            for name, tags, lifted, output in _from(blocks, block, "", {}, frozenset()):
                found.append(Path(source=name, tags=tags, lifted=lifted, output=output))
        elif block.name == "otelcol.receiver.otlp":
            found.extend(_services(blocks, block))
    return tuple(found)


def _references(block: Block) -> Iterator[Reference]:
    for value in block.attributes.values():
        yield from _inside(value)
    for each in block.blocks:
        yield from _references(each)


def _inside(value: Any) -> Iterator[Reference]:
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _inside(each)


def _next(blocks: dict[str, Block], block: Block, signal: str) -> list[Block]:
    if "forward_to" in block.attributes:
        targets = block.attributes["forward_to"]
    else:
        (output,) = block.all("output")
        targets = output.attributes.get(signal, [])
    return [blocks[each.component] for each in targets]


def _from(
    blocks: dict[str, Block], block: Block, name: str, tags: Tags, lifted: frozenset[str]
) -> Iterator[tuple[str, Tags, frozenset[str], str]]:
    if block.name in _OUTPUTS:
        yield name, tags, lifted, block.component
        return
    if block.name == "loki.process":
        name = name or str(block.label)
        tags, lifted = _processed(block, tags, lifted)
    elif block.name == "otelcol.processor.transform":
        tags, lifted = _transformed(block, tags, lifted)
    elif block.component == "otelcol.processor.groupbyattrs.owners":
        # What is not moved to the resource is no tag of it.
        tags = {key: each for key, each in tags.items() if key in block.attributes["keys"]}
    elif block.component == "otelcol.processor.groupbyattrs.version":
        assert ["service.version"] == block.attributes["keys"]
    for each in _next(blocks, block, "logs"):
        yield from _from(blocks, each, name, tags, lifted)


def _processed(block: Block, tags: Tags, lifted: frozenset[str]) -> tuple[Tags, frozenset[str]]:
    tags = dict(tags)
    found = {group for stage in block.all("stage.regex") for group in _groups(stage)}
    found |= {each.attributes["source"] for each in block.all("stage.template")}
    kept: set[str] = set()
    for stage in block.blocks:
        if stage.name == "stage.static_labels":
            tags |= stage.attributes["values"]
        elif stage.name == "stage.label_keep":
            tags = {key: each for key, each in tags.items() if key in stage.attributes["values"]}
        elif stage.name == "stage.structured_metadata":
            kept = set(stage.attributes["values"])
    names = {"trace": "trace_id", "span": "span_id", "version": "version"}
    more = {concept for concept, name in names.items() if name in kept & found}
    return tags, lifted | more


def _groups(stage: Block) -> list[str]:
    return re.findall(r"\?P<(\w+)>", stage.attributes["expression"])


def _transformed(block: Block, tags: Tags, lifted: frozenset[str]) -> tuple[Tags, frozenset[str]]:
    tags = dict(tags)
    more = set()
    for group in block.all("log_statements"):
        for statement in group.attributes["statements"]:
            match = _SET.fullmatch(statement)
            copy = None if match is None else _COPY.fullmatch(match[2])
            if match is not None and copy is not None and copy[1] in tags:
                tags[match[1]] = tags[copy[1]]
            for concept, sign in (("trace", "trace_id"), ("span", "span_id")):
                if statement.startswith(f"set(log.{sign}.string"):
                    more.add(concept)
            if match is not None and match[1] == "service.version":
                more.add("version")
    return tags, lifted | more


def _services(blocks: dict[str, Block], receiver: Block) -> Iterator[Path]:
    for signal in ("logs", "metrics", "traces"):
        for step, output, rules in _to_outputs(blocks, receiver, signal):
            for group in step.all(f"{signal.removesuffix('s')}_statements"):
                for condition in group.attributes.get("conditions", []):
                    service = _SERVICE.search(condition)
                    if service is not None:
                        tags = _assigned(group.attributes["statements"])
                        if not _passes(rules, tags["service.namespace"]):
                            continue
                        name = f"otlp {signal} {json.loads(service[1])}"
                        yield Path(source=name, tags=tags, lifted=LIFTED, output=output)


def _passes(rules: tuple[Block, ...], app: str) -> bool:
    """Whether a record of an application goes on."""
    for rule in rules:
        assert ["app"] == rule.attributes["source_labels"]
        matches = re.fullmatch(rule.attributes["regex"], app) is not None
        if matches != (rule.attributes["action"] == "keep"):
            return False
    return True


def _to_outputs(
    blocks: dict[str, Block],
    block: Block,
    signal: str,
    seen: Block | None = None,
    rules: tuple[Block, ...] = (),
) -> Iterator[tuple[Block, str, tuple[Block, ...]]]:
    if block.name in _OUTPUTS:
        assert seen is not None, "nothing tags what services send"
        yield seen, block.component, rules
        return
    if block.component == "otelcol.processor.transform.services":
        seen = block
    rules = (*rules, *block.all("rule"))
    for each in _next(blocks, block, signal):
        yield from _to_outputs(blocks, each, signal, seen, rules)


def _assigned(statements: list[str]) -> Tags:
    found = (_SET.fullmatch(each) for each in statements)
    return {each[1]: json.loads(each[2]) for each in found if each is not None}
