"""The embedded store against a real Prometheus with the same samples, and against the truth.

The figures are printed: `pytest -rP tests/servers/test_store_truth.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.prometheus import PrometheusReader
from collectors.readers.store import StoreCounts
from collectors.store import StoreReader
from slo.model import Latency, Measure, Probe, ServiceLevel
from slo.ports import CountReader, Counts
from slo.units import Duration
from tests.builders import events, latency, level, query, slo
from tests.contract.levels import source
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import World, simulate, write_openmetrics
from tests.servers.traffic_scenarios import named
from tests.servers.truth import SEED
from tests.stored_series import load

pytestmark = pytest.mark.xdist_group("store-truth")

SCRAPE = 60
NAMES = ("bursts", "missing_errors", "pod_churn", "resets", "steady")
SAME = 0.001
EXACT = 0.003
WINDOWS = tuple(map(Duration.parse, ("5m", "1h", "6h")))


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    """Scenarios that last a day at least, each a job of its own."""
    print(f"traffic seed {SEED}")
    made = {name: named(name, seed=SEED, scrape_interval=SCRAPE) for name in NAMES}
    return {name: simulate(replace(one, job=name)) for name, one in made.items()}


@pytest.fixture(scope="module")
def series(worlds: dict[str, World], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was stored of all of them."""
    text = tmp_path_factory.mktemp("truth") / "series.txt"
    write_openmetrics(text, list(worlds.values()))
    return text


@pytest.fixture(scope="module")
def counts(series: Path) -> Iterator[StoreCounts]:
    """The embedded store with these samples."""
    load(series, series.parent / "store")
    reader = StoreReader(series.parent / "store", threads=1)
    yield StoreCounts(reader, default_source="store")
    reader.close()


@pytest.fixture(scope="module")
def server(newest_prometheus_bin: Path, series: Path) -> Iterator[Prometheus]:
    """A real server with these samples."""
    create_blocks(newest_prometheus_bin, series, series.parent / "blocks")
    with Prometheus(newest_prometheus_bin, data=series.parent / "blocks") as running:
        yield running


def _level(name: str, kind: str, window: str = "20h") -> ServiceLevel:
    requests = f'http_requests_total{{job="{name}"}}'
    measures: dict[str, Measure] = {
        "events": events(requests, bad=f'http_requests_total{{job="{name}",code=~"5.."}}'),
        "latency": latency("300ms", selector=f'http_request_duration_seconds{{job="{name}"}}'),
        "probe": Probe(
            selector=query(f'probe_success{{instance="https://{name}.example/"}}'),
            slice=Duration.parse("1m"),
        ),
    }
    return level(slo(measures[kind], scrape=f"{SCRAPE}s", window=window))


CASES = [(name, "events") for name in NAMES] + [("steady", "latency"), ("steady", "probe")]


def _read(
    reader: CountReader, level_: ServiceLevel, world: World
) -> tuple[Counts, dict[Duration, Counts]]:
    found = reader.read([level_], WINDOWS, datetime.fromtimestamp(world.end, UTC))[level_.key]
    assert isinstance(found.period, Counts), found.period
    windows = {window: each for window, each in found.windows.items() if isinstance(each, Counts)}
    assert list(WINDOWS) == list(windows)
    return found.period, windows


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_the_store_counts_as_prometheus_does(
    counts: StoreCounts, server: Prometheus, worlds: dict[str, World], name: str, kind: str
) -> None:
    """A tenth of a percent apart at most, over the period and over every window."""
    level_ = _level(name, kind)
    prometheus = PrometheusReader(
        source(server.url, timeout="60s"), mode="raw", default_source="prometheus/eu"
    )
    ours, our_windows = _read(counts, level_, worlds[name])
    theirs, their_windows = _read(prometheus, level_, worlds[name])
    for window, mine, other in (
        ("period", ours, theirs),
        *((str(w), our_windows[w], their_windows[w]) for w in WINDOWS),
    ):
        assert float(mine.total) == pytest.approx(float(other.total), rel=SAME), window
        assert float(mine.bad) == pytest.approx(float(other.bad), rel=SAME, abs=0.01), window


@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[1] != "probe"])
def test_the_store_counts_what_happened(
    counts: StoreCounts, worlds: dict[str, World], name: str, kind: str
) -> None:
    """Three in a thousand off at most: births, resets and new pods included."""
    world, level_ = worlds[name], _level(name, kind)
    hours = 40 if name in {"missing_errors", "pod_churn", "resets"} else 20
    level_ = _level(name, kind, f"{hours}h")
    found, _ = _read(counts, level_, world)
    since = world.end - hours * 3600
    slow = isinstance(level_.slo.indicator.measure, Latency)
    true = (world.slow_counts if slow else world.true_counts)(since, world.end)
    assert true.bad >= 1000, f"seed {SEED}: too few bad events to judge by"
    total_error = float(found.total) / true.total - 1
    ratio_error = float(found.bad / found.total) / float(true.ratio) - 1
    print(f"FIGURE store {SCRAPE}s {name} {kind}: total {total_error:+.4%}, {ratio_error:+.4%}")
    assert abs(ratio_error) <= EXACT, f"seed {SEED}"
    assert abs(total_error) <= 0.005, f"seed {SEED}"
