"""Real servers start, answer, take data and rules, and say why when they cannot start."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.processes import (
    Alertmanager,
    Prometheus,
    ServerError,
    amtool,
    create_blocks,
    promtool_check_rules,
    promtool_test_rules,
    wait_until,
)

RULES = """
groups:
  - name: example
    interval: 1s
    rules:
      - record: example:one
        expr: vector(1)
      - alert: ExampleFires
        expr: vector(1)
        labels: {severity: page}
"""
ROUTES = "route: {receiver: team}\nreceivers: [{name: team}]\n"
# A round hour long ago: loaded history must not be dropped for its age.
NOON = 1_700_000_000 // 3600 * 3600


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A file with a recording and an alerting rule."""
    path = tmp_path / "example.rules.yaml"
    path.write_text(RULES)
    return path


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Six hours of a counter that grows by one a second, as OpenMetrics."""
    path = tmp_path / "history.txt"
    times = range(NOON - 6 * 3600, NOON + 1, 15)
    lines = [f"requests_total {at - times[0]} {at}" for at in times]
    path.write_text("\n".join(["# TYPE requests counter", *lines, "# EOF", ""]))
    return path


def test_a_prometheus_evaluates_the_rules_it_is_given(
    start_prometheus: Callable[..., Prometheus], rules: Path
) -> None:
    """The recorded series can be read, and the alert is firing."""
    server = start_prometheus(rules=[rules], interval="1s")

    wait_until(lambda: server.number("example:one") == 1, what="the rule is recorded")

    firing = 'ALERTS{alertname="ExampleFires",alertstate="firing"}'
    wait_until(lambda: server.number(firing) == 1, what="the alert fires")
    (group,) = server.api("rules")["groups"]
    assert ["ok", "ok"] == [rule["health"] for rule in group["rules"]]


def test_history_is_loaded_and_can_be_asked_at_any_time(
    prometheus_bin: Path,
    start_prometheus: Callable[..., Prometheus],
    history: Path,
    tmp_path: Path,
) -> None:
    """Blocks years old stay, in one piece, and answer instant and range queries."""
    create_blocks(prometheus_bin, history, tmp_path / "data")

    server = start_prometheus(data=tmp_path / "data")

    increase = server.number("increase(requests_total[5h])", at=NOON)
    assert pytest.approx(5 * 3600) == increase
    assert server.number("requests_total", at=NOON + 3600) is None
    (series,) = server.query_range("requests_total", start=NOON - 60, end=NOON, step=15)
    assert [NOON - 60, NOON - 45, NOON - 30, NOON - 15, NOON] == [at for at, _ in series.points]


def test_a_prometheus_reads_its_configuration_again(
    start_prometheus: Callable[..., Prometheus], rules: Path
) -> None:
    """A rule file given later counts after a reload; one that is wrong is refused."""
    server = start_prometheus(interval="1s")
    assert [] == server.api("rules")["groups"]

    server.write_config({**server.config, "rule_files": [str(rules)]})
    server.reload()

    assert 1 == len(server.api("rules")["groups"])
    rules.write_text("groups: nonsense")
    with pytest.raises(ServerError, match="/-/reload with 500"):
        server.reload()


def test_a_refused_query_carries_what_the_server_said(
    start_prometheus: Callable[..., Prometheus],
) -> None:
    """The parse error is in the exception."""
    with pytest.raises(ServerError, match="parse error"):
        start_prometheus().query("sum(")


def test_a_server_that_cannot_start_shows_its_log(
    prometheus_bin: Path,
) -> None:
    """The error has what the server printed, and the folder is gone."""
    server = Prometheus(prometheus_bin, config={"nonsense": True})

    with pytest.raises(ServerError, match="field nonsense not found"):
        server.start()

    assert not server.folder.exists()


def test_a_stopped_server_is_gone(prometheus_bin: Path) -> None:
    """Its process has ended and its folder is removed."""
    with Prometheus(prometheus_bin) as server:
        pid = server.pid

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not server.folder.exists()


def test_alerts_reach_the_alertmanager(
    prometheus_bin: Path, start_alertmanager: Callable[..., Alertmanager], rules: Path
) -> None:
    """A firing rule of a real Prometheus ends up in a real Alertmanager."""
    receiver = start_alertmanager(config=ROUTES)

    with Prometheus(prometheus_bin, rules=[rules], interval="1s", alertmanagers=[receiver.url]):
        wait_until(lambda: bool(receiver.alerts()), what="the alert arrives")

    (alert,) = receiver.alerts()
    assert {"alertname": "ExampleFires", "severity": "page"} == alert["labels"]


def test_alerts_can_be_sent_by_a_test(
    start_alertmanager: Callable[..., Alertmanager],
) -> None:
    """What is posted is held."""
    receiver = start_alertmanager(config=ROUTES)

    receiver.send([{"labels": {"alertname": "ByHand"}}])

    wait_until(lambda: bool(receiver.alerts()), what="the alert is held")
    assert {"alertname": "ByHand"} == receiver.alerts()[0]["labels"]


def test_promtool_tells_good_rules_from_bad(prometheus_bin: Path, rules: Path) -> None:
    """Checks and unit tests of rules pass and fail with promtool's own words."""
    unit = rules.parent / "unit.yaml"
    sample = {"labels": "example:one", "value": 1}
    query = {"expr": "example:one", "eval_time": "1m", "exp_samples": [sample]}
    case = {"interval": "1m", "promql_expr_test": [query]}
    unit.write_text(json.dumps({"rule_files": [rules.name], "tests": [case]}))
    assert promtool_check_rules(prometheus_bin, [rules]).ok
    assert promtool_test_rules(prometheus_bin, unit).ok

    rules.write_text(RULES.replace("vector(1)", "vector(2)"))
    assert "got" in promtool_test_rules(prometheus_bin, unit).output
    rules.write_text(RULES.replace("vector(1)", "vector("))
    outcome = promtool_check_rules(prometheus_bin, [rules])
    assert not outcome.ok
    assert "unclosed left parenthesis" in outcome.output


def test_amtool_tells_a_good_configuration_from_a_bad_one(
    alertmanager_bin: Path, tmp_path: Path
) -> None:
    """A receiver that does not exist is refused by name."""
    path = tmp_path / "alertmanager.yaml"
    path.write_text(ROUTES)
    assert amtool(alertmanager_bin, "check-config", path).ok

    path.write_text(ROUTES.replace("receiver: team", "receiver: nobody"))
    outcome = amtool(alertmanager_bin, "check-config", path)
    assert not outcome.ok
    assert 'undefined receiver "nobody"' in outcome.output


def test_waiting_names_what_did_not_happen() -> None:
    """The error says what and for how long."""
    began = time.monotonic()

    with pytest.raises(ServerError, match=r"not within 0\.2 s: pigs fly"):
        wait_until(lambda: False, timeout=0.2, what="pigs fly")

    assert time.monotonic() - began >= 0.2
