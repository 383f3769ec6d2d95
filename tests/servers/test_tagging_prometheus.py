"""What is generated for metrics, taken by the real programs: Prometheus, vmagent, YACE, kubectl."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from collectors.tagging.model import Convention, Plan, Stream
from collectors.tagging.registry import generator
from slo.collecting import Collecting
from slo.model import Component, ComponentKind
from tests.servers.loopback import Loopback, Reply
from tests.servers.processes import Prometheus, promtool, run_tool, wait_until
from tests.unit.collectors.tagging.metrics_examples import metrics_plan

_SECRETS = {"tls_config", "authorization"}
HOSTILE = "crew \"1\" 'x' \\ ${X} $1 $$ {{ y }} %z ä #c: -"


def write(files: Mapping[str, str], folder: Path) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def hostile(plan: Plan) -> Plan:
    """The plan with teams of which every character means something somewhere."""
    streams = (replace(each, values={**each.values, "team": HOSTILE}) for each in plan.streams)
    return replace(plan, streams=tuple(streams))


@pytest.mark.parametrize("make", [metrics_plan, lambda: hostile(metrics_plan())])
def test_prometheus_of_today_takes_every_file(
    newest_prometheus_bin: Path, tmp_path: Path, make: Callable[[], Plan]
) -> None:
    """Alone and named by the main one; only secrets of the cluster are not there to be checked."""
    for name in ("prometheus", "blackbox", "yace"):
        folder = write(generator(name)(make()), tmp_path / name)
        for path in (*folder.glob("[!bct]*.yaml"), *folder.glob("consul.yaml")):
            checked = promtool(newest_prometheus_bin, "check", "config", "--syntax-only", path)
            assert checked.ok, f"{path.name}: {checked.output}"
    main = tmp_path / "prometheus" / "prometheus.yaml"
    checked = promtool(newest_prometheus_bin, "check", "config", "--syntax-only", main)
    assert checked.ok, checked.output


def test_the_oldest_prometheus_takes_what_its_build_knows(part: Any, tmp_path: Path) -> None:
    """Debian's build of 2.42 has neither Kubernetes' discovery nor Consul's."""
    binaries = part("prometheus-2.42")
    plan = metrics_plan(Collecting(versions={"prometheus": "2.42"}))
    folder = write(generator("prometheus")(plan), tmp_path)
    for name in ("scrape.yaml", "ec2.yaml", "remote_write.yaml"):
        checked = promtool(binaries, "check", "config", folder / name)
        assert checked.ok, f"{name}: {checked.output}"
    main = yaml.safe_load((folder / "prometheus.yaml").read_text())
    known = [job for job in main["scrape_configs"] if "kubernetes_sd_configs" not in job]
    assert len(known) < len(main["scrape_configs"])
    (folder / "known.yaml").write_text(json.dumps({**main, "scrape_configs": known}))
    checked = promtool(binaries, "check", "config", folder / "known.yaml")
    assert checked.ok, checked.output


def test_vmagent_takes_the_scrape_jobs(victoria_metrics_bin: Path, tmp_path: Path) -> None:
    """Those of every discovery; its dry run is strict about unknown fields."""
    folder = write(generator("prometheus")(metrics_plan()), tmp_path / "prometheus")
    write(generator("blackbox")(metrics_plan()), tmp_path / "blackbox")
    names = ("prometheus/scrape.yaml", "prometheus/kubernetes.yaml", "prometheus/consul.yaml")
    kubernetes = folder / "kubernetes.yaml"
    jobs = yaml.load(kubernetes.read_text(), Loader=yaml.CSafeLoader)["scrape_configs"]
    # vmagent reads the cluster's secrets at once, which only a pod has.
    open_jobs = [{key: job[key] for key in job.keys() - _SECRETS} for job in jobs]
    kubernetes.write_text(json.dumps({"scrape_configs": open_jobs}))
    for name in (*names, "blackbox/scrape.yaml"):
        checked = run_tool(
            victoria_metrics_bin / "vmagent",
            "-dryRun",
            "-promscrape.config.strictParse=true",
            f"-promscrape.config={folder.parent / name}",
            "-remoteWrite.url=http://127.0.0.1:1/",
            f"-remoteWrite.tmpDataPath={tmp_path / 'queue'}",
        )
        assert checked.ok, f"{name}: {checked.output}"


POSTGRES = """
pg_stat_database_xact_commit{datname="tickets"} 1
pg_stat_database_xact_commit{datname="tickets2"} 1
pg_stat_database_xact_commit{datname="freight",app="ticketing",team="thieves"} 1
pg_stat_user_tables_n_live_tup{datname="freight",schemaname="public",service="mine"} 1
pg_up 1
"""
REDIS = """
redis_up 1
redis_db_keys{db="db0",app="cargo",team="thieves"} 1
"""


def metrics_of(text: str) -> Loopback:
    """An exporter that serves a text."""
    return Loopback([Reply(body=text.encode(), headers={"Content-Type": "text/plain"})])


def at(plan: Plan, addresses: Mapping[str, str]) -> Plan:
    """Only the components of these engines, served at other addresses, of hostile teams."""
    streams = []
    for stream in hostile(plan).streams:
        address = addresses.get(stream.component.engine or "")
        if address is not None:
            component: Component = replace(stream.component, metrics=(address,))
            streams.append(replace(stream, component=component))
    return replace(plan, streams=tuple(streams))


@pytest.fixture
def exporters() -> Iterator[dict[str, str]]:
    """Two exporters, by engine."""
    with ExitStack() as stack:
        served = {"postgresql": POSTGRES, "redis": REDIS}
        yield {name: stack.enter_context(metrics_of(text)).url for name, text in served.items()}


def test_scraped_series_carry_their_own_application(
    prometheus_bin: Path, exporters: dict[str, str], tmp_path: Path
) -> None:
    """Of the shared database each has its share, and nothing that is cargo's is ticketing's."""
    plan = at(metrics_plan(), exporters)
    text = write(generator("prometheus")(plan), tmp_path) / "scrape.yaml"
    jobs = yaml.safe_load(text.read_text())["scrape_configs"]
    with Prometheus(prometheus_bin, scrape_configs=jobs, interval="1s") as server:
        wait_until(
            lambda: len(server.query("pg_up or redis_up")) == len(exporters),
            what="both exporters",
            timeout=60,
        )
        found = {
            (one.labels["__name__"], one.labels.get("datname", one.labels.get("db"))): one.labels
            for one in server.query('{__name__=~"(pg|redis)_.+"}')
        }
    tags = {f"{each.app}/{each.component.name}": _tags(each) for each in plan.streams}
    tickets = found["pg_stat_database_xact_commit", "tickets"]
    freight = found["pg_stat_user_tables_n_live_tup", "freight"]
    redis = found["redis_db_keys", "db0"]
    assert tags["ticketing/orders"].items() <= tickets.items()
    assert {**tags["cargo/bookings"], "service": "mine"}.items() <= freight.items()
    assert tags["ticketing/sessions"].items() <= redis.items()
    assert "cargo" == redis["exported_app"]
    for key in (
        ("pg_up", None),
        ("pg_stat_database_xact_commit", "tickets2"),
        ("pg_stat_database_xact_commit", "freight"),
    ):
        assert {"app", "team", "tier"}.isdisjoint(found[key])
        assert "pg.example:5432" == found[key]["infra_id"]


def _tags(stream: Stream) -> dict[str, str]:
    return stream.tags(Convention.LABEL)


def test_targets_out_of_files_are_found_beside_the_scrape_file(
    newest_prometheus_bin: Path, tmp_path: Path
) -> None:
    """Paths are relative to the file that names them, which the main file does."""
    plan = metrics_plan()
    streams = tuple(each for each in plan.streams if each.component.kind is ComponentKind.HOST)
    folder = write(generator("prometheus")(replace(plan, streams=streams)), tmp_path)
    config = {"scrape_config_files": [str(folder / "scrape.yaml")]}
    with Prometheus(newest_prometheus_bin, config=config, interval="1s") as server:
        wait_until(
            lambda: server.api("targets")["activeTargets"] != [], what="a target", timeout=60
        )
        (target,) = server.api("targets")["activeTargets"]
    assert "shared-1.example" == target["labels"]["infra_id"]


def test_objects_are_what_the_operator_s_definitions_allow(prometheus_operator_crds: Path) -> None:
    """Unknown fields, which the API server would drop, are mistakes here."""
    schemas = {}
    for name in ("podmonitors", "probes", "scrapeconfigs", "servicemonitors"):
        path = prometheus_operator_crds / f"monitoring.coreos.com_{name}.yaml"
        # A bare `=` is a type of YAML 1.1 that Python's reader knows no value for.
        text = path.read_text().replace("- =\n", "- '='\n")
        definition = yaml.load(text, Loader=yaml.CSafeLoader)
        for version in definition["spec"]["versions"]:
            api = f"{definition['spec']['group']}/{version['name']}"
            schema = _closed(version["schema"]["openAPIV3Schema"])
            schemas[api, definition["spec"]["names"]["kind"]] = schema
    kinds = set()
    for plan in (metrics_plan(), hostile(metrics_plan())):
        for written in generator("prometheus-operator")(plan).values():
            for each in yaml.load_all(written, Loader=yaml.CSafeLoader):
                jsonschema.validate(each, schemas[each["apiVersion"], each["kind"]])
                kinds.add(each["kind"])
    assert {"PodMonitor", "ServiceMonitor", "ScrapeConfig", "Probe"} == kinds


def _closed(schema: Any) -> Any:
    """A schema whose objects take no properties but those it names."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(each) for key, each in schema.items()}
    named = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if named and schema["properties"] and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
        if "metadata" in closed["properties"]:
            closed["properties"]["metadata"] = {"type": "object"}
    return closed


@pytest.mark.parametrize("make", [metrics_plan, lambda: hostile(metrics_plan())])
def test_yace_takes_its_configuration(
    part: Callable[[str], Path], tmp_path: Path, make: Callable[[], Plan]
) -> None:
    """It warns of keys it does not know; there are none."""
    folder = write(generator("yace")(make()), tmp_path)
    binary = part("yace-0.67") / "yace"
    checked = run_tool(binary, "verify-config", "--config.file", folder / "config.yaml")
    assert checked.ok, checked.output
    assert "WARN" not in checked.output


DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, labels: {team: old}}
spec:
  selector: {matchLabels: {run: api}}
  template:
    metadata: {labels: {run: api}, annotations: {kept: "yes"}}
    spec: {containers: [{name: main, image: api}]}
"""


@pytest.mark.parametrize("namespace", [None, "ticketing", "cargo"])
def test_kustomize_applies_the_patches(
    part: Callable[[str], Path], tmp_path: Path, namespace: str | None
) -> None:
    """To the workload in its namespace, or before it has one; another's stays as it is."""
    write(generator("kustomize")(hostile(metrics_plan())), tmp_path / "tags")
    deployment = yaml.safe_load(DEPLOYMENT)
    other = yaml.safe_load(DEPLOYMENT.replace("name: api,", "name: api-worker,"))
    for each in (deployment, other):
        each["metadata"] |= {} if namespace is None else {"namespace": namespace}
    (tmp_path / "base.yaml").write_text(yaml.safe_dump_all([deployment, other]))
    overlay = {"resources": ["base.yaml"], "components": ["tags/ticketing"]}
    (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay))
    built = subprocess.run(
        [part("kustomize-5.6") / "kustomize", "build", tmp_path],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {each["metadata"]["name"]: each for each in yaml.safe_load_all(built.stdout)}
    template = found["api"]["spec"]["template"]["metadata"]
    prefix = "resource.opentelemetry.io/"
    if namespace == "cargo":
        assert {"kept": "yes"} == template["annotations"]
    else:
        assert HOSTILE == template["annotations"][f"{prefix}org.team"]
        assert "ticketing" == template["annotations"][f"{prefix}service.namespace"]
        assert "yes" == template["annotations"]["kept"]
    assert {"run": "api"} == template["labels"]
    worker = found["api-worker"]["spec"]["template"]["metadata"]
    assert {"kept": "yes"} == worker["annotations"]
