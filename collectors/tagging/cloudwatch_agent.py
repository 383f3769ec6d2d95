"""Amazon CloudWatch agent: files, the journal, host metrics and OTLP, by group and dimension."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from collectors.tagging.header import header
from collectors.tagging.model import (
    Convention,
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Stream,
    SyslogSource,
)
from collectors.tagging.places import go_glob, named, not_collected, rivals, unit_name
from collectors.tagging.sdk import resource_files
from collectors.tagging.texts import json_text

NAME = "the Amazon CloudWatch agent"
VERSION = "1.300071"
"""The version that files are for unless the workspace names another."""

RETENTION_DAYS = 30
"""How long a log group keeps records unless that is changed in AWS."""

_JOURNAL_SINCE = (1, 300071)
_LEFT_OUT = {
    PodSource: "by pods: use the OpenTelemetry Collector there",
    SyslogSource: "by syslog: let the syslog daemon write a file and declare that",
}
_GROUP = re.compile(r"[A-Za-z0-9_./#-]{1,255}")
_MEASURED = {
    "cpu": ["usage_active", "usage_iowait"],
    "mem": ["used_percent", "available"],
    "swap": ["used_percent"],
    "disk": ["used_percent", "inodes_free"],
    "diskio": ["io_time", "reads", "writes"],
    "net": ["bytes_recv", "bytes_sent", "drop_in", "drop_out"],
}
_PER_DEVICE = ("cpu", "disk", "diskio", "net")

Entry = dict[str, Any]
Part = Mapping[str, Any]


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/cloudwatch-agent.md for each."""
    if not any(stream.sources for stream in plan.streams):
        return {}
    everywhere = [each for each in named(plan, FileSource) if not _bound(plan, each[2])]
    elsewhere = [
        each for each in named(plan, FileSource) if not each[2].hosts and _bound(plan, each[2])
    ]
    found = {
        "amazon-cloudwatch-agent.json": _config(
            _logs(map(_file, everywhere), _journal(plan)), _otlp(plan)
        )
    }
    if elsewhere:
        found["elsewhere.json"] = _config(_logs(map(_file, elsewhere)))
    found |= {path: json_text(part) for path, part in _hosts(plan)}
    groups = _groups(plan)
    if groups:
        found["log-groups.tf.json"] = json_text(groups)
    return {
        **found,
        **resource_files(plan, NAME),
        "README.md": _readme(plan, found, [each for _, _, each in elsewhere]),
    }


def _bound(plan: Plan, source: FileSource) -> bool:
    """Whether only some hosts may read a file."""
    return bool(source.hosts or rivals(plan, source))


def _config(*parts: Part) -> str:
    whole: dict[str, Any] = {"agent": {"metrics_collection_interval": 60}}
    for part in parts:
        whole |= part
    return json_text(whole)


def _logs(entries: Iterable[Entry], journal: Sequence[Entry] = ()) -> Part:
    lists = {"files": [*entries], "journald": [*journal]}
    collected = {kind: {"collect_list": each} for kind, each in lists.items() if each}
    return {"logs": {"logs_collected": collected, "force_flush_interval": 5}} if collected else {}


def log_group(stream: Stream) -> str:
    """The name of a stream's log group; the component's name where AWS has no place for the tag."""
    service = stream.service if _GROUP.fullmatch(stream.service) else stream.component.name
    return f"/app/{stream.app}/{stream.env}/{service}"


def _file(of: tuple[str, Stream, FileSource]) -> Entry:
    name, stream, source = of
    entry: Entry = {
        "file_path": go_glob(source.path),
        **_destination(name, stream),
        "timezone": "UTC",
        "encoding": "utf-8",
        "service.name": stream.service[:255],
        "deployment.environment": stream.env[:255],
    }
    if source.multiline is not None:
        entry["multi_line_start_pattern"] = source.multiline
    if "*" in source.path:
        entry |= {"publish_multi_logs": True, "blacklist": "[.](gz|bz2|xz|zst)$"}
    return entry


def _destination(name: str, stream: Stream) -> Entry:
    # Two files must not write to one stream of a group.
    return {
        "log_group_name": log_group(stream),
        "log_stream_name": f"{{hostname}}/{name}",
        "retention_in_days": RETENTION_DAYS,
    }


def _journal(plan: Plan) -> list[Entry]:
    if plan.version("cloudwatch-agent", VERSION) < _JOURNAL_SINCE:
        return []
    return [
        {**_destination(name, stream), "units": [unit_name(source.unit)], "priority": "debug"}
        for name, stream, source in named(plan, JournalSource)
    ]


def _otlp(plan: Plan) -> Part:
    if not plan.of(OtlpSource):
        return {}
    common = {"deployment.environment": plan.env[:255]}
    traces = {"grpc_endpoint": "127.0.0.1:4317", "http_endpoint": "127.0.0.1:4318", **common}
    # Each signal has a receiver of its own, and no two can listen at one address.
    metrics = {"grpc_endpoint": "127.0.0.1:4315", "http_endpoint": "127.0.0.1:4316", **common}
    return {
        "metrics": {"namespace": "Headroom", "metrics_collected": {"otlp": metrics}},
        "traces": {"traces_collected": {"otlp": traces}},
    }


def _hosts(plan: Plan) -> Iterator[tuple[str, Part]]:
    """A file for each host, by its path."""
    streams: dict[str, list[Stream]] = {}
    files: dict[str, list[Entry]] = {}
    for stream in plan.streams:
        for host in dict.fromkeys(stream.component.hosts):
            streams.setdefault(host, []).append(stream)
    for each in named(plan, FileSource):
        for host in dict.fromkeys(each[2].hosts):
            files.setdefault(host, []).append(_file(each))
    for host, found in sorted(streams.items()):
        yield f"hosts/{quote(host, safe='')}.json", _host(files.get(host, ()), found)


def _host(files: Sequence[Entry], streams: Sequence[Stream]) -> Part:
    dimensions = _dimensions(streams)
    collected = {
        name: {
            "measurement": measurement,
            **({"resources": ["*"]} if name in _PER_DEVICE else {}),
            "append_dimensions": dimensions,
        }
        for name, measurement in _MEASURED.items()
    }
    return {
        **_logs(files),
        "metrics": {"namespace": "Headroom", "metrics_collected": collected},
    }


def _dimensions(streams: Sequence[Stream]) -> dict[str, str]:
    """The tags that all components of a host have in common: a shared host is nobody's."""
    first, *others = (stream.tags(Convention.LABEL) for stream in streams)
    return {
        label: value
        for label, value in first.items()
        if all(each.get(label) == value for each in others)
    }


def _groups(plan: Plan) -> Part:
    """Log groups with the tags that a record has no place for, as Terraform reads JSON."""
    kinds = (FileSource, JournalSource)
    streams = [stream for stream in plan.streams if any(stream.of(kind) for kind in kinds)]
    resources = {
        stream.identifier: {
            "name": log_group(stream),
            "retention_in_days": RETENTION_DAYS,
            "tags": {
                label: _literal(value) for label, value in stream.tags(Convention.LABEL).items()
            },
        }
        for stream in streams
    }
    return {"resource": {"aws_cloudwatch_log_group": resources}} if resources else {}


def _literal(text: str) -> str:
    """A text in which Terraform sees no template."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _readme(plan: Plan, found: Mapping[str, str], elsewhere: Sequence[FileSource]) -> str:
    apart = sorted({host for source in elsewhere for host in rivals(plan, source)})
    old = plan.version("cloudwatch-agent", VERSION) < _JOURNAL_SINCE
    left_out: dict[type[Any], str] = dict(_LEFT_OUT)
    if old:
        left_out[JournalSource] = "by journald: this version has none"
    notes = (
        "The agent cannot take secrets out of records: its filters drop whole ones or none.",
        "Where records may hold secrets, use the OpenTelemetry Collector.",
        "Records go to CloudWatch Logs whatever the workspace's destination is.",
        "Logs that services send by OTLP are not collected; metrics and traces are.",
        *not_collected(plan, left_out),
        *((f"elsewhere.json is for every host but: {', '.join(apart)}.",) if apart else ()),
    )
    lines = [_text(line) for line in header(plan, NAME, *notes)]
    listed = [f"`{_text(name)}`" for name in found]
    return "\n".join(("# CloudWatch agent", "", *(f"- {each}" for each in (*lines, *listed)), ""))


def _text(line: str) -> str:
    return " ".join(line.split())
