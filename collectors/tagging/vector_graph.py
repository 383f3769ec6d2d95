"""Vector's sources, and the steps that say whose their records are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collectors.tagging import vector_programs as programs
from collectors.tagging.expressions import written
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    SyslogSource,
)
from collectors.tagging.shipping import PACKED, Reading, of_kind

LISTENING = {
    "HEADROOM_OTLP_GRPC_LISTEN": "127.0.0.1:4317",
    "HEADROOM_OTLP_HTTP_LISTEN": "127.0.0.1:4318",
    "HEADROOM_SYSLOG_LISTEN": "127.0.0.1:5514",
}
"""Where it listens unless its environment says otherwise."""

_PLAIN_UNIT = re.compile(r"[A-Za-z0-9:_.@-]+")
_PLAIN_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")

Parts = dict[str, dict[str, Any]]


class Graph:
    """A configuration while it grows; ``ends`` are the steps whose records are tagged."""

    def __init__(self) -> None:
        self.sources: Parts = {}
        self.transforms: Parts = {}
        self.ends: list[str] = []
        self.notes: list[str] = []

    def tagged(self, name: str, inputs: list[str], program: str) -> None:
        """Add the step that says whose the records of some inputs are."""
        self.transforms[f"{name}_tags"] = remap(inputs, program)
        self.ends.append(f"{name}_tags")


def on_host(plan: Plan, found: tuple[Reading, ...]) -> Graph:
    """Files, the journal, syslog and OTLP."""
    graph = Graph()
    for reading in of_kind(found, FileSource):
        _file(graph, reading)
    for reading in of_kind(found, JournalSource):
        _journal(graph, reading)
    _syslog(graph, plan, of_kind(found, SyslogSource))
    _otlp(graph, plan, "127.0.0.1")
    return graph


def on_node(plan: Plan, found: tuple[Reading, ...]) -> Graph:
    """Pods and OTLP."""
    graph = Graph()
    _pods(graph, of_kind(found, PodSource))
    _otlp(graph, plan, "0.0.0.0")  # noqa: S104 - pods of the node send to it
    return graph


def _file(graph: Graph, reading: Reading) -> None:
    source = reading.source
    assert isinstance(source, FileSource)
    lines = {}
    if source.multiline is not None:
        pattern = written(source.multiline, end="\\z")
        lines = {
            "multiline": {
                "start_pattern": pattern,
                "condition_pattern": pattern,
                "mode": "halt_before",
                "timeout_ms": 2000,
            }
        }
    graph.sources[reading.name] = {
        "type": "file",
        "include": [glob(source.path)],
        "exclude": [f"/**/*.{suffix}" for suffix in PACKED],
        "read_from": "beginning",
        "ignore_checkpoints": False,
        "max_line_bytes": 1_048_576,
        # The first lines tell a file from another, whatever a rotation calls it.
        "fingerprint": {"strategy": "checksum", "lines": 1},
        **lines,
    }
    came = reading.name
    if reading.hosts:
        came = f"{reading.name}_here"
        graph.transforms[came] = {
            "type": "filter",
            "inputs": [reading.name],
            "condition": {"type": "vrl", "source": programs.on_host(reading)},
        }
    graph.tagged(reading.name, [came], programs.of_lines(reading))


def glob(path: str) -> str:
    """A path whose only special sign is ``*`` as a pattern of files without a variable in it."""
    return "".join(f"[{char}]" if char in "?[]$" else char for char in path)


def _journal(graph: Graph, reading: Reading) -> None:
    source = reading.source
    assert isinstance(source, JournalSource)
    if not _PLAIN_UNIT.fullmatch(source.unit):
        graph.notes.append(f"Not collected here: the unit {source.unit}, whose name is a pattern.")
        return
    graph.sources[reading.name] = {
        "type": "journald",
        "include_units": [source.unit],
        "current_boot_only": False,
    }
    graph.tagged(reading.name, [reading.name], programs.of_lines(reading))


def _syslog(graph: Graph, plan: Plan, found: tuple[Reading, ...]) -> None:
    if not found:
        return
    transports = {f"syslog_{mode}": mode for mode in ("tcp", "udp")}
    for name, mode in transports.items():
        graph.sources[name] = {
            "type": "syslog",
            "mode": mode,
            "address": variable("HEADROOM_SYSLOG_LISTEN", LISTENING["HEADROOM_SYSLOG_LISTEN"]),
        }
    routes = {reading.name: programs.owner_of_message(reading) for reading in found}
    _routed(graph, "syslog", [*transports], routes)
    for reading in found:
        graph.tagged(reading.name, [f"syslog_owner.{reading.name}"], programs.of_lines(reading))
    unknown = programs.of_nobody(plan, sent=False)
    graph.tagged("syslog_nobody", ["syslog_owner._unmatched"], unknown)


def _otlp(graph: Graph, plan: Plan, address: str) -> None:
    services = plan.of(OtlpSource)
    if not services:
        return
    graph.sources["otlp"] = {
        "type": "opentelemetry",
        "grpc": {"address": variable("HEADROOM_OTLP_GRPC_LISTEN", f"{address}:4317")},
        "http": {"address": variable("HEADROOM_OTLP_HTTP_LISTEN", f"{address}:4318")},
    }
    conditions = {
        f"{stream.identifier}_otlp": programs.owner_of_service(plan, stream, source)
        for stream, source in services
    }
    graph.transforms["otlp_senders"] = {
        "type": "remap",
        "inputs": ["otlp.logs"],
        "source": programs.of_senders(plan),
    }
    _routed(graph, "otlp", ["otlp_senders"], conditions)
    for stream, source in services:
        name = f"{stream.identifier}_otlp"
        graph.tagged(name, [f"otlp_owner.{name}"], programs.of_services(stream, source))
    nobody = programs.of_nobody(plan, sent=True)
    graph.tagged("otlp_nobody", ["otlp_owner._unmatched"], nobody)


def _pods(graph: Graph, found: tuple[Reading, ...]) -> None:
    spaces: dict[str, list[Reading]] = {}
    for reading in found:
        assert isinstance(reading.source, PodSource)
        spaces.setdefault(reading.source.namespace, []).append(reading)
    for number, (namespace, members) in enumerate(sorted(spaces.items()), 1):
        if not _PLAIN_NAME.fullmatch(namespace):
            graph.notes.append(f"Not collected here: {namespace}, which is no namespace's name.")
            continue
        name = f"pods_{number}"
        graph.sources[name] = {
            "type": "kubernetes_logs",
            "extra_field_selector": f"metadata.namespace={namespace}",
            "self_node_name": variable("NODE_NAME", "unknown"),
            "auto_partial_merge": True,
            "read_from": "beginning",
        }
        conditions = {
            member.name: programs.owner_of_pod(member.source)
            for member in members
            if isinstance(member.source, PodSource)
        }
        _routed(graph, name, [name], conditions)
        for member in members:
            came = _joined(graph, member, f"{name}_owner.{member.name}")
            graph.tagged(member.name, [came], programs.of_lines(member))


def _joined(graph: Graph, reading: Reading, came: str) -> str:
    pattern = reading.source.multiline
    if pattern is None:
        return came
    name = f"{reading.name}_join"
    starts = f"match({programs.text_of('message')}, {programs.regex(pattern)})"
    graph.transforms[name] = {
        "type": "reduce",
        "inputs": [came],
        "group_by": ["kubernetes.pod_uid", "kubernetes.container_name", "stream"],
        "starts_when": {"type": "vrl", "source": starts},
        "expire_after_ms": 2000,
        "merge_strategies": {"message": "concat_newline", "timestamp": "discard"},
    }
    return name


def _routed(graph: Graph, name: str, inputs: list[str], conditions: Mapping[str, str]) -> None:
    graph.transforms[f"{name}_owner"] = {
        "type": "exclusive_route",
        "inputs": inputs,
        "routes": [
            {"name": each, "condition": {"type": "vrl", "source": condition}}
            for each, condition in conditions.items()
        ],
    }


def remap(inputs: list[str], program: str) -> dict[str, Any]:
    """A step that runs a program; what it fails on takes another way."""
    return {
        "type": "remap",
        "inputs": inputs,
        "drop_on_error": True,
        "reroute_dropped": True,
        "source": program,
    }


def variable(name: str, default: str) -> str:
    """A place that Vector fills from its environment."""
    return f"${{{name}:-{default}}}"
