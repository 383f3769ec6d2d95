"""The ledger's sums against what truly happened, on real servers (rules.md, point 1).

The figures are printed: `pytest -rP tests/servers/test_ledger_truth.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from slo.ledger import expressions
from slo.model import Cluster, Comparison, Measure, Probe, Ratio, ServiceLevel, Slices
from slo.units import Duration
from tests.builders import events, latency, level, query, slo
from tests.servers.processes import Prometheus
from tests.servers.traffic import Counts
from tests.servers.traffic_scenarios import SCENARIOS
from tests.servers.truth import PHASE, SEED, SLOT, Measured, Truth, measure

pytestmark = pytest.mark.xdist_group("ledger-truth")

EXACT = 0.003
AFTER_AN_OUTAGE = 0.03
# A process that dies takes the events since its last scrape with it, good and bad alike.
LOST_WITH_PROCESSES = 0.005
WITH_OUTAGE = {"outage", "everything"}
COUNTED = [name for name in SCENARIOS if name != "silent"]

EU, US = (
    Cluster(name="eu", match={"cluster": "eu-1"}, source="prometheus/eu"),
    Cluster(name="us", match={"cluster": "us.1"}, source="prometheus/us"),
)


@pytest.fixture(scope="module")
def truth(part: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    """The worlds, loaded once by one promtool for all servers."""
    with ExitStack() as stack:
        yield Truth(part("prometheus-2.42"), tmp_path_factory.mktemp("truth"), stack)


Ask = Callable[..., Measured]


@pytest.fixture(params=[15, 60], ids=["15s", "60s"])
def scrape(request: pytest.FixtureRequest) -> int:
    """The scrape interval in seconds."""
    interval: int = request.param
    return interval


@pytest.fixture
def ask(truth: Truth, prometheus_bin: Path, scrape: int) -> Ask:
    """Measure a measure over a world: its ledger on the server beside the world's truth."""

    def run(
        name: str,
        measured: Measure,
        count: Callable[[float, float], Counts] | None = None,
        **more: object,
    ) -> Measured:
        world = truth.worlds(scrape)[name]
        exact = expressions(_level(measured, scrape, **more))
        assert exact is not None
        server = truth.server(prometheus_bin, scrape)
        found = measure(
            server,
            exact.total_increase,
            exact.part_increase,
            count or world.true_counts,
            (world.start, world.end),
        )
        _print(prometheus_bin, scrape, name, found, good=exact.part == "good")
        return found

    return run


def _level(measured: Measure, scrape: int, **more: object) -> ServiceLevel:
    return level(slo(measured, scrape=f"{scrape}s"), **more)  # type: ignore[arg-type] # passed on


def _requests(job: str) -> str:
    return f'http_requests_total{{job="{job}"}}'


def _errors(job: str) -> str:
    return f'http_requests_total{{job="{job}", code=~"5.."}}'


def _print(binaries: Path, scrape: int, name: str, found: Measured, *, good: bool) -> None:
    version = binaries.parent.name.rsplit("-", 1)[0]
    if found.truth.bad:
        print(
            f"FIGURE {version} {scrape}s {name}: {found.truth.bad} bad of {found.truth.total}, "
            f"total {found.total_error:+.4%}, ratio {found.ratio_error(good=good):+.4%}"
        )


@pytest.mark.parametrize("name", COUNTED)
def test_the_period_ratio_is_the_ratio_of_what_happened(ask: Ask, name: str) -> None:
    """Bursts, idle spells, births, churn, resets: 0.3 % off at most, 3 % after an outage."""
    found = ask(name, events(_requests(name), bad=_errors(name)))
    bound = AFTER_AN_OUTAGE if name in WITH_OUTAGE else EXACT
    assert found.truth.bad >= 1000, f"seed {SEED}: too few bad events to judge by"
    assert abs(found.ratio_error()) <= bound, f"seed {SEED}: {found}"
    assert abs(found.total_error) <= max(bound, LOST_WITH_PROCESSES), f"seed {SEED}: {found}"


@pytest.mark.parametrize("name", ["bursts", "missing_errors", "pod_churn"])
def test_counting_the_good_gives_the_same_ratio(ask: Ask, name: str) -> None:
    """Total and good count births alike, so that their difference is exact too."""
    good = f'http_requests_total{{job="{name}", code!~"5.."}}'
    found = ask(name, events(_requests(name), good=good))
    assert abs(found.ratio_error(good=True)) <= EXACT, f"seed {SEED}: {found}"


def test_a_world_without_traffic_counts_zero_and_is_not_missing(ask: Ask) -> None:
    """Nothing happened, and every slot says so."""
    found = ask("silent", events(_requests("silent"), bad=_errors("silent")))
    assert 0 == found.total == found.part
    assert found.slots == (86_400 - PHASE) // SLOT + 1


@pytest.mark.parametrize(("threshold", "bound"), [("300ms", "0.3"), ("1s", "1")])
def test_slow_requests_of_a_classic_histogram_are_counted(
    ask: Ask, truth: Truth, scrape: int, threshold: str, bound: str
) -> None:
    """Requests above the threshold are bad, whichever way the boundary is spelled."""
    world = truth.worlds(scrape)["steady"]
    measured = latency(threshold, selector='http_request_duration_seconds{job="steady"}')
    found = ask("steady", measured, lambda a, b: world.slow_counts(a, b, bound=bound))
    assert found.truth.bad >= 1000
    assert abs(found.ratio_error(good=True)) <= EXACT, f"seed {SEED}: {found}"
    assert abs(found.total_error) <= EXACT


@pytest.mark.parametrize(
    "measured",
    [
        Probe(
            selector=query('probe_success{instance="https://steady.example/"}'),
            slice=Duration.parse("1m"),
        ),
        Slices(
            expr=query('1 - probe_success{instance="https://steady.example/"}'),
            good_when=Comparison(operator="<", value=Decimal("0.5")),
            slice=Duration.parse("1m"),
        ),
    ],
    ids=["probe", "slices"],
)
def test_seconds_of_a_failing_probe_are_counted_by_slices(
    ask: Ask, truth: Truth, scrape: int, measured: Measure
) -> None:
    """Half an hour of failure is half an hour, give or take a slice at either end."""
    world = truth.worlds(scrape)["steady"]
    found = ask("steady", measured, world.probe_seconds)
    failing = found.total - found.part
    assert abs(failing - found.truth.bad) <= 60 + scrape, found
    assert abs(found.total_error) <= EXACT


def test_events_of_several_clusters_add_up_before_anything_is_divided(
    ask: Ask, truth: Truth, scrape: int
) -> None:
    """The sum over two clusters is the sum of their truths and of the whole without clusters."""
    measured, both, span = _two_jobs(truth, scrape)
    clustered = ask(span, measured, both, clusters=(EU, US))
    whole = ask(span, measured, both)
    assert clustered.total == pytest.approx(whole.total, rel=1e-12)
    assert clustered.part == pytest.approx(whole.part, rel=1e-12)
    assert abs(clustered.ratio_error()) <= EXACT


def test_a_series_that_two_clusters_select_counts_once(ask: Ask, truth: Truth, scrape: int) -> None:
    """Overlapping selectors do not double anything."""
    measured, both, span = _two_jobs(truth, scrape)
    overlap = (EU, US, Cluster(name="all", match={"region": "west"}))
    once = ask(span, measured, both)
    assert ask(span, measured, both, clusters=overlap).total == pytest.approx(once.total)


def test_a_source_sums_its_own_clusters_only(
    truth: Truth, prometheus_bin: Path, scrape: int
) -> None:
    """What two sources hold adds up to the whole, so a reader may ask each for its part."""
    measured, _, name = _two_jobs(truth, scrape)
    one = _level(measured, scrape, clusters=(EU, US))
    server, world = truth.server(prometheus_bin, scrape), truth.worlds(scrape)[name]
    sums = []
    for source in ("prometheus/eu", "prometheus/us", None):
        exact = expressions(one, source=source)
        assert exact is not None
        found = measure(
            server,
            exact.total_increase,
            exact.part_increase,
            world.true_counts,
            (world.start, world.end),
        )
        sums.append((found.total, found.part))
    assert sums[2] == pytest.approx(tuple(map(sum, zip(*sums[:2], strict=True))))
    assert min(sums[0]) > 0


def _two_jobs(truth: Truth, scrape: int) -> tuple[Measure, Callable[[float, float], Counts], str]:
    """Two worlds of the same length in different clusters, counted as one application."""
    made = truth.worlds(scrape)
    one, two = made["bursts"], made["idle_spells"]
    assert one.scenario.labels != two.scenario.labels
    names = f"{one.scenario.job}|{two.scenario.job}"
    measured = events(
        f'http_requests_total{{job=~"{names}"}}',
        bad=f'http_requests_total{{job=~"{names}", code=~"5.."}}',
    )
    return measured, lambda a, b: one.true_counts(a, b) + two.true_counts(a, b), "bursts"


@pytest.mark.parametrize("function", ["increase", "rate"])
@pytest.mark.parametrize(("name", "bound"), [("steady", 0.01), ("bursts", 0.2)])
def test_expressions_with_a_window_are_as_exact_as_increase(
    ask: Ask, function: str, name: str, bound: float
) -> None:
    """They cannot telescope: steady traffic is within 1 %, bursts within 20 %."""
    total, bad = (
        f"sum({function}({selector}[$window]))" for selector in (_requests(name), _errors(name))
    )
    found = ask(name, events(total, bad=bad))
    assert abs(found.ratio_error()) <= bound, f"seed {SEED}: {found}"
    assert abs(found.total_error) <= 0.01


def test_a_weighted_ratio_counts_as_events_do(ask: Ask) -> None:
    """A share of errors weighted by traffic is the ratio of sums, not a mean of ratios."""
    total, bad = (f"sum(rate({one('day_night')}[$window]))" for one in (_requests, _errors))
    measured = Ratio(error=query(f"{bad} / {total}"), weight=query(total))
    found = ask("day_night", measured)
    assert abs(found.ratio_error()) <= 0.02, f"seed {SEED}: {found}"


def test_a_ratio_without_weight_counts_every_second_alike(
    ask: Ask, truth: Truth, scrape: int
) -> None:
    """It is the mean of the ratios, by the author's choice."""
    world = truth.worlds(scrape)["day_night"]
    total, bad = (f"sum(rate({one('day_night')}[$window]))" for one in (_requests, _errors))
    found = ask("day_night", Ratio(error=query(f"{bad} / {total}")))
    ends = [world.start + PHASE + k * SLOT for k in range(found.slots)]
    ratios = [float(world.true_counts(end - SLOT, end).ratio) for end in ends]
    assert found.total == found.slots * SLOT
    assert found.part / found.total == pytest.approx(sum(ratios) / len(ratios), rel=0.02)


@pytest.mark.parametrize("name", ["steady", "bursts"])
def test_an_hour_of_the_fast_pair_is_near_the_truth(
    truth: Truth, prometheus_bin: Path, scrape: int, name: str
) -> None:
    """Rates sampled every half minute or slower, summed over four hours: 5 % off at most."""
    world, server = truth.worlds(scrape)[name], truth.server(prometheus_bin, scrape)
    fast = expressions(_level(events(_requests(name), bad=_errors(name)), scrape))
    assert fast is not None
    start, step = world.start + 6 * 3600 + 17, max(30, scrape)
    sums = [_sum(server, one, start, step) for one in (fast.total_rate, fast.part_rate)]
    true = world.true_counts(start, start + 4 * 3600)
    error = sums[1] / sums[0] / float(true.ratio) - 1
    print(f"FIGURE {prometheus_bin.parent.name[:15]} {scrape}s {name}: fast pair {error:+.3%}")
    assert abs(error) <= 0.05


def _sum(server: Prometheus, expression: str, start: float, step: int) -> float:
    answer = server.query_range(expression, start=start + step, end=start + 4 * 3600, step=step)
    return sum(value for _, value in answer[0].points)
