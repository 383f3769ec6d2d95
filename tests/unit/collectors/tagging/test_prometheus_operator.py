"""The operator's objects hold the same rules as Prometheus' own files."""

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from collectors.tagging.model import Convention
from collectors.tagging.prometheus import files as prometheus_files
from collectors.tagging.prometheus_operator import files
from tests.unit.collectors.tagging.graphs.prometheus import jobs
from tests.unit.collectors.tagging.metrics_examples import metrics_plan

PLAN = metrics_plan()
_NAMES = {"sourceLabels": "source_labels", "targetLabel": "target_label"}


def objects() -> dict[tuple[str, str], dict[str, Any]]:
    """Every object by its kind and name; no two are the same."""
    found = [each for text in files(PLAN).values() for each in yaml.safe_load_all(text)]
    named = {(each["kind"], each["metadata"]["name"]): each for each in found}
    assert len(found) == len(named)
    return named


def rules(found: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rules as Prometheus itself spells them."""
    return [{_NAMES.get(key, key): value for key, value in rule.items()} for rule in found]


def test_the_files_read_as_reviewed(golden: Callable[[str, str], None]) -> None:
    """One for each application, one for what is shared, one for the cluster."""
    written = files(PLAN)
    assert ["cargo.yaml", "cluster.yaml", "shared.yaml", "ticketing.yaml"] == list(written)
    for name, text in written.items():
        golden(f"collectors/prometheus-operator/{name}", text)


def test_a_pod_monitor_relabels_as_the_scrape_job_does() -> None:
    """One meaning, two spellings."""
    monitor = objects()["PodMonitor", "headroom-ticketing-prod.api"]
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    job = jobs(prometheus_files(PLAN)["kubernetes.yaml"])["prod-ticketing-api-pods"]
    assert job["relabel_configs"] == rules(endpoint["relabelings"])
    assert endpoint["honorLabels"] is False
    assert {"matchNames": ["ticketing"]} == monitor["spec"]["namespaceSelector"]


def test_a_shared_engine_is_one_object_with_the_shares_of_all() -> None:
    """Its metric rules are those of the scrape job."""
    config = objects()["ScrapeConfig", "headroom-shared-prod.common.shared-cargo-bookings"]
    job = jobs(prometheus_files(PLAN)["scrape.yaml"])["prod-shared-cargo-bookings"]
    assert job["metric_relabel_configs"] == rules(config["spec"]["metricRelabelings"])
    assert job["static_configs"] == config["spec"]["staticConfigs"]
    assert "app.kubernetes.io/part-of" not in config["metadata"]["labels"]


def test_hosts_and_own_engines_carry_every_tag() -> None:
    """As labels of static targets."""
    expected = {
        each.component.name: each.tags(Convention.LABEL)
        for each in PLAN.streams
        if each.app == "ticketing"
    }
    found = objects()
    hosts = found["ScrapeConfig", "headroom-ticketing-prod.node.hosts"]["spec"]["staticConfigs"]
    redis = found["ScrapeConfig", "headroom-ticketing-prod.sessions"]["spec"]["staticConfigs"]
    assert expected["batch"].items() <= hosts[0]["labels"].items()
    assert expected["sessions"].items() <= redis[0]["labels"].items()


def test_the_cluster_s_series_keep_their_own_namespace() -> None:
    """What the operator says of the service in between is taken off first."""
    monitor = objects()["ServiceMonitor", "headroom-shared-prod.common.kube-state-metrics"]
    (endpoint,) = monitor["spec"]["endpoints"]
    first = endpoint["relabelings"][0]
    assert "labeldrop" == first["action"]
    assert {"namespace", "pod", "service"} <= set(first["regex"].split("|"))
    job = jobs(prometheus_files(PLAN)["kubernetes.yaml"])["prod-kube-state-metrics"]
    assert job["metric_relabel_configs"] == rules(endpoint["metricRelabelings"])


def test_a_probe_keeps_the_instance_that_the_objective_selects() -> None:
    """Even where the exporter is asked without the scheme."""
    probe = objects()["Probe", "headroom-ticketing-prod.sockets"]["spec"]
    static = probe["targets"]["staticConfig"]
    assert ["tickets.example:443"] == static["static"]
    assert [{"targetLabel": "instance", "replacement": "tcp://tickets.example:443"}] == static[
        "relabelingConfigs"
    ]
    assert ("ticketing", "sockets") == (static["labels"]["app"], static["labels"]["slo"])
