"""Kustomize: annotations by which OpenTelemetry's operator and SDKs know whose a pod is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.model import Convention, Plan, Stream
from collectors.tagging.scraping import by_app, called, placements
from collectors.tagging.texts import yaml_text
from slo.portable_regex import escaped
from slo.records import dataclass

_NAME = "kustomize"
_ANNOTATION = "resource.opentelemetry.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of workload; ``path`` leads to what its pods are made from."""

    version: str
    kind: str
    path: tuple[str, ...] = ("spec", "template")


_KINDS = {
    "deployment": _Kind(version="apps/v1", kind="Deployment"),
    "statefulset": _Kind(version="apps/v1", kind="StatefulSet"),
    "daemonset": _Kind(version="apps/v1", kind="DaemonSet"),
    "rollout": _Kind(version="argoproj.io/v1alpha1", kind="Rollout"),
    "job": _Kind(version="batch/v1", kind="Job"),
    "cronjob": _Kind(
        version="batch/v1", kind="CronJob", path=("spec", "jobTemplate", "spec", "template")
    ),
    "pod": _Kind(version="v1", kind="Pod", path=()),
}


def files(plan: Plan) -> Mapping[str, str]:
    """One component of Kustomize for each application, in a folder of its name."""
    placed = [(stream, names) for stream, names in placements(plan) if names]
    claims = Counter(
        (name, stream.component.workload) for stream, names in placed for name in names
    )
    patches: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    notes: dict[str, list[str]] = defaultdict(list)
    for stream, names in placed:
        others = any(claims[name, stream.component.workload] > 1 for name in names)
        reason = _reason(stream, others=others)
        if reason is None:
            patches[stream.app].append(_patch(stream, names))
        else:
            notes[stream.app].append(f"Not tagged here: {called(stream)}, {reason}.")
    plans = by_app(plan)
    return {
        f"{app}/kustomization.yaml": _component(plans[app], found, notes[app])
        for app, found in patches.items()
    }


def _component(plan: Plan, patches: Sequence[Mapping[str, object]], notes: Sequence[str]) -> str:
    document = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "patches": list(patches),
    }
    return yaml_text(document, header(plan, _NAME, *notes))


def _reason(stream: Stream, *, others: bool) -> str | None:
    if stream.component.workload is None:
        return "which names no workload"
    if stream.component.share:
        return "which is shared"
    return "which others claim too" if others else None


def _patch(stream: Stream, names: Sequence[str]) -> Mapping[str, object]:
    kind_name, _, name = (stream.component.workload or "").partition("/")
    kind = _KINDS[kind_name]
    own: dict[str, object] = {
        "name": name,
        "labels": {
            "app.kubernetes.io/part-of": stream.app,
        },
    }
    annotations = {
        f"{_ANNOTATION}{key}": value for key, value in stream.tags(Convention.OTEL).items()
    }
    patch: dict[str, object] = {"apiVersion": kind.version, "kind": kind.kind, "metadata": own}
    if kind.path:
        patch["spec"] = _nested(kind.path[1:], {"metadata": {"annotations": annotations}})
    else:
        own["annotations"] = annotations
    group = kind.version.rpartition("/")[0]
    # A resource without a namespace, which an overlay may set later, counts as of `default`.
    where = "|".join(escaped(each) for each in (*names, "default"))
    return {
        "target": {
            **({"group": group} if group else {}),
            "kind": kind.kind,
            "name": f"^{escaped(name)}$",
            "namespace": f"^({where})$",
        },
        "patch": yaml_text(patch, ()),
    }


def _nested(path: Sequence[str], value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value
