"""The ledger over native histograms against what truly happened, on real servers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from slo.ledger import expressions
from slo.model import Latency
from slo.units import Duration
from tests.builders import level, query, slo
from tests.servers.processes import Prometheus
from tests.servers.remote_write import Histogram, send
from tests.servers.traffic import World, simulate
from tests.servers.traffic_model import Phase
from tests.servers.traffic_pods import Life, Pod
from tests.servers.traffic_scenarios import HOUR, steady
from tests.servers.truth import SEED, measure

# Where requests of each latency class of the traffic fall: 0.1, 0.3, 1 and more seconds.
_INDICES = (-4, -2, 0, 2)


@pytest.fixture(scope="module")
def world() -> World:
    """Six hours of requests, at one pod in each scrape of a minute."""
    phases = (Phase(seconds=6 * HOUR, rps=10),)
    scenario = steady(SEED)
    return simulate(replace(scenario, phases=phases, probe=None, scrape_interval=60))


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, world: World) -> Iterator[Prometheus]:
    """A server that was sent the world's requests as native histograms."""
    flags = ("--enable-feature=native-histograms",)
    with Prometheus(prometheus_bin, flags=flags) as running:
        send(
            running,
            [
                (
                    {"__name__": "latency_seconds", "job": "api", "instance": pod.instance},
                    [_histogram(world, pod, life, at) for life in pod.lives for at in life.scrapes],
                )
                for pod in world.pods
            ],
        )
        yield running


def _histogram(world: World, pod: Pod, life: Life, at: int) -> Histogram:
    counts = (tally.count(at) - tally.count(life.start) for tally in pod.latency)
    buckets = {i: count for i, count in zip(_INDICES, counts, strict=True) if count}
    return Histogram(at_ms=world.start * 1000 + at, buckets=buckets)


def _latency(threshold: str) -> Latency:
    return Latency(
        histogram=query('latency_seconds{job="api"}'),
        threshold=Duration.parse(threshold),
        native=True,
    )


def test_slow_requests_are_counted_at_a_boundary(server: Prometheus, world: World) -> None:
    """At a power of two of a second only the extrapolation of `increase` is left: 5 %.

    A minute of every five lies between two slots, so that few bad events scatter.
    """
    exact = expressions(level(slo(_latency("1s"), scrape="60s")))
    assert exact is not None
    found = measure(
        server,
        exact.total_increase,
        exact.part_increase,
        lambda a, b: world.slow_counts(a, b, bound="1"),
        (world.start, world.end),
    )
    print(f"FIGURE native: total {found.total_error:+.3%}, {found.ratio_error(good=True):+.3%}")
    assert found.truth.bad >= 500
    assert abs(found.total_error) <= 0.01
    assert abs(found.ratio_error(good=True)) <= 0.05


def test_a_histogram_that_stands_still_has_no_nan(server: Prometheus, world: World) -> None:
    """The fraction of nothing is NaN and never gets into a sum."""
    exact = expressions(level(slo(_latency("1s"), scrape="60s")))
    assert exact is not None
    standing = {"__name__": "latency_seconds", "job": "idle", "instance": "a"}
    since = world.end * 1000 + 60_000
    still = [Histogram(at_ms=since + k * 60_000, buckets={0: 5}) for k in range(10)]
    send(server, [(standing, still)])
    at = (since + 540_000) / 1000
    idle = expressions(level(slo(_standing(_latency("1s")), scrape="60s")))
    assert idle is not None
    assert 0 == server.number(idle.total_increase, at)
    part = server.number(idle.part_increase, at)
    assert part in {None, 0}


def _standing(latency: Latency) -> Latency:
    """The same histogram of the job that stands still."""
    return replace(latency, histogram=query('latency_seconds{job="idle"}'))
