"""Fluentd's configuration, by the grammar of its own parser, as the ways of records."""

import fnmatch
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.collectors.tagging.graphs.model import Path
from tests.unit.collectors.tagging.graphs.programs import constants, lifted_by

_OPEN = re.compile(r"<([a-z]+)(?: ([^>]+))?>")
_EMBEDDED = re.compile(r"#\{ENV\['[A-Z_]+'\] \|\| '([^'\"]*)'\}")
LIFTED = {"trace": "trace.id", "span": "span.id", "version": "service.version"}


@dataclass(kw_only=True)
class Element:
    """A directive with its parameters and what stands in it."""

    name: str
    argument: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    elements: list["Element"] = field(default_factory=list)

    def all(self, name: str) -> list["Element"]:
        """The directives of a name that stand directly in it."""
        return [each for each in self.elements if each.name == name]


def parsed(text: str) -> Element:
    """A whole configuration; what the parser of Fluentd would refuse is refused."""
    root = Element(name="ROOT")
    stack = [root]
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("</"):
            assert stripped == f"</{stack[-1].name}>", line
            stack.pop()
        elif stripped.startswith("<"):
            match = _OPEN.fullmatch(stripped)
            assert match is not None, line
            child = Element(name=match[1], argument=match[2] or "")
            stack[-1].elements.append(child)
            stack.append(child)
        else:
            assert not stripped.startswith("@include"), line
            key, _, rest = stripped.partition(" ")
            assert re.fullmatch(r"@?[a-zA-Z0-9_]+", key), line
            assert key not in stack[-1].parameters, line
            stack[-1].parameters[key] = value(rest.strip())
    assert [root] == stack
    return root


def value(text: str) -> Any:
    """A literal: JSON, quoted once or twice, or plain to the end of the line or a comment."""
    if text.startswith(("[", "{")):
        assert "#{" not in text
        return json.loads(text)
    if text.startswith("'"):
        match = re.fullmatch(r"'((?:\\'|\\\\|[^'])*)'", text)
        assert match is not None, text
        return re.sub(r"\\([\\'])", r"\1", match[1])
    if text.startswith('"'):
        return _double(text)
    assert "#{" not in text
    assert " #" not in text, text
    return text


def _double(text: str) -> str:
    expanded = _EMBEDDED.sub(lambda match: match[1], text)
    assert "#{" not in expanded, text
    match = re.fullmatch(r'"((?:[^"\\]|\\[^a-zA-Z0-9])*)"', expanded)
    assert match is not None, text
    return re.sub(r"\\(.)", r"\1", match[1])


def paths(files: Mapping[str, str]) -> tuple[Path, ...]:
    """Every way from a source to an output, through the labels that it takes."""
    root = parsed(files["fluent.conf"])
    program = files["plugin/headroom_record.rb"]
    sources = constants(program, lua=False)["SOURCES"]
    labels = {each.argument: each for each in root.all("label")}
    lifted = lifted_by(program, {"trace": "'trace' => 32", "span": "'span' => 16"})
    lifted |= lifted_by(program, {"version": "found['service.version'] ="})
    found = []
    for source in root.all("source"):
        tag = source.parameters["tag"]
        output, filters = _way(labels, source.parameters["@label"], tag)
        assert "headroom" in filters
        kind, _, name = tag.removeprefix("headroom.").partition(".")
        own = {
            key: each
            for key, each in sources.items()
            if (each["kind"] == "syslog" if kind == "syslog" else key == name)
        }
        found += [
            Path(
                source=f"{source.parameters['@type']} {source.parameters['@id']} {key}",
                tags=each["tags"],
                lifted=lifted,
                output=output,
            )
            for key, each in own.items()
        ]
    return tuple(found)


def _way(labels: Mapping[str, Element], label: str, tag: str) -> tuple[str, list[str]]:
    filters: list[str] = []
    for each in labels[label].elements:
        pattern = each.argument.replace("**", "*")
        if not fnmatch.fnmatchcase(tag, pattern):
            continue
        if each.name == "filter":
            filters.append(each.parameters["@type"])
        elif each.parameters["@type"] == "relabel":
            output, more = _way(labels, each.parameters["@label"], tag)
            return output, filters + more
        else:
            return each.parameters["@type"], filters
    raise AssertionError(f"{tag} ends in {label}")
