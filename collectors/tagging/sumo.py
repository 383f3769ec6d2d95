"""Sumo Logic's distribution of the OpenTelemetry Collector: an agent for hosts, one for nodes."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.tagging.header import header
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Stream,
    SyslogSource,
)
from collectors.tagging.otelcol_parts import assembly
from collectors.tagging.otelcol_parts.exporters import Sending, queue
from collectors.tagging.otelcol_parts.names import names_of
from collectors.tagging.otelcol_parts.operators import resource_of
from collectors.tagging.otelcol_parts.text import config_text, variable
from slo.collecting import Destination

NAME = "Sumo Logic's OpenTelemetry Collector"
VERSION = "0.154"
"""The version that files are for unless the workspace names another."""

_ON_HOSTS = {FileSource: "file", JournalSource: "journald", SyslogSource: "syslog"}


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/sumo.md for what each is for."""
    if not plan.streams:
        return {}
    names = names_of(plan.version("sumo", VERSION))
    more = _only_sumo(plan)
    host = assembly.host_agent(plan, names, categorised, _sending())
    left_out = assembly.left_out(plan, {PodSource: "pods"})
    about_host = header(plan, NAME, "For hosts.", *more, *left_out)
    found = {"agent.yaml": config_text(host, about_host)}
    if assembly.has_pods(plan):
        node = assembly.node_agent(plan, names, categorised, _sending())
        others = assembly.left_out(plan, _ON_HOSTS)
        about_node = header(plan, NAME, "For Kubernetes nodes.", *more, *others)
        found["agent-kubernetes.yaml"] = config_text(node, about_node)
    return found


def categorised(stream: Stream) -> dict[str, str]:
    """A stream's attributes and the source category that Sumo Logic searches by."""
    category = f"{stream.env}/{stream.app}/{stream.component.name}"
    return {**resource_of(stream), "_sourceCategory": category}


def _only_sumo(plan: Plan) -> tuple[str, ...]:
    chosen = plan.settings.destination
    if chosen is Destination.OTLP:
        return ()
    return (f"This distribution sends to Sumo Logic, whatever `destination: {chosen}` says.",)


def _sending() -> Sending:
    exporter = {
        "log_format": "otlp",
        "metric_format": "otlp",
        "auth": {"authenticator": "sumologic"},
        "sending_queue": queue(1_000_000),
        "retry_on_failure": {
            "enabled": True,
            "initial_interval": "1s",
            "max_interval": "30s",
            "max_elapsed_time": 0,
        },
    }
    extension = {
        "installation_token": variable("SUMOLOGIC_INSTALLATION_TOKEN", "none"),
        "api_base_url": variable("SUMOLOGIC_API_BASE_URL", "https://open-collectors.sumologic.com"),
        "collector_name": variable("SUMOLOGIC_COLLECTOR_NAME", "headroom"),
        "collector_credentials_directory": f"{variable('HEADROOM_STATE', assembly.STATE)}/sumo",
    }
    return Sending(
        exporters={"sumologic": exporter},
        signals=dict.fromkeys(("logs", "metrics", "traces"), "sumologic"),
        extensions={"sumologic": extension},
    )
