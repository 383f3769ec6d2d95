"""The same requests give the same number everywhere, through the real programs between.

A program's log file and a service's OTLP go through the OpenTelemetry Collector, configured by
our files, into `headroom serve` and on into Elasticsearch or OpenSearch; Prometheus scrapes what
our files name.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.cli.served import Served, served
from tests.servers.collector import (
    Ports,
    free_ports,
    known_components,
    running,
    variables,
)
from tests.servers.elastic import SearchNode
from tests.servers.journey import (
    BAD,
    COUNT,
    Counter,
    Place,
    Request,
    arriving,
    counted,
    post,
    told,
)
from tests.servers.processes import Prometheus, wait_until
from tests.servers.server import free_port

SLOT = 300


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Everything that runs."""

    place: Place
    counter: Counter
    prometheus: Prometheus
    server: Served
    ports: Ports

    def tell(self, signal: str, value: object) -> None:
        """Send OTLP to the Collector."""
        post(f"http://127.0.0.1:{self.ports.http}/v1/{signal}", value)

    def count(self) -> None:
        """Export the counter."""
        now = counted(
            self.place.service, self.counter.good, self.counter.bad, since=self.counter.since
        )
        self.tell("metrics", now)

    def forwarded(self) -> int:
        """How many records the node has taken."""
        with requests.Session() as session:
            session.trust_env = False
            lines = session.get(f"{self.server.url}/metrics", timeout=30).text.splitlines()
        name = "headroom_forward_records_total{"
        return sum(int(float(line.split()[1])) for line in lines if line.startswith(name))


@pytest.fixture
def stage(
    search_node: SearchNode, newest_prometheus_bin: Path, otelcol: Path, tmp_path: Path
) -> Iterator[Stage]:
    """The programs, one after another; every port is on loopback."""
    ports, serving, counter = free_ports(), free_port(), Counter()
    with ExitStack() as stack:
        page = stack.enter_context(counter.page())
        address = page.url.removeprefix("http://")
        place = Place(tmp_path, search_node, page=address)
        files = place.generate("otelcol", "prometheus")
        place.publish()
        own = {
            "job_name": "headroom",
            "honor_labels": True,
            "static_configs": [{"targets": [f"127.0.0.1:{serving}"]}],
        }
        scraped = {"scrape_config_files": [str(files / "prometheus" / "prod" / "scrape.yaml")]}
        prometheus = stack.enter_context(
            Prometheus(newest_prometheus_bin, interval="1s", scrape_configs=[own], config=scraped)
        )
        place.know(prometheus.url)
        server = stack.enter_context(served(tmp_path, "--port", str(serving)))
        folder = tmp_path / "collector"
        folder.mkdir()
        stack.enter_context(
            running(
                otelcol,
                (files / "otelcol" / "prod" / "agent.yaml").read_text(),
                folder,
                known_components(otelcol),
                variables(ports, folder / "state", server.url, HEADROOM_HOST="tick-1"),
            )
        )
        yield Stage(place=place, counter=counter, prometheus=prometheus, server=server, ports=ports)


def test_one_number_everywhere(stage: Stage) -> None:
    """Prometheus, the store and the cluster count every request and every failure, each once."""
    place, name = stage.place, f'{{app="{stage.place.told}"}}'
    stage.count()
    before = f"booking_requests_total{name}"
    wait_until(lambda: 2 == len(stage.prometheus.query(before)), what="counters at zero")
    time.sleep(1)
    began = time.time()

    made = _traffic(stage)
    stage.count()
    forwarded = 3 * COUNT
    wait_until(lambda: stage.forwarded() >= forwarded, timeout=60, what="all records forwarded")
    total = f"sum(booking_requests_total{name})"
    wait_until(lambda: stage.prometheus.number(total) == COUNT, what="the last scrape")
    place.node.call("POST", f"/*-{place.told}*,*-{place.filed}*/_refresh")

    assert (COUNT, BAD) == (len(made), sum(each.failed for each in made))
    # A slot that begins before the first request and after the counters were there.
    found = [place.numbers(began + SLOT, app) for app in (place.told, place.filed)]
    assert [dict.fromkeys(_TOLD, (COUNT, BAD)), dict.fromkeys(_FILED, (COUNT, BAD))] == found
    assert forwarded == stage.forwarded()
    _ours_in_prometheus(stage)
    _streams(place)


_TOLD = [
    *(("events", "prometheus"), ("events", "store")),
    *((kind, source) for kind in ("logs", "spans") for source in ("store", "cluster")),
]
_FILED = [("lines", "store"), ("lines", "cluster")]


def _traffic(stage: Stage) -> list[Request]:
    """Requests of now, told in every way; returns them all."""
    made = []
    for some in arriving():
        with stage.place.log.open("a") as file:
            file.writelines(f"{each.line()}\n" for each in some)
        for signal, value in told(stage.place.service, some):
            stage.tell(signal, value)
        stage.counter.add(some)
        stage.count()
        made += some
    return made


def _ours_in_prometheus(stage: Stage) -> None:
    """What Prometheus cannot read it gets as counters; they end at the same numbers."""
    expected = {
        (app, f"{kind}-{source}"): (COUNT, COUNT - BAD)
        for app, kinds in ((stage.place.told, ("logs", "spans")), (stage.place.filed, ("lines",)))
        for kind in kinds
        for source in ("store", "cluster")
    }

    def found() -> dict[tuple[str, str], tuple[float, ...]]:
        one, two = (
            {(each.labels["app"], each.labels["slo"]): each.value for each in answers}
            for answers in map(
                stage.prometheus.query, ("slo_events_total", "slo_good_events_total")
            )
        )
        return {key: (one[key], two.get(key, -1)) for key in one}

    # A running server asks once a minute which fields there are, and these streams are new.
    wait_until(lambda: found() == expected, timeout=75, what=f"{expected} in Prometheus")


def _streams(place: Place) -> None:
    """Each signal of each application is in the stream that the templates made for it."""
    resolved = place.node.call("GET", f"/_resolve/index/*{place.told}*,*{place.filed}*")
    expected = {
        f"logs-{place.told}.api-prod": COUNT,
        f"traces-{place.told}.api-prod": COUNT,
        f"logs-{place.filed}.gate-prod": COUNT,
    }
    assert set(expected) == {each["name"] for each in resolved["data_streams"]}
    assert expected == {
        stream: place.node.call("GET", f"/{stream}/_count")["count"] for stream in expected
    }
    (one,) = place.node.documents(
        f"logs-{place.filed}.gate-prod", {"term": {"trace.id": f"{36 + 1:032x}"}}
    )
    owner = {"app": place.filed, "component": "gate", "team": "crew"}
    assert (owner, "request 36", 17) == (
        {key: one["labels"][key] for key in owner},
        one["message"],
        one["event"]["severity"],
    ), json.dumps(one)
