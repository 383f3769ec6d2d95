"""Datadog agent: one folder of conf.d for each stream, patches for pods, and its own settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from collectors.tagging.datadog_parts import pipelines, pods
from collectors.tagging.datadog_parts.rules import mask_rules, rules, tags
from collectors.tagging.header import header
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.places import called, go_glob, named, rivals, unit_name
from collectors.tagging.sdk import resource_files
from collectors.tagging.texts import yaml_text

NAME = "the Datadog agent"
VERSION = "7.71"
"""The version that files are for unless the workspace names another."""

FIRST_PORT = 10514
"""The port of the first program that sends by syslog; each has one of its own."""

_FINGERPRINTS_SINCE = (7, 70)
_ALWAYS = "Sends to Datadog, whatever the workspace's destination is."


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/datadog-agent.md for what each is for."""
    if not any(stream.sources for stream in plan.streams):
        return {}
    return {
        "datadog.yaml": _settings(plan),
        **_streams(plan),
        **pods.files(plan, NAME),
        **resource_files(plan, NAME),
        "pipelines.tf.json": pipelines.text(plan),
    }


def _settings(plan: Plan) -> str:
    logs: dict[str, Any] = {
        "force_use_http": True,
        "use_compression": True,
        "batch_wait": 1,
        "open_files_limit": 500,
        "auditor_ttl": 72,
        "file_wildcard_selection_mode": "by_modification_time",
    }
    if plan.version("datadog-agent", VERSION) >= _FINGERPRINTS_SINCE:
        logs["fingerprint_config"] = {
            "fingerprint_strategy": "byte_checksum",
            "count": 1024,
            "count_to_skip": 0,
        }
    if plan.secrets:
        logs["processing_rules"] = mask_rules(plan)
    value: dict[str, Any] = {
        "env": plan.env,
        "logs_enabled": True,
        "logs_config": logs,
        "forwarder_storage_max_size_in_bytes": 1 << 30,
    }
    if plan.of(OtlpSource):
        value["otlp_config"] = _otlp()
    about = header(
        plan,
        NAME,
        "Merge this into the agent's own datadog.yaml.",
        "The agent takes DD_API_KEY and DD_SITE from its environment.",
        _ALWAYS,
    )
    return yaml_text(value, about)


def _otlp() -> dict[str, Any]:
    protocols = {"grpc": {"endpoint": "127.0.0.1:4317"}, "http": {"endpoint": "127.0.0.1:4318"}}
    return {
        "receiver": {"protocols": protocols},
        "logs": {"enabled": True},
        "metrics": {"enabled": True, "resource_attributes_as_tags": True},
        "traces": {"enabled": True},
    }


def _streams(plan: Plan) -> dict[str, str]:
    ports = {name: FIRST_PORT + at for at, (name, _, _) in enumerate(named(plan, SyslogSource))}
    places: dict[tuple[str, str], list[tuple[str, Source]]] = {}
    for name, stream, source in (
        *named(plan, FileSource),
        *named(plan, JournalSource),
        *named(plan, SyslogSource),
    ):
        for folder in _folders(plan, source):
            places.setdefault((folder, stream.identifier), []).append((name, source))
    streams = {stream.identifier: stream for stream in plan.streams}
    return {
        f"{folder}conf.d/headroom_{identifier}.d/conf.yaml": _stream(
            plan, streams[identifier], sources, ports
        )
        for (folder, identifier), sources in sorted(places.items())
    }


def _folders(plan: Plan, source: Source) -> tuple[str, ...]:
    if not isinstance(source, FileSource):
        return ("",)
    if source.hosts:
        return tuple(f"hosts/{quote(host, safe='')}/" for host in source.hosts)
    return ("elsewhere/",) if rivals(plan, source) else ("",)


def _stream(
    plan: Plan,
    stream: Stream,
    sources: Sequence[tuple[str, Source]],
    ports: Mapping[str, int],
) -> str:
    entries = [
        {
            **where,
            "service": stream.service,
            "source": stream.component.engine or "headroom",
            "tags": tags(stream),
            **rules(plan, source),
        }
        for name, source in sources
        for where in _where(name, source, ports)
    ]
    kinds = {PodSource: "by pods: see kubernetes", OtlpSource: "by OTLP: see services"}
    others = [f"{called(stream)} {why}." for kind, why in kinds.items() if stream.of(kind)]
    listening = [
        f"What {source.program} sends by syslog must come to port {ports[name]}."
        for name, source in sources
        if isinstance(source, SyslogSource)
    ]
    return yaml_text({"logs": entries}, header(plan, NAME, *listening, *others))


def _where(name: str, source: Source, ports: Mapping[str, int]) -> list[dict[str, Any]]:
    if isinstance(source, FileSource):
        return [{"type": "file", "path": go_glob(source.path), **_unpacked(source)}]
    if isinstance(source, JournalSource):
        return [{"type": "journald", "config_id": name, "include_units": [unit_name(source.unit)]}]
    return [{"type": transport, "port": ports[name]} for transport in ("tcp", "udp")]


def _unpacked(source: FileSource) -> dict[str, Any]:
    if "*" not in source.path:
        return {}
    return {"exclude_paths": [f"{go_glob(source.path)}.{kind}" for kind in ("gz", "bz2", "xz")]}
