"""Cases in which other tools are known to be wrong, with the true numbers."""

from dataclasses import replace
from pathlib import Path

from tests.builders import events, level, slo
from tests.servers.rule_cases import Case, Check, near, rules_of, series

KEY = '{app="ticketing", env="prod", slo="availability"}'
PERIOD = f"slo:error:ratio_period{KEY}"
BAD = f"slo:bad:increase_period{KEY}"
NO_NAN = 'count({__name__=~"slo:.+"}) != count({__name__=~"slo:.+"} > -Inf)'

PLAIN = slo(events("total", bad="bad"))
TARGET = {"job": "api", "instance": "a"}
T = series("total", **TARGET)
B = series("bad", **TARGET)


def test_a_busy_day_and_a_quiet_night_are_a_ratio_of_sums(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """t1: 0.01998 %, where an average of ratios says 5 %."""
    day, night = "0+60000x720 43260060+60x720", "0+6x1440"
    truth = 6 * 1440 / (60_060 * 720)
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: day, B: night},
        checks=[
            Check(
                at="24h",
                holds=[
                    near(PERIOD, truth, 0.002),
                    near(f"slo:error_budget_remaining:ratio{KEY}", 1 - truth / 0.001, 0.002),
                    near(f"slo:burn_rate:ratio_period{KEY}", truth / 0.001, 0.002),
                    near(f"slo:error:ratio_rate1d{KEY}", truth, 0.002),
                ],
                lacks=[NO_NAN],
            )
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)


def test_ten_idle_minutes_leave_no_trace(prometheus_bin: Path, tmp_path: Path) -> None:
    """n2: no NaN, and the ratio stays what it was."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+10000x60 600000x10 610000+10000x60", B: "0+1x60 60x10 61+1x60"},
        checks=[
            Check(at="1h9m", lacks=[f"slo:error:ratio_rate5m{KEY}", NO_NAN]),
            Check(at="2h10m", holds=[near(PERIOD, 0.0001, 0.001)], lacks=[NO_NAN]),
        ],
    ).run(prometheus_bin, tmp_path)


def test_an_error_series_that_existed_for_an_hour_counts_for_that_hour(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """n3: errors in one hour of two days, half of it, are 1.04 %, not half."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+600x2880", B: "_x600 300+300x59 _x2220"},
        checks=[Check(at="48h", holds=[near(PERIOD, 300 * 60 / (600 * 2880), 0.001)])],
        every="5m",
    ).run(prometheus_bin, tmp_path)


def test_errors_of_a_series_first_seen_with_fifty_count_fifty(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """t5: its target was there before, so it began at zero."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+100x120", B: "_x63 50x57"},
        checks=[Check(at="2h", holds=[near(BAD, 50)])],
        every="5m",
    ).run(prometheus_bin, tmp_path)


def test_two_slos_over_one_metric_do_not_mix(prometheus_bin: Path, tmp_path: Path) -> None:
    """t6: each counts its own handler."""
    x, y = (
        slo(
            events(f'total{{handler="/{name}"}}', bad=f'total{{handler="/{name}", code="500"}}'),
            name=name,
        )
        for name in "xy"
    )
    inputs = {
        series("total", **TARGET, handler=f"/{name}", code=code): f"0+{rate}x120"
        for name, code, rate in (("x", "200", 50), ("x", "500", 10), ("y", "200", 70))
    }
    Case(
        rules=rules_of(level(x), level(y)),
        series=inputs,
        checks=[
            Check(
                at="2h",
                holds=[
                    near('slo:error:ratio_period{slo="x"}', 1 / 6),
                    near('slo:total:increase_period{slo="x"}', 60 * 120, 0.05),
                    'slo:error:ratio_period{slo="y"} == 0',
                    "count(slo:total:increase_period) == 2",
                ],
            )
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)


def test_a_second_file_with_other_labels_records_the_same_series(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """t8: rules of before and after a change of labels agree on every identity."""
    before, after = (replace(PLAIN, labels={"owner": owner}) for owner in ("anna", "bert"))
    Case(
        rules=rules_of(level(before), level(after)),
        series={T: "0+100x120", B: "0+1x120"},
        checks=[
            Check(at="2h", holds=[near(PERIOD, 0.01), f"count({PERIOD}) == 1"]),
            Check(at="2h", holds=["count(slo_info) == 2", 'slo_info{owner="bert"}']),
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)
