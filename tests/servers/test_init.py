"""`headroom init --from-prometheus` against real servers, by what it writes."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.cli.main import COMMANDS
from app.project import Project, open_project
from slo.model import Events, Latency, Probe
from tests.cli.fakes.terminals import NOW, Ending, call
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import simulate
from tests.servers.traffic_scenarios import DAY, named

END = int(NOW.timestamp())
HOSTILE = 'a\\"} or vector(1) # $window'

# Every series counts this many an hour; `le` and codes as the libraries write them.
COUNTERS: dict[str, float] = {
    'http_server_requests_seconds_count{job="orders",namespace="shop",status="200"}': 3600,
    'http_server_requests_seconds_count{job="orders",namespace="shop",status="503"}': 36,
    'http_server_requests_seconds_count{job="orders",namespace="lab",status="200"}': 3600,
    'grpc_server_handled_total{job="orders",namespace="shop",grpc_code="OK"}': 7200,
    'grpc_server_handled_total{job="orders",namespace="shop",grpc_code="Unavailable"}': 3,
    'istio_requests_total{job="pods",reporter="destination",response_code="200",'
    'destination_service_name="pay",destination_service_namespace="bank"}': 9000,
    'istio_request_duration_milliseconds_bucket{job="pods",reporter="destination",le="25",'
    'destination_service_name="pay",destination_service_namespace="bank"}': 8000,
    'istio_request_duration_milliseconds_bucket{job="pods",reporter="destination",le="50",'
    'destination_service_name="pay",destination_service_namespace="bank"}': 8980,
    'istio_request_duration_milliseconds_bucket{job="pods",reporter="destination",le="+Inf",'
    'destination_service_name="pay",destination_service_namespace="bank"}': 9000,
    'istio_request_duration_milliseconds_count{job="pods",reporter="destination",'
    'destination_service_name="pay",destination_service_namespace="bank"}': 9000,
    f'http_requests_total{{job="{HOSTILE}",code="200"}}': 3600,
    'http_requests_total{job="Quiet App!",code="200"}': 0.01,
    'http_request_duration_seconds_count{job="unlabelled"}': 100,
}


def blocks(binaries: Path, folder: Path, series: dict[str, float]) -> None:
    """Write a day of counters that grow evenly."""
    lines = [
        f"{name} {rate * n / 12} {END - DAY + n * 300}"
        for name, rate in series.items()
        for n in range(DAY // 300 + 1)
    ]
    (folder / "counters.txt").write_text("\n".join([*lines, "# EOF", ""]))
    create_blocks(binaries, folder / "counters.txt", folder / "data")


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server with a simulated app, and counters of several libraries."""
    folder = tmp_path_factory.mktemp("init")
    world = simulate(named("steady", seed=11, start=END - DAY, scrape_interval=60, job="api"))
    world.write_openmetrics(folder / "steady.txt")
    create_blocks(prometheus_bin, folder / "steady.txt", folder / "data")
    blocks(prometheus_bin, folder, COUNTERS)
    with Prometheus(prometheus_bin, data=folder / "data") as running:
        yield running


@pytest.fixture(scope="module")
def written(server: Prometheus, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ending]:
    """The folder that the command wrote, and how it ended."""
    folder = tmp_path_factory.mktemp("written") / "slos"
    return folder, init(str(folder), "--from-prometheus", server.url)


def init(*arguments: str) -> Ending:
    return call(["init", *arguments], commands=COMMANDS)


def opened(folder: Path) -> Project:
    return open_project([str(folder)], environment={})


def app_text(folder: Path, name: str) -> str:
    return (folder / "apps" / f"{name}.yaml").read_text(encoding="utf-8")


def measures(project: Project, app: str) -> dict[str, object]:
    found = project.catalog.app(app)
    assert found is not None, [each.name for each in project.catalog.apps]
    return {slo.name: slo.indicator.measure for slo in found.environments[0].slos}


def test_every_owner_becomes_an_app_with_a_name_of_its_own(written: tuple[Path, Ending]) -> None:
    """Names are made fit, and two jobs of one name are told apart by their namespaces."""
    folder, ending = written
    assert 0 == ending.code, ending.stderr
    expected = ["a-or-vector-1-window", "api", "blackbox", "orders", "pay", "shop-orders"]
    assert expected == [each.name for each in opened(folder).catalog.apps]
    assert () == opened(folder).problems


def test_requests_durations_and_probes_of_one_job_are_proposed(
    written: tuple[Path, Ending],
) -> None:
    """The numbers are those of the simulated day: 1 % errors, 99.5 % within a second."""
    folder, _ = written
    slos = measures(opened(folder), "api")
    assert ["availability", "latency"] == list(slos)
    events, latency = slos["availability"], slos["latency"]
    assert isinstance(events, Events)
    assert isinstance(latency, Latency)
    assert 'http_requests_total{job="api"}' == events.total.text
    assert events.bad is not None
    assert 'http_requests_total{job="api",code=~"5.."}' == events.bad.text
    assert "1s" == str(latency.threshold)
    assert ["0.1", "0.3", "1"] == [f"{each}" for each in latency.buckets]
    text = app_text(folder, "api")
    assert re.search(r"Last 1d: 86\d,\d{3} requests, (98\.9|99\.0)\d* % without", text), text
    assert re.search(r"99\.[45]\d* % within 1s; proposed 98\.", text), text
    (probe,) = measures(opened(folder), "blackbox").values()
    assert isinstance(probe, Probe)


def test_a_job_may_have_http_and_grpc_requests(written: tuple[Path, Ending]) -> None:
    """Each kind has an SLO of its own; the namespace is part of the selector."""
    folder, _ = written
    slos = measures(opened(folder), "shop-orders")
    assert {"availability", "grpc-availability"} == set(slos)
    events = slos["availability"]
    assert isinstance(events, Events)
    expected = 'http_server_requests_seconds_count{namespace="shop",job="orders"}'
    assert expected == events.total.text
    assert "99.0099 % without a server error; proposed 98." in app_text(folder, "shop-orders")


def test_a_mesh_is_proposed_by_its_services_and_in_its_own_unit(
    written: tuple[Path, Ending],
) -> None:
    """Milliseconds stay milliseconds, and no failure is said to be unproven."""
    folder, _ = written
    latency = measures(opened(folder), "pay")["latency"]
    assert isinstance(latency, Latency)
    assert ("50ms", "milliseconds") == (str(latency.threshold), latency.unit)
    text = app_text(folder, "pay")
    assert "unproven until the first one" in text
    assert "100 % without a server error; proposed 99.9." in text


def test_values_of_labels_cannot_break_out_of_a_query_or_a_file(
    written: tuple[Path, Ending],
) -> None:
    """The hostile job is one selector with one escaped value."""
    folder, _ = written
    events = measures(opened(folder), "a-or-vector-1-window")["availability"]
    assert isinstance(events, Events)
    assert events.total.plain is not None
    (matcher,) = events.total.plain.matchers
    assert 'a"} or vector(1) # $window' == matcher.value


def test_what_cannot_be_used_is_said_and_what_was_written_is_listed(
    written: tuple[Path, Ending],
) -> None:
    """Too little traffic, or no label for the result."""
    folder, ending = written
    few = "passed over: http_requests_total of job=Quiet App!: too few requests in the last 1d\n"
    assert few in ending.stderr
    lacking = "passed over: http_request_duration_seconds_count has no label that tells failures\n"
    assert lacking in ending.stderr
    assert f"wrote {folder}/apps/api.yaml\n" in ending.stdout
    assert "6 apps. Next:" in ending.stdout


def test_what_was_proposed_stands_up_to_the_server(
    written: tuple[Path, Ending], server: Prometheus
) -> None:
    """Nothing but failures that have not happened yet."""
    folder, _ = written
    ending = call(["validate", str(folder), "--prometheus", server.url], commands=COMMANDS)
    assert 0 == ending.code, ending.stdout
    live = {each for each in _ids(ending.stdout.splitlines()) if each.startswith("live/")}
    assert {"live/unproven"} == live


def _ids(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("]") and "[" in line:
            yield line.rpartition("[")[2].rstrip("]")


def test_a_server_without_requests_writes_nothing(prometheus_bin: Path, tmp_path: Path) -> None:
    """And the metrics that were looked for are named."""
    with Prometheus(prometheus_bin) as empty:
        ending = init(str(tmp_path / "slos"), "--from-prometheus", empty.url)
    assert (1, "") == (ending.code, ending.stdout)
    assert "has nothing in the last hour that could be used" in ending.stderr
    assert "looked for: http_requests_total, " in ending.stderr
    assert not (tmp_path / "slos").exists()
