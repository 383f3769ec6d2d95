"""Every series that Prometheus scrapes carries its own application, and no other's."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.tagging.model import Convention, Plan, Stream
from collectors.tagging.prometheus import files
from slo.collecting import Collecting
from slo.model import Component
from tests.unit.collectors.tagging.examples import plan_of
from tests.unit.collectors.tagging.graphs.prometheus import (
    jobs,
    path,
    relabeled,
    series,
    static_targets,
)
from tests.unit.collectors.tagging.metrics_examples import CARGO, TICKETING, metrics_plan

POD = "__meta_kubernetes_pod_"
PLAN = metrics_plan()
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30)


def stream(plan: Plan, name: str) -> Stream:
    """The stream of ``app/component``."""
    return next(each for each in plan.streams if f"{each.app}/{each.component.name}" == name)


def pod(namespace: str, name: str, controller: str, **more: str) -> dict[str, str]:
    """A running pod's target, as Prometheus discovers it, at a port named ``metrics``."""
    return {
        "__address__": "10.0.0.7:8080",
        "__meta_kubernetes_namespace": namespace,
        f"{POD}name": name,
        f"{POD}controller_kind": controller,
        f"{POD}phase": "Running",
        f"{POD}container_name": "main",
        f"{POD}container_port_name": "metrics",
        f"{POD}container_port_number": "8080",
        f"{POD}node_name": "node-1",
        f"{POD}label_app_kubernetes_io_version": "1.2.3",
        **more,
    }


@cache
def _of_the_example() -> Mapping[str, str]:
    return files(PLAN)


def written_for(plan: Plan) -> Mapping[str, str]:
    """The files for a plan; those of the example are made once."""
    return _of_the_example() if plan is PLAN else files(plan)


def found(plan: Plan, target: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The labels of a pod by the job that takes it."""
    namespace = target["__meta_kubernetes_namespace"]
    taken = {}
    for name, job in jobs(written_for(plan)["kubernetes.yaml"]).items():
        names = job["kubernetes_sd_configs"][0].get("namespaces", {}).get("names", [])
        labels = relabeled(target, job["relabel_configs"]) if namespace in names else None
        if labels is not None:
            taken[name] = labels
    return taken


def shared_series(plan: Plan, job_name: str, **exposed: str) -> dict[str, str]:
    """A series of a shared target, after everything."""
    job = jobs(written_for(plan)["scrape.yaml"])[job_name]
    (target,) = static_targets(job)
    labels = series(target, job, exposed)
    assert labels is not None
    return labels


@pytest.mark.parametrize("version", ["2.42", "3.11"])
def test_the_files_read_as_reviewed(golden: Callable[[str, str], None], version: str) -> None:
    """Prometheus reads files of scrape jobs since 2.43; an older one needs them in one file."""
    plan = metrics_plan(Collecting(versions={"prometheus": version}))

    for name, text in files(plan).items():
        if version == "3.11" or name == "prometheus.yaml":
            golden(f"collectors/prometheus/{version}/{name}", text)


def test_the_same_plan_gives_the_same_bytes() -> None:
    """Nothing depends on when or where it is made."""
    assert dict(files(metrics_plan())) == dict(files(metrics_plan()))


def test_every_tag_reaches_the_series_of_a_pod() -> None:
    """The static ones with their values, the version out of the pod's label."""
    plan = PLAN
    ((name, labels),) = found(
        plan, pod("ticketing", "api-5d4f8b7c9-x2z4q", "ReplicaSet", app="x")
    ).items()
    assert "prod-ticketing-api-pods" == name
    job = jobs(written_for(plan)["kubernetes.yaml"])[name]
    after = series(labels, job, {"__name__": "http_requests_total", "app": "cargo"})
    assert after is not None

    way = path("pod", after, "storage")
    expected = stream(plan, "ticketing/api").tags(Convention.LABEL)
    assert expected.items() <= way.tags.items()
    assert frozenset({"version"}) == way.lifted
    assert "ticketing/ticketing-api" == way.tags["job"]
    assert ("cargo", "node-1", "main") == tuple(
        way.tags[each] for each in ("exported_app", "node", "container")
    )


def test_every_tag_reaches_the_series_of_an_endpoint_of_its_own() -> None:
    """Static and file-based targets carry what the component's stream carries."""
    plan = PLAN
    written = written_for(plan)
    (target,) = static_targets(jobs(written["scrape.yaml"])["prod-ticketing-sessions"])
    assert stream(plan, "ticketing/sessions").tags(Convention.LABEL).items() <= target.items()
    assert "redis.ticketing.example:9121" == target["__address__"]
    (host,) = json.loads(written["targets/hosts.json"])
    assert stream(plan, "ticketing/batch").tags(Convention.LABEL).items() <= host["labels"].items()


def test_a_pod_is_scraped_by_one_job_alone() -> None:
    """A component that has the rest of a namespace leaves what others name to them."""
    plan = PLAN
    assert ["prod-cargo-pricing-pods"] == list(
        found(plan, pod("cargo", "pricing-0", "StatefulSet"))
    )
    assert ["prod-cargo-api-pods"] == list(found(plan, pod("cargo", "web-7c9-abcde", "ReplicaSet")))


@pytest.mark.parametrize(
    "change",
    [
        {f"{POD}phase": "Succeeded"},
        {f"{POD}phase": "Failed"},
        {f"{POD}container_init": "true"},
        {f"{POD}annotation_prometheus_io_scrape": "false"},
        {f"{POD}container_port_name": "http"},
        {f"{POD}name": "api-worker"},
        {f"{POD}controller_kind": "Job"},
    ],
)
def test_pods_that_serve_no_metrics_are_dropped(change: Mapping[str, str]) -> None:
    """Finished ones, init containers, other ports and other workloads."""
    target = pod("ticketing", "api-5d4f8b7c9-x2z4q", "ReplicaSet")
    assert ["prod-ticketing-api-pods"] == list(found(PLAN, target))
    assert {} == found(PLAN, {**target, **change})


@pytest.mark.parametrize(
    ("address", "expected"),
    [("10.0.0.7:8080", "10.0.0.7:9999"), ("[fd00::7]:8080", "[fd00::7]:9999"), ("h", "h:9999")],
)
def test_annotations_say_where_a_pod_serves_metrics(address: str, expected: str) -> None:
    """The port once, however many ports the pod declares; path and scheme as well."""
    annotation = f"{POD}annotation_prometheus_io_"
    target = pod(
        *("ticketing", "api-5d4f8b7c9-x2z4q", "ReplicaSet"),
        **{
            "__address__": address,
            f"{annotation}scrape": "true",
            f"{annotation}port": "9999",
            f"{annotation}path": "/stats",
            f"{annotation}scheme": "https",
            f"{POD}container_port_name": "http",
        },
    )
    (labels,) = found(PLAN, target).values()
    assert (expected, "/stats", "https", None) == (
        labels["__address__"],
        labels["__metrics_path__"],
        labels["__scheme__"],
        labels.get("container"),
    )


def test_only_the_share_of_a_shared_database_is_an_application_s() -> None:
    """Both applications declare it; it is scraped once, and the rest of it is nobody's."""
    plan = PLAN
    name = "prod-shared-cargo-bookings"
    mine = shared_series(plan, name, __name__="pg_stat_database_xact_commit", datname="tickets")
    assert stream(plan, "ticketing/orders").tags(Convention.LABEL).items() <= mine.items()
    both = shared_series(plan, name, __name__="pg_x", datname="freight", schemaname="public")
    assert stream(plan, "cargo/bookings").tags(Convention.LABEL).items() <= both.items()
    for other in ({"datname": "freight"}, {"datname": "tickets2"}, {"datname": "xtickets"}, {}):
        labels = shared_series(plan, name, __name__="pg_x", app="ticketing", **other)
        assert {"app", "team", "tier", "service"}.isdisjoint(labels)
        assert ("prod", "pg.example:5432", "ticketing") == (
            labels["env"],
            labels["infra_id"],
            labels["exported_app"],
        )
    assert 1 == written_for(plan)["scrape.yaml"].count("'pg.example:9187'")


def test_a_backend_is_told_from_a_frontend_of_the_same_name() -> None:
    """HAProxy has both names in one label."""
    plan = PLAN
    name = "prod-shared-cargo-edge"
    back = shared_series(plan, name, __name__="haproxy_backend_sessions_total", proxy="tickets")
    front = shared_series(plan, name, __name__="haproxy_frontend_sessions_total", proxy="tickets")
    assert ("ticketing", None) == (back["app"], front.get("app"))


def test_the_series_of_a_cluster_follow_its_namespaces() -> None:
    """Those of a namespace that one application has; within it, of known workloads with service."""
    plan = PLAN
    for name in ("prod-kube-state-metrics", "prod-cadvisor"):
        job = jobs(written_for(plan)["kubernetes.yaml"])[name]
        target = {"job": "x", "env": "prod"}
        mine = series(target, job, {"namespace": "ticketing", "pod": "api-5d4f8b7c9-x2z4q"})
        rest = series(target, job, {"namespace": "ticketing", "service": "search"})
        theirs = series(target, job, {"namespace": "cargo", "pod": "ticketing-0"})
        nobody = series(target, job, {"namespace": "ingress", "pod": "nginx-abcde"})
        assert mine is not None
        assert rest is not None
        assert theirs is not None
        assert nobody is not None
        assert ("ticketing", "ticketing-api") == (mine["app"], mine["service"])
        assert ("ticketing", "search") == (rest["app"], rest["service"])
        assert ("cargo", None) == (theirs["app"], theirs.get("service"))
        assert {"app", "team"}.isdisjoint(nobody)


def test_what_two_applications_declare_without_shares_is_nobody_s() -> None:
    """A host or an exporter of both is context."""
    plan = PLAN
    (group,) = json.loads(written_for(plan)["targets/hosts-shared.json"])
    assert ["shared-1.example:9100"] == group["targets"]
    assert {"job", "env", "infra_kind", "infra_id"} == set(group["labels"])
    assert "shared-1.example" == group["labels"]["infra_id"]


def test_a_share_within_a_share_is_its_own_s() -> None:
    """The wider one has the rest; equal shares of two applications are nobody's."""
    wide = TICKETING.replace("share: {database: tickets}", "share: {database: freight}")
    (plan,) = plan_of(wide, CARGO)
    name = "prod-shared-cargo-bookings"
    narrow = shared_series(plan, name, __name__="pg_x", datname="freight", schemaname="public")
    rest = shared_series(plan, name, __name__="pg_x", datname="freight", schemaname="other")
    assert ("cargo", "bookings", None) == (narrow["app"], narrow["service"], narrow.get("tier"))
    assert ("ticketing", "orders") == (rest["app"], rest["service"])

    equal = CARGO.replace(", schema: public", "")
    (plan,) = plan_of(wide, equal)
    assert "app" not in shared_series(plan, name, __name__="pg_x", datname="freight")


def test_the_owner_in_consul_and_ec2_comes_from_tags_the_rest_from_its_file() -> None:
    """A tag that names no application of ours, or two of them, makes no target."""
    plan = PLAN
    written = written_for(plan)
    (consul,) = jobs(written["consul.yaml"]).values()

    def service(*tags: str) -> dict[str, str] | None:
        labels = {"__meta_consul_tags": f",{','.join(tags)},", "__meta_consul_service": "api"}
        return relabeled(labels, consul["relabel_configs"])

    labels = service("team=hackers", "app=ticketing", "env=prod", "version=7")
    assert labels is not None
    assert stream(plan, "ticketing/api").tags(Convention.LABEL).items() <= labels.items()
    assert "7" == labels["version"]
    assert service("app=ticketing") is not None
    for refused in (["app=other"], ["x"], ["app=ticketing", "app=cargo"], ["app=cargo", "env=dev"]):
        assert service(*refused) is None

    (ec2,) = jobs(written["ec2.yaml"]).values()
    tags = {"__meta_ec2_tag_app": "cargo", "__meta_ec2_tag_service": "pricing"}
    instance = relabeled(tags, ec2["relabel_configs"])
    assert instance is not None
    assert stream(plan, "cargo/pricing").tags(Convention.LABEL).items() <= instance.items()
    assert ["eu-west-1"] == [each["region"] for each in ec2["ec2_sd_configs"]]


def test_an_address_that_no_scraper_takes_is_left_out_and_said() -> None:
    """One bad address would keep Prometheus from loading all others."""
    bad = "['http://u:secret@h:1/m', 'ftp://h/m', 'a b', 'h:1', 'http://[fd00::1]:2/x?a=b']"
    text = TICKETING.replace("['https://tick-1.example/internal/metrics?verbose=1']", bad)
    (plan,) = plan_of(text)
    written = written_for(plan)["scrape.yaml"]
    batch = jobs(written)["prod-ticketing-batch"]
    assert [("h:1", None), ("[fd00::1]:2", "/x")] == [
        (each["__address__"], each.get("__metrics_path__")) for each in static_targets(batch)
    ]
    assert 3 == written.count("# Not scraped here: ticketing/batch at ")
    yaml.safe_load(written)


def test_remote_write_sends_what_belongs_to_an_application_or_is_shared() -> None:
    """Headroom is not filled with what it cannot attribute."""
    written = yaml.safe_load(
        files(metrics_plan(Collecting(endpoint="https://headroom.example/")))["remote_write.yaml"]
    )
    (write,) = written["remote_write"]
    assert "https://headroom.example/api/v1/write" == write["url"]
    rules = write["write_relabel_configs"]
    assert relabeled({"app": "cargo"}, rules) is not None
    assert relabeled({"infra_kind": "postgresql"}, rules) is not None
    assert relabeled({"job": "x"}, rules) is None
    assert relabeled({"app": "other", "infra_kind": "x"}, rules) is None


def test_a_plan_without_anything_has_no_files() -> None:
    """There is nothing to scrape."""
    assert {} == files(replace(metrics_plan(), streams=()))


def _hostile(plan: Plan, component: str, team: str, change: Component) -> Plan:
    """The one component alone, changed: small enough to be made many times."""
    chosen = stream(plan, component)
    changed = replace(chosen, component=change, values={**chosen.values, "team": team})
    return replace(plan, streams=(changed,))


@settings(max_examples=50)
@given(team=TEXT, database=TEXT, schema=TEXT, other=TEXT)
def test_hostile_values_mean_themselves(team: str, database: str, schema: str, other: str) -> None:
    """Through YAML, through regular expressions and through replacements with ``$``."""
    plan = PLAN
    part = replace(
        stream(plan, "cargo/bookings").component, share={"database": database, "schema": schema}
    )
    changed = _hostile(plan, "cargo/bookings", team, part)
    name = "prod-shared-cargo-bookings"
    mine = shared_series(changed, name, __name__="pg_x", datname=database, schemaname=schema)
    assert ("cargo", team) == (mine["app"], mine["team"])
    for values in ((other, schema), (database, other), (f"{database};{schema}", "")):
        if values != (database, schema):
            labels = shared_series(
                changed, name, __name__="pg_x", datname=values[0], schemaname=values[1]
            )
            assert "cargo" != labels.get("app")


@settings(max_examples=50)
@given(team=TEXT, label=TEXT, host=TEXT, path_text=TEXT)
def test_hostile_targets_load(team: str, label: str, host: str, path_text: str) -> None:
    """Every target is one that Prometheus takes, or is left out."""
    plan = PLAN
    part = replace(
        stream(plan, "ticketing/batch").component,
        hosts=(host,),
        metrics=(f"http://h:1/{path_text}", host),
        pod_labels={"k": label},
    )
    written = files(_hostile(plan, "ticketing/batch", team, part))
    found = jobs(written["scrape.yaml"])
    for job in found.values():
        for target in static_targets(job):
            assert "/" not in target["__address__"]
    (target, *_) = static_targets(found["prod-ticketing-batch"])
    assert team == target["team"]
    given_path = f"/{path_text}".rstrip().split("?")[0].split("#")[0]
    assert given_path == target.get("__metrics_path__", "/metrics")
