"""The ways of records through the Datadog agent's files."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from tests.unit.collectors.tagging.graphs.cloudwatch_agent import sent_by_service
from tests.unit.collectors.tagging.graphs.model import Path

_ENTRY = {"type", "service", "source", "tags", "log_processing_rules"}
_WHERE = {
    "file": {"path", "exclude_paths"},
    "journald": {"config_id", "include_units"},
    "tcp": {"port"},
    "udp": {"port"},
}
_LIFTED = {
    "trace_id_remapper": "trace",
    "span_id_remapper": "span",
    "attribute_remapper": "version",
}
_RULES = {
    "multi_line": {"type", "name", "pattern"},
    "mask_sequences": {"type", "name", "pattern", "replace_placeholder"},
}


def paths(files: Mapping[str, str]) -> tuple[Path, ...]:
    """Every way from a source to Datadog."""
    found = []
    lifted = _lifted(files)
    for name, text in files.items():
        if name.endswith("/conf.yaml"):
            for entry in yaml.safe_load(text)["logs"]:
                check(entry)
                where = entry.get("path") or entry.get("port") or entry["include_units"][0]
                tags = dict(tag.split(":", 1) for tag in entry["tags"])
                tags["service"] = entry["service"]
                source = f"{name.partition('conf.d')[0]}{entry['type']} {where}"
                identifier = name.split("headroom_")[1].partition(".d/")[0]
                found.append(_path(source, tags, lifted[identifier]))
        elif name.endswith("kustomization.yaml"):
            found.extend(_pods(patch, lifted) for patch in yaml.safe_load(text)["patches"])
        elif name.startswith("services/"):
            tags = sent_by_service(text)
            found.append(_path(name, tags, frozenset({"version", "trace", "span"})))
    return tuple(found)


def _path(source: str, tags: Mapping[str, str], lifted: frozenset[str]) -> Path:
    return Path(source=source, tags=tags, lifted=lifted, output="datadog")


def check(entry: Mapping[str, Any]) -> None:
    """Only keys of the reference."""
    assert set(entry) <= _ENTRY | _WHERE[entry["type"]]
    for rule in entry.get("log_processing_rules", []):
        assert set(rule) == _RULES[rule["type"]]


def _pods(patch: Mapping[str, Any], lifted: Mapping[str, frozenset[str]]) -> Path:
    inner = yaml.safe_load(patch["patch"])
    spec = inner["spec"]
    template = (
        spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
    )
    annotations = template["metadata"]["annotations"]
    tags: dict[str, str] = json.loads(annotations["ad.datadoghq.com/tags"])
    for key, value in annotations.items():
        if key.endswith(".logs"):
            (entry,) = json.loads(value)
            assert entry["service"] == tags["service"]
            check({"type": "file", **entry})
    name = f"pods {inner['kind']}/{inner['metadata']['name']}"
    own = next(each for key, each in lifted.items() if key.startswith(f"{tags['app']}_"))
    return _path(name, tags, own)


def _lifted(files: Mapping[str, str]) -> dict[str, frozenset[str]]:
    resources = json.loads(files["pipelines.tf.json"]).get("resource", {})
    return {
        identifier: frozenset(
            _LIFTED[kind]
            for processor in pipeline["processor"]
            for kind, (each,) in processor.items()
            if kind in _LIFTED and each["sources"]
        )
        for identifier, pipeline in resources.get("datadog_logs_custom_pipeline", {}).items()
    }
