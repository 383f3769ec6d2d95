"""Which generated file of a collector tags which kind of source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from app.services.joins.model import Stray
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.syslog_daemons import host_file

PODS, HOST, OTLP, SCRAPE, SCRAPE_PODS = "pods", "host", "otlp", "scrape", "scrape-pods"

PLACES: Mapping[str, Mapping[str, str]] = {
    "otelcol": {PODS: "agent-kubernetes.yaml", HOST: "agent.yaml", OTLP: "agent.yaml"},
    "prometheus": {SCRAPE: "scrape.yaml", SCRAPE_PODS: "kubernetes.yaml"},
    "alloy": {PODS: "config-kubernetes.alloy", HOST: "config.alloy", OTLP: "config.alloy"},
    "cloudwatch-agent": {HOST: "hosts/{host}.json", OTLP: "services/{identifier}.env"},
    "datadog-agent": {
        PODS: "kubernetes/{app}/kustomization.yaml",
        HOST: "hosts/{host}/conf.d/headroom_{identifier}.d/conf.yaml",
        OTLP: "services/{identifier}.env",
    },
    "filebeat": {PODS: "filebeat-kubernetes.yml", HOST: "filebeat.yml"},
    "fluent-bit": {PODS: "fluent-bit-kubernetes.yaml", HOST: "fluent-bit.yaml"},
    "fluentd": {PODS: "fluent.conf", HOST: "fluent.conf"},
    "kustomize": {PODS: "{app}/kustomization.yaml"},
    "logstash": {HOST: "headroom-intake.conf"},
    "prometheus-operator": {SCRAPE: "{app}.yaml", SCRAPE_PODS: "{app}.yaml"},
    "rsyslog": {PODS: "rsyslog.conf", HOST: "hosts/{host}/inputs.conf"},
    "splunk-forwarder": {PODS: "headroom_{env}/default/inputs.conf"},
    "sumo": {PODS: "agent-kubernetes.yaml", HOST: "agent.yaml", OTLP: "agent.yaml"},
    "syslog-ng": {PODS: "syslog-ng.conf", HOST: "hosts/{host}.conf"},
    "vector": {PODS: "vector-kubernetes.yaml", HOST: "vector.yaml"},
}
"""The file that tags a kind of source, by collector, what fits most installations first."""

_KINDS: Mapping[type[Source], str] = {
    PodSource: PODS,
    FileSource: HOST,
    JournalSource: HOST,
    SyslogSource: HOST,
    OtlpSource: OTLP,
}
_NO_HOST: Mapping[str, str] = {
    "cloudwatch-agent": "amazon-cloudwatch-agent.json",
    "datadog-agent": "conf.d/headroom_{identifier}.d/conf.yaml",
    "rsyslog": "rsyslog.conf",
    "syslog-ng": "syslog-ng.conf",
}
"""What stands for hosts in general, where a collector has a file for each that is named."""


def kinds(stray: Stray, stream: Stream | None) -> tuple[str, ...]:
    """The kinds of source that records may come from, the likeliest first."""
    if stray.scraped or (stray.signal == "metrics" and stray.missing == "app"):
        return (SCRAPE_PODS, SCRAPE) if stray.namespace else (SCRAPE,)
    if stray.signal != "logs":
        return (OTLP,)
    own = () if stream is None else tuple(dict.fromkeys(_own(stream)))
    said = (PODS,) if stray.namespace else (HOST,) if stray.host else (OTLP,)
    return tuple(dict.fromkeys((*(each for each in own if each != OTLP), *said, OTLP)))


def _own(stream: Stream) -> Iterator[str]:
    for source in stream.sources:
        yield from (kind for of, kind in _KINDS.items() if isinstance(source, of))


def fitting(use: Sequence[str], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Collectors and the kind of source that each is for: those used, else the one that fits."""
    for kind in wanted:
        known = [(name, kind) for name, files in PLACES.items() if kind in files]
        if mine := [each for each in known if each[0] in use]:
            return mine
    for kind in wanted:
        if known := [(name, kind) for name, files in PLACES.items() if kind in files]:
            return known[:1]
    return []


def path(collector: str, kind: str, env: str, stray: Stray, stream: Stream | None) -> str:
    """The file below the folder of generated files.

    What nobody has declared yet stands in capitals.
    """
    template = PLACES[collector][kind]
    declared = stream is None or any(stray.host == each for each in stream.component.hosts)
    if "{host}" in template and not (stray.host and declared):
        template = _NO_HOST[collector]
    file = template.format(
        app="APP" if stream is None else stream.app,
        identifier="APP_COMPONENT" if stream is None else stream.identifier,
        host=host_file(stray.host or ""),
        env=env,
    )
    return f"collectors/{collector}/{env}/{file}"
