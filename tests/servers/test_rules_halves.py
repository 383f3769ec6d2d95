"""Generated rules under promtool: missing halves, proof, and what is left of a budget."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from slo.model import AlertSettings
from tests.builders import events, level, slo
from tests.servers.rule_cases import Case, Check, firing, near, rules_of, series, without

KEY = '{app="ticketing", env="prod", slo="availability"}'
PERIOD = f"slo:error:ratio_period{KEY}"
TOTAL = f"slo:total:increase_period{KEY}"
RATIOS = '{__name__=~"slo:error:ratio.*"}'

PLAIN = slo(events("total", bad="bad"))
TARGET = {"job": "api", "instance": "a"}
T = series("total", **TARGET)
B = series("bad", **TARGET)


def _recorded(total: str, bad: str, *, slots: int = 24) -> dict[str, str]:
    return {
        f"slo:total:increase5m{KEY}": total,
        f"slo:bad:increase5m{KEY}": bad,
        f"slo:total:rate{KEY}": f"1x{slots * 5}",
    }


def test_slots_without_their_bad_half_do_not_dilute_the_ratio(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """A bad rule that failed for an hour leaves the ratio alone and shows in the coverage."""
    text = rules_of(level(PLAIN))["0.yaml"]
    pairs = ["slo:total:increase5m", "slo:bad:increase5m", "slo:total:rate", "slo:bad:rate"]
    Case(
        rules={"0.yaml": without(text, pairs)},
        series=_recorded("100x24", "10x5 _x12 10x5"),
        checks=[
            Check(
                at="2h",
                holds=[
                    near(PERIOD, 0.1),
                    near(f"slo:error:ratio_rate2h{KEY}", 0.1, 0.1),
                    "slo:coverage:ratio_period < 14 / 8640",
                    firing("SLIIncomplete"),
                ],
            ),
        ],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_a_fast_pair_without_its_bad_half_does_not_dilute_the_ratio(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Half an hour at ten per cent and then nothing known is ten per cent, not five."""
    text = rules_of(level(PLAIN))["0.yaml"]
    pairs = ["slo:total:increase5m", "slo:bad:increase5m", "slo:total:rate", "slo:bad:rate"]
    Case(
        rules={"0.yaml": without(text, pairs)},
        series={f"slo:total:rate{KEY}": "10x120", f"slo:bad:rate{KEY}": "1x60 _x60"},
        checks=[
            Check(at="1h", holds=[near(f"slo:error:ratio_rate1h{KEY}", 0.1, 0.001)]),
        ],
        every="30s",
        spacing="30s",
    ).run(prometheus_bin, tmp_path)


def test_a_bad_rule_that_always_failed_is_no_success(prometheus_bin: Path, tmp_path: Path) -> None:
    """Without any bad half there is no ratio at all, and someone hears of it."""
    text = rules_of(level(PLAIN))["0.yaml"]
    Case(
        rules={"0.yaml": without(text, ["slo:bad:increase5m", "slo:bad:rate"])},
        series={T: "0+100x120", B: "0+100x120"},
        checks=[
            Check(at="2h", lacks=[RATIOS], holds=[f"{TOTAL} == 0", firing("SLIIncomplete")]),
        ],
    ).run(prometheus_bin, tmp_path)


def test_the_unproven_alert_ends_with_the_first_match(prometheus_bin: Path, tmp_path: Path) -> None:
    """A selector that has matched once is proven for good, though its series go away."""
    unproven = replace(PLAIN, indicator=replace(PLAIN.indicator, proven=False))
    Case(
        rules=rules_of(level(unproven)),
        series={T: "0+100x400", B: "_x120 1x20 _x260"},
        checks=[
            Check(at="30m", lacks=[firing("SLIUnproven")]),
            Check(at="1h50m", holds=[firing("SLIUnproven", severity="info")]),
            Check(at="2h10m", lacks=[firing("SLIUnproven")]),
            Check(at="6h30m", lacks=[firing("SLIUnproven")]),
        ],
    ).run(prometheus_bin, tmp_path)


def test_a_budget_that_runs_low_is_a_ticket_for_each_threshold(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Shares of the budget fire when they are crossed, and not before."""
    alerts = AlertSettings(budget_left=(Fraction(1, 2), Fraction(1, 4), Fraction(0)))
    errors = "0+6x1200"  # 0.06 % of 10,000 a minute leaves 40 %.
    Case(
        rules=rules_of(level(replace(PLAIN, alerts=alerts))),
        series={T: "0+10000x1200", B: errors},
        checks=[
            Check(
                at="20h",
                holds=[firing("ErrorBudgetLow", left="0.5", severity="ticket")],
                lacks=[firing("ErrorBudgetLow", left="0.25"), firing("ErrorBudgetLow", left="0")],
            )
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)
