"""Every generator by the name that ``--collector`` takes."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collectors.tagging.model import Plan

Files = Mapping[str, str]
"""Text by path below the folder of a collector and an environment."""


class Generator(Protocol):
    """A pure function from what an environment needs to one collector's files.

    No files at all when the plan has nothing for this collector.
    """

    def __call__(self, plan: Plan) -> Files:
        """The files for one environment."""


GENERATORS: Mapping[str, str] = {
    "alloy": "collectors.tagging.alloy:files",
    "blackbox": "collectors.tagging.blackbox:files",
    "cloudwatch-agent": "collectors.tagging.cloudwatch_agent:files",
    "datadog-agent": "collectors.tagging.datadog_agent:files",
    "filebeat": "collectors.tagging.filebeat:files",
    "fluent-bit": "collectors.tagging.fluent_bit:files",
    "fluentd": "collectors.tagging.fluentd:files",
    "kustomize": "collectors.tagging.kustomize:files",
    "logstash": "collectors.tagging.logstash:files",
    "otelcol": "collectors.tagging.otelcol:files",
    "prometheus": "collectors.tagging.prometheus:files",
    "prometheus-operator": "collectors.tagging.prometheus_operator:files",
    "rsyslog": "collectors.tagging.rsyslog:files",
    "splunk-forwarder": "collectors.tagging.splunk_forwarder:files",
    "sumo": "collectors.tagging.sumo:files",
    "syslog-ng": "collectors.tagging.syslog_ng:files",
    "vector": "collectors.tagging.vector:files",
    "yace": "collectors.tagging.yace:files",
}
"""Names and the functions behind them, imported when they are asked for."""


def generator(name: str) -> Generator:
    """The generator of that name; raises ``KeyError`` when there is none."""
    module, _, function = GENERATORS[name].partition(":")
    return cast("Generator", getattr(importlib.import_module(module), function))
