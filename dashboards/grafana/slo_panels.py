"""The panels of service levels: the table of all of them, and the row of each."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models import units

from dashboards.grafana import queries
from dashboards.grafana.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    Column,
    Line,
    Panel,
    Steps,
    chart,
    figure,
    joined_table,
    label_table,
    note,
)
from dashboards.grafana.queries import Scope
from slo import naming
from slo.model import AlertSeverity, BurnPair, ServiceLevel
from slo.units import Duration
from slo.windows import Catalogue, usable_pairs

# Nothing left is red, and thresholds begin at their value: the next number above zero.
_ABOVE_ZERO = 1e-9
_LOW = 0.25

_REMAINING: Steps = ((None, RED), (_ABOVE_ZERO, ORANGE), (_LOW, GREEN))
_PERIOD_BURN: Steps = ((None, GREEN), (1 - _LOW, ORANGE), (1, RED))
_LEFT: Steps = ((None, RED), (_ABOVE_ZERO, GREEN))
_COVERAGE: Steps = ((None, RED), (0.9, ORANGE), (0.99, GREEN))
_STATE_COLORS = {"ok": GREEN, "burning": ORANGE, "exhausted": RED}

_REMAINING_FORMULA = "1 - bad / ((1 - objective) * total) over the period; negative when overspent."
_BURN_FORMULA = "error ratio / (1 - objective); at 1 the budget lasts exactly the period."
_RATIO_FORMULA = "bad / total over the period."
_COVERAGE_FORMULA = "recorded / expected five-minute slots of the period."

_FIGURES_HEIGHT = 5
_CHARTS_HEIGHT = 8


def row_title(level: ServiceLevel) -> str:
    """Return the heading of an SLO's row."""
    slo = level.slo
    return f"{slo.title or slo.name} · {slo.objective.text} % over {slo.window}"


def summary(levels: Sequence[ServiceLevel], catalogue: Catalogue) -> Panel:
    """Return a table with one row for each of the recorded SLOs of an environment."""
    scope = Scope(app=levels[0].key.app, env=levels[0].key.env)
    digits = max(map(_digits, levels))
    words = [(value, word, _STATE_COLORS[word]) for value, word in queries.STATES.items()]
    columns = (
        _column("Objective", queries.objective(scope), units.PercentUnit, digits),
        Column(
            title="State",
            query=queries.per_slo(queries.state(scope, levels, catalogue)),
            unit=units.NoUnit,
            words=words,
        ),
        _column(
            "Budget remaining", queries.budget_remaining(scope), units.PercentUnit, 2, _REMAINING
        ),
        _column("Burn over period", queries.period_burn_rate(scope), units.NoUnit, 2, _PERIOD_BURN),
        _column("Error ratio", queries.period_error_ratio(scope), units.PercentUnit, digits + 2),
        _column("Failures left", queries.failures_left(scope), units.LocaleFormat, 1, _LEFT),
        _column("Coverage", queries.coverage(scope), units.PercentUnit, 1, _COVERAGE),
        _column("Defined", queries.revision_start(scope), units.DateTimeFromNow, None),
    )
    return joined_table(
        title="Service level objectives",
        description=(
            f"Budget remaining: {_REMAINING_FORMULA} Burn: {_BURN_FORMULA}"
            f" Error ratio: {_RATIO_FORMULA} Failures left: (1 - objective) * total - bad."
            f" Coverage: {_COVERAGE_FORMULA} State: exhausted when no budget is left, burning while"
            " both windows of an alerting pair exceed its factor. Defined: since when the present"
            " objective and query hold; a period that began earlier is judged by them as well."
        ),
        key=naming.SLO,
        key_title="SLO",
        columns=columns,
    )


Lines = list[tuple[list[tuple[Panel, int]], int]]
"""The lines of a row: panels with their widths, and the line's height."""


def elsewhere() -> Lines:
    """Return the lines of an SLO that no rule records."""
    return [([(_elsewhere(), 24)], 3)]


def lines(level: ServiceLevel, catalogue: Catalogue) -> Lines:
    """Return the lines of an SLO that rules record."""
    scope = Scope.of(level.key)
    pairs = usable_pairs(level, catalogue).pairs
    figures: list[tuple[Panel, int]] = [
        (_remaining_figure(scope), 4),
        (_failures_left(scope, level), 4),
        (_period_burn(scope), 4),
        (_coverage(scope), 3),
        (_alerts(scope, level), 9),
    ]
    return [
        (figures, _FIGURES_HEIGHT),
        ([(_burn_down(scope, level), 12), (_burn_rates(scope, pairs), 12)], _CHARTS_HEIGHT),
        ([(_error_ratios(scope, level, pairs), 12), (_rates(scope, level), 12)], _CHARTS_HEIGHT),
    ]


def _remaining_figure(scope: Scope) -> Panel:
    return figure(
        title="Budget remaining",
        description=_REMAINING_FORMULA,
        query=queries.budget_remaining(scope),
        unit=units.PercentUnit,
        decimals=2,
        steps=_REMAINING,
    )


def _failures_left(scope: Scope, level: ServiceLevel) -> Panel:
    events = level.slo.indicator.counts_events
    return figure(
        title="Failures left" if events else "Bad time left",
        description="(1 - objective) * total - bad over the period,"
        f" in {'events' if events else 'seconds'}.",
        query=queries.failures_left(scope),
        unit=units.LocaleFormat if events else units.Seconds,
        decimals=1,
        steps=_LEFT,
    )


def _period_burn(scope: Scope) -> Panel:
    return figure(
        title="Burn over period",
        description=f"The period's {_BURN_FORMULA}",
        query=queries.period_burn_rate(scope),
        unit=units.NoUnit,
        decimals=2,
        steps=_PERIOD_BURN,
    )


def _coverage(scope: Scope) -> Panel:
    return (
        figure(
            title="Coverage",
            description=f"{_COVERAGE_FORMULA} A missing slot is neither good nor bad.",
            query=queries.coverage(scope),
            unit=units.PercentUnit,
            decimals=1,
            steps=_COVERAGE,
        )
        .min(0)
        .max(1)
    )


def _alerts(scope: Scope, level: ServiceLevel) -> Panel:
    titles = ("Alert", "State", "Severity", "Long window", "Short window")
    panel = label_table(
        title="Alerts",
        description=(
            "Pending and firing alerts of this SLO. A burn alert fires while the burn rates of both"
            f" windows exceed its factor; burn rate: {_BURN_FORMULA}"
        ),
        query=queries.active_alerts(scope),
        labels=list(zip(queries.ALERT_LABELS, titles, strict=True)),
        empty="no alert is pending or firing",
    )
    runbook = level.slo.runbook
    if runbook is None:
        return panel
    return panel.links([DashboardLink("Runbook").url(runbook).target_blank(target_blank=True)])


def _burn_down(scope: Scope, level: ServiceLevel) -> Panel:
    return (
        chart(
            title="Budget burn-down",
            description=(
                f"Budget remaining of the {level.slo.window} that end at each moment: "
                f"{_REMAINING_FORMULA} Below the red line the budget is overspent."
            ),
            lines=[
                Line(query=queries.budget_remaining(scope), legend="budget remaining", color=BLUE)
            ],
            unit=units.PercentUnit,
            decimals=2,
            steps=((None, GREEN), (0, RED), (_LOW, ORANGE)),
        )
        .max(1)
        .axis_soft_min(0)
    )


def _burn_rates(scope: Scope, pairs: Sequence[BurnPair]) -> Panel:
    limits = ", ".join(
        f"{pair.severity} at {_short(pair.factor)} ({pair.long} and {pair.short})" for pair in pairs
    )
    windows = _windows(pairs)
    shown = [Line(query=queries.burn_rate(scope, window), legend=f"{window}") for window in windows]
    if not shown:
        shown = [Line(query=queries.period_burn_rate(scope), legend="period")]
    return chart(
        title="Burn rates",
        description=f"For each alerting window, {_BURN_FORMULA} Alerts: {limits or 'none'}.",
        lines=shown,
        unit=units.NoUnit,
        decimals=2,
        steps=_factor_lines(pairs),
    ).min(0)


def _error_ratios(scope: Scope, level: ServiceLevel, pairs: Sequence[BurnPair]) -> Panel:
    short = _windows(pairs)[:3]
    return chart(
        title="Error ratio",
        description=(
            "bad / total over the shortest alerting windows and over the whole period; the dashed"
            f" line is the error budget, 1 - objective, here {_budget_text(level)} %."
        ),
        lines=[
            *(
                Line(query=queries.error_ratio(scope, window), legend=f"{window}")
                for window in short
            ),
            Line(query=queries.period_error_ratio(scope), legend="period", color=BLUE),
            Line(query=queries.error_budget(scope), legend="error budget", color=RED, dashed=True),
        ],
        unit=units.PercentUnit,
        decimals=_digits(level) + 2,
    ).min(0)


def _rates(scope: Scope, level: ServiceLevel) -> Panel:
    events = level.slo.indicator.counts_events
    return chart(
        title="Events per second" if events else "Measured time",
        description=(
            "Total and bad events per second, over the shortest window that the scrapes support."
            if events
            else "Measured and bad time, in seconds per second."
        ),
        lines=[
            Line(query=queries.total_rate(scope), legend="total", color=GREY),
            Line(query=queries.bad_rate(scope), legend="bad", color=RED),
        ],
        unit=units.EventsPerSecond if events else units.NoUnit,
    ).min(0)


def _elsewhere() -> Panel:
    return note(
        title="Counted elsewhere",
        description="Why there is no chart of this SLO here.",
        content="Its events are counted where they are stored. Prometheus holds no series for"
        " this SLO; `headroom status` and the console show its budget.",
    )


def _column(title: str, query: str, unit: str, decimals: int | None, steps: Steps = ()) -> Column:
    return Column(
        title=title, query=queries.per_slo(query), unit=unit, decimals=decimals, steps=steps
    )


def _windows(pairs: Sequence[BurnPair]) -> list[Duration]:
    return sorted({window for pair in pairs for window in (pair.long, pair.short)})


def _factor_lines(pairs: Sequence[BurnPair]) -> Steps:
    """Return a line at each factor; where a page and a ticket share one, it is the page's."""
    colors: dict[Fraction, str] = {}
    for pair in sorted(pairs, key=lambda pair: pair.severity is AlertSeverity.PAGE):
        colors[pair.factor] = RED if pair.severity is AlertSeverity.PAGE else ORANGE
    return ((None, GREEN), *((float(factor), colors[factor]) for factor in sorted(colors)))


def _digits(level: ServiceLevel) -> int:
    """How many decimals show the objective, a percentage, as its author wrote it."""
    return len(level.slo.objective.text.partition(".")[2])


def _budget_text(level: ServiceLevel) -> str:
    return f"{(100 - level.slo.objective.percent).normalize():f}"


def _short(value: Fraction) -> str:
    return f"{float(value):.4g}"
