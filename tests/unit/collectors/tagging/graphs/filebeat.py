"""Filebeat's configuration as the ways of records; its program's tables are JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.unit.collectors.tagging.graphs.model import Path
from tests.unit.collectors.tagging.graphs.programs import lifted_by

_VARIABLE = re.compile(r"\$\{[A-Z_]+:([^}]*)\}")
_FORMAT = re.compile(r"%\{\[(data_stream\.[a-z]+)\]\}")
_PUT = {
    "trace": 'event.Put("trace.id"',
    "span": 'event.Put("span.id"',
    "version": 'event.Put("service.version"',
}


def configuration(text: str) -> dict[str, Any]:
    """A file as Filebeat reads it where no variable is set."""
    config: dict[str, Any] = _expanded(yaml.load(text, yaml.CSafeLoader))
    return config


def _expanded(value: Any) -> Any:
    if isinstance(value, str):
        text = _VARIABLE.sub(lambda match: match[1], value)
        assert "${" not in text, value
        assert "%{" not in _FORMAT.sub("", text), value
        return text
    if isinstance(value, dict):
        return {key: _expanded(each) for key, each in value.items()}
    return [_expanded(each) for each in value] if isinstance(value, list) else value


def constant(program: str, name: str) -> Any:
    """A constant of the program, which is JSON."""
    start = program.index(f"var {name} = ") + len(f"var {name} = ")
    return json.JSONDecoder().raw_decode(program, start)[0]


def paths(files: Mapping[str, str], config: str) -> tuple[Path, ...]:
    """Every way from an input to the output."""
    program = files["headroom.js"]
    tree = configuration(files[config])
    sources = constant(program, "SOURCES")
    (output,) = [key for key in tree if key.startswith("output.")]
    found = []
    for each in tree["filebeat.inputs"]:
        (script,) = [step["script"] for step in each["processors"] if "script" in step]
        name = script["params"]["source"]
        assert script["file"].endswith("/headroom.js")
        for key, source in sources.items():
            if key == name or name == source["kind"] == "syslog":
                way = f"{each['type']} {key}"
                tags = source["tags"]
                lifted = lifted_by(program, _PUT)
                found.append(Path(source=way, tags=tags, lifted=lifted, output=output))
    return tuple(found)
