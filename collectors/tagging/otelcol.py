"""OpenTelemetry Collector: an agent for hosts, one for Kubernetes nodes, and a gateway."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.tagging.header import header
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    SyslogSource,
)
from collectors.tagging.otelcol_parts import assembly, delivery, kubernetes
from collectors.tagging.otelcol_parts.exporters import to_destination, to_headroom
from collectors.tagging.otelcol_parts.names import names_of
from collectors.tagging.otelcol_parts.operators import resource_of
from collectors.tagging.otelcol_parts.text import config_text

NAME = "OpenTelemetry Collector"
VERSION = "0.159"
"""The version that files are for unless the workspace names another."""

_ON_HOSTS = {FileSource: "file", JournalSource: "journald", SyslogSource: "syslog"}


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/otelcol.md for what each is for."""
    if not plan.streams:
        return {}
    version = plan.version("otelcol", VERSION)
    names = names_of(version)
    agent, sending = to_headroom(plan, names), to_destination(plan, names, version)
    host = assembly.host_agent(plan, names, resource_of, agent)
    gateway = assembly.gateway(plan, sending)
    release = f"Names of components are those of version {'.'.join(map(str, version))}."
    pods_left_out = assembly.left_out(plan, {PodSource: "pods"})
    about_host = header(
        plan, NAME, release, "For hosts; agent-kubernetes.yaml is for nodes.", *pods_left_out
    )
    about_gateway = header(plan, NAME, release, "For a gateway.", *sending.notes)
    found = {
        "agent.yaml": config_text(host, about_host),
        "gateway.yaml": config_text(gateway, about_gateway),
        "gateway-deployment.yaml": kubernetes.gateway(
            plan, version, config_text(gateway, about_gateway), about_gateway
        ),
        **delivery.files(plan, header(plan, NAME)),
    }
    if assembly.has_pods(plan):
        node = assembly.node_agent(plan, names, resource_of, agent)
        others = assembly.left_out(plan, _ON_HOSTS)
        about_node = header(plan, NAME, release, "For Kubernetes nodes.", *others)
        text = config_text(node, about_node)
        found |= {
            "agent-kubernetes.yaml": text,
            "daemonset.yaml": kubernetes.daemonset(plan, version, text, about_node),
            "values.yaml": kubernetes.helm_values(plan, version, node, about_node),
        }
    return found
