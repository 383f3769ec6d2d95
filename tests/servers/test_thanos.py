"""A Thanos querier joins what its Prometheus servers hold, and says so when one is gone."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers.processes import Prometheus, wait_until
from tests.servers.thanos import ThanosQuery, ThanosSidecar

REPLICAS = ("one", "two")
# Every Prometheus scrapes itself, so each has this series.
QUESTION = 'up{job="itself"}'


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """A stack that stops what was started on it."""
    with ExitStack() as stack:
        yield stack


def server(binaries: Path, replica: str) -> Prometheus:
    """Return a Prometheus that scrapes itself and says which replica it is."""
    labels = {"replica": replica}
    prometheus = Prometheus(binaries)
    prometheus.config["global"] = {"scrape_interval": "1s", "external_labels": labels}
    return prometheus


def scrape_itself(prometheus: Prometheus) -> None:
    """Have a running server scrape itself, and wait for the first time."""
    target = prometheus.url.removeprefix("http://")
    job = {"job_name": "itself", "static_configs": [{"targets": [target]}]}
    prometheus.write_config({**prometheus.config, "scrape_configs": [job]})
    prometheus.reload()
    wait_until(lambda: bool(prometheus.query(QUESTION)), what="a scrape")


def test_a_querier_answers_from_all_and_warns_when_one_is_gone(
    newest_prometheus_bin: Path, thanos_bin: Path, stack: ExitStack
) -> None:
    """A partial answer is a success with a warning, as readers must expect."""
    sidecars = []
    for replica in REPLICAS:
        prometheus = server(newest_prometheus_bin, replica)
        prometheus.write_config(prometheus.config)
        stack.enter_context(prometheus)
        scrape_itself(prometheus)
        sidecars.append(stack.enter_context(ThanosSidecar(thanos_bin, prometheus=prometheus)))
    query = stack.enter_context(
        ThanosQuery(thanos_bin, endpoints=[sidecar.grpc for sidecar in sidecars])
    )
    wait_until(lambda: query.stores() == len(REPLICAS), what="both sidecars are known")

    whole = {series.labels["replica"] for series in query.query(QUESTION)}
    sidecars[1].prometheus.stop()
    partial = query.whole_answer(QUESTION)

    assert set(REPLICAS) == whole
    assert "success" == partial["status"]
    assert ["one"] == [each["metric"]["replica"] for each in partial["data"]["result"]]
    assert partial["warnings"]
