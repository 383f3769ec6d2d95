"""Which untagged records are whose: rules out of a plan, the most particular first.

A rule says what a record's origin must be. Namespaces and hosts that one application has for
itself make rules too; what two of them share belongs to neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from collectors.tagging.model import (
    Convention,
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from slo.naming import data_stream_part

FIELDS: Mapping[str, tuple[str, ...]] = {
    "namespace": (
        *("kubernetes.namespace", "kubernetes.namespace_name", "k8s.namespace.name"),
        "resource.attributes.k8s.namespace.name",
    ),
    "container": (
        *("kubernetes.container.name", "kubernetes.container_name", "k8s.container.name"),
        "container.name",
    ),
    "host": ("host.name", "host.hostname", "agent.hostname", "resource.attributes.host.name"),
    "path": ("log.file.path", "attributes.log.file.path", "file.path"),
    "unit": ("systemd.unit", "journald.unit", "attributes._SYSTEMD_UNIT"),
    "program": ("log.syslog.appname", "process.name", "attributes.appname"),
    "service": ("service.name", "resource.attributes.service.name"),
}
"""Where records of the usual collectors say where they come from."""

_SUFFIXES: Mapping[str, tuple[tuple[int, int], ...]] = {
    "deployment": ((6, 10), (5, 5)),
    "rollout": ((6, 10), (5, 5)),
    "statefulset": ((1, 10),),
    "daemonset": ((5, 5),),
    "job": ((5, 5),),
    "cronjob": ((1, 12), (5, 5)),
}
"""How many characters each part has that Kubernetes adds to a workload's name."""

Rule = dict[str, Any]


def rules(plan: Plan) -> list[Rule]:
    """The rules of an environment in the order in which they are tried."""
    found = [
        (_weight(source), _rule(stream, source))
        for stream in plan.streams
        for source in stream.sources
    ]
    exact = [rule for _, rule in sorted(found, key=lambda each: each[0])]
    return [*exact, *_hosts(plan), *_namespaces(plan)]


def _weight(source: Source) -> tuple[int, ...]:
    """Sorts what asks for more before what asks for less, and is stable otherwise."""
    if isinstance(source, PodSource):
        workload = source.workload or ""
        return (0, -len(source.labels), -len(workload), source.container is None)
    if isinstance(source, FileSource):
        return (1, -len(source.path), not source.hosts)
    if isinstance(source, SyslogSource):
        return (2, not source.hosts)
    return (3,)


def _rule(stream: Stream, source: Source) -> Rule:
    rule: Rule = {**_target(stream), "is": {}, "labels": {}}
    wanted = rule["is"]
    if isinstance(source, PodSource):
        wanted["namespace"] = [source.namespace]
        rule["labels"] = dict(source.labels)
        if source.container is not None:
            wanted["container"] = [source.container]
        if source.workload is not None:
            kind = (source.workload_kind or "pod").lower()
            suffix = _SUFFIXES.get(kind, ())
            rule |= {"workload": source.workload, "suffix": [list(each) for each in suffix]}
    elif isinstance(source, FileSource):
        rule |= _path(source.path)
    elif isinstance(source, JournalSource):
        wanted["unit"] = sorted({source.unit, f"{source.unit.removesuffix('.service')}.service"})
    elif isinstance(source, SyslogSource):
        wanted["program"] = [source.program]
    elif isinstance(source, OtlpSource):
        wanted["service"] = [source.service]
    if isinstance(source, FileSource | SyslogSource) and source.hosts:
        wanted["host"] = list(source.hosts)
    return rule


def _path(glob: str) -> Rule:
    """What stands between the stars of a path; a single one stays within its folder."""
    deep = "**" in glob
    parts = re.split(r"\*+|\?|\[[^]]*\]|\{[^}]*\}", glob)
    return {"parts": parts, "slashes": -1 if deep else glob.count("/")}


def _target(stream: Stream) -> Rule:
    return {
        "tags": stream.tags(Convention.ECS),
        "dataset": stream.dataset,
        "namespace": stream.namespace,
    }


def _hosts(plan: Plan) -> Iterator[Rule]:
    """Rules for hosts that only one component has."""
    owners: dict[str, list[Stream]] = {}
    for stream in plan.streams:
        for host in stream.component.hosts:
            owners.setdefault(host, []).append(stream)
    for host, streams in sorted(owners.items()):
        if len(streams) == 1:
            yield {**_target(streams[0]), "is": {"host": [host]}, "labels": {}}


def _namespaces(plan: Plan) -> Iterator[Rule]:
    """Rules for namespaces that only one application has, which name no component."""
    owners: dict[str, dict[str, Stream]] = {}
    for stream, source in plan.of(PodSource):
        owners.setdefault(source.namespace, {}).setdefault(stream.app, stream)
    for namespace, streams in sorted(owners.items()):
        if len(streams) == 1:
            (stream,) = streams.values()
            tags = stream.tags(Convention.ECS)
            tags.pop("service.name", None)
            yield {
                "tags": tags,
                "dataset": data_stream_part(stream.app),
                "namespace": stream.namespace,
                "is": {"namespace": [namespace]},
                "labels": {},
            }
