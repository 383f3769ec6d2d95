"""Receivers: files, pods, the journal, syslog and OTLP."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.otelcol_parts.hosts import elsewhere, sent_from
from collectors.tagging.otelcol_parts.names import Names
from collectors.tagging.otelcol_parts.operators import (
    END,
    FILE_PATH,
    FLUSH,
    MAX_RECORD,
    Operator,
    Resource,
    branch,
    fields,
    finish,
    literal,
)
from collectors.tagging.otelcol_parts.text import glob_path, glob_regex, quoted, variable

OFFSETS = "file_storage/offsets"
"""The storage of how far files were read."""

Receivers = dict[str, dict[str, Any]]

_UNIT_KINDS = (".service", ".socket", ".timer", ".mount", ".path", ".target", ".scope", ".slice")
_UNIT = 'attributes["systemd.unit"]'
_SENDER = 'resource["host.name"]'
_PACKED = ("gz", "bz2", "xz", "zst")
_RETRY = {"enabled": True, "max_elapsed_time": 0}
_PRIORITIES = {
    "fatal": "0",
    "error3": "1",
    "error2": "2",
    "error": "3",
    "warn": "4",
    "info2": "5",
    "info": "6",
    "debug": "7",
}


def otlp(grpc: str, http: str) -> Receivers:
    """The receiver of what services send, at two variable addresses."""
    protocols = {
        "grpc": {"endpoint": variable("HEADROOM_OTLP_GRPC_LISTEN", grpc)},
        "http": {"endpoint": variable("HEADROOM_OTLP_HTTP_LISTEN", http)},
    }
    return {"otlp": {"protocols": protocols}}


def files(plan: Plan, names: Names, resource: Resource) -> Receivers:
    """One receiver for each path of each component."""
    found = {}
    for stream in plan.streams:
        for number, source in enumerate(stream.of(FileSource), 1):
            name = stream.identifier if number == 1 else f"{stream.identifier}_{number}"
            found[f"{names.file_log}/{name}"] = _file(plan, stream, source, resource)
    return found


def _file(plan: Plan, stream: Stream, source: FileSource, resource: Resource) -> dict[str, Any]:
    condition = elsewhere(plan, source)
    skip = [] if condition is None else [{"id": "host", "type": "filter", "expr": condition}]
    lines = {} if source.multiline is None else {"line_start_pattern": source.multiline}
    return {
        "include": [glob_path(source.path)],
        "exclude": [f"/**/*.{suffix}" for suffix in _PACKED],
        **_reading(),
        **({"multiline": lines, "force_flush_period": FLUSH} if lines else {}),
        # The words EXPR( begin an expression even here.
        "resource": {key: literal(value) for key, value in resource(stream).items()},
        "operators": [
            *skip,
            *fields(source, "own"),
        ],
    }


def _reading() -> dict[str, Any]:
    # The first kilobyte tells a file from another, whatever a rotation calls it.
    return {
        "start_at": "beginning",
        "include_file_path": True,
        "include_file_name": False,
        "fingerprint_size": "1kb",
        "poll_interval": "1s",
        "max_log_size": MAX_RECORD,
        "storage": OFFSETS,
        "retry_on_failure": _RETRY,
    }


def pods(plan: Plan, names: Names, resource: Resource) -> Receivers:
    """One receiver for each namespace, whose records go by the names of pods to their owners."""
    spaces: dict[str, list[tuple[Stream, PodSource]]] = {}
    for stream, source in plan.of(PodSource):
        spaces.setdefault(source.namespace, []).append((stream, source))
    found: Receivers = {}
    for number, (namespace, sources) in enumerate(sorted(spaces.items()), 1):
        safe = re.sub(r"[^a-z0-9]+", "_", namespace.lower()).strip("_")
        name = f"pods_{number}_{safe}".rstrip("_")
        found[f"{names.file_log}/{name}"] = {
            "include": list(dict.fromkeys(glob_path(source.path) for _, source in sources)),
            "exclude": [f"/**/*.{suffix}" for suffix in _PACKED],
            **_reading(),
            "operators": [
                {"id": "container", "type": "container", "max_log_size": MAX_RECORD},
                *_routed(_pod_routes(sources), resource, other=fields(Source(), "other")),
            ],
        }
    return found


def told_by_name(source: PodSource) -> bool:
    """Whether names of pods and containers suffice to tell a source's records."""
    return source.pods is not None or not source.labels


def _pod_routes(
    sources: Iterable[tuple[Stream, PodSource]],
) -> Iterator[tuple[str, Stream, PodSource]]:
    # The longest name first: that of a deployment may begin like another's.
    for stream, source in sorted(
        (each for each in sources if told_by_name(each[1])),
        key=lambda each: (each[1].workload or "", each[1].container or ""),
        reverse=True,
    ):
        conditions = []
        if source.pods is not None:
            conditions.append(f'resource["k8s.pod.name"] matches {quoted(source.pods)}')
        if source.container is not None:
            conditions.append(f'resource["k8s.container.name"] == {quoted(source.container)}')
        yield " and ".join(conditions) or "true", stream, source


def _routed(
    routes: Iterable[tuple[str, Stream, Source]],
    resource: Resource,
    joined_by: str = FILE_PATH,
    other: Sequence[Operator] = (),
) -> list[Operator]:
    """A router and a branch for each route; what no route takes passes through ``other``."""
    table, branches = [], []
    for number, (condition, stream, source) in enumerate(routes, 1):
        name = f"{stream.identifier}_{number}"
        table.append({"expr": condition, "output": f"{name}_tags"})
        branches.extend(branch(stream, source, name, resource, joined_by))
    if not table:
        return [*other, finish()]
    router = {
        "id": "owner",
        "type": "router",
        "routes": table,
        "default": other[0]["id"] if other else END,
    }
    return [router, *branches, *other, finish()]


def journal(plan: Plan, resource: Resource) -> Receivers:
    """One receiver of the journal for all units; each unit's messages go to its owner."""
    units = plan.of(JournalSource)
    if not units:
        return {}
    routes = ((_unit_condition(_unit(source.unit)), stream, source) for stream, source in units)
    return {
        "journald": {
            "units": list(dict.fromkeys(_unit(source.unit) for _, source in units)),
            "priority": "debug",
            "start_at": "beginning",
            "storage": OFFSETS,
            "retry_on_failure": _RETRY,
            "operators": [*_journal_fields(), *_routed(routes, resource, _UNIT)],
        }
    }


def _unit(name: str) -> str:
    return name if name.endswith(_UNIT_KINDS) else f"{name}.service"


def _unit_condition(unit: str) -> str:
    if "*" in unit or "?" in unit:
        return f"{_UNIT} matches {quoted(glob_regex(unit))}"
    return f"{_UNIT} == {quoted(unit)}"


def _journal_fields() -> list[Operator]:
    return [
        {
            "type": "severity_parser",
            "if": "body.PRIORITY != nil",
            "parse_from": "body.PRIORITY",
            "preset": "none",
            "overwrite_text": True,
            "mapping": _PRIORITIES,
        },
        _copy("host", "_HOSTNAME", _SENDER),
        _copy("unit", "_SYSTEMD_UNIT", _UNIT),
        # What the manager itself says of a unit is that unit's.
        _copy("unit_of", "UNIT", _UNIT),
        {"id": "message", "type": "move", "if": "body.MESSAGE != nil"}
        | {"from": "body.MESSAGE", "to": "body"},
    ]


def _copy(name: str, field: str, to: str) -> Operator:
    found = f"body.{field}"
    return {"id": name, "type": "copy", "if": f"{found} != nil", "from": found, "to": to}


def syslog(plan: Plan, resource: Resource) -> Receivers:
    """A listener for each transport; each program's messages go to its owner."""
    programs = plan.of(SyslogSource)
    if not programs:
        return {}
    common: Mapping[str, Any] = {
        "protocol": variable("HEADROOM_SYSLOG_PROTOCOL", "rfc5424"),
        "location": variable("HEADROOM_SYSLOG_TIMEZONE", "UTC"),
        "on_error": "send_quiet",
        "retry_on_failure": _RETRY,
        "operators": [*_syslog_fields(), *_routed(_programs(plan), resource, _SENDER)],
    }
    return {
        f"syslog/{transport}": {
            transport: {
                "listen_address": variable(
                    f"HEADROOM_SYSLOG_{transport.upper()}_LISTEN", "127.0.0.1:5514"
                )
            },
            **common,
        }
        for transport in ("tcp", "udp")
    }


def _programs(plan: Plan) -> Iterator[tuple[str, Stream, SyslogSource]]:
    for stream, source in plan.of(SyslogSource):
        hosts = sent_from(plan, source)
        program = f"attributes.appname == {quoted(source.program)}"
        yield program if hosts is None else f"{program} and {hosts}", stream, source


def _syslog_fields() -> list[Operator]:
    return [
        {"id": "host", "type": "copy", "if": "attributes.hostname != nil"}
        | {"from": "attributes.hostname", "to": _SENDER},
        {"id": "message", "type": "move", "if": "attributes.message != nil"}
        | {"from": "attributes.message", "to": "body"},
    ]
