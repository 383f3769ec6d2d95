"""The contract of readers, held by the Prometheus reader in each mode and by its sum."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.clusters import MultiSourceReader
from collectors.readers.prometheus import PrometheusReader
from slo.model import Cluster, ServiceLevel
from slo.ports import CountReader, Counts
from tests.contract.count_reader import CountReaderContract
from tests.contract.levels import events, level, source
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.recorded import Recording, Traffic, record

END = 1_790_000_100 // 300 * 300
SCRAPE = 30


def _level(name: str) -> ServiceLevel:
    measure = events(
        f'requests_total{{job="{name}"}}', f'requests_total{{job="{name}",code="500"}}'
    )
    return level(name, window="1d", measure=measure)


def _counter(recording: Recording, job: str, code: str, step: float) -> None:
    labels = {"job": job, "instance": "a", "code": code}
    times = range(END - 2 * 86_400, END + 1, SCRAPE)
    recording.add(
        "requests_total", labels, [(float(at), place * step) for place, at in enumerate(times)]
    )


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server with counters and with what rules would have recorded of them."""
    recording = Recording()
    for job, rate in (("busy", 10), ("idle", 0)):
        _counter(recording, job, "200", rate * SCRAPE * 0.99)
        _counter(recording, job, "500", rate * SCRAPE * 0.01)
        record(recording, _level(job), end=END, days=1, traffic=Traffic.steady(rate))
    folder = tmp_path_factory.mktemp("contract")
    recording.write(folder / "series.txt")
    create_blocks(prometheus_bin, folder / "series.txt", folder / "data")
    with Prometheus(prometheus_bin, data=folder / "data") as running:
        yield running


Make = Callable[[Prometheus], CountReader]


def _one(mode: str) -> Make:
    return lambda server: PrometheusReader(source(server.url, timeout="30s"), mode=mode)


def _sum(server: Prometheus) -> CountReader:
    return MultiSourceReader({"prometheus/eu": _one("auto")(server)}, default="prometheus/eu")


class TestPrometheusReader(CountReaderContract):
    """Every mode of the reader of one source, and the reader of many."""

    @pytest.fixture(params=[_one("recorded"), _one("raw"), _one("auto"), _sum])
    def reader(self, request: pytest.FixtureRequest, server: Prometheus) -> CountReader:
        """A reader of the server."""
        make: Make = request.param
        return make(server)

    @pytest.fixture
    def at(self) -> datetime:
        """A minute after the last slot."""
        return datetime.fromtimestamp(END + 60, UTC)

    @pytest.fixture
    def busy(self) -> ServiceLevel:
        """Ten requests a second."""
        return _level("busy")

    @pytest.fixture
    def idle(self) -> ServiceLevel:
        """Series and no requests."""
        return _level("idle")

    @pytest.fixture
    def unknown(self) -> ServiceLevel:
        """No series."""
        return _level("unknown")


def test_recorded_and_raw_agree(server: Prometheus) -> None:
    """Both come from the same expressions."""
    busy, at = _level("busy"), datetime.fromtimestamp(END, UTC)
    recorded = _one("recorded")(server).read([busy], (), at)[busy.key].period
    raw = _one("raw")(server).read([busy], (), at)[busy.key].period
    assert isinstance(recorded, Counts)
    assert isinstance(raw, Counts)
    assert abs(float(recorded.total - raw.total)) < 0.005 * 864_000
    assert abs(float(recorded.bad - raw.bad)) < 0.005 * 8640


def test_two_sources_that_hold_the_same_count_twice(server: Prometheus) -> None:
    """Counts of clusters are added: two halves make a whole."""
    busy = _level("busy")
    twice = level(
        "busy",
        window="1d",
        measure=busy.slo.indicator.measure,
        clusters=(Cluster(name="eu"), Cluster(name="us", source="prometheus/us")),
    )
    at = datetime.fromtimestamp(END + 60, UTC)
    readers = {
        f"prometheus/{name}": PrometheusReader(
            source(server.url, name, timeout="30s"), default_source="prometheus/eu"
        )
        for name in ("eu", "us")
    }
    once = _one("auto")(server).read([busy], CountReaderContract.WINDOWS, at)[busy.key].period
    both = MultiSourceReader(readers, default="prometheus/eu").read(
        [twice], CountReaderContract.WINDOWS, at
    )[twice.key]
    assert isinstance(once, Counts)
    assert once + once == both.period
    assert () == both.partial
    assert all(isinstance(each, Counts) for each in both.windows.values())
