"""Fluent Bit's configuration as the ways of records, its properties checked against its manual."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.unit.collectors.tagging.graphs.model import Path
from tests.unit.collectors.tagging.graphs.programs import constants, lifted_by

_ALL = {"name", "alias", "processors"}
_IN = {*_ALL, "tag", "storage.type"}
_OUT = {
    *(*_ALL, "match", "match_regex", "host", "port", "tls", "retry_limit"),
    *("storage.total_limit_size", "compress"),
}
_ES = {
    *(*_OUT, "path", "index", "write_operation", "suppress_type_name", "time_key"),
    *("time_key_nanos", "replace_dots", "trace_error", "http_user", "http_passwd"),
}
PROPERTIES = {
    "tail": {
        *(*_IN, "path", "exclude_path", "path_key", "key", "db", "read_from_head", "rotate_wait"),
        *("refresh_interval", "buffer_max_size", "skip_long_lines", "multiline.parser"),
    },
    "systemd": {*_IN, "systemd_filter", "db", "read_from_tail", "strip_underscores"},
    "syslog": {*_IN, "mode", "listen", "port", "parser"},
    "lua": {"name", "script", "call"},
    "opentelemetry_envelope": {"name"},
    "content_modifier": {"name", "context", "action", "key", "value"},
    "kubernetes": {
        *("name", "kube_tag_prefix", "merge_log", "labels", "annotations", "use_kubelet"),
    },
    "rewrite_tag": {"name", "match", "rule", "emitter_name", "emitter_storage.type"},
    "es": {*_ES, "http_api_key"},
    "opensearch": _ES,
    "opentelemetry": {
        *(*_OUT, "header", "logs_uri", "logs_body_key", "logs_body_key_attributes"),
        *("logs_trace_id_message_key", "logs_span_id_message_key"),
        "logs_severity_text_message_key",
    },
}
"""The properties of each plugin that its page of the manual names."""

ACTIONS = {"insert", "upsert", "delete", "rename", "hash", "extract", "convert"}


def configuration(text: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """A file as Fluent Bit reads it with these variables, every property known."""
    config: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    pipeline = config["pipeline"]
    plugins = [*pipeline["inputs"], *pipeline["outputs"], *pipeline.get("filters", [])]
    for each in plugins:
        _check(each)
        for step in each.get("processors", {}).get("logs", []):
            _check(step)
    expanded: dict[str, Any] = _expanded(config, variables)
    return expanded


def _check(plugin: Mapping[str, Any]) -> None:
    assert set(plugin) <= PROPERTIES[plugin["name"]], plugin
    if plugin["name"] == "content_modifier":
        # Its own dry run lets a misspelt action pass.
        assert plugin["action"] in ACTIONS
        assert "otel_resource_attributes" == plugin["context"]


def _expanded(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return translated(value, variables)
    if isinstance(value, dict):
        return {key: _expanded(each, variables) for key, each in value.items()}
    return [_expanded(each, variables) for each in value] if isinstance(value, list) else value


def translated(text: str, variables: Mapping[str, str]) -> str:
    """A value with its variables, once; the end of one is looked for from the last one's on."""
    found, at = "", 0
    while (start := text.find("${", at)) >= 0:
        end = text.index("}", at)
        assert end > start, f"a version that looks from the beginning finds no variable: {text!r}"
        found += text[at:start] + variables[text[start + 2 : end]]
        at = end + 1
    return found + text[at:]


def variables_of(files: Mapping[str, str]) -> dict[str, str]:
    """The variables as the generated file sets them."""
    lines = [line for line in files["headroom.env"].splitlines() if not line.startswith("#")]
    found = dict(line.split("=", 1) for line in lines)
    return {**found, "HEADROOM_HOST": "here"}


def paths(files: Mapping[str, str], name: str) -> tuple[Path, ...]:
    """Every way from an input to an output, by the tags that outputs match."""
    config = configuration(files[name], variables_of(files))
    program = files["headroom.lua"]
    sources = constants(program, lua=True)["SOURCES"]
    signs = {"trace": "found[TRACE] =", "span": "found[SPAN] =", "version": '["service.version"]'}
    lifted = lifted_by(program, signs)
    found = []
    for each in config["pipeline"]["inputs"]:
        steps = each["processors"]["logs"]
        assert any(step["name"] == "lua" and "headroom" == step["call"] for step in steps)
        own = each["tag"].split(".")[1]
        for key, source in sources.items():
            if key != own and not own == source["kind"] == "syslog":
                continue
            resource = {
                step["key"]: step["value"] for step in steps if step["name"] == "content_modifier"
            }
            for output in _outputs(config, each["tag"], key):
                tags = {**resource, **dict(source["tags"])}
                way = f"{each['name']} {key}"
                found.append(Path(source=way, tags=tags, lifted=lifted, output=output))
    return tuple(found)


def _outputs(config: Mapping[str, Any], tag: str, owner: str) -> list[str]:
    rewritten = "filters" in config["pipeline"] and tag == "headroom.syslog"
    final = f"headroom.{owner}" if rewritten else tag.replace("*", "var.log.x.log")
    return [
        f"{output['name']} {output.get('index', '')}".strip()
        for output in config["pipeline"]["outputs"]
        if (
            re.search(output["match_regex"], final)
            if "match_regex" in output
            else re.fullmatch(output["match"].replace(".", "[.]").replace("*", ".*"), final)
        )
    ]
