"""Objects of Kubernetes that run the agent on every node and the gateway, and Helm values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from collectors.tagging.model import Plan
from collectors.tagging.otelcol_parts.assembly import STATE
from collectors.tagging.otelcol_parts.names import release
from collectors.tagging.otelcol_parts.text import Tree, expandable
from collectors.tagging.texts import comment, yaml_text
from slo.collecting import Destination

AGENT = "headroom-otelcol"
GATEWAY = "headroom-otelcol-gateway"
_IMAGE = "otel/opentelemetry-collector-contrib"
_CONFIG = "/etc/headroom-otelcol"
_SECRET = "headroom-otelcol"  # noqa: S105 - the name of an object
_PORTS = {"otlp-grpc": 4317, "otlp-http": 4318}
_CREDENTIALS: Mapping[Destination, tuple[str, ...]] = {
    Destination.OTLP: ("HEADROOM_ENDPOINT", "HEADROOM_TOKEN"),
    Destination.ELASTICSEARCH: ("ELASTICSEARCH_ENDPOINT", "ELASTICSEARCH_API_KEY"),
    Destination.OPENSEARCH: (
        *("OPENSEARCH_ENDPOINT", "OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD"),
        *("HEADROOM_ENDPOINT", "HEADROOM_TOKEN"),
    ),
    Destination.LOKI: ("LOKI_ENDPOINT", "HEADROOM_ENDPOINT", "HEADROOM_TOKEN"),
    Destination.NEW_RELIC: ("NEW_RELIC_REGION", "NEW_RELIC_ENDPOINT", "NEW_RELIC_API_KEY"),
    Destination.WAVEFRONT: ("WAVEFRONT_PROXY_ENDPOINT",),
    Destination.SPLUNK_OBSERVABILITY: (
        *("SPLUNK_REALM", "SPLUNK_ENDPOINT", "SPLUNK_ACCESS_TOKEN"),
        *("HEADROOM_ENDPOINT", "HEADROOM_TOKEN"),
    ),
}
_READS = (
    ("", ("namespaces", "nodes", "pods")),
    ("apps", ("daemonsets", "deployments", "replicasets", "statefulsets")),
    ("batch", ("cronjobs", "jobs")),
)


def daemonset(plan: Plan, version: tuple[int, ...], config: str, header: Sequence[str]) -> str:
    """The agent on every node: account, rights, configuration and DaemonSet."""
    account = {"kind": "ServiceAccount", "name": AGENT, "namespace": "observability"}
    pod = _pod(plan, version, AGENT, _agent_variables(), _agent_volumes())
    pod |= {"serviceAccountName": AGENT, "tolerations": [{"operator": "Exists"}]}
    # Only root may read what the kubelet writes, on most distributions of Kubernetes.
    pod["containers"][0]["securityContext"] |= {"runAsUser": 0}
    for port in pod["containers"][0]["ports"][:2]:
        port["hostPort"] = port["containerPort"]
    return _objects(
        header,
        _object(plan, "v1", "ServiceAccount", AGENT),
        _object(plan, "rbac.authorization.k8s.io/v1", "ClusterRole", AGENT, rules=_rules()),
        _object(
            plan,
            "rbac.authorization.k8s.io/v1",
            "ClusterRoleBinding",
            AGENT,
            roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": AGENT},
            subjects=[account],
        ),
        _object(plan, "v1", "ConfigMap", AGENT, data={"config.yaml": config}),
        _object(
            plan,
            "apps/v1",
            "DaemonSet",
            AGENT,
            spec={
                "selector": {"matchLabels": _selector(AGENT)},
                "updateStrategy": {"rollingUpdate": {"maxUnavailable": "10%"}},
                "template": {"metadata": {"labels": _selector(AGENT)}, "spec": pod},
            },
        ),
    )


def gateway(plan: Plan, version: tuple[int, ...], config: str, header: Sequence[str]) -> str:
    """The gateway: configuration, disk for its queue, Deployment and Service."""
    names = _CREDENTIALS[plan.settings.destination]
    volumes = {"state": (STATE, {"persistentVolumeClaim": {"claimName": GATEWAY}})}
    pod = _pod(plan, version, GATEWAY, [_secret(name) for name in names], volumes)
    pod["securityContext"] = {"runAsNonRoot": True, "runAsUser": 10001, "fsGroup": 10001}
    ports = [{"name": name, "port": port, "targetPort": name} for name, port in _PORTS.items()]
    claim = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "5Gi"}},
    }
    return _objects(
        header,
        _object(plan, "v1", "ConfigMap", GATEWAY, data={"config.yaml": config}),
        _object(plan, "v1", "PersistentVolumeClaim", GATEWAY, spec=claim),
        _object(
            plan,
            "apps/v1",
            "Deployment",
            GATEWAY,
            spec={
                "replicas": 1,
                # The queue on disk has one reader; two at once would lock each other out.
                "strategy": {"type": "Recreate"},
                "selector": {"matchLabels": _selector(GATEWAY)},
                "template": {"metadata": {"labels": _selector(GATEWAY)}, "spec": pod},
            },
        ),
        _object(
            plan,
            "v1",
            "Service",
            GATEWAY,
            spec={"selector": _selector(GATEWAY), "ports": ports},
        ),
    )


def helm_values(plan: Plan, version: tuple[int, ...], config: Tree, header: Sequence[str]) -> str:
    """Values for the Collector's official chart, whose templates read the configuration."""
    volumes = _agent_volumes()
    values = {
        "mode": "daemonset",
        "fullnameOverride": AGENT,
        "image": {"repository": _IMAGE, "tag": release(version)},
        "alternateConfig": untemplated(expandable(config)),
        "clusterRole": {"create": True, "rules": _rules()},
        "extraEnvs": _agent_variables(),
        "extraVolumes": [{"name": name, **source} for name, (_, source) in volumes.items()],
        "extraVolumeMounts": _mounts(volumes),
        "podAnnotations": {"headroom/environment": plan.env},
        "securityContext": {"runAsUser": 0},
        "tolerations": [{"operator": "Exists"}],
        "ports": {"jaeger-compact": _off(), "jaeger-thrift": _off(), "jaeger-grpc": _off()}
        | {"zipkin": _off()},
    }
    return yaml_text(values, header)


def untemplated(value: Any) -> Any:
    """A part of a configuration whose texts a Helm template prints as they are."""
    if isinstance(value, str):
        return value.replace("{{", "{{ `{{` }}")
    if isinstance(value, Mapping):
        return {key: untemplated(each) for key, each in value.items()}
    return [untemplated(each) for each in value] if isinstance(value, list) else value


def _off() -> dict[str, bool]:
    return {"enabled": False}


def _selector(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name}


def _rules() -> list[dict[str, list[str]]]:
    verbs = ["get", "list", "watch"]
    return [
        {"apiGroups": [group], "resources": [*resources], "verbs": verbs}
        for group, resources in _READS
    ]


def _object(plan: Plan, version: str, kind: str, name: str, **more: Any) -> dict[str, Any]:
    spread = kind.startswith("Cluster")
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {
            "name": name,
            **({} if spread else {"namespace": "observability"}),
            "labels": _selector(name),
            "annotations": {"headroom/environment": plan.env},
        },
        **more,
    }


def _objects(header: Sequence[str], *objects: Mapping[str, Any]) -> str:
    return comment(header) + "---\n".join(yaml_text(each, ()) for each in objects)


def _agent_variables() -> list[dict[str, Any]]:
    node = {"fieldRef": {"fieldPath": "spec.nodeName"}}
    return [
        {"name": "NODE_NAME", "valueFrom": node},
        {"name": "HEADROOM_ENDPOINT", "value": f"http://{GATEWAY}:4318"},
        _secret("HEADROOM_TOKEN"),
    ]


def _secret(name: str) -> dict[str, Any]:
    reference = {"name": _SECRET, "key": name, "optional": True}
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}


_Volumes = dict[str, tuple[str, dict[str, Any]]]


def _agent_volumes() -> _Volumes:
    state = {"path": STATE, "type": "DirectoryOrCreate"}
    return {
        "logs": ("/var/log", {"hostPath": {"path": "/var/log"}}),
        "containers": (
            "/var/lib/docker/containers",
            {"hostPath": {"path": "/var/lib/docker/containers"}},
        ),
        "state": (STATE, {"hostPath": state}),
    }


def _mounts(volumes: _Volumes) -> list[dict[str, Any]]:
    return [
        {"name": name, "mountPath": path, **({} if name == "state" else {"readOnly": True})}
        for name, (path, _) in volumes.items()
    ]


def _pod(
    plan: Plan,
    version: tuple[int, ...],
    name: str,
    variables: list[dict[str, Any]],
    volumes: _Volumes,
) -> dict[str, Any]:
    health = {"httpGet": {"path": "/", "port": "health"}}
    ports = {**_PORTS, "health": 13133}
    container = {
        "name": "otelcol",
        "image": f"{_IMAGE}:{release(version)}",
        "args": [f"--config={_CONFIG}/config.yaml"],
        "env": [*variables, {"name": "HEADROOM_ENVIRONMENT", "value": plan.env}],
        "ports": [{"name": each, "containerPort": port} for each, port in ports.items()],
        "livenessProbe": {**health, "initialDelaySeconds": 30},
        "readinessProbe": dict(health),
        "resources": {
            "requests": {"cpu": "100m", "memory": "256Mi"},
            "limits": {"memory": "1Gi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": _CONFIG, "readOnly": True},
            *_mounts(volumes),
        ],
    }
    return {
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": name}},
            *({"name": each, **source} for each, (_, source) in volumes.items()),
        ],
    }
