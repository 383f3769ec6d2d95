"""Pages and tickets that fire and end when they should, under promtool."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from slo.model import AlertGuard, AlertSettings, AlertSeverity, BurnPair
from slo.units import Duration
from slo.workspace import Links
from tests.builders import events, guard, level, slo
from tests.servers.rule_cases import SETTINGS, Case, Check, firing, rules_of, series

TARGET = {"job": "api", "instance": "a"}
T = series("total", **TARGET)
B = series("bad", **TARGET)
PLAIN = slo(events("total", bad="bad"))
HOUR_PAIR = BurnPair(
    severity=AlertSeverity.PAGE,
    long=Duration.parse("1h"),
    short=Duration.parse("5m"),
    factor=Fraction(72, 5),
)
# promtool evaluates the ledger as often as the fast pair, so it counts every slot ten times.
QUICK = replace(PLAIN, pairs=(HOUR_PAIR,))
FAST_PAGE = {"severity": "page", "long": "1h", "short": "5m"}


def _burn(**labels: str) -> str:
    return firing("ErrorBudgetBurn", **labels)


def _guarded(page: AlertGuard) -> AlertSettings:
    return AlertSettings(page=page, ticket=AlertGuard(enabled=False))


def test_a_page_fires_while_it_burns_and_ends_soon_after(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """A fifth of the requests fail for ten minutes; the page is gone minutes after."""
    Case(
        rules=rules_of(level(PLAIN)),
        # A sample is half a minute: an hour well, ten minutes not, an hour well.
        series={T: "0+300x260", B: "0x120 0+60x20 1200x120"},
        checks=[
            Check(at="1h", lacks=[_burn()]),
            Check(at="1h8m", holds=[_burn(**FAST_PAGE, team="bookings", slo="availability")]),
            Check(at="1h10m", holds=[_burn(**FAST_PAGE)]),
            Check(at="1h20m", lacks=[_burn(**FAST_PAGE)]),
        ],
        every="30s",
        spacing="30s",
    ).run(prometheus_bin, tmp_path)


def test_a_total_outage_pages_within_two_minutes(prometheus_bin: Path, tmp_path: Path) -> None:
    """Raw rules page after 73 s; the fast pair may take 20 s longer."""
    Case(
        rules=rules_of(level(PLAIN)),
        # Scrapes every 15 s; all fail from one hour on.
        series={T: "0+150x300", B: "0x240 0+150x60"},
        checks=[
            Check(at="1h", lacks=[_burn()]),
            Check(at="1h1m30s", holds=[_burn(**FAST_PAGE)]),
        ],
        every="30s",
        spacing="15s",
    ).run(prometheus_bin, tmp_path)


def test_a_page_survives_a_short_lull(prometheus_bin: Path, tmp_path: Path) -> None:
    """It keeps firing for two minutes, so that flapping errors page once."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+300x260", B: "0x120 0+60x20 1200x120"},
        checks=[
            Check(
                at="1h16m30s",
                holds=[_burn(**FAST_PAGE)],
                lacks=["slo:error:ratio_rate5m > 0"],
            ),
            Check(at="1h18m30s", lacks=[_burn(**FAST_PAGE)]),
        ],
        every="30s",
        spacing="30s",
    ).run(prometheus_bin, tmp_path)


def test_a_slow_burn_is_a_ticket_and_no_page(prometheus_bin: Path, tmp_path: Path) -> None:
    """Errors at four times the budget for a day; the ticket ends a while after them."""
    Case(
        rules=rules_of(level(PLAIN)),
        series={T: "0+1000x588", B: "0+4x288 1152x300"},
        checks=[
            Check(
                at="1d",
                holds=[_burn(severity="ticket", long="1d", short="2h")],
                lacks=[_burn(severity="page")],
            ),
            Check(at="1d3h", lacks=[_burn(severity="ticket", long="1d")]),
        ],
        every="5m",
        spacing="5m",
    ).run(prometheus_bin, tmp_path)


def test_a_ticket_survives_the_quarter_of_an_hour_in_which_nothing_is_derived(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Recorded ratios end; they are read for eleven minutes, and then the ticket is kept."""
    labels = {"app": "ticketing", "env": "prod", "slo": "availability"}
    rules = rules_of(level(PLAIN))
    meta = {"0.yaml": _meta_only(rules["0.yaml"])}
    Case(
        rules=meta,
        series={
            series(f"slo:error:ratio_rate{window}", **labels): "0.004x30 _x60"
            for window in ("1d", "2h")
        },
        checks=[
            Check(at="30m", holds=[_burn(severity="ticket", long="1d")]),
            Check(at="41m", holds=[_burn(severity="ticket", long="1d")]),
            Check(at="54m", holds=[_burn(severity="ticket", long="1d")]),
            Check(at="1h2m", lacks=[_burn()]),
        ],
    ).run(prometheus_bin, tmp_path)


def _meta_only(text: str) -> str:
    data = yaml.safe_load(text)
    data["groups"] = [group for group in data["groups"] if group["name"].endswith("/meta")]
    return str(yaml.safe_dump(data))


@pytest.mark.parametrize(("page", "fires"), [(AlertGuard(), True), (guard(min_events=100), False)])
def test_one_failed_request_in_a_quiet_hour_pages_only_without_a_guard(
    prometheus_bin: Path, tmp_path: Path, *, page: AlertGuard, fires: bool
) -> None:
    """A request a minute, one of them fails: 1.7 % of the hour, and no evidence of anything."""
    expected = _burn(severity="page")
    check = Check(at="1h8m", holds=[expected] if fires else [], lacks=[] if fires else [expected])
    Case(
        rules=rules_of(level(replace(QUICK, alerts=_guarded(page)))),
        series={T: _stairs(75), B: "5x259 6x41"},
        checks=[check],
        every="30s",
        spacing="15s",
    ).run(prometheus_bin, tmp_path)


def test_a_total_outage_of_a_quiet_app_pages_by_its_bad_events(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """Every request fails: few events, and ten bad ones are evidence enough."""
    page = guard(min_events=1000, min_bad=10)
    Case(
        rules=rules_of(level(replace(QUICK, alerts=_guarded(page)))),
        series={T: _stairs(120), B: f"0x239 {_stairs(60)}"},
        checks=[
            Check(at="1h5m", lacks=[_burn()]),
            Check(at="1h15m", holds=[_burn(severity="page", long="1h")]),
        ],
        every="30s",
        spacing="15s",
    ).run(prometheus_bin, tmp_path)


def _stairs(minutes: int) -> str:
    """One event a minute, seen four times each."""
    return " ".join(f"{k}x3" for k in range(minutes))


def test_severities_can_be_turned_off(prometheus_bin: Path, tmp_path: Path) -> None:
    """Without pages only tickets are left."""
    alerts = AlertSettings(page=AlertGuard(enabled=False))
    Case(
        rules=rules_of(level(replace(PLAIN, alerts=alerts))),
        series={T: "0+300x200", B: "0+300x200"},
        checks=[Check(at="1h", lacks=[_burn(severity="page")], holds=[_burn(severity="ticket")])],
        every="30s",
        spacing="30s",
    ).run(prometheus_bin, tmp_path)


def test_annotations_say_what_burns_how_fast_and_for_how_long(
    prometheus_bin: Path, tmp_path: Path
) -> None:
    """The templates ask the server for numbers and print them without errors."""
    hostile = replace(
        PLAIN,
        title="Availability {{7*7}} ${jndi:x} {{ $labels.app",
        runbook="https://runbooks.example.com/{{x}}",
    )
    settings = replace(
        SETTINGS, links=Links(console="https://c.example.com/", grafana="https://g.example.com")
    )
    case = Case(
        rules=rules_of(level(hostile), settings=settings),
        series={T: "0+300x260", B: "0x120 0+60x140"},
        checks=[],
        every="30s",
        spacing="30s",
    )
    said = case.fired(prometheus_bin, tmp_path, "ErrorBudgetBurn", "1h30m")
    assert "Budget left: " in said
    assert "times as fast as it may (alert at 14.4 over 1h and 5m)" in said
    assert "{{7*7}} ${jndi:x} {{ $labels.app" in said
    assert "https://runbooks.example.com/{{x}}" in said
    assert "https://c.example.com/app?app=ticketing&env=prod&slo=availability" in said
    assert "error expanding" not in said.lower()
    assert "unknown" not in said
    assert "NaN" not in said
