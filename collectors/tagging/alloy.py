"""Grafana Alloy: an agent for hosts, and one for Kubernetes nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain

from collectors.tagging.alloy_parts import lines, outputs, records, sources
from collectors.tagging.alloy_parts.syntax import Block, Expression, block, written
from collectors.tagging.header import header
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    SyslogSource,
)
from collectors.tagging.places import not_collected
from collectors.tagging.texts import comment, yaml_text
from slo.collecting import Destination

NAME = "Grafana Alloy"
VERSION = "1.19"
"""The version that files are for unless the workspace names another."""

_OLDEST = (1, 11)
_HOST_KINDS: tuple[type[Source], ...] = (FileSource, JournalSource, SyslogSource)
_NODE_KINDS: tuple[type[Source], ...] = (PodSource,)
_PREVIEW = "Needs --stability.level={}: {}."


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/alloy.md for what each is for."""
    if not any(stream.sources for stream in plan.streams):
        return {}
    notes = tuple(_notes(plan))
    host = written(_configured(plan, _HOST_KINDS, (sources.files, sources.journal, sources.syslog)))
    left_out = not_collected(plan, {PodSource: "by pods: config-kubernetes.alloy does"})
    found = {"config.alloy": _text(plan, host, "For hosts.", *notes, *left_out)}
    if plan.of(PodSource):
        node = written(_configured(plan, _NODE_KINDS, (sources.pods,)))
        others = dict.fromkeys(_HOST_KINDS, "on hosts: config.alloy does")
        about = ("For Kubernetes nodes.", *notes, *not_collected(plan, others))
        found["config-kubernetes.alloy"] = _text(plan, node, *about)
        found["values.yaml"] = _values(plan, found["config-kubernetes.alloy"], about)
    return found


def _text(plan: Plan, body: str, *about: str) -> str:
    return f"{comment(header(plan, NAME, *about), '//')}\n{body}"


def _notes(plan: Plan) -> Iterator[str]:
    chosen = plan.settings.destination
    if plan.version("alloy", VERSION) < _OLDEST:
        yield f"Needs Alloy {'.'.join(map(str, _OLDEST))} or newer: older ones keep no queue."
    if chosen is Destination.LOKI:
        yield _PREVIEW.format("experimental", "the log on disk of loki.write")
        yield "Metrics and traces go to Headroom: Loki takes logs alone."
        return
    yield _PREVIEW.format("public-preview", "the queue on disk")
    if chosen is not Destination.OTLP:
        yield f"Sends to Headroom: Alloy has no stable way to `destination: {chosen}`."


def _configured(
    plan: Plan,
    kinds: tuple[type[Source], ...],
    readers: Iterable[Callable[[Plan], Iterator[Block]]],
) -> Iterator[Block]:
    yield from chain.from_iterable(read(plan) for read in readers)
    if plan.settings.destination is Destination.LOKI:
        yield from _through_loki(plan, kinds)
    else:
        yield from _through_otlp(plan, kinds)


def _through_otlp(plan: Plan, kinds: tuple[type[Source], ...]) -> Iterator[Block]:
    *parts, exporter = outputs.to_headroom(
        plan, usual=plan.settings.destination is Destination.OTLP
    )
    to = records.input_of(exporter)
    every = {signal: [to] for signal in (records.LOGS, records.METRICS, records.TRACES)}
    last: list[Block] = []
    if plan.secrets:
        last = [records.masked(plan, every)]
        to = records.input_of(last[0])
        every |= {records.LOGS: [to], records.TRACES: [to]}
    if any(plan.of(kind) for kind in kinds):
        receiver, *steps = records.of_lines(plan, to)
        yield from lines.for_otlp(plan, kinds, receiver.export("receiver"))
        yield from (receiver, *steps)
    if plan.of(OtlpSource):
        yield from records.of_services(plan, every)
    yield from (*last, *parts, exporter)


def _through_loki(plan: Plan, kinds: tuple[type[Source], ...]) -> Iterator[Block]:
    writers = outputs.to_loki(plan, dict.fromkeys(stream.app for stream in plan.streams))
    to = {app: records.input_of(writer) for app, writer in writers.items()}
    yield from lines.for_loki(plan, kinds, to, to[outputs.UNOWNED])
    if plan.of(OtlpSource):
        yield from _services_to_loki(plan, to)
    yield from writers.values()


def _services_to_loki(plan: Plan, to: Mapping[str, Expression]) -> Iterator[Block]:
    apps = [app for app in to if app != outputs.UNOWNED]
    routes = [
        block(
            "loki.relabel",
            block("rule", source_labels=["app"], regex=regex, action=action),
            label=f"services_{name}",
            forward_to=[target],
        )
        for name, regex, action, target in (
            *((outputs.app_label(app), app, "keep", to[app]) for app in apps),
            (outputs.UNOWNED, "|".join(apps), "drop", to[outputs.UNOWNED]),
        )
    ]
    fields = {
        "trace_id": "traceid",
        "span_id": "spanid",
        "level": "severity",
        "version": 'resources."service.version"',
        "host": 'resources."host.name"',
    }
    process = block(
        "loki.process",
        block("stage.json", expressions=fields),
        lines.level_stage("level"),
        *lines.loki_stages(),
        label="services",
        forward_to=[records.input_of(route) for route in routes],
    )
    bridge = block(
        "otelcol.exporter.loki", label="services", forward_to=[records.input_of(process)]
    )
    hints = records.hinted(records.input_of(bridge))
    *parts, exporter = outputs.to_headroom(plan, usual=False)
    direct = [records.input_of(exporter)]
    every = {
        records.LOGS: [records.input_of(hints)],
        records.METRICS: direct,
        records.TRACES: direct,
    }
    clean: list[Block] = []
    if plan.secrets:
        clean = [records.masked(plan, {key: every[key] for key in (records.LOGS, records.TRACES)})]
        cleaned = [records.input_of(clean[0])]
        every |= {records.LOGS: cleaned, records.TRACES: cleaned}
    yield from records.of_services(plan, every)
    yield from (*clean, hints, bridge, process, *routes, *parts, exporter)


def _values(plan: Plan, config: str, about: Iterable[str]) -> str:
    """Values for Alloy's chart: the configuration, a DaemonSet, its variables and its disk."""
    state = "/var/lib/alloy"
    node = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    secret = {"secretRef": {"name": "headroom-alloy", "optional": True}}
    listen = [
        {"name": f"HEADROOM_OTLP_{protocol}_LISTEN", "value": f"0.0.0.0:{port}"}
        for protocol, port in (("GRPC", 4317), ("HTTP", 4318))
    ]
    ports = [
        {"name": name, "port": port, "targetPort": port, "protocol": "TCP"}
        for name, port in (("otlp-grpc", 4317), ("otlp-http", 4318))
    ]
    loki = plan.settings.destination is Destination.LOKI
    values = {
        "controller": {
            "type": "daemonset",
            "volumes": {
                "extra": [
                    {"name": "state", "hostPath": {"path": state, "type": "DirectoryOrCreate"}}
                ]
            },
        },
        "alloy": {
            "configMap": {"content": config.replace("{{", "{{ `{{` }}")},
            "storagePath": state,
            "stabilityLevel": "experimental" if loki else "public-preview",
            "extraEnv": [node, *listen],
            "envFrom": [secret],
            "extraPorts": ports,
            "mounts": {"extra": [{"name": "state", "mountPath": state}]},
        },
    }
    return yaml_text(values, header(plan, NAME, *about))
