"""How far each tool's error ratio is from what truly happened."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.model import NEWEST, OLDEST, Bench, Result, Row, Run, binaries
from bench.samples import load_worlds
from bench.specs import bad, service, total
from bench.table import relative_error
from slo.ledger import expressions
from tests.servers.processes import Prometheus
from tests.servers.traffic import World, simulate
from tests.servers.traffic_model import DEFAULT_START
from tests.servers.traffic_scenarios import named

_SCENARIOS = (
    *("steady", "day_night", "bursts", "idle_spells", "missing_errors"),
    *("born_errors", "pod_churn", "resets", "outage", "everything"),
)
_QUICK = ("steady", "missing_errors", "outage")
_OUTAGES = frozenset({"outage", "everything"})
_SLOT, _EVALUATION = 300, 30
_TARGETS = {False: 0.3, True: 3.0}
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The relative errors of one scenario, in percent, by tool."""

    scenario: str
    scrape: int
    part: str
    bad: int
    errors: Mapping[str, float]


def run(bench: Run) -> Result:
    """Measure every scenario at both scrape intervals on both servers."""
    seed = 20260101
    found: list[Measured] = []
    for scrape in (60,) if bench.quick else (15, 60):
        bench.tell(f"simulating at {scrape} s, seed {seed}")
        worlds = worlds_at(scrape, _QUICK if bench.quick else _SCENARIOS, seed)
        data = load_worlds(bench.folder / str(scrape), worlds)
        for part in (NEWEST,) if bench.quick else (OLDEST, NEWEST):
            bench.tell(f"reading at {scrape} s from {part}")
            with Prometheus(binaries(part), data=data) as server:
                found += [measured(server, world, part) for world in worlds]
    rows = [_worst(found, outage=outage) for outage in (False, True)]
    return Result(rows=rows, detail=f"accuracy: relative error of the ratio\n{_table(found)}")


def worlds_at(scrape: int, scenarios: Sequence[str], seed: int) -> list[World]:
    """Simulate scenarios that begin at any second of a slot."""
    worlds = []
    for name in scenarios:
        start = DEFAULT_START + random.Random(f"{name}/{seed}/{scrape}").randrange(_SLOT)
        worlds.append(
            simulate(named(name, seed=seed, scrape_interval=scrape, start=start, job=name))
        )
    return worlds


def measured(server: Prometheus, world: World, part: str) -> Measured:
    """Ask a server for a world's error ratio in each tool's way."""
    scrape = world.scenario.scrape_interval
    counted = world.true_counts(world.start, world.end)
    true = float(counted.ratio)
    return Measured(
        scenario=world.scenario.name,
        scrape=scrape,
        part=part,
        bad=counted.bad,
        errors={
            tool: 100 * relative_error(ratio(server, world), true) for tool, ratio in TOOLS.items()
        },
    )


def ledger(server: Prometheus, world: World) -> float:
    """Ours: bad over total, both summed over the slots of the ledger."""
    job, scrape = world.scenario.job, world.scenario.scrape_interval
    counts = expressions(service(job, scrape=f"{scrape}s"))
    assert counts is not None
    known = f"({counts.part_increase}) or 0 * ({counts.total_increase})"
    return _sum(server, world, known) / _sum(server, world, counts.total_increase)


def sloth(server: Prometheus, world: World) -> float:
    """Sloth's: the mean of 5-minute ratios, recorded every 30 seconds where there are any.

    It keeps NaN, as `sum_over_time` does, from five minutes without a request.
    """
    job = world.scenario.job
    ratio = f"(sum(rate({bad(job)}[5m]))) / (sum(rate({total(job)}[5m])))"
    values = _values(server, world, ratio, _EVALUATION)
    return sum(values) / len(values) if values else math.nan


def pyrra(server: Prometheus, world: World) -> float:
    """Pyrra's budget: `increase` over the whole period, as with any query of the raw counters."""
    job, period = world.scenario.job, f"{world.end - world.start}s"
    ratio = (
        f"(sum(increase({bad(job)}[{period}])) or vector(0))"
        f" / sum(increase({total(job)}[{period}]))"
    )
    return server.number(ratio, at=world.end) or 0.0


def pyrra_performance(server: Prometheus, world: World) -> float:
    """Pyrra's performance mode: `increase[5m]` summed every five minutes."""
    job = world.scenario.job
    pair = [
        _sum(server, world, f"sum(increase({selector}[5m]))") for selector in (bad(job), total(job))
    ]
    return pair[0] / pair[1]


TOOLS: Mapping[str, Callable[[Prometheus, World], float]] = {
    "ours": ledger,
    "sloth": sloth,
    "pyrra": pyrra,
    "pyrra perf.": pyrra_performance,
}
"""Every way to a ratio. Raw `increase` over the period is Pyrra's."""


def _sum(server: Prometheus, world: World, expression: str) -> float:
    return sum(_values(server, world, expression, _SLOT))


def _values(server: Prometheus, world: World, expression: str, step: int) -> list[float]:
    # A day at a time: a query may have 11,000 points at most. A step past the end completes
    # what the last slot began.
    values: list[float] = []
    first = (world.start // step + 1) * step
    last = -(-world.end // step) * step
    for begin in range(first, last + 1, _DAY):
        end = min(begin + _DAY - step, last)
        for series in server.query_range(expression, start=begin, end=end, step=step):
            values += [value for _, value in series.points]
    return values


def _worst(found: Sequence[Measured], *, outage: bool) -> Row:
    of_kind = [each for each in found if (each.scenario in _OUTAGES) == outage]
    worst = {tool: max(of_kind, key=lambda each: _rank(each.errors[tool])) for tool in TOOLS}
    named_worst = (
        f"{tool} {_percent(each.errors[tool])} ({each.scenario}, {each.scrape} s)"
        for tool, each in worst.items()
    )
    kind = "with a 12-minute outage" if outage else "without an outage"
    return Row(
        bench="accuracy",
        what=f"worst error of the ratio, {kind}",
        value=worst["ours"].errors["ours"],
        target=_TARGETS[outage],
        unit="%",
        figures=", ".join(named_worst),
    )


def _rank(error: float) -> float:
    return math.inf if math.isnan(error) else error


def _percent(error: float) -> str:
    return "NaN" if math.isnan(error) else f"{error:.3g} %"


def _table(found: Sequence[Measured]) -> str:
    head = f"{'scenario':<16}{'scrape':>7}  {'server':<16}{'bad events':>11}"
    lines = [head + "".join(f"{tool:>13}" for tool in TOOLS)]
    for each in sorted(found, key=lambda one: (one.scenario, one.scrape, one.part)):
        errors = "".join(f"{_percent(each.errors[tool]):>13}" for tool in TOOLS)
        lines.append(
            f"{each.scenario:<16}{each.scrape:>5} s  {each.part:<16}{each.bad:>11,}{errors}"
        )
    return "\n".join(lines)


BENCH = Bench(
    name="accuracy",
    about="error of the period's ratio against the true count, beside sloth, Pyrra and increase",
    run=run,
)
