"""Prometheus: scrape jobs whose series carry their application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from collectors.tagging.discovery import consul_job, ec2_job
from collectors.tagging.endpoints import Endpoint
from collectors.tagging.engines import Engine
from collectors.tagging.header import header
from collectors.tagging.model import Plan
from collectors.tagging.relabeling import Rule, keep, static
from collectors.tagging.scraping import Scraping, scraping
from collectors.tagging.texts import json_text, yaml_text

_NAME = "prometheus"
_VERSION = "3.11"
_SCRAPE_FILES_SINCE = (2, 43)
_ENDPOINT = "http://127.0.0.1:8501"
_INTERVAL = "30s"
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_KUBERNETES = "__meta_kubernetes_"

Job = Mapping[str, object]


def files(plan: Plan) -> Mapping[str, str]:
    """Files for ``scrape_config_files``, a configuration that names them, and remote write."""
    if not plan.streams:
        return {}
    found = scraping(plan)
    jobs = {
        "scrape.yaml": tuple(_static_jobs(plan, found)),
        "kubernetes.yaml": tuple(_kubernetes_jobs(plan, found)),
        "consul.yaml": (consul_job(plan),),
        "ec2.yaml": (ec2_job(plan),),
    }
    written = {
        name: _scrape_file(plan, each, found.left_out if name == "scrape.yaml" else ())
        for name, each in jobs.items()
        if each
    }
    written["prometheus.yaml"] = _main(plan, jobs)
    written["remote_write.yaml"] = _remote_write(plan)
    written |= dict(_target_files(found))
    return written


def _scrape_file(plan: Plan, jobs: Sequence[Job], left_out: Sequence[str]) -> str:
    notes = [f"{each[0].upper()}{each[1:]}." for each in left_out]
    return yaml_text({"scrape_configs": list(jobs)}, header(plan, _NAME, *notes))


def _main(plan: Plan, jobs: Mapping[str, Sequence[Job]]) -> str:
    usual = [name for name in ("scrape.yaml", "kubernetes.yaml") if jobs[name]]
    document: dict[str, object] = {"global": {"scrape_interval": _interval(plan)}}
    more = ["Where Consul or EC2 know the targets, add consul.yaml or ec2.yaml."]
    if plan.version(_NAME, _VERSION)[:2] >= _SCRAPE_FILES_SINCE:
        document["scrape_config_files"] = usual
    else:
        more.append("Prometheus reads scrape_config_files since 2.43: the jobs stand here as well.")
        document["scrape_configs"] = [job for name in usual for job in jobs[name]]
    more.append("Add what remote_write.yaml holds to send the series to Headroom.")
    return yaml_text(document, header(plan, _NAME, *more))


def _interval(plan: Plan) -> str:
    found = [
        slo.indicator.scrape_interval
        for environment in plan.environments().values()
        for slo in environment.slos
    ]
    return str(min(found, key=lambda each: each.milliseconds)) if found else _INTERVAL


def _remote_write(plan: Plan) -> str:
    base = (plan.settings.endpoint or _ENDPOINT).rstrip("/")
    apps = list(dict.fromkeys(stream.app for stream in plan.streams))
    write: dict[str, object] = {
        "name": "headroom",
        "url": f"{base}/api/v1/write",
        "send_exemplars": True,
        "send_native_histograms": True,
        "write_relabel_configs": [keep(["app", "infra_kind"], f"({'|'.join(apps)});.*|;.+")],
        "queue_config": {"min_backoff": "1s", "max_backoff": "1m"},
    }
    more = (
        f"HEADROOM_ENDPOINT is {base}: Prometheus has no variables here.",
        "Where Headroom asks for a token, add to the entry:",
        "  authorization: {credentials_file: /etc/prometheus/headroom-token}",
        "What cannot be sent waits in Prometheus' own write-ahead log, for two hours at most.",
    )
    return yaml_text({"remote_write": [write]}, header(plan, _NAME, *more))


def _static_jobs(plan: Plan, found: Scraping) -> Iterator[Job]:
    for unit in found.endpoints:
        yield _job(
            plan,
            unit.name,
            {"static_configs": [_group(each, unit.labels) for each in unit.endpoints]},
            metric_rules=unit.metric_rules,
        )
    for shared, name in ((False, "hosts"), (True, "hosts-shared")):
        units = [unit for unit in found.hosts if unit.shared is shared]
        if units:
            yield _job(
                plan,
                name,
                {"file_sd_configs": [{"files": [f"targets/{name}.json"]}]},
                metric_rules=units[0].metric_rules,
            )


def _target_files(found: Scraping) -> Iterator[tuple[str, str]]:
    for shared, name in ((False, "hosts"), (True, "hosts-shared")):
        groups = [
            _group(each, unit.labels)
            for unit in found.hosts
            if unit.shared is shared
            for each in unit.endpoints
        ]
        if groups:
            yield f"targets/{name}.json", json_text(groups)


def _group(endpoint: Endpoint, labels: Mapping[str, str]) -> Mapping[str, object]:
    return {"targets": [endpoint.address], "labels": {**labels, **endpoint.hidden_labels}}


def _job(
    plan: Plan,
    name: str,
    discovery: Mapping[str, object],
    *,
    rules: Iterable[Rule] = (),
    metric_rules: Iterable[Rule] = (),
    more: Mapping[str, object] | None = None,
) -> Job:
    relabel, metric_relabel = list(rules), list(metric_rules)
    return {
        "job_name": f"{plan.env}-{name}",
        "honor_labels": False,
        **(more or {}),
        **discovery,
        **({"relabel_configs": relabel} if relabel else {}),
        **({"metric_relabel_configs": metric_relabel} if metric_relabel else {}),
    }


def _kubernetes_jobs(plan: Plan, found: Scraping) -> Iterator[Job]:
    for unit in found.pods:
        if unit.pods is None:
            continue
        discovery = {
            "role": "pod",
            "namespaces": {"names": list(unit.pods.namespaces)},
            "attach_metadata": {"node": True},
        }
        yield _job(
            plan,
            f"{unit.name}-pods",
            {"kubernetes_sd_configs": [discovery]},
            rules=(*unit.pod_rules, *unit.owner_rules),
            metric_rules=unit.metric_rules,
        )
    for engine in found.cluster_engines:
        yield _cluster_job(plan, engine, found)


def _cluster_job(plan: Plan, engine: Engine, found: Scraping) -> Job:
    labels = {"job": engine.name, "env": plan.env, "infra_kind": engine.name}
    tags = [static(label, value) for label, value in labels.items()]
    if engine.name == "cadvisor":
        rules = [static("__metrics_path__", "/metrics/cadvisor")]
        rules.append({"source_labels": [f"{_KUBERNETES}node_name"], "target_label": "node"})
        access: dict[str, object] = {
            "scheme": "https",
            "authorization": {"credentials_file": f"{_SERVICE_ACCOUNT}/token"},
            "tls_config": {"ca_file": f"{_SERVICE_ACCOUNT}/ca.crt"},
        }
        role = "node"
    else:
        name, port = f"{_KUBERNETES}pod_label_app_kubernetes_io_name", "pod_container_port_number"
        rules = [
            keep([name, f"{_KUBERNETES}{port}"], f"{engine.name};{engine.port}"),
            keep([f"{_KUBERNETES}pod_phase"], "Running"),
        ]
        role, access = "pod", {}
    return _job(
        plan,
        engine.name,
        {"kubernetes_sd_configs": [{"role": role}]},
        rules=(*rules, *tags),
        metric_rules=found.cluster_rules,
        more=access,
    )
