"""The Prometheus Operator: monitors, scrape configurations and probes as Kubernetes objects."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from collectors.tagging.endpoints import Endpoint
from collectors.tagging.engines import Engine
from collectors.tagging.header import header
from collectors.tagging.model import Plan
from collectors.tagging.probing import EXPORTER, Probed, probes
from collectors.tagging.relabeling import Rule, static
from collectors.tagging.scraping import Scraping, by_app, scraping
from collectors.tagging.texts import yaml_text
from collectors.tagging.units import Unit
from slo.naming import object_name

_NAME = "prometheus-operator"
_GROUP = "monitoring.coreos.com"
_SHARED = "shared.yaml"
_CLUSTER = "cluster.yaml"
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# What the operator says of the service in between would displace what the series themselves say.
_OF_THE_SERVICE = {"regex": "namespace|pod|service|endpoint|container", "action": "labeldrop"}

Object = Mapping[str, object]


def files(plan: Plan) -> Mapping[str, str]:
    """One file for each application, one for what several share, one for the cluster."""
    found = scraping(plan)
    probed, unprobed = probes(plan)
    objects: dict[str, list[Object]] = defaultdict(list)
    for unit in found.pods:
        objects[_file(unit)].append(_pod_monitor(plan, unit))
    for unit in found.endpoints:
        objects[_file(unit)].extend(_scrape_configs(plan, unit))
    for file, units in _hosts(found).items():
        objects[file].append(_host_config(plan, units))
    for number, probe in enumerate(probed):
        objects[f"{probe.app}.yaml"].append(_probe(plan, probe, number))
    for engine in found.cluster_engines:
        objects[_CLUSTER].append(_service_monitor(plan, engine, found))
    notes = [f"{each[0].upper()}{each[1:]}." for each in found.left_out]
    notes += [f"Not probed here: {each}." for each in unprobed]
    apps = {f"{app}.yaml": each for app, each in by_app(plan).items()}
    return {
        file: "---\n".join(
            yaml_text(each, () if i else _header(apps.get(file), plan, file, notes))
            for i, each in enumerate(objects[file])
        )
        for file in sorted(objects)
    }


def _header(own: Plan | None, plan: Plan, file: str, notes: Sequence[str]) -> Sequence[str]:
    if own is not None:
        app = own.streams[0].app
        return header(own, _NAME, *(each for each in notes if f" {app}/" in each))
    more = ("Leave it out where another monitor scrapes these already: see the docs.",)
    return header(plan, _NAME, *(more if file == _CLUSTER else ()))


def _file(unit: Unit) -> str:
    return _SHARED if unit.shared else f"{unit.members[0].app}.yaml"


def _object(plan: Plan, kind: str, app: str | None, suffix: str, spec: object) -> Object:
    version = "v1alpha1" if kind == "ScrapeConfig" else "v1"
    labels = {"app.kubernetes.io/managed-by": "headroom"}
    if app is not None:
        labels["app.kubernetes.io/part-of"] = app
    # No name of ours holds a dot, so names of different things stay different.
    name = f"{object_name(app or 'shared', plan.env)}.{'' if app else 'common.'}{suffix}"
    return {
        "apiVersion": f"{_GROUP}/{version}",
        "kind": kind,
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def _suffix(unit: Unit) -> str:
    first = unit.members[0]
    return f"{unit.name}" if unit.shared else unit.name.removeprefix(f"{first.app}-")


def _rules(rules: Iterable[Rule]) -> list[Rule]:
    names = {"source_labels": "sourceLabels", "target_label": "targetLabel"}
    return [{names.get(key, key): value for key, value in rule.items()} for rule in rules]


def _relabeled(rules: Iterable[Rule], metric_rules: Iterable[Rule]) -> Object:
    found = {"relabelings": _rules(rules), "metricRelabelings": _rules(metric_rules)}
    return {key: value for key, value in found.items() if value}


def _owner(unit: Unit) -> str | None:
    return None if unit.shared else unit.members[0].app


def _pod_monitor(plan: Plan, unit: Unit) -> Object:
    pods = unit.pods
    labels = {} if pods is None else dict(pods.labels)
    valid = {key: value for key, value in labels.items() if _LABEL_VALUE.fullmatch(value)}
    spec = {
        "namespaceSelector": {"matchNames": [] if pods is None else list(pods.namespaces)},
        "selector": {"matchLabels": valid} if valid else {},
        "attachMetadata": {"node": True},
        "podMetricsEndpoints": [
            {
                "honorLabels": False,
                **_relabeled((*unit.pod_rules, *unit.owner_rules), unit.metric_rules),
            }
        ],
    }
    return _object(plan, "PodMonitor", _owner(unit), _suffix(unit), spec)


def _static(endpoint: Endpoint, labels: Mapping[str, str]) -> Object:
    return {"targets": [endpoint.address], "labels": {**labels, **endpoint.hidden_labels}}


def _scrape_configs(plan: Plan, unit: Unit) -> Iterator[Object]:
    spec = {
        "honorLabels": False,
        "staticConfigs": [_static(each, unit.labels) for each in unit.endpoints],
        **_relabeled((), unit.metric_rules),
    }
    yield _object(plan, "ScrapeConfig", _owner(unit), _suffix(unit), spec)


def _hosts(found: Scraping) -> Mapping[str, list[Unit]]:
    files: dict[str, list[Unit]] = defaultdict(list)
    for unit in found.hosts:
        files[_file(unit)].append(unit)
    return files


def _host_config(plan: Plan, units: list[Unit]) -> Object:
    spec = {
        "honorLabels": False,
        "staticConfigs": [_static(each, unit.labels) for unit in units for each in unit.endpoints],
        **_relabeled((), units[0].metric_rules),
    }
    return _object(plan, "ScrapeConfig", _owner(units[0]), "node.hosts", spec)


def _probe(plan: Plan, probe: Probed, number: int) -> Object:
    instance = probe.labels["instance"]
    static_config: dict[str, object] = {"static": [probe.target], "labels": dict(probe.labels)}
    # The operator sets the address itself as the instance.
    if instance != probe.target:
        static_config["relabelingConfigs"] = _rules([static("instance", instance)])
    spec = {
        "interval": probe.interval,
        "module": probe.module,
        "prober": {"url": EXPORTER},
        "targets": {"staticConfig": static_config},
    }
    suffix = f"{probe.slos[0]}" if len(probe.slos) == 1 else f"{probe.slos[0]}.{number}"
    return _object(plan, "Probe", probe.app, suffix, spec)


def _service_monitor(plan: Plan, engine: Engine, found: Scraping) -> Object:
    labels = {"job": engine.name, "env": plan.env, "infra_kind": engine.name}
    tags = [static(label, value) for label, value in labels.items()]
    rules: list[Rule] = [_OF_THE_SERVICE, *tags]
    endpoint: dict[str, object] = {"honorLabels": False}
    if engine.name == "cadvisor":
        service = "kubelet"
        endpoint |= {
            "port": "https-metrics",
            "path": "/metrics/cadvisor",
            "scheme": "https",
            "bearerTokenFile": f"{_SERVICE_ACCOUNT}/token",
            "tlsConfig": {"caFile": f"{_SERVICE_ACCOUNT}/ca.crt"},
        }
    else:
        service = engine.name
        endpoint["targetPort"] = engine.port
    spec = {
        "namespaceSelector": {"any": True},
        "selector": {"matchLabels": {"app.kubernetes.io/name": service}},
        "endpoints": [{**endpoint, **_relabeled(rules, found.cluster_rules)}],
    }
    return _object(plan, "ServiceMonitor", None, engine.name, spec)
