"""The ways of records through the CloudWatch agent's files."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tests.unit.collectors.tagging.graphs.model import Path

_ENTRY = {
    "files": {
        *("file_path", "log_group_name", "log_stream_name", "retention_in_days", "timezone"),
        *("encoding", "multi_line_start_pattern", "publish_multi_logs", "blacklist"),
        *("service.name", "deployment.environment"),
    },
    "journald": {"log_group_name", "log_stream_name", "retention_in_days", "units", "priority"},
}
_RETENTION = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653}
_OTLP = {"grpc_endpoint", "http_endpoint", "tls", "service.name", "deployment.environment"}
_SECTIONS = {
    "agent": {"metrics_collection_interval"},
    "logs": {"logs_collected", "force_flush_interval"},
    "metrics": {"namespace", "metrics_collected"},
    "traces": {"traces_collected"},
}
_METRICS = {"measurement", "resources", "append_dimensions"}


def paths(files: Mapping[str, str]) -> tuple[Path, ...]:
    """Every way from a source to CloudWatch; the tags of groups are their records' too."""
    groups = _groups(files)
    found = []
    for name, text in files.items():
        if not name.endswith(".json") or name.endswith(".tf.json"):
            continue
        config = checked(json.loads(text))
        for kind, part in config.get("logs", {}).get("logs_collected", {}).items():
            for entry in part["collect_list"]:
                source = entry["file_path"] if kind == "files" else entry["units"][0]
                found.append(_path(f"{name} {kind} {source}", groups[entry["log_group_name"]]))
        for kind, part in config.get("metrics", {}).get("metrics_collected", {}).items():
            if kind != "otlp":
                found.append(_path(f"{name} metrics {kind}", part["append_dimensions"]))
    return (*found, *_services(files))


def _path(source: str, tags: Mapping[str, str]) -> Path:
    return Path(source=source, tags=tags, lifted=frozenset(), output="cloudwatch")


def _groups(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    resources = json.loads(files.get("log-groups.tf.json", "{}")).get("resource", {})
    return {
        each["name"]: {
            key: value.replace("$${", "${").replace("%%{", "%{")
            for key, value in each["tags"].items()
        }
        for each in resources.get("aws_cloudwatch_log_group", {}).values()
    }


def _services(files: Mapping[str, str]) -> list[Path]:
    found = []
    for name, text in files.items():
        if name.startswith("services/"):
            found.append(_path(name, sent_by_service(text)))
    return found


def sent_by_service(text: str) -> dict[str, str]:
    """What an SDK makes of a service's environment file."""
    (line,) = [each for each in text.splitlines() if not each.startswith("#")]
    pairs = line.removeprefix("OTEL_RESOURCE_ATTRIBUTES=").split(",")
    return {key: unquote(value) for key, _, value in (pair.partition("=") for pair in pairs)}


def checked(config: Any) -> Any:
    """A configuration of whose keys and values the agent's schema has all."""
    for section, part in config.items():
        assert set(part) <= _SECTIONS[section], section
    for kind, part in config.get("logs", {}).get("logs_collected", {}).items():
        assert {"collect_list"} == set(part)
        for entry in part["collect_list"]:
            _check_entry(kind, entry)
    for kind, part in config.get("metrics", {}).get("metrics_collected", {}).items():
        assert set(part) <= (_OTLP if kind == "otlp" else _METRICS)
        for value in part.get("append_dimensions", {}).values():
            assert 1 <= len(value) <= 1024
    for part in config.get("traces", {}).get("traces_collected", {}).values():
        assert set(part) <= _OTLP
    return config


def _check_entry(kind: str, entry: Mapping[str, Any]) -> None:
    assert set(entry) <= _ENTRY[kind]
    assert entry["retention_in_days"] in _RETENTION
    assert re.fullmatch(r"[A-Za-z0-9_/.#-]{1,512}", entry["log_group_name"])
    assert re.fullmatch(r"[^:*]{1,512}", entry["log_stream_name"])
    if kind == "files":
        assert 1 <= len(entry["file_path"]) <= 4096
        assert 1 <= len(entry["service.name"]) <= 255
        assert 1 <= len(entry["deployment.environment"]) <= 259
