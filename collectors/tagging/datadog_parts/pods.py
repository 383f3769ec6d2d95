"""Annotations and labels by which the Datadog agent knows whose a pod is, and Helm values."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from collectors.tagging.datadog_parts.rules import mask_rules, rules, tag_values
from collectors.tagging.header import header
from collectors.tagging.model import Plan, PodSource, Stream
from collectors.tagging.places import called
from collectors.tagging.texts import yaml_text
from slo.portable_regex import escaped

_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)")
_CONTAINER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_KINDS = {
    "deployment": ("apps/v1", "Deployment", ("template",)),
    "statefulset": ("apps/v1", "StatefulSet", ("template",)),
    "daemonset": ("apps/v1", "DaemonSet", ("template",)),
    "rollout": ("argoproj.io/v1alpha1", "Rollout", ("template",)),
    "job": ("batch/v1", "Job", ("template",)),
    "cronjob": ("batch/v1", "CronJob", ("jobTemplate", "spec", "template")),
}


def files(plan: Plan, collector: str) -> dict[str, str]:
    """A component of Kustomize for each application with pods, and values for the chart."""
    sources = plan.of(PodSource)
    if not sources:
        return {}
    patches: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    notes: list[str] = []
    for group in _grouped(sources).values():
        stream, source = group[0]
        if source.workload_kind in _KINDS and source.workload is not None:
            patches[stream.app].append(_patch(plan, stream, [each for _, each in group]))
        else:
            notes.append(f"Not tagged here: {called(stream)}, which names no workload.")
    found = {
        f"kubernetes/{app}/kustomization.yaml": _component(plan, collector, each)
        for app, each in patches.items()
    }
    return {**found, "values.yaml": _values(plan, collector, list(dict.fromkeys(notes)))}


def _grouped(
    sources: tuple[tuple[Stream, PodSource], ...],
) -> dict[tuple[str, str, str | None], list[tuple[Stream, PodSource]]]:
    found: dict[tuple[str, str, str | None], list[tuple[Stream, PodSource]]] = {}
    for stream, source in sources:
        workload = stream.identifier, source.namespace, source.workload
        found.setdefault(workload, []).append((stream, source))
    return found


def _component(plan: Plan, collector: str, patches: list[Mapping[str, Any]]) -> str:
    value = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "patches": patches,
    }
    return yaml_text(value, header(plan, collector, "For what runs in Kubernetes."))


def _patch(plan: Plan, stream: Stream, sources: list[PodSource]) -> Mapping[str, Any]:
    source = sources[0]
    version, kind, path = _KINDS[source.workload_kind or ""]
    metadata: dict[str, Any] = {
        "labels": _labels(stream),
        "annotations": _annotations(plan, stream, sources),
    }
    inner: dict[str, Any] = {"metadata": metadata}
    for key in reversed(path):
        inner = {key: inner}
    own = {"name": source.workload, "labels": _labels(stream)}
    patch = {"apiVersion": version, "kind": kind, "metadata": own, "spec": inner}
    target = {
        "group": version.partition("/")[0],
        "kind": kind,
        "name": f"^{escaped(source.workload or '')}$",
        # A resource without a namespace, which an overlay may set later, counts as of `default`.
        "namespace": f"^({escaped(source.namespace)}|default)$",
    }
    return {"target": target, "patch": yaml_text(patch, ())}


def _labels(stream: Stream) -> dict[str, str]:
    wanted = {"env": stream.env, "service": stream.service}
    return {
        f"tags.datadoghq.com/{name}": value
        for name, value in wanted.items()
        if _LABEL.fullmatch(value)
    }


def _annotations(plan: Plan, stream: Stream, sources: list[PodSource]) -> dict[str, str]:
    every = {"service": stream.service, **tag_values(stream)}
    found = {"ad.datadoghq.com/tags": json.dumps(every, ensure_ascii=False)}
    for source in sources:
        # Without the name of a container there is no place for rules but the agent's own.
        if source.container is None or not _CONTAINER.fullmatch(source.container):
            continue
        logs = {
            "service": stream.service,
            "source": stream.component.engine or "headroom",
            **rules(plan, source),
        }
        found[f"ad.datadoghq.com/{source.container}.logs"] = json.dumps([logs], ensure_ascii=False)
    return found


def _values(plan: Plan, collector: str, notes: list[str]) -> str:
    masks = json.dumps(mask_rules(plan), ensure_ascii=False)
    ports = {"grpc": {"enabled": True}, "http": {"enabled": True}}
    values = {
        "datadog": {
            "apiKeyExistingSecret": "headroom-datadog",
            "tags": [f"env:{plan.env}"],
            "logs": {"enabled": True, "containerCollectAll": True},
            "otlp": {"receiver": {"protocols": ports}, "logs": {"enabled": True}},
            "podLabelsAsTags": {"app.kubernetes.io/version": "version"},
            "env": [{"name": "DD_LOGS_CONFIG_PROCESSING_RULES", "value": masks}],
        }
    }
    return yaml_text(values, header(plan, collector, "For Kubernetes nodes.", *notes))
