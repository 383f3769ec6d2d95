"""Generated rules on running servers: healthy groups, changed labels, restarts, a missing half.

Intervals are shortened in the rules' text, so that seconds stand for minutes.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from alerts.prometheus.layouts import plain
from slo import naming
from slo.model import App
from slo.units import Duration
from tests.builders import events, latency, slo
from tests.servers.processes import Prometheus, create_blocks, wait_until
from tests.servers.recorded import Recording
from tests.servers.rule_cases import SETTINGS, app_of, near, series

KEY = {"app": "ticketing", "env": "prod", "slo": "availability"}
PLAIN = slo(events())
APP = app_of(PLAIN, slo(latency("1s"), name="latency", target="95"))
Start = Callable[..., Prometheus]


class Page:
    """A page of counters that grow with time: 50 events a second, a tenth of them bad."""

    def __init__(self) -> None:
        self.since = time.monotonic()

    def text(self) -> str:
        """The counters as they stand."""
        n = int((time.monotonic() - self.since) * 10) + 1
        return (
            "# TYPE http_requests_total counter\n"
            f'http_requests_total{{code="200"}} {n * 9}\nhttp_requests_total{{code="503"}} {n}\n'
            "# TYPE http_request_duration_seconds histogram\n"
            f'http_request_duration_seconds_bucket{{le="1"}} {n * 5}\n'
            f'http_request_duration_seconds_bucket{{le="+Inf"}} {n * 10}\n'
            f"http_request_duration_seconds_sum {n}\nhttp_request_duration_seconds_count {n * 10}\n"
        )


@contextmanager
def _exporter() -> Iterator[str]:
    page = Page()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def exporter() -> Iterator[str]:
    """The address of a growing page."""
    with _exporter() as address:
        yield address


def _rules(app: App, folder: Path, *, fast: bool = True) -> Path:
    (text,) = plain(app, SETTINGS).values()
    if fast:
        for interval in ("30s", "1m", "5m"):
            text = text.replace(f"interval: {interval}\n", "interval: 1s\n")
    path = folder / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _scrape(address: str) -> list[dict[str, Any]]:
    return [
        {"job_name": "api", "scrape_interval": "1s", "static_configs": [{"targets": [address]}]}
    ]


def _health(server: Prometheus) -> dict[str, str]:
    """Each rule's name with what is wrong with it, empty when all is well."""
    return {
        f"{group['name']}: {rule['name']}": rule.get("lastError", "") or rule["health"]
        for group in server.api("rules")["groups"]
        for rule in group["rules"]
        if rule["health"] != "ok"
    }


def test_every_group_is_healthy_and_the_series_of_the_contract_are_there(
    start_prometheus: Start, exporter: str, tmp_path: Path
) -> None:
    """A server that scrapes an app records both SLOs, pages, and fails no rule."""
    server = start_prometheus(
        rules=[_rules(APP, tmp_path)], scrape_configs=_scrape(exporter), interval="1s"
    )
    ratio = series(naming.error_ratio(Duration.parse("5m")), **KEY)
    wait_until(lambda: server.number(ratio) is not None, what="a ratio of five minutes")
    wait_until(lambda: _health(server) == {}, what="every rule healthy")
    wait_until(
        lambda: bool(server.query(series("ALERTS", alertstate="firing", severity="page"))),
        what="a page",
    )
    assert server.query(near(ratio, 0.1, 0.05))
    slow = series(naming.PERIOD_RATIO, **{**KEY, "slo": "latency"})
    wait_until(lambda: bool(server.query(near(slow, 0.5, 0.05))), what="half of them slow")
    info = server.query(series(naming.INFO, **KEY))
    assert ["99.9"] == [each.labels["objective"] for each in info]
    (alert, *_) = server.api("alerts")["alerts"]
    assert "error expanding" not in str(alert["annotations"])
    assert 0 == server.own_metric("prometheus_rule_evaluation_failures_total")


def test_a_changed_user_label_breaks_no_rule(
    start_prometheus: Start, exporter: str, tmp_path: Path
) -> None:
    """Rules with another owner go on where the old ones stopped; both owners were recorded."""
    before, after = (app_of(replace(PLAIN, labels={"owner": who})) for who in ("anna", "bert"))
    server = start_prometheus(
        rules=[_rules(before, tmp_path)], scrape_configs=_scrape(exporter), interval="1s"
    )
    owned = f"last_over_time({series(naming.INFO, owner='{}')}[1m])"
    period = series(naming.TOTAL_PERIOD, **KEY)
    started = series(naming.REVISION_START, **KEY)
    wait_until(lambda: server.number(period) is not None, what="the old rules' counts")
    wait_until(lambda: server.number(started) is not None, what="the revision's start")
    start, count = server.number(started), server.number(period)
    assert count is not None
    _rules(after, tmp_path)
    server.reload()
    wait_until(lambda: bool(server.query(owned.replace("{}", "bert"))), what="the new rules' label")
    wait_until(lambda: (server.number(period) or 0) > count, what="counts that go on")
    assert server.query(owned.replace("{}", "anna"))
    # A group that has not had its first turn since the reload is not known yet.
    wait_until(lambda: "unknown" not in _health(server).values(), what="every rule's turn")
    assert {} == _health(server)
    assert 0 == server.own_metric("prometheus_rule_evaluation_failures_total")
    assert start == server.number(started)


def test_a_changed_objective_starts_a_revision(
    start_prometheus: Start, exporter: str, tmp_path: Path
) -> None:
    """The new objective has a later start than the old one, and both can be seen."""
    server = start_prometheus(
        rules=[_rules(app_of(PLAIN), tmp_path)], scrape_configs=_scrape(exporter), interval="1s"
    )
    starts = f"last_over_time({series(naming.REVISION_START, **KEY)}[1m])"
    wait_until(lambda: len(server.query(starts)) == 1, what="the first revision")
    _rules(app_of(slo(events(), target="99.5")), tmp_path)
    server.reload()
    wait_until(lambda: len(server.query(starts)) == 2, what="the second revision")
    first, second = sorted(each.value for each in server.query(starts))
    assert first < second


@pytest.fixture
def history(prometheus_bin: Path, tmp_path: Path) -> Path:
    """Blocks in which the ledger's ratios end nine minutes ago, burning."""
    end = time.time() - 9 * 60
    recording = Recording()
    derived = {
        naming.error_ratio(Duration.parse("1d")): 0.004,
        naming.error_ratio(Duration.parse("2h")): 0.004,
        naming.BUDGET_REMAINING: 0.4,
        naming.TOTAL_PERIOD: 1e6,
        naming.TOTAL_INCREASE: 5000.0,
        naming.BAD_INCREASE: 20.0,
    }
    for name, value in derived.items():
        recording.add(name, KEY, [(end - k * 300, value) for k in range(12)])
    recording.write(tmp_path / "recorded.txt")
    create_blocks(prometheus_bin, tmp_path / "recorded.txt", tmp_path / "data")
    return tmp_path / "data"


def test_a_restart_across_an_evaluation_resolves_no_ticket(
    prometheus_bin: Path, history: Path, tmp_path: Path
) -> None:
    """Sixteen seconds of restart lie well within what alerts look back over."""
    rules = _rules(app_of(PLAIN), tmp_path, fast=False)
    text = rules.read_text(encoding="utf-8").replace("interval: 1m\n", "interval: 1s\n")
    rules.write_text(text, encoding="utf-8")
    ticket = series("ALERTS", alertstate="firing", severity="ticket", long="1d")
    for _ in range(2):
        with Prometheus(prometheus_bin, rules=[rules], data=history) as server:
            wait_until(lambda s=server: bool(s.query(ticket)), what="the ticket")  # type: ignore[misc] # bound now
            time.sleep(2)
            assert server.query(ticket)
            absent = series("ALERTS", alertname=naming.ALERT_ABSENT)
            assert not server.query(absent)
