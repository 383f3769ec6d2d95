"""Relabelling rules, as Prometheus has them: who is scraped and what its series carry."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from collectors.joining.pods import pod_names
from collectors.tagging.engines import Engine, share_labels
from collectors.tagging.model import Convention, Stream
from slo.portable_regex import escaped

Rule = Mapping[str, object]
"""One rule; keys as in Prometheus's own files."""

_META = "__meta_kubernetes_"
_POD = f"{_META}pod_"
_ANNOTATION = f"{_POD}annotation_prometheus_io_"
_CONTROLLERS = {
    "deployment": "ReplicaSet",
    "rollout": "ReplicaSet",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "job": "Job",
    "cronjob": "Job",
}
_WORKLOAD_LABELS = {
    "deployment": "deployment",
    "statefulset": "statefulset",
    "daemonset": "daemonset",
    "job": "job_name",
    "cronjob": "cronjob",
}
_OWNER = ("app", "team", "tier")
"""The labels that say whose a series is; of a shared target only its shares carry them."""

_LIFTED = {
    "namespace": f"{_META}namespace",
    "pod": f"{_POD}name",
    "node": f"{_POD}node_name",
    "zone": f"{_META}node_label_topology_kubernetes_io_zone",
    "version": f"{_POD}label_app_kubernetes_io_version",
}


def keep(source: Sequence[str], regex: str) -> Rule:
    """Keep what matches, drop the rest."""
    return {"source_labels": list(source), "regex": regex, "action": "keep"}


def drop(source: Sequence[str], regex: str) -> Rule:
    """Drop what matches."""
    return {"source_labels": list(source), "regex": regex, "action": "drop"}


def static(label: str, value: str) -> Rule:
    """Set a label to a text, in which ``$`` would otherwise name a group."""
    return {"target_label": label, "replacement": value.replace("$", "$$")}


def lifted(label: str, source: str) -> Rule:
    """Set a label from another, unless that one is empty."""
    return {"source_labels": [source], "regex": "(.+)", "target_label": label}


def pod_rules(
    kind: str | None, workload: str | None, labels: Mapping[str, str], port: int | None
) -> Iterator[Rule]:
    """Keep the running pods of a workload, at the ports that serve metrics.

    A port serves metrics when the pod's annotations say so, when its name ends in ``metrics``, or
    when it is the usual one of the engine's exporter.
    """
    yield drop([f"{_POD}phase"], "Pending|Succeeded|Failed|Completed")
    yield drop([f"{_POD}container_init"], "true")
    yield drop([f"{_ANNOTATION}scrape"], "false")
    yield from (keep(*chosen) for chosen in choices(kind, workload, labels))
    yield from _port_rules(port)
    for label, source in _LIFTED.items():
        yield lifted(label, source)


def choices(
    kind: str | None, workload: str | None, labels: Mapping[str, str]
) -> Iterator[tuple[list[str], str]]:
    """What tells the pods of a workload: labels of the discovery and what they must match."""
    if workload is not None:
        name = pod_names(kind or "", escaped(workload))[1:-1]
        controller = _CONTROLLERS.get(kind or "")
        if controller is None:
            yield [f"{_POD}name"], name
        else:
            yield [f"{_POD}controller_kind", f"{_POD}name"], f"{controller};{name}"
    for key, value in labels.items():
        yield [f"{_POD}label_{sanitized(key)}"], escaped(value)


def _port_rules(port: int | None) -> Iterator[Rule]:
    scrape, name = f"{_ANNOTATION}scrape", f"{_POD}container_port_name"
    number = "" if port is None else f"|;[^;]*;{port}"
    yield keep(
        [scrape, name, f"{_POD}container_port_number"],
        f"true;.*|;([a-z0-9-]+-)?metrics;.*{number}",
    )
    yield {
        "source_labels": ["__address__", f"{_ANNOTATION}port"],
        "regex": "(.+?)(?::[0-9]+)?;([0-9]+)",
        "target_label": "__address__",
        "replacement": "$1:$2",
    }
    yield lifted("__metrics_path__", f"{_ANNOTATION}path")
    yield {
        "source_labels": [f"{_ANNOTATION}scheme"],
        "regex": "(https?)",
        "target_label": "__scheme__",
    }
    # An annotated port is found once for each declared one: without the container's name those
    # are one target.
    yield {
        "source_labels": [scrape, f"{_POD}container_name"],
        "regex": ";(.+)",
        "target_label": "container",
    }


def sanitized(key: str) -> str:
    """A label's key as Prometheus spells it in the labels of a discovery."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", key)


def disowned() -> Iterator[Rule]:
    """Set aside what a shared target itself says about owners, as ``honor_labels: false`` does."""
    for label in _OWNER:
        yield lifted(f"exported_{label}", label)
    yield {"regex": "|".join(_OWNER), "action": "labeldrop"}


def share_rules(members: Sequence[Stream], engine: Engine | None) -> Iterator[Rule]:
    """Give each member's labels to the series of its share, and to no others.

    A share within another's wins, so it comes later; a label that is only set where there is none
    the other way round. A share that two applications claim is nobody's.
    """
    claims: dict[frozenset[tuple[str, str]], set[str]] = defaultdict(set)
    for each in members:
        claims[frozenset(each.component.share.items())].add(each.app)
    sharing = [
        each
        for each in members
        if each.component.share and len(claims[frozenset(each.component.share.items())]) == 1
    ]
    sharing.sort(key=lambda each: len(each.component.share))
    labels = [each for each in _OWNER if any(each in _tags(member) for member in sharing)]
    for stream in sharing:
        tags = _tags(stream)
        yield from _share(stream, engine, {each: tags.get(each, "") for each in labels})
    for stream in reversed(sharing):
        yield from _share(stream, engine, {"service": _tags(stream)["service"]})


def _tags(stream: Stream) -> Mapping[str, str]:
    return stream.tags(Convention.LABEL)


def _share(stream: Stream, engine: Engine | None, tags: Mapping[str, str]) -> Iterator[Rule]:
    share = stream.component.share
    for labels in product(*(share_labels(engine, name) for name in share)):
        metrics = [each for each in dict.fromkeys(label.metrics for label in labels) if each]
        if len(metrics) > 1:
            continue
        source = [*(["__name__"] if metrics else []), *(label.name for label in labels)]
        parts = [*metrics, *(escaped(value) for value in share.values())]
        yield from owned(tags, source, parts, list(share.values()))


def owned(
    tags: Mapping[str, str], source: Sequence[str], parts: Sequence[str], texts: Sequence[str]
) -> Iterator[Rule]:
    """Give an owner's labels to the series whose labels match these expressions.

    ``texts`` are the texts within them: a separator is one that none of these holds. A label
    ``service`` that a series brings along stays, since series may differ in it alone.
    """
    mark = next(each for each in (";", "|", "\x1f") if not any(each in text for text in texts))
    joint = escaped(mark).join(parts)
    separator = {} if mark == ";" else {"separator": mark}
    for label, value in tags.items():
        absent = [label] if label == "service" else []
        if label in _OWNER or absent:
            yield {
                "source_labels": [*source, *absent],
                **separator,
                "regex": joint + (escaped(mark) if absent else ""),
                **static(label, value),
            }


def namespace_rules(
    placed: Sequence[tuple[Stream, Sequence[str]]], shared: Collection[int]
) -> Iterator[Rule]:
    """Give the series of a cluster to the applications by namespace, and by workload where given.

    A namespace whose components belong to one application is that application's as a whole; of
    others only the series of known workloads are anyone's. ``shared`` are the identities of
    streams whose thing serves others too.
    """
    claims: dict[tuple[str, str | None], dict[str, Stream]] = defaultdict(dict)
    for stream, names in placed:
        claimant = "" if id(stream) in shared else stream.app
        for name in names:
            claims[name, None][claimant] = stream
            claims[name, stream.component.workload or ""][claimant] = stream
    for (name, workload), claimants in claims.items():
        stream = next(iter(claimants.values()))
        if len(claimants) > 1 or "" in claimants:
            continue
        if workload is None:
            tags = {key: each for key, each in _tags(stream).items() if key != "service"}
            yield from owned(tags, ["namespace"], [escaped(name)], [name])
        elif workload:
            yield from _workload_rules(stream, name, workload)


def _workload_rules(stream: Stream, namespace: str, workload: str) -> Iterator[Rule]:
    kind, _, name = workload.partition("/")
    texts, tags = [namespace, name], _tags(stream)
    pods = pod_names(kind, escaped(name))[1:-1]
    yield from owned(tags, ["namespace", "pod"], [escaped(namespace), pods], texts)
    if kind in _WORKLOAD_LABELS:
        source = ["namespace", _WORKLOAD_LABELS[kind]]
        yield from owned(tags, source, [escaped(namespace), escaped(name)], texts)
