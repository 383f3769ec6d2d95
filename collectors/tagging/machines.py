"""How collectors get onto hosts and nodes: additions to systemd units, and DaemonSets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.tagging.texts import comment, yaml_text
from slo.records import dataclass

_NAMESPACE = "observability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A collector as a DaemonSet: what it runs and which of its files it reads.

    ``environment`` maps names to values; ``secrets`` are keys of the Secret of the same name as
    the collector. ``mount`` is the folder of the files, ``state`` the one it may write to.
    """

    name: str
    image: str
    args: Sequence[str]
    files: Mapping[str, str]
    mount: str
    state: str
    environment: Mapping[str, str]
    secrets: Sequence[str]


def drop_in(header: Sequence[str], environment_file: str, lines: Sequence[str] = ()) -> str:
    """An addition to the unit that a collector's own package brings."""
    body = ["[Service]", f"EnvironmentFile=-{environment_file}", *lines]
    return comment(header) + "\n".join(body) + "\n"


def environment(
    header: Sequence[str], variables: Mapping[str, str], *, active: bool = False
) -> str:
    """The file of variables; those that the program itself has defaults for stand as comments."""
    mark = "" if active else "#"
    return comment(header) + "".join(f"{mark}{key}={value}\n" for key, value in variables.items())


def daemonset(header: Sequence[str], env: str, node: Node) -> str:
    """Account, rights, files and DaemonSet of a collector on every node."""
    role = f"{node.name}-{_NAMESPACE}"
    account = {"kind": "ServiceAccount", "name": node.name, "namespace": _NAMESPACE}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    rules = [
        {
            "apiGroups": [""],
            "resources": ["namespaces", "nodes", "pods"],
            "verbs": ["get", "list", "watch"],
        }
    ]
    template = {"metadata": {"labels": _labels(node)}, "spec": _pod(env, node)}
    rights = "rbac.authorization.k8s.io/v1"
    objects = (
        _object(env, node, "v1", "ServiceAccount"),
        _object(env, node, rights, "ClusterRole", name=role, rules=rules),
        _object(
            env,
            node,
            rights,
            "ClusterRoleBinding",
            name=role,
            roleRef=reference,
            subjects=[account],
        ),
        _object(env, node, "v1", "ConfigMap", data=dict(node.files)),
        _object(
            env,
            node,
            "apps/v1",
            "DaemonSet",
            spec={
                "selector": {"matchLabels": _labels(node)},
                "updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}},
                "template": template,
            },
        ),
    )
    return comment(header) + "---\n".join(yaml_text(each, ()) for each in objects)


def _labels(node: Node) -> dict[str, str]:
    return {"app.kubernetes.io/name": node.name}


def _object(
    env: str, node: Node, version: str, kind: str, name: str | None = None, **more: Any
) -> dict[str, Any]:
    spread = kind.startswith("Cluster")
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name or node.name,
            **({} if spread else {"namespace": _NAMESPACE}),
            "labels": _labels(node),
            "annotations": {"headroom/environment": env},
        },
        **more,
    }


def _pod(env: str, node: Node) -> dict[str, Any]:
    folders = {"logs": "/var/log", "containers": "/var/lib/docker/containers"}
    field = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    container = {
        "name": node.name,
        "image": node.image,
        "args": list(node.args),
        "env": [
            {"name": "NODE_NAME", "valueFrom": field},
            {"name": "HEADROOM_HOST", "valueFrom": field},
            {"name": "HEADROOM_ENVIRONMENT", "value": env},
            *({"name": name, "value": value} for name, value in node.environment.items()),
            *(_secret(node, name) for name in node.secrets),
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        },
        # Only root may read what the kubelet writes, on most distributions of Kubernetes.
        "securityContext": {"runAsUser": 0, "allowPrivilegeEscalation": False},
        "volumeMounts": [
            {"name": "config", "mountPath": node.mount, "readOnly": True},
            *(
                {"name": name, "mountPath": path, "readOnly": True}
                for name, path in folders.items()
            ),
            {"name": "state", "mountPath": node.state},
        ],
    }
    return {
        "serviceAccountName": node.name,
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 60,
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": node.name}},
            *({"name": name, "hostPath": {"path": path}} for name, path in folders.items()),
            {"name": "state", "hostPath": {"path": node.state, "type": "DirectoryOrCreate"}},
        ],
    }


def _secret(node: Node, name: str) -> dict[str, Any]:
    reference = {"name": node.name, "key": name, "optional": True}
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}
