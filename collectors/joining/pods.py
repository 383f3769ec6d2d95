"""How Kubernetes names the pods of a workload."""

from __future__ import annotations

import re
from collections.abc import Mapping

_HAS_DIGIT = "(?=[a-z]*[0-9])"
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
"""What Kubernetes appends to a workload's name to name its pods."""


def pod_names(kind: str, workload: str) -> str:
    """A portable regular expression for the names of a workload's pods.

    ``workload`` is its name with what has a meaning in expressions escaped. A replica set's part
    may be a word of letters alone, so ``api`` also meets pods of a deployment ``api-worker`` whose
    own part is of six to ten characters: where both exist, their labels tell them apart.
    """
    return f"^{workload}{_SUFFIX.get(kind, '')}$"


def pods_of(workload: str) -> re.Pattern[str]:
    """What the whole name of a pod of a workload such as ``deployment/api`` matches.

    Other than the portable expression, it wants a digit in a replica set's part, which a word
    that ends another workload's name has not.
    """
    kind, _, name = workload.partition("/")
    suffix = _SUFFIX.get(kind, "").replace(_REPLICA_SET, "-" + _HAS_DIGIT + _REPLICA_SET[1:])
    return re.compile(re.escape(name) + suffix)
