"""The simulated traffic is what it says it is: its text, its truth and its repetition."""

import re
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from tests.servers.traffic import Counts, World, exposition, simulate, write_openmetrics
from tests.servers.traffic_model import Deploy, Phase, Probe, Restart, Scenario, Span
from tests.servers.traffic_scenarios import SCENARIOS, named

_LINE = re.compile(r"^(?P<series>\w+\{.*\}) (?P<value>\S+) (?P<at>\d+\.\d{3})$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
Samples = dict[str, list[tuple[float, float]]]


def _small(**changes: object) -> Scenario:
    base = Scenario(
        name="small",
        seed=11,
        phases=(Phase(seconds=1800, rps=8, errors={"404": 0.05, "500": 0.1}),),
        pods=2,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # each test names real fields


def _lines(world: World, path: Path) -> list[str]:
    print(world)
    world.write_openmetrics(path / "world.om")
    return (path / "world.om").read_text().splitlines()


def _stored(world: World, path: Path) -> Samples:
    samples: Samples = defaultdict(list)
    for line in _lines(world, path):
        if not line.startswith("#"):
            match = _LINE.match(line)
            assert match is not None, line
            samples[match["series"]].append((float(match["at"]), float(match["value"])))
    return samples


def _requests(samples: Samples, **labels: str) -> Samples:
    found = {}
    for series, points in samples.items():
        has = dict(_LABEL.findall(series))
        if series.startswith("http_requests_total") and labels.items() <= has.items():
            found[series] = points
    return found


def test_the_true_count_between_two_scrapes_is_the_difference_of_what_they_stored(
    tmp_path: Path,
) -> None:
    """A stored value is the exact count at its instant, so differences of scrapes are the truth."""
    world = simulate(_small(pods=1, seed=3))
    points = next(iter(_requests(_stored(world, tmp_path), code="200").values()))

    for (first, low), (last, high) in zip(points, points[7:], strict=False):
        assert high - low == world.code_counts(first, last)["200"]


def test_every_event_up_to_the_last_scrape_is_stored(tmp_path: Path) -> None:
    """A counter that is never reset ends at everything its pod has counted."""
    world = simulate(_small())

    for pod in world.pods:
        series = _requests(_stored(world, tmp_path), instance=pod.instance)
        last = max(at for points in series.values() for at, _ in points)
        stored = sum(points[-1][1] for points in series.values())
        offset = world.offset_ms(last)
        assert sum(tally.count(offset) for tally in pod.codes.values()) == stored


def test_true_counts_add_up_over_split_windows() -> None:
    """No event falls between two windows or into both, even at a fraction of a second."""
    world = simulate(named("bursts", seed=5))
    print(world)
    edges = [world.start, world.start + 1234.567, world.start + 40_000, world.end]
    parts = [world.true_counts(a, b) for a, b in pairwise(edges)]

    assert world.true_counts(world.start, world.end) == sum(parts, Counts(0, 0))


def test_nothing_happens_outside_the_scenario() -> None:
    """Boundaries beyond the scenario are answered, with no events."""
    world = simulate(_small())

    assert Counts(0, 0) == world.true_counts(world.start - 9999, world.start)
    assert Counts(0, 0) == world.true_counts(world.end, world.end + 9999)


def test_only_5xx_is_bad() -> None:
    """A 404 is a request that went well as far as the server is concerned."""
    world = simulate(_small())
    by_code = world.code_counts(world.start, world.end)
    counts = world.true_counts(world.start, world.end)

    assert by_code["404"] > 0
    assert counts == Counts(sum(by_code.values()), by_code["500"])


def test_the_traffic_is_near_the_rates_asked_for() -> None:
    """Drawn counts stay within a few standard deviations of the rate."""
    counts = simulate(named("day_night", seed=8)).code_counts(0, 2_000_000_000)

    assert abs(counts["200"] / (43_200 * (1000 * 0.9999 + 0.9)) - 1) < 0.001
    assert abs(counts["500"] / 8640 - 1) < 0.05


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    """A scenario is its own record of what was written."""
    first, again, other = (
        _lines(simulate(replace(named("total_outage", seed=seed), jitter_ms=50)), tmp_path)
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


def test_the_scrape_interval_does_not_change_the_truth() -> None:
    """One seed can be judged at 15 s and at 60 s against the same truth."""
    fine, coarse = (
        simulate(named("resets", seed=4, scrape_interval=interval)) for interval in (15, 60)
    )

    assert fine.true_counts(fine.start, fine.end) == coarse.true_counts(coarse.start, coarse.end)


def test_pods_are_scraped_at_phases_of_their_own_within_the_jitter(tmp_path: Path) -> None:
    """Scrapes of a pod are an interval apart, give or take 50 ms, and pods do not share a phase."""
    samples = _stored(simulate(_small(scrape_interval=60, jitter_ms=50)), tmp_path)
    ups = [points for series, points in samples.items() if series.startswith("up{")]

    for points in ups:
        gaps = [b - a for (a, _), (b, _) in pairwise(points)]
        assert all(abs(gap - 60) <= 0.051 for gap in gaps)
    assert abs(ups[0][0][0] - ups[1][0][0]) > 0.1


def test_an_error_series_begins_at_its_first_error(tmp_path: Path) -> None:
    """Before its first error an error series has no sample, and its first sample is above zero."""
    phases = (Phase(seconds=1800, rps=4), Phase(seconds=1800, rps=4, errors={"500": 0.002}))
    world = simulate(_small(phases=phases, pods=6))
    samples = _stored(world, tmp_path)
    births = world.births()

    assert births
    for birth in births:
        points = next(iter(_requests(samples, instance=birth.instance, code="500").values()))
        assert birth.at > world.start + 1800
        assert 0 <= points[0][0] - birth.at <= 15.1
        assert birth.first_stored == points[0][1]
        assert birth.events == points[-1][1] >= 1
        assert world.true_counts(birth.at - 0.001, birth.at).bad >= 1
    assert sum(birth.events for birth in births) == world.true_counts(world.start, world.end).bad


def test_a_restart_takes_the_counter_to_zero_and_hides_the_error_series(tmp_path: Path) -> None:
    """The process starts anew: success begins at zero, and errors have to be born again."""
    phases = (Phase(seconds=900, rps=8, errors={"500": 0.2}), Phase(seconds=900, rps=8))
    restart = Restart(pod=0, at=1000, down=40)
    world = simulate(_small(phases=phases, pods=1, restarts=(restart,)))
    samples = _stored(world, tmp_path)
    success = next(iter(_requests(samples, code="200").values()))
    errors = next(iter(_requests(samples, code="500").values()))
    drops = [b for (_, a), (_, b) in pairwise(success) if b < a]
    down = [at for at, value in next(iter(_ups(samples).values())) if value == 0]

    assert len(drops) == 1
    assert drops[0] <= 16 * 8 * 2
    assert errors[-1][0] <= world.start + 1000
    assert down
    assert all(world.start + 1000 <= at <= world.start + 1040 for at in down)
    assert Counts(0, 0) == world.true_counts(world.start + 1000, world.start + 1040)


def _ups(samples: Samples) -> Samples:
    return {series: points for series, points in samples.items() if series.startswith("up{")}


def test_a_deploy_replaces_every_pod_and_loses_no_traffic(tmp_path: Path) -> None:
    """Old pods end, new ones begin, and the rate stays what it was."""
    world = simulate(_small(deploys=(Deploy(at=600, stagger=30),)))
    samples = _stored(world, tmp_path)
    start = world.start

    assert world.instances(start + 599) == ("10.0.0.1:8080", "10.0.0.2:8080")
    assert world.instances(start + 615) == ("10.1.0.1:8080", "10.0.0.2:8080")
    assert world.instances(start + 631) == ("10.1.0.1:8080", "10.1.0.2:8080")
    old = next(iter(_requests(samples, instance="10.0.0.1:8080", code="200").values()))
    new = next(iter(_requests(samples, instance="10.1.0.1:8080", code="200").values()))
    assert old[-1][0] < start + 600 <= new[0][0]
    assert abs(world.true_counts(start, world.end).total / (8 * 1800) - 1) < 0.05


def test_traffic_goes_on_in_an_outage_of_prometheus(tmp_path: Path) -> None:
    """Nothing is stored for twelve minutes, and the truth knows the requests all the same."""
    world = simulate(_small(outages=(Span(start=300, end=1020),)))
    samples = _stored(world, tmp_path)
    start = world.start

    for points in samples.values():
        assert not [at for at, _ in points if start + 300 < at <= start + 1020]
    assert world.true_counts(start + 300, start + 1020).total > 5000


def test_a_failed_scrape_stores_up_0_and_nothing_else(tmp_path: Path) -> None:
    """A lost scrape leaves a hole in every counter of the pod."""
    world = simulate(_small(scrape_failures=0.2, pods=1))
    samples = _stored(world, tmp_path)
    up = next(iter(_ups(samples).values()))
    counted = {at for points in _requests(samples).values() for at, _ in points}

    assert {at for at, value in up if value == 0}.isdisjoint(counted)
    assert counted == {at for at, value in up if value == 1}
    assert 0 < len(up) - len(counted) < len(up) / 2


def test_the_histogram_knows_its_slow_requests(tmp_path: Path) -> None:
    """Slow requests are those beyond the bucket of the bound."""
    world = simulate(_small(histogram=True, pods=1))
    samples = _stored(world, tmp_path)
    by_bound = {
        dict(_LABEL.findall(series)).get("le", series.split("{")[0]): points[-1]
        for series, points in samples.items()
        if series.startswith("http_request_duration_seconds")
    }
    last = by_bound["+Inf"][0]
    counts = world.slow_counts(world.start, last, bound="0.3")

    assert counts.total == by_bound["+Inf"][1] == by_bound["http_request_duration_seconds_count"][1]
    assert counts.bad == counts.total - by_bound["0.3"][1] > 0
    assert by_bound["0.1"][1] <= by_bound["0.3"][1] <= by_bound["1"][1] <= by_bound["+Inf"][1]
    assert 0.05 < by_bound["http_request_duration_seconds_sum"][1] / counts.total < 2.5


def test_the_probe_knows_its_bad_seconds(tmp_path: Path) -> None:
    """Seconds of failure are counted exactly, and scrapes see them as 0."""
    world = simulate(_small(probe=Probe(failures=(Span(start=600, end=690),))))
    samples = _stored(world, tmp_path)
    points = next(points for series, points in samples.items() if "probe_success" in series)
    failed = [at for at, value in points if value == 0]

    assert Counts(1800, 90) == world.probe_seconds(world.start, world.end)
    assert Counts(60, 30) == world.probe_seconds(world.start + 570, world.start + 630)
    assert len(failed) == 6
    assert all(600 < at - world.start <= 690 for at in failed)


def test_a_world_without_a_probe_says_so() -> None:
    """Asking for what a scenario does not have is an error, not a zero."""
    with pytest.raises(LookupError, match="small has no probe"):
        simulate(_small()).probe_seconds(0, 1)


def test_openmetrics_keeps_families_and_series_together_and_in_order(tmp_path: Path) -> None:
    """Each series stands in one run with rising times, as OpenMetrics asks."""
    scenario = _small(histogram=True, probe=Probe(), restarts=(Restart(pod=1, at=500),))
    lines = _lines(simulate(scenario), tmp_path)
    order = [line.rsplit(" ", 2)[0] for line in lines if not line.startswith("#")]
    runs = [series for index, series in enumerate(order) if series != order[index - 1]]

    assert lines[0] == "# TYPE http_requests counter"
    assert lines[-1] == "# EOF"
    assert [line.split()[2] for line in lines if line.startswith("# TYPE")] == [
        "http_requests",
        "http_request_duration_seconds",
        "probe_success",
        "up",
    ]
    assert len(runs) == len(set(runs))
    for points in _stored(simulate(scenario), tmp_path).values():
        times = [at for at, _ in points]
        assert times == sorted(set(times))


def test_several_apps_share_a_file_under_their_own_labels(tmp_path: Path) -> None:
    """Each world brings its job and its labels, and a family is still declared once."""
    cluster = {"cluster": "eu-1", "namespace": "shop"}
    worlds = [
        simulate(_small(job="ticketing", labels=cluster)),
        simulate(_small(job="cargo", seed=12)),
    ]
    write_openmetrics(tmp_path / "both.om", worlds)
    text = (tmp_path / "both.om").read_text()

    assert (
        'http_requests_total{job="ticketing",instance="10.0.0.1:8080",'
        'cluster="eu-1",namespace="shop",code="200"} '
    ) in text
    assert 'up{job="cargo",instance="10.0.0.1:8080"} 1 ' in text
    assert text.count("# TYPE http_requests counter") == 1


def test_two_worlds_that_would_write_the_same_series_are_refused(tmp_path: Path) -> None:
    """Equal labels would mix the samples of two applications."""
    with pytest.raises(ValueError, match="must differ in job or labels"):
        write_openmetrics(tmp_path / "both.om", [simulate(_small()), simulate(_small(seed=2))])


def test_a_pods_page_shows_what_a_scrape_at_that_instant_stores(tmp_path: Path) -> None:
    """A live server shows the values that the history would hold."""
    world = simulate(_small(pods=1))
    points = next(iter(_requests(_stored(world, tmp_path), code="500").values()))
    at, value = points[20]
    page = world.exposition(at, "10.0.0.1:8080")

    assert page.startswith("# TYPE http_requests_total counter\n")
    assert f'\nhttp_requests_total{{code="500"}} {int(value)}\n' in page
    assert "instance" not in page


def test_a_page_of_all_apps_is_fully_labelled() -> None:
    """One page can stand in for every pod of several applications."""
    worlds = [simulate(_small(job="ticketing", probe=Probe())), simulate(_small(job="cargo"))]
    page = exposition(worlds, worlds[0].start + 600)

    for job in ("ticketing", "cargo"):
        assert f'http_requests_total{{job="{job}",instance="10.0.0.2:8080",code="200"}} ' in page
    assert 'probe_success{job="blackbox",instance="https://ticketing.example/"} 1\n' in page
    assert page.count("# TYPE http_requests_total counter") == 1


def test_a_pod_that_is_down_has_no_page() -> None:
    """Its own page cannot be had, and the common page leaves it out."""
    world = simulate(_small(pods=1, restarts=(Restart(pod=0, at=600, down=30),)))

    with pytest.raises(LookupError, match=r"10\.0\.0\.1:8080 is not up"):
        world.exposition(world.start + 610, "10.0.0.1:8080")
    assert world.exposition(world.start + 610) == ""


def test_a_total_outage_leaves_no_success_behind() -> None:
    """From the outage on every single request fails."""
    world = simulate(named("total_outage", seed=9))
    middle = world.start + 3600

    assert world.true_counts(world.start, middle).bad == 0
    assert world.true_counts(middle, world.end).ratio == Fraction(1)


def test_silence_has_success_series_and_no_request(tmp_path: Path) -> None:
    """An idle application still exposes its success counters, at zero."""
    world = simulate(named("silent", seed=1, scrape_interval=60))
    requests = _requests(_stored(world, tmp_path))

    assert Counts(0, 0) == world.true_counts(world.start, world.end)
    assert len(requests) == 4
    assert {value for points in requests.values() for _, value in points} == {0.0}


@pytest.mark.parametrize("name", sorted(set(SCENARIOS) - {"silent"}))
def test_a_ready_made_scenario_has_a_thousand_bad_events(name: str) -> None:
    """Enough bad events for a relative error of 0.3 % to mean something."""
    world = simulate(named(name, seed=77))
    print(world)

    assert f"name='{name}', seed=77" in repr(world)
    assert world.true_counts(world.start, world.end).bad >= 1000


def test_most_born_errors_are_one_to_three_to_a_series() -> None:
    """The scenario is about series that are nearly all birth."""
    births = simulate(named("born_errors", seed=6)).births()

    assert sum(birth.events <= 3 for birth in births) > len(births) / 2


@pytest.mark.parametrize("bad", [{"500": 1.1}, {"500": -0.1}, {"500": 0.6, "503": 0.6}])
def test_impossible_error_shares_are_refused(bad: dict[str, float]) -> None:
    """Shares that cannot be are refused where they are written."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Phase(seconds=1, rps=1, errors=bad)
