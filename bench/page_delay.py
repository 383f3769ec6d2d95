"""How much later than rules over raw series our rules page in a total outage.

The alert is evaluated as it would have been: what it reads is put in as a subquery of the rule
that records it, at the group's own interval. Subqueries stand at multiples of their step, so the
phase of evaluation is varied by when the outage begins.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from bench import rules
from bench.model import NEWEST, Bench, FailedError, Result, Row, Run, binaries
from bench.rules import Group
from bench.samples import load_worlds
from bench.specs import bad, service, total
from tests.servers.processes import Prometheus
from tests.servers.traffic import World, simulate
from tests.servers.traffic_model import DEFAULT_START, Scenario
from tests.servers.traffic_scenarios import HOUR, total_outage

_INTERVAL = 30
_TARGET = 20.0
_PAGE = 0.0144
_LATEST = 600
_RECORDED = re.compile(r"(slo:[a-z0-9_:]+)\{[^}]*\}(?:\[(\w+)\])?")


def run(bench: Run) -> Result:
    """Page in outages that begin at every second of an evaluation interval."""
    worlds = outages(range(0, _INTERVAL, 10 if bench.quick else 1))
    bench.tell(f"{len(worlds)} outages")
    data = load_worlds(bench.folder / "outages", worlds)
    with Prometheus(binaries(NEWEST), data=data) as server:
        ours = [delay(server, world, our_page(world.scenario.job)) for world in worlds]
        raw = [delay(server, world, raw_page(world.scenario.job)) for world in worlds]
    later = [one - other for one, other in zip(ours, raw, strict=True)]
    pages = (
        f"ours {median(ours):.0f} s (latest {max(ours):.0f} s), "
        f"raw rules {median(raw):.0f} s (latest {max(raw):.0f} s) after the outage"
    )
    spread = (
        f"one evaluation ({_INTERVAL} s) later in {sum(map(bool, later))} of {len(later)} outages"
    )
    rows = [
        _row("mean over all phases", sum(later) / len(later), _TARGET, pages),
        _row("median page", median(ours) - median(raw), _TARGET, pages),
        _row("latest page", max(ours) - max(raw), _TARGET, pages),
        _row("one outage at worst", max(later), None, spread),
    ]
    return Result(rows=rows)


def outages(phases: Sequence[int]) -> list[World]:
    """Total outages after two healthy hours; each begins at another second."""
    worlds = []
    for phase in phases:
        scenario = total_outage(phase, healthy=2 * HOUR, failing=_LATEST)
        worlds.append(simulate(_moved(scenario, phase)))
    return worlds


def our_page(job: str) -> str:
    """Our fastest page over raw series alone."""
    found = rules.ours(service(job))
    [fast] = [group for group in found if group.name.endswith("/fast")]
    page = next(rule.expr for rule in fast.rules if not rule.record and rule.labels["long"] == "1h")
    return unrecorded(page, fast)


def unrecorded(expression: str, group: Group) -> str:
    """Replace what a group records by what it records it from."""
    sources = {rule.record: rule.expr for rule in group.rules if rule.record}

    def source(found: re.Match[str]) -> str:
        expanded = f"({unrecorded(sources[found[1]], group)})"
        return expanded if found[2] is None else f"{expanded}[{found[2]}:{group.interval:.0f}s]"

    return _RECORDED.sub(source, expression)


def raw_page(job: str) -> str:
    """The same page by rates over raw series."""
    return " and ".join(
        f"(sum(rate({bad(job)}[{window}])) / sum(rate({total(job)}[{window}])) > {_PAGE})"
        for window in ("1h", "5m")
    )


def delay(server: Prometheus, world: World, page: str) -> float:
    """Seconds from the outage to the first evaluation that pages."""
    outage = world.start + 2 * HOUR
    first = -(-outage // _INTERVAL) * _INTERVAL
    answer = server.query_range(page, start=first, end=world.end, step=_INTERVAL)
    if not answer:
        raise FailedError(f"no page of {world.scenario.job} in {_LATEST} s")
    return min(at for series in answer for at, _ in series.points) - outage


def _moved(scenario: Scenario, phase: int) -> Scenario:
    return replace(scenario, start=DEFAULT_START + phase, job=f"outage-{phase}")


def _row(what: str, value: float, target: float | None, figures: str) -> Row:
    return Row(
        bench="page_delay",
        what=f"page of a total outage, ours - raw rules: {what}",
        value=value,
        target=target,
        unit="s",
        figures=figures,
    )


BENCH = Bench(
    name="page_delay",
    about="seconds from a total outage to the page, ours - raw rules",
    run=run,
)
