"""Rules over the counters of `headroom serve`: golden, valid for both promtools, and firing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alerts.prometheus.layouts import LAYOUTS, plain
from dashboards.grafana import overview
from slo.model import External, Indicator, Logs, Slo, Spans
from slo.units import Duration
from slo.workspace import Links
from tests.builders import CATALOGUE, level, slo
from tests.servers.processes import promtool_check_rules
from tests.servers.rule_cases import SETTINGS, Case, Check, app_of, firing, near, rules_of, series

Golden = Callable[[str, str], None]

COUNTED = replace(SETTINGS, counters=True)
EXTERNAL = External(total="sum:requests{*}.as_count()", bad="sum:errors{*}.as_count()")
SLOS = (
    slo(Logs(query="event.action: checkout", bad="event.outcome: failure"), name="checkout"),
    slo(Spans(service="ticketing-api", bad_error=True), name="search", offset="1m"),
    slo(EXTERNAL, name="payments"),
)


def _at(one: Slo, source: str) -> Slo:
    indicator: Indicator = replace(one.indicator, source=source)
    return replace(one, indicator=indicator)


APP = app_of(*SLOS[:2], _at(SLOS[2], "datadog/eu"), match={"cluster": "eu-1"})


def test_the_rules_of_counted_indicators_are_golden(golden: Golden) -> None:
    """Logs, spans and another product's counts, over two counters each."""
    for path, text in plain(APP, COUNTED).items():
        golden(f"counters/{path}", text)


def test_the_dashboard_of_counted_indicators_is_golden(golden: Golden) -> None:
    """Their rows are those of any other SLO."""
    for path, text in overview.files(APP, CATALOGUE, Links(), counters=True).items():
        golden(f"counters/{path}", text)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_counters_nothing_is_written_for_them(layout: str) -> None:
    """Nobody would keep the series that such rules read."""
    assert {} == LAYOUTS[layout](APP, SETTINGS)


@pytest.mark.parametrize("layout", ["plain", "sharded"])
def test_promtool_takes_the_rules(prometheus_bin: Path, tmp_path: Path, layout: str) -> None:
    """As they are, in files of their own."""
    paths = []
    for number, text in enumerate(LAYOUTS[layout](APP, COUNTED).values()):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    assert paths
    checked = promtool_check_rules(prometheus_bin, paths)
    assert checked.ok, checked.output


def _counters(name: str, total: str, good: str) -> dict[str, str]:
    scraped = {"job": "headroom", "instance": "a", "app": "ticketing", "env": "prod", "slo": name}
    return {
        series("slo_events_total", **scraped): total,
        series("slo_good_events_total", **scraped): good,
    }


def test_events_of_records_are_counted_and_page(prometheus_bin: Path, tmp_path: Path) -> None:
    """A tenth of all checkouts fails: the budget of a thousandth burns a hundred times too fast."""
    Case(
        rules=rules_of(level(SLOS[0], match={"cluster": "eu-1"}), settings=COUNTED),
        series=_counters("checkout", "0+25x720", "0+22.5x720"),
        checks=[
            Check(
                at="3h",
                holds=[
                    near("slo:error:ratio_period", 0.1),
                    near("slo:total:increase5m", 500),
                    firing("ErrorBudgetBurn", severity="page", long="1h", short="5m", env="prod"),
                ],
                lacks=[firing("SLIAbsent"), firing("SLIIncomplete"), firing("SLIUnproven")],
            )
        ],
        spacing="15s",
    ).run(prometheus_bin, tmp_path)


def test_counters_that_rise_once_in_five_minutes_never_leave_a_window_empty(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Every pair of the catalogue is there, and the page goes on firing in between."""
    # A step comes half a minute early or late; two samples a minute.
    total = " ".join(f"{1000 * n}x{8 + n % 3}" for n in range(30))
    good = " ".join(f"{900 * n}x{8 + n % 3}" for n in range(30))
    Case(
        rules=rules_of(level(SLOS[2]), settings=COUNTED),
        series=_counters("payments", total, good),
        checks=[
            Check(
                at=f"{minute}m",
                holds=[
                    near("slo:error:ratio_rate5m", 0.1),
                    near("slo:error:ratio_rate1h", 0.1),
                    firing("ErrorBudgetBurn", severity="page", long="1h", short="5m"),
                ],
            )
            for minute in range(75, 130)
        ],
        every="75s",
        spacing="30s",
    ).run(prometheus_bin, tmp_path)


def test_counters_that_are_gone_are_an_absent_indicator(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Where events cannot be counted, `headroom serve` takes its counters back."""
    one = replace(SLOS[2], alerts=replace(SLOS[2].alerts, absent_for=Duration.parse("30m")))
    Case(
        rules=rules_of(level(one), settings=COUNTED),
        series=_counters("payments", "0+100x60 _x120", "0+100x60 _x120"),
        checks=[
            Check(at="1h20m", lacks=[firing("SLIAbsent")]),
            Check(at="2h10m", holds=[firing("SLIAbsent", slo="payments")]),
        ],
    ).run(prometheus_bin, tmp_path)


def test_after_a_gap_nothing_is_counted_twice_and_nothing_is_lost(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Counters come back as they went, stand for a slot, and then say what was missed."""
    missed = "0+100x60 _x60 6000x7 12000+100x55"
    Case(
        rules=rules_of(level(SLOS[0]), settings=COUNTED),
        series=_counters("checkout", missed, missed),
        checks=[Check(at="3h", holds=[near("slo:total:increase_period", 12_000 + 5500, 0.03)])],
        every="5m",
    ).run(prometheus_bin, tmp_path)
