"""The burn-down's numbers, on a real Prometheus."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.prometheus import PrometheusClient, PrometheusReader
from collectors.readers.prometheus.profile import ProfileReader
from slo.units import Duration
from slo.workspace import PrometheusSource
from tests import builders
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import simulate
from tests.servers.traffic_scenarios import named


def test_the_steps_of_a_profile_add_up_to_the_period(
    prometheus_bin: Path, start_prometheus: Callable[..., Prometheus], tmp_path: Path
) -> None:
    """What the picture shows is what the number says, slot by slot."""
    world = simulate(named("outage", seed=11, scrape_interval=60))
    print(world)
    world.write_openmetrics(tmp_path / "samples.txt")
    create_blocks(prometheus_bin, tmp_path / "samples.txt", tmp_path / "data")
    server = start_prometheus(data=tmp_path / "data")
    source = PrometheusSource(name="x", url=server.url, timeout=Duration.parse("30s"))
    level = builders.level(builders.slo(window="12h", scrape="60s"))
    at = datetime.fromtimestamp(world.end - world.end % 300, tz=UTC)

    reading = PrometheusReader(source, mode="raw").read([level], [], at)[level.key]
    profile = ProfileReader(client=PrometheusClient(source), default_source=source.reference).read(
        [level], {level.key: reading}, at, steps=12
    )[level.key]

    known = [each for each in profile if each is not None]
    assert 12 == len(known)
    assert float(reading.period.total) == pytest.approx(float(sum(c.total for c in known)))  # type: ignore[union-attr]  # there is data
    assert float(reading.period.bad) == pytest.approx(float(sum(c.bad for c in known)))  # type: ignore[union-attr]  # there is data
