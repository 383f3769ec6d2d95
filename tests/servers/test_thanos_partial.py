"""A real Thanos querier over two real Prometheus servers, one of which dies: never a verdict.

Each region's Prometheus holds half of an application's requests. What the querier answers without
one of them is a success with a warning, and looks like half of the traffic.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.readers.prometheus import PrometheusReader
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.units import Duration
from slo.workspace import PrometheusSource
from tests import builders
from tests.cli.installed import Ending, app_text, headroom, write
from tests.servers.answers import decided
from tests.servers.processes import Prometheus, create_blocks, wait_until
from tests.servers.thanos import ThanosQuery, ThanosSidecar
from tests.servers.traffic import World, simulate, write_openmetrics
from tests.servers.traffic_model import Phase, Scenario
from tests.servers.traffic_scenarios import HOUR

REGIONS = ("eu", "us")
HOURS = 8
SOURCE = """\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [apps]
  state: state
  sources: {prometheus: {thanos: {url: "%s"}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """Servers of two regions with their sidecars, and what truly happened."""

    worlds: Mapping[str, World]
    servers: Mapping[str, Prometheus]
    sidecars: Mapping[str, ThanosSidecar]

    @property
    def at(self) -> int:
        """The end of all histories, in Unix seconds."""
        return min(world.end for world in self.worlds.values())

    def total(self) -> float:
        """All the requests of both regions."""
        counts = [
            each.true_counts(self.at - HOURS * HOUR, self.at) for each in self.worlds.values()
        ]
        return sum(each.total for each in counts)


def world(region: str, seed: int) -> World:
    """Simulate one region's requests, of which a few fail."""
    phase = Phase(seconds=HOURS * HOUR, rps=5, errors={"500": 0.0002})
    print(f"seed {seed}")
    return simulate(
        Scenario(name=f"thanos/{region}", seed=seed, phases=(phase,), pods=2, job="ticketing-api")
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """A stack that stops what was started on it."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def histories(
    part: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Mapping[str, World], Mapping[str, Path]]:
    """The worlds of both regions, and folders of blocks that hold them."""
    binaries = part("prometheus-2.42")
    worlds = {region: world(region, seed) for seed, region in enumerate(REGIONS, start=11)}
    folder = tmp_path_factory.mktemp("thanos")
    for region, each in worlds.items():
        write_openmetrics(folder / f"{region}.txt", [each])
        create_blocks(binaries, folder / f"{region}.txt", folder / region)
    return worlds, {region: folder / region for region in REGIONS}


@pytest.fixture
def regions(
    histories: tuple[Mapping[str, World], Mapping[str, Path]],
    part: Callable[[str], Path],
    thanos_bin: Path,
    stack: ExitStack,
) -> Regions:
    """Both regions, up and running."""
    worlds, folders = histories
    servers, sidecars = {}, {}
    for region, folder in folders.items():
        labels = {"external_labels": {"region": region}}
        server = Prometheus(part("prometheus-2.42"), data=folder, config={"global": labels})
        servers[region] = stack.enter_context(server)
        sidecars[region] = stack.enter_context(ThanosSidecar(thanos_bin, prometheus=server))
    return Regions(worlds=worlds, servers=servers, sidecars=sidecars)


def querier(
    thanos_bin: Path,
    stack: ExitStack,
    *endpoints: str,
    strict: str = "",
    flags: tuple[str, ...] = (),
) -> ThanosQuery:
    """Start a querier that knows all of its endpoints; ``strict`` is one it must never forget."""
    all_flags = (*flags, *((f"--endpoint-strict={strict}",) if strict else ()))
    made = stack.enter_context(ThanosQuery(thanos_bin, endpoints=endpoints, flags=all_flags))
    wait_until(lambda: made.stores() == len(REGIONS), what="both sidecars are known")
    return made


def read(url: str, at: int) -> Reading:
    """Read the service level from raw series."""
    source = PrometheusSource(name="thanos", url=url, timeout=Duration.parse("30s"))
    measure = builders.events(
        'http_requests_total{job="ticketing-api"}',
        bad='http_requests_total{job="ticketing-api",code=~"5.."}',
    )
    level = builders.level(builders.slo(measure, window=f"{HOURS}h", target="99.5"))
    reader = PrometheusReader(source, mode="raw")
    return reader.read([level], (Duration.parse("1h"),), datetime.fromtimestamp(at, UTC))[level.key]


def ask(folder: Path, command: str, url: str, at: int, *argv: str) -> Ending:
    """Run a command of Headroom over a workspace whose only source is the querier."""
    write(folder / "apps", ticketing=app_text("ticketing", objective="99.5"))
    (folder / "headroom.yaml").write_text(SOURCE % url, encoding="utf-8")
    return headroom(command, "--app", "ticketing", "--at", str(at), *argv, cwd=folder)


def test_a_whole_answer_is_the_sum_of_both_regions(
    regions: Regions, thanos_bin: Path, stack: ExitStack, tmp_path: Path
) -> None:
    """Nothing is missing, nothing is warned of, and the gate allows."""
    query = querier(thanos_bin, stack, *(each.grpc for each in regions.sidecars.values()))
    reading = read(query.url, regions.at)
    assert isinstance(reading.period, Counts)
    assert regions.total() == pytest.approx(float(reading.period.total), rel=0.01)
    assert ((), ()) == (reading.partial, reading.warnings)
    ending = ask(tmp_path, "gate", query.url, regions.at, "--format", "json")
    assert (0, "allow") == (ending.code, decided(ending)["decision"]), ending.stderr


def test_a_region_that_is_down_makes_the_reading_partial(
    regions: Regions, thanos_bin: Path, stack: ExitStack, tmp_path: Path
) -> None:
    """Half of the traffic is a number that nobody may decide by, and the warning is passed on."""
    query = querier(thanos_bin, stack, *(each.grpc for each in regions.sidecars.values()))
    regions.servers["us"].stop()
    gone = regions.servers["us"].url.removeprefix("http://")

    reading = read(query.url, regions.at)
    assert isinstance(reading.period, Counts)
    assert 0.5 * regions.total() == pytest.approx(float(reading.period.total), rel=0.02)
    assert ("prometheus/thanos",) == reading.partial
    assert gone in " ".join(reading.warnings)

    status = ask(tmp_path, "status", query.url, regions.at)
    assert 1 == status.code
    assert "partial: without prometheus/thanos" in status.stdout
    assert gone in status.stdout

    ending = ask(tmp_path, "gate", query.url, regions.at, "--format", "json")
    found = decided(ending)
    assert (12, "indeterminate", False) == (ending.code, found["decision"], found["allowed"])
    assert {"partial"} == {each["reason"] for rule in found["rules"] for each in rule["findings"]}
    assert gone in " ".join(found["rules"][0]["findings"][0]["notes"])


def test_a_strict_endpoint_is_missed_for_as_long_as_it_is_away(
    regions: Regions, thanos_bin: Path, stack: ExitStack
) -> None:
    """The querier goes on asking a store that it is told never to forget."""
    eu, us = (regions.sidecars[region].grpc for region in REGIONS)
    query = querier(thanos_bin, stack, eu, strict=us)
    regions.sidecars["us"].stop()
    wait_until(lambda: query.stores() == 1, what="the querier noticed")
    reading = read(query.url, regions.at)
    assert ("prometheus/thanos",) == reading.partial
    assert us in " ".join(reading.warnings)


def test_an_endpoint_that_is_not_strict_is_forgotten_without_a_word(
    regions: Regions, thanos_bin: Path, stack: ExitStack
) -> None:
    """What the querier forgets no reader can miss: docs/external-sources/thanos.md says so."""
    eu, us = (regions.sidecars[region].grpc for region in REGIONS)
    query = querier(thanos_bin, stack, eu, us)
    regions.sidecars["us"].stop()
    assert ("prometheus/thanos",) == read(query.url, regions.at).partial
    wait_until(lambda: query.stores() == 1, what="the querier forgot")
    reading = read(query.url, regions.at)
    assert isinstance(reading.period, Counts)
    assert 0.5 * regions.total() == pytest.approx(float(reading.period.total), rel=0.02)
    assert ((), ()) == (reading.partial, reading.warnings)


def test_a_querier_that_may_not_answer_partially_answers_an_error(
    regions: Regions, thanos_bin: Path, stack: ExitStack
) -> None:
    """That is a source that failed, with the querier's words."""
    endpoints = [each.grpc for each in regions.sidecars.values()]
    query = querier(thanos_bin, stack, *endpoints, flags=("--no-query.partial-response",))
    regions.servers["us"].stop()
    period = read(query.url, regions.at).period
    assert isinstance(period, NoData)
    assert NoDataReason.SOURCE_FAILED == period.reason
    assert regions.servers["us"].url in period.detail
