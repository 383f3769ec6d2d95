"""Whole configurations out of receivers, processors and exporters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from collectors.tagging.model import JournalSource, Plan, PodSource
from collectors.tagging.otelcol_parts import owners, receivers, records, secrets
from collectors.tagging.otelcol_parts.exporters import LOGS, QUEUE, Sending
from collectors.tagging.otelcol_parts.names import Names
from collectors.tagging.otelcol_parts.operators import Resource
from collectors.tagging.otelcol_parts.text import Tree, variable

STATE = "/var/lib/headroom-otelcol"
"""Where agents and gateways keep offsets and queues unless told otherwise."""

_LIMITER = {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 20}
_SECRETS = "transform/secrets"
_OWNERS = "transform/owners"
_POD_LABELS = "transform/pods"


def host_agent(plan: Plan, names: Names, resource: Resource, sending: Sending) -> Tree:
    """The configuration of an agent on a host: files, journal, syslog and OTLP."""
    lines = (
        receivers.files(plan, names, resource)
        | receivers.journal(plan, resource)
        | receivers.syslog(plan, resource)
    )
    processors = _cleaning(plan) | {_OWNERS: owners.services(plan, resource)}
    if lines:
        processors["transform/records"] = records.processor(plan)
    pipelines = _sent(
        sending, ["memory_limiter", _OWNERS], lines=("logs/records", [*lines]) if lines else None
    )
    return _config(
        lines | receivers.otlp("127.0.0.1:4317", "127.0.0.1:4318"), processors, sending, pipelines
    )


def node_agent(plan: Plan, names: Names, resource: Resource, sending: Sending) -> Tree:
    """The configuration of an agent on a Kubernetes node: pods and OTLP."""
    lines = receivers.pods(plan, names, resource)
    labelled = owners.labelled_pods(plan, resource)
    processors = _cleaning(plan) | {
        _OWNERS: owners.services(plan, resource),
        "transform/records": records.processor(plan),
        names.k8s_attributes: _kubernetes(plan),
        **({} if labelled is None else {_POD_LABELS: labelled}),
    }
    pipelines = _sent(
        sending,
        ["memory_limiter", names.k8s_attributes, _OWNERS],
        lines=("logs/pods", [*lines]),
        after=[names.k8s_attributes, *([] if labelled is None else [_POD_LABELS])],
    )
    return _config(
        lines | receivers.otlp("0.0.0.0:4317", "0.0.0.0:4318"),
        processors,
        sending,
        pipelines,
        health="0.0.0.0:13133",
    )


def gateway(plan: Plan, sending: Sending) -> Tree:
    """The configuration of a gateway: what agents send, checked and handed on."""
    processors = {
        "memory_limiter": _LIMITER,
        "transform/check": owners.checked(plan, list(sending.statements)),
    }
    pipelines = {
        signal: {
            "receivers": ["otlp"],
            "processors": ["memory_limiter", "transform/check"],
            "exporters": [exporter],
        }
        for signal, exporter in sending.signals.items()
    }
    return _config(
        receivers.otlp("0.0.0.0:4317", "0.0.0.0:4318"),
        processors,
        sending,
        pipelines,
        health="0.0.0.0:13133",
    )


def left_out(plan: Plan, kinds: Mapping[type[Any], str]) -> tuple[str, ...]:
    """Sentences for a header on what a file does not collect."""
    found = [
        f"{stream.app}/{stream.component.name} by {word}"
        for kind, word in kinds.items()
        for stream in plan.streams
        if stream.of(kind)
    ]
    return (f"Not collected here: {', '.join(found)}.",) if found else ()


def needs_journal(plan: Plan) -> bool:
    """Whether an agent reads the journal."""
    return bool(plan.of(JournalSource))


def has_pods(plan: Plan) -> bool:
    """Whether there is anything to read on Kubernetes nodes."""
    return bool(plan.of(PodSource))


def _cleaning(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {"memory_limiter": _LIMITER}
    if plan.secrets:
        found |= {
            _SECRETS: secrets.masked(plan.secrets),
            "redaction": secrets.redaction(plan),
        }
    return found


def _kubernetes(plan: Plan) -> dict[str, Any]:
    metadata = ("namespace", "pod", "deployment", "statefulset", "daemonset", "cronjob", "job")
    more = ("k8s.pod.uid", "k8s.node.name", "k8s.container.name")
    return {
        "auth_type": "serviceAccount",
        "filter": {"node_from_env_var": "NODE_NAME"},
        "wait_for_metadata": True,
        "wait_for_metadata_timeout": "30s",
        "extract": {
            "otel_annotations": True,
            "metadata": [*(f"k8s.{name}.name" for name in metadata), *more],
            "labels": [
                {"tag_name": owners.label_name(key), "key": key, "from": "pod"}
                for key in owners.labels(plan)
            ],
        },
        "pod_association": [
            {"sources": [{"from": "resource_attribute", "name": "k8s.pod.uid"}]},
            {"sources": [{"from": "connection"}]},
        ],
    }


def _sent(
    sending: Sending,
    owning: Sequence[str],
    *,
    lines: tuple[str, list[str]] | None,
    after: Iterable[str] = (),
) -> dict[str, dict[str, list[str]]]:
    """Pipelines: lines through their fields, and each signal that services send."""
    pipelines = {}
    if lines is not None:
        name, read = lines
        pipelines[name] = {
            "receivers": read,
            "processors": ["memory_limiter", "transform/records", _SECRETS, *after, "redaction"],
            "exporters": [sending.signals[LOGS]],
        }
    for signal, exporter in sending.signals.items():
        pipelines[signal] = {
            "receivers": ["otlp"],
            "processors": [*owning, *([_SECRETS] if signal == LOGS else []), "redaction"],
            "exporters": [exporter],
        }
    return pipelines


def _config(
    found: Mapping[str, Any],
    processors: Mapping[str, Any],
    sending: Sending,
    pipelines: Mapping[str, Mapping[str, list[str]]],
    health: str = "127.0.0.1:13133",
) -> Tree:
    extensions = {
        "health_check": {"endpoint": variable("HEADROOM_HEALTH_LISTEN", health)},
        receivers.OFFSETS: _storage("offsets"),
        QUEUE: _storage("queue"),
        **sending.extensions,
    }
    kept = {
        name: {**each, "processors": [one for one in each["processors"] if one in processors]}
        for name, each in pipelines.items()
    }
    reader = {
        "pull": {
            "exporter": {
                "prometheus": {
                    "host": variable("HEADROOM_METRICS_HOST", "127.0.0.1"),
                    "port": variable("HEADROOM_METRICS_PORT", 8888),
                }
            }
        }
    }
    return {
        "extensions": extensions,
        "receivers": dict(found),
        "processors": dict(processors),
        "exporters": sending.exporters,
        "service": {
            "extensions": [*extensions],
            "telemetry": {"metrics": {"readers": [reader]}},
            "pipelines": kept,
        },
    }


def _storage(folder: str) -> dict[str, Any]:
    directory = f"{variable('HEADROOM_STATE', STATE)}/{folder}"
    return {
        "directory": directory,
        "create_directory": True,
        "compaction": {
            "on_start": True,
            "on_rebound": True,
            "directory": directory,
            "cleanup_on_start": True,
        },
    }
