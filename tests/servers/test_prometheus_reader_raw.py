"""Raw reading on real servers against what truly happened."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from collectors.readers.prometheus import PrometheusReader
from slo.model import Cluster, ServiceLevel
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.units import Duration
from tests.contract.levels import TOTAL, events, level, query, source, windows
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import World, simulate, write_openmetrics
from tests.servers.traffic_scenarios import named

SEED = 20261121
BURSTS = level("bursts", window="1d", scrape="15s")
GOOD = level(
    "good",
    window="1d",
    scrape="15s",
    measure=replace(events(), bad=None, good=query('http_requests_total{job="api",code!~"5.."}')),
)
SPLIT = level(
    "split",
    window="1d",
    scrape="15s",
    clusters=(
        Cluster(name="eu", match={"cluster": "eu"}),
        Cluster(name="us", match={"cluster": "us"}, source="prometheus/us"),
    ),
)


@pytest.fixture(scope="module")
def world() -> World:
    """A day of bursts."""
    print("seed", SEED)
    return simulate(named("bursts", seed=SEED))


@pytest.fixture(scope="module")
def server(
    prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory, world: World
) -> Iterator[Prometheus]:
    """A server that has scraped the applications and knows nothing of our rules."""
    folder = tmp_path_factory.mktemp("raw")
    write_openmetrics(folder / "raw.txt", [world])
    create_blocks(prometheus_bin, folder / "raw.txt", folder / "data")
    with Prometheus(prometheus_bin, data=folder / "data") as running:
        yield running


@pytest.fixture
def read(server: Prometheus) -> Callable[..., Reading]:
    """Read one level from raw series."""

    def one(wanted: ServiceLevel, at: float, *spans: str, mode: str = "raw") -> Reading:
        reader = PrometheusReader(source(server.url, timeout="60s"), mode=mode)
        moment = datetime.fromtimestamp(at, UTC)
        return reader.read([wanted], windows(*spans), moment)[wanted.key]

    return one


def _within(expected: float, actual: Fraction, share: float) -> bool:
    return abs(float(actual) - expected) <= share * expected


def test_a_day_is_counted_as_it_was(read: Callable[..., Reading], world: World) -> None:
    """Within 0.3 % of the generator's own count, on a server without rules."""
    at = world.end - 600
    reading = read(BURSTS, at, "1h", "6h", "1d", mode="auto")
    truth = world.true_counts(at - 86_400, at)
    assert isinstance(reading.period, Counts)
    assert _within(truth.total, reading.period.total, 0.003)
    assert _within(truth.bad, reading.period.bad, 0.003)
    assert reading.period == reading.windows[Duration.parse("1d")]
    assert "raw" == reading.mode
    assert not reading.unproven
    six = world.true_counts(at - 6 * 3600, at)
    found = reading.windows[Duration.parse("6h")]
    assert isinstance(found, Counts)
    assert _within(six.total, found.total, 0.005)
    hour = world.true_counts(at - 3600, at)
    found = reading.windows[Duration.parse("1h")]
    assert isinstance(found, Counts)
    assert _within(hour.total, found.total, 0.05)


def test_counting_the_good_ones_is_the_same(read: Callable[..., Reading], world: World) -> None:
    """Bad is what is not good."""
    at = world.end - 600
    good, bad = read(GOOD, at).period, read(BURSTS, at).period
    assert isinstance(good, Counts)
    assert isinstance(bad, Counts)
    # What counts as new-born differs between the two, by a few events in a million.
    assert _within(float(bad.total), good.total, 1e-5)
    assert _within(float(bad.bad), good.bad, 0.003)


def test_history_that_is_shorter_than_the_window_is_said(
    read: Callable[..., Reading], world: World
) -> None:
    """Nothing is extrapolated: six hours are six hours."""
    at = world.start + 6 * 3600
    reading = read(BURSTS, at)
    truth = world.true_counts(world.start, at)
    assert isinstance(reading.period, Counts)
    assert _within(truth.total, reading.period.total, 0.005)
    assert reading.coverage is not None
    assert reading.coverage > Fraction(95, 100)
    assert ("history covers 25 % of the 1d window",) == reading.notes


@pytest.mark.parametrize(("minutes", "lost"), [(9, False), (30, True)])
def test_data_that_ended_is_lost(
    read: Callable[..., Reading],
    world: World,
    minutes: int,
    lost: bool,  # noqa: FBT001
) -> None:
    """Eleven minutes after the last slot with data."""
    reading = read(BURSTS, world.end + minutes * 60)
    if lost:
        assert isinstance(reading.period, NoData)
        assert NoDataReason.LOST is reading.period.reason
    else:
        assert isinstance(reading.period, Counts)


def test_data_that_ended_long_ago_was_there(read: Callable[..., Reading], world: World) -> None:
    """A week later it is lost, and not never."""
    reading = read(BURSTS, world.end + 7 * 86_400)
    assert isinstance(reading.period, NoData)
    assert NoDataReason.LOST is reading.period.reason
    assert "ended 7 d ago" in reading.period.detail or "ended 6 d" in reading.period.detail


def test_a_bad_selector_without_any_series_is_unproven(
    read: Callable[..., Reading], world: World
) -> None:
    """No failures, or a mistake in the selector: nobody can tell."""
    wrong = events(TOTAL, 'http_requests_total{job="api",status=~"5.."}')
    reading = read(level("wrong", window="1d", measure=wrong), world.end - 600)
    assert isinstance(reading.period, Counts)
    assert 0 == reading.period.bad
    assert reading.unproven
    proven = level("right", window="1d", measure=wrong, proven=True)
    assert not read(proven, world.end - 600).unproven


def test_only_what_the_source_holds_is_counted(read: Callable[..., Reading], world: World) -> None:
    """The other cluster's matchers are not in the queries."""
    reading = read(SPLIT, world.end - 600, "1h")
    assert all('"us"' not in each.query for each in reading.evidence)
    assert any('cluster="eu"' in each.query for each in reading.evidence)
