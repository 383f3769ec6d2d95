"""Generated rules under promtool: no traffic, gaps, odd selectors, odd sources."""

from dataclasses import replace
from pathlib import Path

import pytest

from slo.model import AlertSettings, Cluster
from slo.units import Duration
from tests.builders import events, latency, level, slo
from tests.servers.rule_cases import Case, Check, firing, near, rules_of, series

KEY = '{app="ticketing", env="prod", slo="availability"}'
PERIOD = f"slo:error:ratio_period{KEY}"
TOTAL = f"slo:total:increase_period{KEY}"
BAD = f"slo:bad:increase_period{KEY}"
RATIOS = '{__name__=~"slo:error:ratio.*"}'
NO_NAN = 'count({__name__=~"slo:.+"}) != count({__name__=~"slo:.+"} > -Inf)'

PLAIN = slo(events("total", bad="bad"))
TARGET = {"job": "api", "instance": "a"}
T = series("total", **TARGET)
B = series("bad", **TARGET)


def _absent(after: str | None) -> AlertSettings:
    return AlertSettings(absent_for=None if after is None else Duration.parse(after))


# 2: no traffic, and series that go away.


def test_no_traffic_is_no_ratio_and_no_alert(prometheus_bin: Path, tmp_path: Path) -> None:
    """Counters that stand still: zero events, no share of them, an untouched budget."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "5x180", B: "1x180"},
        checks=[
            Check(at="3h", holds=[f"{TOTAL} == 0"], lacks=[RATIOS, NO_NAN, "ALERTS"]),
            Check(at="3h", holds=["slo:coverage:ratio_period > 0", "slo_info"]),
            Check(
                at="3h", lacks=["slo:error_budget_remaining:ratio", "slo:burn_rate:ratio_period"]
            ),
        ],
    ).run(prometheus_bin, tmp_path)


def test_an_indicator_that_never_was_has_no_numbers(prometheus_bin: Path, tmp_path: Path) -> None:
    """Only what is known without it is recorded."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={"other": "1x180"},
        checks=[
            Check(
                at="3h",
                holds=[f"slo:ledger:slot{KEY} == 1", near(f"slo:objective:ratio{KEY}", 0.999)],
                lacks=[RATIOS, TOTAL, BAD, "ALERTS"],
            ),
        ],
    ).run(prometheus_bin, tmp_path)


def test_series_that_are_gone_are_reported_after_their_time(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """The alert waits for its `for` and goes when the series return."""
    Case(
        rules=rules_of(level(replace(PLAIN, alerts=_absent("30m")))),
        series={T: "0+100x60 _x120 0+100x60", B: "0+1x60 _x120 0+1x60"},
        checks=[
            Check(at="1h25m", lacks=[firing("SLIAbsent")]),
            Check(at="2h", holds=[firing("SLIAbsent", severity="ticket", team="bookings")]),
            Check(at="3h20m", lacks=[firing("SLIAbsent")]),
        ],
    ).run(prometheus_bin, tmp_path)


@pytest.mark.parametrize("minutes", [5, 10])
def test_a_deploy_gap_is_no_absence(prometheus_bin: Path, tmp_path: Path, minutes: int) -> None:
    """A few minutes without series raise nothing."""
    gap = f"0+100x60 _x{minutes} 0+100x60"
    Case(
        rules=rules_of(level(replace(PLAIN, alerts=_absent("10m")))),
        series={T: gap, B: gap.replace("100", "1")},
        checks=[Check(at=f"{at}m", lacks=[firing("SLIAbsent")]) for at in range(61, 110, 2)],
    ).run(prometheus_bin, tmp_path)


def test_absence_can_be_ignored(prometheus_bin: Path, tmp_path: Path) -> None:
    """`absent: ignore` leaves the alert out."""
    Case(
        rules=rules_of(level(replace(PLAIN, alerts=_absent(None)))),
        series={T: "0+100x60 _x120", B: "0+1x60 _x120"},
        checks=[Check(at="3h", lacks=[firing("SLIAbsent")], holds=[f"{TOTAL} > 0"])],
    ).run(prometheus_bin, tmp_path)


# 6: selectors in hostile positions.


@pytest.mark.parametrize(
    "value", ['"} or vector(1) #', "a|b", ".*", "back\\slash", "{{ $labels.x }}", "ünï\u202e"]
)
def test_a_hostile_label_value_selects_itself_and_nothing_else(
    prometheus_bin: Path, tmp_path: Path, value: str
) -> None:
    """Environment values are matched as they stand, in one cluster and in several."""
    one = level(PLAIN, match={"place": value})
    two = level(
        PLAIN,
        env="both",
        clusters=(
            Cluster(name="a", match={"place": value}),
            Cluster(name="b", match={"place": "plain.place"}),
        ),
    )
    places = {value: 10, "plain.place": 20, "plainXplace": 400, "axb": 800}
    inputs = {
        series(name, **TARGET, place=place): f"0+{rate if name == 'total' else 1}x60"
        for place, rate in places.items()
        for name in ("total", "bad")
    }
    Case(
        rules=rules_of(one, two),
        series=inputs,
        checks=[
            Check(
                at="1h",
                holds=[
                    near('slo:error:ratio_period{env="prod"}', 0.1),
                    near('slo:error:ratio_period{env="both"}', 2 / 30),
                ],
            )
        ],
    ).run(prometheus_bin, tmp_path)


@pytest.mark.parametrize("spelling", ["1", "1.0"])
def test_a_bucket_is_found_however_it_is_spelled(
    prometheus_bin: Path, tmp_path: Path, spelling: str
) -> None:
    """Version 3 stores le="1" as le="1.0"."""
    slow = slo(latency("1s", selector='h{job="api"}'), name="latency")
    inputs = {
        series("h_bucket", **TARGET, le=spelling): "0+90x120",
        series("h_bucket", **TARGET, le="+Inf"): "0+100x120",
        series("h_count", **TARGET): "0+100x120",
    }
    Case(
        rules=rules_of(level(slow)),
        series=inputs,
        checks=[
            Check(
                at="2h",
                holds=[near("slo:error:ratio_period", 0.1)],
                lacks=[firing("SLIBucketMissing")],
            )
        ],
    ).run(prometheus_bin, tmp_path)


def test_a_threshold_without_a_bucket_is_reported(prometheus_bin: Path, tmp_path: Path) -> None:
    """The histogram is there, its bucket is not."""
    slow = slo(latency("500ms", selector='h{job="api"}'), name="latency")
    Case(
        rules=rules_of(level(slow)),
        series={
            series("h_bucket", **TARGET, le="1"): "0+90x60",
            series("h_count", **TARGET): "0+100x60",
        },
        checks=[
            Check(at="9m", lacks=[firing("SLIBucketMissing")]),
            Check(at="15m", holds=[firing("SLIBucketMissing", slo="latency")]),
        ],
    ).run(prometheus_bin, tmp_path)


def test_two_clusters_with_equal_addresses_do_not_vouch_for_each_other(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """A counter that is new in one cluster does not begin at zero because the other was there."""
    both = level(
        PLAIN, clusters=[Cluster(name=name, match={"cluster": name}) for name in ("eu", "us")]
    )
    Case(
        rules=rules_of(both),
        series={
            series("total", **TARGET, cluster="eu"): "0+100x120",
            series("total", **TARGET, cluster="us"): "_x62 1000000+100x57",
            series("bad", **TARGET, cluster="eu"): "0+1x120",
            series("bad", **TARGET, cluster="us"): "_x62 500000+1x57",
        },
        checks=[Check(at="2h", holds=[near(TOTAL, 17_800, 0.05), near(BAD, 178, 0.05)])],
        every="5m",
    ).run(prometheus_bin, tmp_path)


# 7, 9: less history, rare scrapes, late sources.


def test_less_history_than_the_period_is_said_and_not_guessed(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """A day of thirty: its own ratio, and a thirtieth covered."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+100x1440", B: "0+1x1440"},
        checks=[
            Check(
                at="24h",
                holds=[
                    near(PERIOD, 0.01),
                    near("slo:coverage:ratio_period", 1 / 30, 0.01),
                    near(TOTAL, 144_000, 0.005),
                ],
            )
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)


def test_a_scrape_every_five_minutes_is_counted_whole(prometheus_bin: Path, tmp_path: Path) -> None:
    """The rates look back over four scrapes; no slot is without its sample."""
    rare = replace(PLAIN, indicator=replace(PLAIN.indicator, scrape_interval=Duration.parse("5m")))
    Case(
        rules=rules_of(level(rare)),
        series={T: "0+500x72", B: "0+5x72"},
        checks=[
            Check(
                at="6h",
                holds=[
                    near(TOTAL, 500 * 72, 0.03),
                    near(PERIOD, 0.01),
                    near(f"slo:total:rate{KEY}", 500 / 300),
                    near(f"slo:error:ratio_rate30m{KEY}", 0.01),
                ],
                lacks=["slo:error:ratio_rate5m"],
            )
        ],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_an_offset_reads_every_sample_of_a_late_source(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """All legs of a slot shift together: errors ten minutes ago are seen now."""
    late = replace(PLAIN, indicator=replace(PLAIN.indicator, offset=Duration.parse("10m")))
    Case(
        rules=rules_of(level(late)),
        series={T: "0+100x120", B: "_x62 7x58"},
        checks=[
            Check(at="70m", lacks=[f"{BAD} > 0"]),
            Check(at="2h", holds=[near(BAD, 7), near(TOTAL, 100 * 110, 0.001)]),
        ],
        every="5m",
    ).run(prometheus_bin, tmp_path)


# 11: revisions.


def test_a_revision_keeps_its_start(prometheus_bin: Path, tmp_path: Path) -> None:
    """The start of the present revision stays what it was when it was first recorded."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+100x180"},
        checks=[
            Check(
                at="3h",
                holds=["slo:revision_start:timestamp == 0", 'slo_info{revision=~".{8}"} == 1'],
            )
        ],
    ).run(prometheus_bin, tmp_path)
