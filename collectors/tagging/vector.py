"""Vector: one configuration for hosts and one for Kubernetes nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.tagging import vector_records as records
from collectors.tagging.header import header
from collectors.tagging.machines import Node, daemonset, drop_in, environment
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    SyslogSource,
)
from collectors.tagging.shipping import (
    destination_notes,
    endpoint,
    is_elastic,
    left_out,
    of_kind,
    path_of_intake,
    readings,
)
from collectors.tagging.texts import yaml_text
from collectors.tagging.vector_graph import LISTENING, Graph, on_host, on_node, remap, variable

NAME = "Vector"
VERSION = "0.57"
"""The version that files are for unless the workspace names another."""

STATE = "/var/lib/vector"
_ALLOW = "VECTOR_DANGEROUSLY_ALLOW_ENV_VAR_INTERPOLATION"
_ENVIRONMENT = "/etc/vector/headroom.env"
_ON_HOSTS = {FileSource: "file", JournalSource: "journald", SyslogSource: "syslog"}
_REJECTED = "rejected"

_NOTES = (
    "From version 0.57 on it needs --dangerously-allow-env-var-interpolation: the unit gives it.",
    "Records go as documents of the Elastic Common Schema.",
    "Not collected here: traces and metrics by OTLP; let services send those to Headroom itself.",
)

Parts = dict[str, dict[str, Any]]


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/vector.md for what each is for."""
    if not plan.streams:
        return {}
    found = readings(plan)
    name, default = endpoint(plan)
    notes = (*_NOTES, *destination_notes(plan, NAME))
    host = on_host(plan, found)
    about = header(
        plan, NAME, "For hosts.", *notes, *left_out(plan, {PodSource: "pods"}), *host.notes
    )
    written_files = {
        "vector.yaml": yaml_text(_config(plan, host), about),
        "headroom.conf": drop_in(
            header(plan, NAME, "For /etc/systemd/system/vector.service.d/."),
            _ENVIRONMENT,
            [f"Environment={_ALLOW}=true", "Environment=HEADROOM_HOST=%H"],
        ),
        "headroom.env": environment(
            header(plan, NAME), {name: default, _credential(plan): "none", **LISTENING}
        ),
    }
    if not of_kind(found, PodSource):
        return written_files
    node = on_node(plan, found)
    about = header(plan, NAME, "For Kubernetes nodes.", *notes, *left_out(plan, _ON_HOSTS))
    text = yaml_text(_config(plan, node), (*about, *node.notes))
    return written_files | {
        "vector-kubernetes.yaml": text,
        "daemonset.yaml": _daemonset(plan, text, about),
    }


def _credential(plan: Plan) -> str:
    return "ELASTICSEARCH_API_KEY" if is_elastic(plan) else "HEADROOM_TOKEN"


def _config(plan: Plan, graph: Graph) -> Mapping[str, Any]:
    transforms = dict(graph.transforms)
    transforms["records"] = remap(graph.ends, records.of_records(plan))
    failed = [f"{name}.dropped" for name in (*graph.ends, "records")]
    transforms[_REJECTED] = {
        "type": "remap",
        "inputs": failed,
        "source": records.of_rejected(plan),
    }
    return {
        "data_dir": variable("HEADROOM_STATE", STATE),
        "sources": graph.sources,
        "transforms": transforms,
        "sinks": {"documents": _documents(plan), _REJECTED: _kept_back()},
    }


def _documents(plan: Plan) -> Mapping[str, Any]:
    name, default = endpoint(plan)
    kind = "ApiKey" if is_elastic(plan) else "Bearer"
    return {
        "type": "elasticsearch",
        "inputs": ["records"],
        "endpoints": [variable(name, default) + path_of_intake(plan)],
        "api_version": "v8",
        "mode": "data_stream",
        "bulk": {"action": "create"},
        "data_stream": {"auto_routing": True, "sync_fields": True},
        "compression": "gzip",
        "request": {
            "headers": {"Authorization": f"{kind} {variable(_credential(plan), 'none')}"},
            "retry_initial_backoff_secs": 1,
            "retry_max_duration_secs": 30,
        },
        "request_retry_partial": True,
        "acknowledgements": {"enabled": True},
        "healthcheck": {"enabled": False},
        "buffer": {"type": "disk", "max_size": 1 << 30, "when_full": "block"},
    }


def _kept_back() -> Mapping[str, Any]:
    return {
        "type": "file",
        "inputs": [_REJECTED],
        "path": f"{variable('HEADROOM_STATE', STATE)}/rejected-%Y-%m-%d.ndjson",
        "encoding": {"codec": "json"},
    }


def _daemonset(plan: Plan, text: str, about: Sequence[str]) -> str:
    name, default = endpoint(plan)
    version = (*plan.version("vector", VERSION), 0, 0)[:3]
    node = Node(
        name="headroom-vector",
        image=f"timberio/vector:{'.'.join(map(str, version))}-debian",
        args=["--config", "/etc/vector/vector.yaml"],
        files={"vector.yaml": text},
        mount="/etc/vector",
        state=STATE,
        environment={_ALLOW: "true", name: default},
        secrets=[_credential(plan)],
    )
    return daemonset(about, plan.env, node)
