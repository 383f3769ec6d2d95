"""What an hour of rule evaluation costs the server, beside the rules that Sloth generates."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from bench import rules, samples
from bench.model import NEWEST, OLDEST, Bench, Result, Row, Run, binaries
from bench.rules import Group
from bench.specs import PERIOD_SECONDS, service, sloth_file
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.server import wait_until

_TARGETS = {20: 1 / 400, 200: 1 / 1000}
_JOB = "api"
_SCRAPE = 15
_RAW = 3 * 86_400 + 3600
_AHEAD = 900
_LIVE_EVERY = 2
_LIVE_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Samples read and seconds of evaluation in an hour; both are of whole rule files."""

    samples: float
    seconds: float


def run(bench: Run) -> Result:
    """Measure at 100 and 1,000 series; quickly: at 100 on the newest server alone."""
    rows: list[Row] = []
    for pods in (20,) if bench.quick else (20, 200):
        series = pods * len(samples.CODES)
        folder = bench.folder / str(series)
        folder.mkdir()
        ours, sloths = rule_groups(folder)
        at = int(time.time())
        bench.tell(f"{series} series: writing three days of samples")
        data = load(folder, [*ours, *sloths], pods=pods, at=at)
        for part in (NEWEST,) if bench.quick else (OLDEST, NEWEST):
            bench.tell(f"{series} series: every rule's expression on {part}")
            with Prometheus(binaries(part), data=data) as server:
                pair = (cost(server, ours, at), cost(server, sloths, at))
            rows.append(_row(f"{series:,} series, {part}", pair, _TARGETS[pods]))
        if pods == min(_TARGETS):
            bench.tell("the same rules, evaluated by the server itself")
            rows.append(_live(binaries(NEWEST), data, ours, sloths))
    return Result(rows=rows)


def rule_groups(folder: Path) -> tuple[list[Group], list[Group]]:
    """Our groups and Sloth's for the same SLO."""
    return rules.ours(service(_JOB)), rules.sloths(sloth_file(_JOB), folder)


def load(folder: Path, found: Sequence[Group], *, pods: int, at: int, raw: int = _RAW) -> Path:
    """Write raw samples and what the rules recorded before ``at``, and load them as blocks.

    Both go on for a while after ``at``, so that rules can be evaluated live.
    """
    text, data = folder / "samples.txt", folder / "data"
    end = at + _AHEAD
    counters = samples.counters([_JOB], pods=pods, start=at - raw, end=end, step=_SCRAPE)
    samples.write(
        text, [counters, *samples.recorded(found, end=end, period=PERIOD_SECONDS + _AHEAD)]
    )
    create_blocks(binaries(OLDEST), text, data)
    text.unlink()
    return data


def cost(server: Prometheus, found: Sequence[Group], at: float) -> Cost:
    """Evaluate every rule once and weigh it by how often its group runs in an hour."""
    samples_read = seconds = 0.0
    for group in found:
        for rule in group.rules:
            per_hour = 3600 / group.interval
            stats = server.api("query", query=rule.expr, time=at, stats="all")["stats"]
            samples_read += stats["samples"]["totalQueryableSamples"] * per_hour
            seconds += stats["timings"]["execTotalTime"] * per_hour
    return Cost(samples=samples_read, seconds=seconds)


def _row(what: str, pair: tuple[Cost, Cost], target: float | None) -> Row:
    ours, sloths = pair
    return Row(
        bench="rule_cost",
        what=f"samples per hour, {what}",
        value=ours.samples / sloths.samples,
        target=target,
        figures=f"{ours.samples:,.0f} / sloth {sloths.samples:,.0f} samples; "
        f"{ours.seconds:.2f} / {sloths.seconds:.1f} s of evaluation",
    )


def _live(folder: Path, data: Path, ours: Sequence[Group], sloths: Sequence[Group]) -> Row:
    pair = [
        Cost(
            samples=sum(each.samples for each in costs),
            seconds=sum(each.seconds for each in costs),
        )
        for costs in (
            [_evaluated(folder, data, group) for group in side] for side in (ours, sloths)
        )
    ]
    what = f"100 series, {NEWEST}, live counter"
    return _row(what, (pair[0], pair[1]), _TARGETS[20])


def _evaluated(folder: Path, data: Path, group: Group) -> Cost:
    """Let the server evaluate one group often, and read its counters before and after."""
    file = data.parent / "live.rules.yaml"
    file.write_text(json.dumps(_often(group)), encoding="utf-8")
    with Prometheus(folder, data=data, rules=[file]) as server:
        before = _still(server, at_least=2)
        after = _still(server, at_least=before[0] + _LIVE_ROUNDS)
    per_hour = Fraction(3600) / Fraction(group.interval) / (after[0] - before[0])
    return Cost(
        samples=(after[1] - before[1]) * float(per_hour),
        seconds=(after[2] - before[2]) * float(per_hour),
    )


def _often(group: Group) -> dict[str, object]:
    """The group with a short interval; what it records goes elsewhere, or it would read that."""
    listed = [
        {"record": f"live:{number}", "expr": rule.expr} for number, rule in enumerate(group.rules)
    ]
    return {"groups": [{"name": group.name, "interval": f"{_LIVE_EVERY}s", "rules": listed}]}


def _still(server: Prometheus, *, at_least: float) -> tuple[int, float, float]:
    """Read rounds, samples and seconds between two evaluations, after some rounds."""
    seen: list[tuple[float, float, float]] = []

    def quiet() -> bool:
        seen.append(_counters(server))
        return seen[-1][0] >= at_least and len(seen) > 1 and seen[-1] == seen[-2]

    wait_until(quiet, timeout=120, what=f"{at_least} rounds of rule evaluation")
    rounds, samples_read, seconds = seen[-1]
    return int(rounds), samples_read, seconds


def _counters(server: Prometheus) -> tuple[float, float, float]:
    page = dict(_values(server.request("/metrics").decode()))
    return (
        page.get("prometheus_rule_group_iterations_total", 0.0),
        page.get("prometheus_engine_query_samples_total", 0.0),
        page.get("prometheus_rule_evaluation_duration_seconds_sum", 0.0),
    )


def _values(page: str) -> Iterator[tuple[str, float]]:
    for line in page.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            yield series.partition("{")[0], float(value)


BENCH = Bench(
    name="rule_cost",
    about="samples touched per hour of rule evaluation, ours ÷ sloth 0.16",
    run=run,
)
