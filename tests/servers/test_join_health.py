"""Join health over the real Prometheus, Elasticsearch and OpenSearch."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.access import OPEN, Scope
from app.cli.main import COMMANDS
from app.project import open_project
from app.services.joins import Gap, JoinHealth, Share, health
from app.services.opening import open_world
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange
from tests.cli.fakes.terminals import call
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import cluster_of, unused
from tests.servers.processes import Prometheus, create_blocks
from tests.stored_rows import NOON, hours, log, span

END = 1_790_000_100 // 300 * 300
AT = datetime.fromtimestamp(END, UTC)
LAST = TimeRange(start=(END - 3600) * 10**9, end=END * 10**9)

_API = 'job="ticketing/api",instance="a:1"'
SERIES = (
    f'http_requests_total{{{_API},app="ticketing",env="prod",code="200"}}',
    f'http_requests_total{{{_API},app="ticketing",env="prod",code="500"}}',
    f'queue_depth{{{_API},app="ticketing"}}',
    'http_requests_total{job="gw",app="cargo",env="prod",code="200"}',
    'kube_pod_info{job="ksm",namespace="cargo",deployment="api"}',
    'node_load1{job="node",instance="old-1:9100",token="password=hunter2"}',
    'node_load5{job="node",instance="old-1:9100"}',
    'pdf_total{job="pdf",service="pdf"}',
    'slo:bad:increase5m{slo="x"}',
)
"""Tagged, tagged without an environment, joined by a workload, nobody's, claimed twice, our own."""

_WORKSPACE = """
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: joined}}
spec:
  apps: [apps]
  sources:
{sources}
"""


def app_file(name: str, selector: str, environments: str) -> str:
    return f"""
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: {name}-team}}
spec:
  environments: {environments}
  components:
    - name: api
      kind: service
      service: {name}-api
      kubernetes: {{namespace: {name}, workload: deployment/api}}
      logs: [{{kubernetes: true}}]
    - {{name: pdf, kind: service, service: pdf}}
  slos:
    - name: availability
      objective: 99
      indicator:
        events: {{total: '{selector}', bad: '{selector[:-1]},code="500"}}'}}
        proven: true
"""


APPS = {
    "ticketing": ('http_requests_total{job=~"gw|ticketing/api"}', "[{name: prod}, {name: dev}]"),
    "cargo": ('http_requests_total{job="gw"}', "[{name: prod}]"),
}


def installed(folder: Path, sources: str) -> Path:
    """A workspace of both apps over these sources."""
    (folder / "apps").mkdir()
    for name, (selector, environments) in APPS.items():
        (folder / "apps" / f"{name}.yaml").write_text(app_file(name, selector, environments))
    (folder / "headroom.yaml").write_text(_WORKSPACE.format(sources=sources))
    return folder


def opened(folder: Path) -> World:
    return open_world(open_project([str(folder)], environment={}), environ={})


def shares(found: Answered[JoinHealth], signal: str) -> Mapping[str | None, Share]:
    return {each.app: each for each in found.value.shares if each.signal == signal}


def gaps(found: Answered[JoinHealth]) -> Mapping[tuple[str | None, ...], Gap]:
    return {
        (each.signal, each.service, each.host, each.namespace): each for each in found.value.gaps
    }


@pytest.fixture(scope="module")
def prometheus(
    prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A server with an hour of each series."""
    folder = tmp_path_factory.mktemp("joined")
    lines = [f"{each} {n} {END - 3600 + n * 60}" for each in sorted(SERIES) for n in range(61)]
    (folder / "text").write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    create_blocks(prometheus_bin, folder / "text", folder / "data")
    with Prometheus(prometheus_bin, data=folder / "data") as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, prometheus: Prometheus) -> Path:
    """A workspace over that server."""
    return installed(tmp_path, f'    prometheus: {{eu: {{url: "{prometheus.url}"}}}}\n')


def test_series_are_joined_by_their_labels(folder: Path) -> None:
    """By tag or by workload; what our rules record is left out."""
    found = health(opened(folder), OPEN, LAST)
    metrics = shares(found, "metrics")

    assert "prometheus/eu" == found.source
    assert {1: 4, 3: 1} == metrics[None].rungs
    assert len(SERIES) - 1 == metrics[None].records
    assert ({1: 3}, 1, "series") == (
        metrics["ticketing"].rungs,
        metrics["ticketing"].lost,
        metrics["ticketing"].unit,
    )
    assert {1: 1, 3: 1} == metrics["cargo"].rungs


def test_series_of_nobody_are_named_with_the_scrape_file_that_would_tag_them(folder: Path) -> None:
    """With one of them as an example, without its secret."""
    found = gaps(health(opened(folder), OPEN, LAST))
    lost = found["metrics", "node", "old-1:9100", None]

    assert ("app", 2, 8) == (lost.missing, lost.records, lost.whole)
    assert str(lost.example).startswith("node_load")
    assert "hunter2" not in str([each.example for each in found.values()])
    assert ("collectors/prometheus/prod/scrape.yaml",) == tuple(
        each for each in lost.remedy.files if "/prod/" in each
    )
    assert "headroom generate --only collectors --collector prometheus" == lost.remedy.command


def test_series_without_an_environment_are_a_gap_of_their_app(folder: Path) -> None:
    """The app has several, and none is guessed."""
    found = gaps(health(opened(folder), OPEN, LAST, "ticketing"))
    lacking = found["metrics", "ticketing/api", "a:1", None]

    assert ("ticketing", 1) == (lacking.app, lacking.records)
    assert "deployment.environment.name" == lacking.missing


def test_series_that_two_apps_claim_are_refused_to_both(folder: Path) -> None:
    """Both are named, and no file would help."""
    refused = gaps(health(opened(folder), OPEN, LAST))["metrics", "pdf", None, None]

    assert ("cargo", "ticketing") == refused.claimants
    assert () == refused.remedy.files
    assert "cargo.yaml" in refused.remedy.todo
    assert "ticketing.yaml" in refused.remedy.todo


def test_who_sees_one_app_sees_its_series_alone(folder: Path) -> None:
    """And nothing of what belongs to nobody."""
    found = health(opened(folder), Scope(user="tia", apps=frozenset({"cargo"})), LAST)

    assert {"cargo"} == {each.app for each in found.value.shares}
    assert () == found.value.gaps


def test_doctor_join_names_the_slo_that_counts_another_apps_series(folder: Path) -> None:
    """With the selector, and whose they are."""
    ending = call(
        ("doctor", "join", str(folder), "--at", str(END), "--format", "json"), commands=COMMANDS
    )
    data: dict[str, Any] = json.loads(ending.stdout)
    (foreign,) = (each for each in data["checks"] if each["name"].startswith("ticketing/prod/"))

    assert 1 == ending.code, ending.stderr
    assert "fail" == foreign["outcome"]
    assert (
        'http_requests_total{job=~"gw|ticketing/api"} selects series of other apps'
        in (foreign["message"])
    )
    assert "1 of cargo, of 3" in foreign["message"]
    assert any("count the same series" in each["message"] for each in data["checks"])
    assert not any(each["name"].startswith("cargo/prod/") for each in data["checks"])


def test_a_server_that_is_down_is_named_and_the_rest_is_told(
    tmp_path: Path, prometheus: Prometheus
) -> None:
    """Without any answer, the failure is the answer."""
    both = f'{{eu: {{url: "{prometheus.url}"}}, us: {{url: "http://127.0.0.1:9", retries: 0}}}}'
    world = opened(installed(tmp_path, f"    prometheus: {both}\n    metrics: prometheus/eu\n"))
    found = health(world, OPEN, LAST)

    assert 8 == shares(found, "metrics")[None].records
    assert any(text.startswith("prometheus/us: ") for text in found.partial)


@pytest.fixture(scope="module")
def indexed() -> dict[str, Mapping[str, str]]:
    """The indices by node, so that each is filled once."""
    return {}


@pytest.fixture
def searched(
    tmp_path: Path, search_node: SearchNode, indexed: dict[str, Mapping[str, str]]
) -> World:
    """A workspace over a node with records that carry more or less."""
    if search_node.name not in indexed:
        indexed[search_node.name] = fill(search_node)
    names = indexed[search_node.name]
    return opened(installed(tmp_path, source_of(search_node, names["logs"], names["traces"])))


def source_of(node: SearchNode, logs: str, traces: str) -> str:
    """A cluster in a workspace's file."""
    return (
        f'    elasticsearch: {{logs: {{url: "{node.url}", flavor: {node.name}, timeout: 60s,'
        f' indices: {{logs: ["{logs}"], traces: ["{traces}"]}}}}}}\n'
    )


def fill(node: SearchNode) -> Mapping[str, str]:
    """Ten lines with the tag, four with a service's name, three of nobody, two claimed twice."""
    nobody: dict[str, Any] = dict.fromkeys(("app", "env", "component", "service"))
    mine: dict[str, Any] = {"app": "ticketing", "env": "prod"}
    source = cluster_of(
        node,
        logs=[
            *(log(f"mine {n}", n, **mine) for n in range(10)),
            *(log(f"by name {n}", n, **{**nobody, "service": "cargo-api"}) for n in range(4)),
            *(log("password=hunter2 lost", n, **nobody, host="old-1") for n in range(3)),
            *(log("claimed", n, **{**nobody, "service": "pdf"}) for n in range(2)),
        ],
        spans=[span(1, **mine), span(2, **{**nobody, "service": "stranger"})],
    ).source
    return {"logs": source.logs_indices[0], "traces": source.traces_indices[0]}


def test_a_cluster_s_records_are_joined_by_what_they_carry(searched: World) -> None:
    """The tag first; a service's name is enough to say whose it is, and is a gap none the less."""
    found = health(searched, OPEN, hours())
    logs = shares(found, "logs")

    assert "elasticsearch/logs" == found.source
    assert {1: 10, 2: 4} == logs[None].rungs
    assert 5 == logs[None].lost
    assert ({1: 10}, 2) == (logs["ticketing"].rungs, logs["ticketing"].lost)
    assert ({2: 4}, 2) == (logs["cargo"].rungs, logs["cargo"].lost)
    by_name = gaps(found)["logs", "cargo-api", None, None]
    assert "cargo" == by_name.app
    assert "it is cargo's by what it carries" in by_name.remedy.todo


def test_what_nobody_tagged_in_a_cluster_is_named_with_its_stream(searched: World) -> None:
    """Host, stream, missing field, a clean example, and the file that tags a host's logs."""
    lost = gaps(health(searched, OPEN, hours()))["logs", None, "old-1", None]

    assert ("labels.app", 3) == (lost.missing, lost.records)
    assert str(lost.stream).endswith("-logs")
    assert ("[redacted]" in str(lost.example), "hunter2" in str(lost.example)) == (True, False)
    assert "collectors/otelcol/prod/agent.yaml" in lost.remedy.files
    assert "hosts: [old-1]" in lost.remedy.todo
    assert NOON <= (lost.first or 0) <= (lost.last or 0)


def test_what_two_apps_claim_in_a_cluster_is_neither_s(searched: World) -> None:
    """Spans of a stranger are nobody's too, and are fixed where services send."""
    found = gaps(health(searched, OPEN, hours()))

    assert ("cargo", "ticketing") == found["logs", "pdf", None, None].claimants
    assert () == found["spans", "stranger", None, None].claimants
    assert "service: stranger" in found["spans", "stranger", None, None].remedy.todo


def test_backing_indices_are_told_by_their_data_stream(
    opensearch: SearchNode, tmp_path: Path
) -> None:
    """Nobody knows the indices behind one."""
    stream = unused("logs-nobody")
    template = {"index_patterns": [stream], "data_stream": {}, "priority": 900}
    opensearch.call("PUT", f"/_index_template/{stream}", template)
    opensearch.bulk(stream, [{"@timestamp": "2025-10-09T12:00:01Z", "message": "lost"}])
    source = source_of(opensearch, stream, "no-such-*")
    (gap,) = health(opened(installed(tmp_path, source)), OPEN, hours()).value.gaps

    assert stream == gap.stream
