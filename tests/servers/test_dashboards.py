"""Every query of the dashboards, asked of real servers that hold recorded series."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dashboards.grafana import queries
from dashboards.grafana.overview import overview
from dashboards.grafana.queries import STATES, Scope
from slo import naming
from slo.evaluate import State, evaluate, windows_of
from slo.model import App, ServiceLevel
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.units import Duration
from slo.workspace import Links
from tests.servers.processes import Prometheus, create_blocks
from tests.unit.dashboards import read
from tests.unit.dashboards.build import CATALOGUE, app, slo, ticketing

START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
HOURS = 4
END = START + HOURS * 3600
FAST, SLOT = 30, 300
TOTAL = Fraction(1_000_000)

Samples = dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The error ratios that are recorded for an SLO: of the period, and of each window.

    A period of ``None`` had no events at all.
    """

    period: Fraction | None
    windows: Mapping[str, Fraction]


def steady(ratio: Fraction) -> Story:
    """The same error ratio in all windows."""
    names = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    return Story(period=ratio, windows=dict.fromkeys(names, ratio))


def record(level: ServiceLevel, story: Story) -> Samples:
    """The samples that rules would have recorded of a story, by series name."""
    budget = level.slo.objective.error_budget
    labels = ",".join(f'{k}="{v}"' for k, v in naming.identity(level.key).items())
    values: dict[str, tuple[Fraction, int]] = {
        naming.OBJECTIVE: (level.slo.objective.ratio, SLOT),
        naming.ERROR_BUDGET: (budget, SLOT),
        naming.PERIOD_COVERAGE: (Fraction(1), SLOT),
        naming.REVISION_START: (Fraction(START), SLOT),
        naming.TOTAL_PERIOD: (TOTAL if story.period is not None else Fraction(0), SLOT),
        naming.BAD_PERIOD: (TOTAL * (story.period or 0), SLOT),
        naming.TOTAL_RATE: (Fraction(100), FAST),
        naming.BAD_RATE: (Fraction(1), FAST),
    }
    if story.period is not None:
        values[naming.PERIOD_RATIO] = (story.period, SLOT)
        values[naming.PERIOD_BURN_RATE] = (story.period / budget, SLOT)
        values[naming.BUDGET_REMAINING] = (1 - story.period / budget, SLOT)
    for name, ratio in story.windows.items():
        window = Duration.parse(name)
        step = FAST if window <= Duration.parse("1h") else SLOT
        values[naming.error_ratio(window)] = (ratio, step)
    return {
        name: [f"{name}{{{labels}}} {float(value)!r} {at}" for at in range(START, END, step)]
        for name, (value, step) in values.items()
    }


def firing(level: ServiceLevel) -> Samples:
    """The samples that Prometheus writes of a firing page."""
    key = level.key
    labels = (
        f'alertname="{naming.ALERT_BURN}",alertstate="firing",app="{key.app}",env="{key.env}",'
        f'slo="{key.slo}",severity="page",long="1h",short="5m",team="bookings"'
    )
    return {"ALERTS": [f"ALERTS{{{labels}}} 1 {at}" for at in range(START, END, FAST)]}


@pytest.fixture
def prometheus_holding(
    start_prometheus: Callable[..., Prometheus], prometheus_bin: Path, tmp_path: Path
) -> Callable[..., Prometheus]:
    """Start a server that holds the samples given."""

    def start(*samples: Samples) -> Prometheus:
        by_name: Samples = {}
        for each in samples:
            for name, lines in each.items():
                by_name.setdefault(name, [f"# TYPE {name} gauge"]).extend(lines)
        text = "\n".join(line for lines in by_name.values() for line in lines)
        source = tmp_path / "recorded.txt"
        source.write_text(f"{text}\n# EOF\n")
        create_blocks(prometheus_bin, source, tmp_path / "data")
        return start_prometheus(data=tmp_path / "data")

    return start


def made(of: App) -> dict[str, Any]:
    """The overview of production."""
    return overview(of, of.environments[0], CATALOGUE, Links())


def targets(dashboard: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """The panel, the query and whether it is asked for one instant."""
    return [
        (panel["title"], target["expr"], target["instant"])
        for panel in read.panels(dashboard)
        for target in panel["targets"]
    ]


def test_every_query_returns_data_where_series_are_recorded(
    prometheus_holding: Callable[..., Prometheus],
) -> None:
    """Neither a name nor a label is misspelt, and both versions take every query."""
    levels = ticketing().levels()
    server = prometheus_holding(
        *(record(level, steady(Fraction(1, 10_000))) for level in levels),
        *map(firing, levels),
    )
    asked = targets(made(ticketing()))
    # Between two slots, when a series of the ledger is older than Prometheus looks back.
    at = END - SLOT + 310
    for title, query, instant in asked:
        if instant:
            answer = server.query(query, at=at)
            assert len(answer) == (2 if title == "Service level objectives" else 1), title
        else:
            (line,) = server.query_range(query, start=START + 600, end=END - SLOT, step=60)
            assert len(line.points) == (END - SLOT - START - 600) // 60 + 1, title
    assert len(asked) == 8 + 2 * 20


def test_another_apps_series_are_never_shown(
    prometheus_holding: Callable[..., Prometheus],
) -> None:
    """A server that holds only other apps' series answers nothing at all."""
    foreign = replace(ticketing(), name="cargo").levels()
    server = prometheus_holding(
        *(record(level, steady(Fraction(1, 10_000))) for level in foreign), *map(firing, foreign)
    )
    for title, query, _ in targets(made(ticketing())):
        assert server.query(query, at=END - SLOT) == [], title


def test_numbers_are_those_of_the_budget(
    prometheus_holding: Callable[..., Prometheus],
) -> None:
    """At 99.9 % a million events allow a thousand failures; 400 of them leave 600 and 60 %."""
    of = app([slo("availability")])
    (level,) = of.levels()
    server = prometheus_holding(record(level, steady(Fraction(400, 1_000_000))))
    scope = Scope.of(level.key)
    expected = {
        queries.failures_left(scope): 600,
        queries.budget_remaining(scope): 0.6,
        queries.period_burn_rate(scope): 0.4,
        queries.burn_rate(scope, Duration.parse("5m")): 0.4,
        queries.burn_rate(scope, Duration.parse("3d")): 0.4,
        queries.revision_start(scope): START * 1000,
    }
    for query, value in expected.items():
        assert server.number(query, at=END - SLOT) == pytest.approx(value), query


def test_no_events_are_no_data_and_not_zero_failures_left(
    prometheus_holding: Callable[..., Prometheus],
) -> None:
    """An app that nobody used has neither a budget nor failures left."""
    (level,) = app([slo("availability")]).levels()
    server = prometheus_holding(record(level, Story(period=None, windows={})))
    scope = Scope.of(level.key)
    for query in (
        queries.failures_left(scope),
        queries.budget_remaining(scope),
        queries.state(scope, [level], CATALOGUE),
    ):
        assert server.query(query, at=END - SLOT) == [], query
    assert server.number(queries.coverage(scope), at=END - SLOT) == 1


CALM, HIGH = Fraction(1, 100_000), Fraction(1, 10)
STORIES = {
    "calm": steady(CALM),
    "page": Story(period=CALM, windows={**steady(CALM).windows, "1h": HIGH, "5m": HIGH}),
    "long-only": Story(period=CALM, windows={**steady(CALM).windows, "1h": HIGH}),
    "ticket": Story(
        period=CALM,
        windows={**steady(CALM).windows, "3d": Fraction(2, 1000), "6h": Fraction(2, 1000)},
    ),
    "on-the-factor": Story(
        period=CALM,
        windows={**steady(CALM).windows, "3d": Fraction(1, 1000), "6h": Fraction(1, 1000)},
    ),
    "short-on-the-factor": Story(
        period=CALM,
        windows={**steady(CALM).windows, "3d": Fraction(2, 1000), "6h": Fraction(1, 1000)},
    ),
    "spent-and-calm": Story(period=Fraction(2, 1000), windows=steady(CALM).windows),
    "spent-and-burning": steady(HIGH),
    "half-known": Story(period=CALM, windows={"5m": HIGH}),
    "idle": Story(period=None, windows={}),
}


def test_the_state_is_the_one_that_status_reports(
    prometheus_holding: Callable[..., Prometheus],
) -> None:
    """The table's state and ``slo.evaluate`` agree, with the factors of a month and of a week."""
    levels = app(
        [slo(f"{name}-{window}", window=window) for name in STORIES for window in ("30d", "7d")]
    ).levels()
    server = prometheus_holding(*(record(level, STORIES[story_of(level)]) for level in levels))
    scope = Scope(app="ticketing", env="prod")
    query = queries.per_slo(queries.state(scope, levels, CATALOGUE))
    answer = server.query(query, at=END - SLOT)
    shown = {series.labels["slo"]: STATES[int(series.value)] for series in answer}
    judged = {level.slo.name: judge(level) for level in levels}
    assert {n: s.value for n, s in judged.items() if s is not State.NO_DATA} == shown
    assert set(judged.values()) == set(State)


def story_of(level: ServiceLevel) -> str:
    """The name of an SLO's story."""
    return level.slo.name.rpartition("-")[0]


def judge(level: ServiceLevel) -> State:
    """The state of a story as ``headroom status`` finds it."""
    story = STORIES[story_of(level)]
    nothing = NoData(reason=NoDataReason.NEVER)

    def counts(ratio: Fraction | None) -> Counts | NoData:
        return nothing if ratio is None else Counts(total=TOTAL, bad=TOTAL * ratio)

    reading = Reading(
        key=level.key,
        at=datetime.fromtimestamp(END, UTC),
        period=counts(story.period),
        windows={
            window: counts(story.windows.get(str(window)))
            for window in windows_of(level, CATALOGUE)
        },
        mode="recorded",
    )
    return evaluate(level, reading, CATALOGUE).state
