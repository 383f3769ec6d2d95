"""Raw reading of a store that holds every sample twice, once for each replica that scraped it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.prometheus import PrometheusReader
from slo.ports import Counts
from slo.units import Duration
from slo.workspace import PrometheusSource
from tests import builders
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import simulate, write_openmetrics
from tests.servers.traffic_model import Span
from tests.servers.traffic_scenarios import HOUR, named


def test_replicas_count_once_and_fill_each_others_gaps(
    prometheus_bin: Path, start_prometheus: Callable[..., Prometheus], tmp_path: Path
) -> None:
    """One replica was down for an hour, the other for another; together they saw everything."""
    scenario = named("steady", seed=5, scrape_interval=60)
    print(scenario)
    worlds = [
        simulate(
            replace(
                scenario,
                histogram=False,
                probe=None,
                labels={"replica": name},
                outages=(Span(start=down * HOUR, end=(down + 1) * HOUR),),
            )
        )
        for name, down in (("a", 6), ("b", 12))
    ]
    write_openmetrics(tmp_path / "samples.txt", worlds)
    create_blocks(prometheus_bin, tmp_path / "samples.txt", tmp_path / "data")
    server = start_prometheus(data=tmp_path / "data")
    level = builders.level(builders.slo(window="20h", scrape="60s"))
    end = worlds[0].end - 1200
    truth = worlds[0].true_counts(end - 20 * HOUR, end)
    at = datetime.fromtimestamp(end, tz=UTC)

    def period(*replica_labels: str) -> Counts:
        source = PrometheusSource(
            name="x",
            url=server.url,
            timeout=Duration.parse("30s"),
            replica_labels=replica_labels,
        )
        reading = PrometheusReader(source, mode="raw").read([level], (), at)[level.key]
        assert isinstance(reading.period, Counts)
        return reading.period

    assert truth.total == pytest.approx(float(period("replica").total), rel=0.01)
    assert truth.bad == pytest.approx(float(period("replica").bad), rel=0.02)
    assert 1.8 * truth.total < float(period().total)
