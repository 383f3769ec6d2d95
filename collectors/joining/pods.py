"""How Kubernetes names the pods of a workload."""

from __future__ import annotations

from collections.abc import Mapping

_REPLICA_SET = "-[a-z0-9]{6,10}"
_RANDOM = "-[a-z0-9]{5}"
_SUFFIX: Mapping[str, str] = {
    "deployment": _REPLICA_SET + _RANDOM,
    "rollout": _REPLICA_SET + _RANDOM,
    "statefulset": "-[0-9]+",
    "daemonset": _RANDOM,
    "job": _RANDOM,
    "cronjob": "-[0-9]+" + _RANDOM,
    "pod": "",
}


def pod_names(kind: str, workload: str) -> str:
    """A portable regular expression for the names of a workload's pods.

    ``workload`` is its name with what has a meaning in expressions escaped. A replica set's part
    may be a word of letters alone, so ``api`` also meets pods of a deployment ``api-worker`` whose
    own part is of six to ten characters: where both exist, their labels tell them apart.
    """
    return f"^{workload}{_SUFFIX.get(kind, '')}$"
