"""The Alertmanager configuration on the real Alertmanager and its amtool."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from alerts.alertmanager import alertmanager_config, render
from slo.model import Catalog
from slo.receivers import RECEIVER_KINDS, Form, ReceiverKind, Setting
from slo.workspace import Workspace
from tests.servers.processes import Alertmanager, amtool, wait_until
from tests.unit.alerts.installations import (
    AIRLINE,
    AIRLINE_ROUTES,
    AIRLINE_WORKSPACE,
    app,
    catalog,
    pager,
    receiver,
    slack,
    workspace,
)

StartAlertmanager = Callable[..., Alertmanager]

HOSTILE_TEAMS = (
    'say "hi"',
    "back\\slash",
    'both \\" of them',
    "ends in \\",
    "Größe 飛行機 ✈️",
    "comma, brace } and { equals = ~",
    "two\nlines",
    "tab\tand\rreturn",
    " spaces around ",
    "{{ .Labels }}",
    ".*",
    "no",
)

_EXAMPLES = {
    Form.TEXT: "text",
    Form.FILE: "/run/secrets/it",
    Form.URL: "https://h.example.com/",
    Form.HOST_PORT: "mail.example.com:587",
    Form.FLAG: "false",
    Form.NUMBER: "-100",
}


def _text(apps: Catalog, installation: Workspace) -> str:
    return render(alertmanager_config(apps, installation))


def _labels(name: str, team: str, severity: str, alert: str = "ErrorBudgetBurn") -> dict[str, str]:
    return {
        "alertname": alert,
        "app": name,
        "env": "prod",
        "slo": "availability",
        "team": team,
        "severity": severity,
        "long": "1h",
    }


def _arrivals(server: Alertmanager, alerts: list[dict[str, str]]) -> dict[tuple[str, str], str]:
    """Send alerts and return the only receiver of each, by app and severity."""
    server.send([{"labels": labels} for labels in alerts])
    wait_until(lambda: len(server.alerts()) == len(alerts), what="all alerts are held")
    arrived = {}
    for alert in server.alerts():
        (only,) = alert["receivers"]
        arrived[alert["labels"]["app"], alert["labels"]["severity"]] = only["name"]
    return arrived


@pytest.fixture
def airline(alertmanager_bin: Path, tmp_path: Path) -> Callable[..., str]:
    """Ask amtool which receivers an alert of these labels reaches, by the airline's file."""
    file = tmp_path / "alertmanager.yaml"
    file.write_text(_text(AIRLINE, AIRLINE_WORKSPACE), encoding="utf-8")

    def reached(**labels: str) -> str:
        arguments = [f"{name}={value}" for name, value in labels.items()]
        outcome = amtool(
            alertmanager_bin, "config", "routes", "test", f"--config.file={file}", *arguments
        )
        assert outcome.ok, outcome.output
        # Before the answer may stand a warning about an Alertmanager that amtool is not asked for.
        return outcome.output.splitlines()[-1]

    return reached


def test_amtool_accepts_the_configuration(alertmanager_bin: Path, tmp_path: Path) -> None:
    """`amtool check-config` finds nine receivers and nothing wrong."""
    file = tmp_path / "alertmanager.yaml"
    file.write_text(_text(AIRLINE, AIRLINE_WORKSPACE), encoding="utf-8")
    outcome = amtool(alertmanager_bin, "check-config", file)
    assert outcome.ok, outcome.output
    assert "9 receivers" in outcome.output


@pytest.mark.parametrize("each", AIRLINE.apps, ids=lambda each: each.name)
def test_pages_and_tickets_of_each_app_reach_its_people(
    airline: Callable[..., str], each: Any
) -> None:
    """Each app's page and ticket reach its own contacts, else its team's, else the default."""
    reached = tuple(
        airline(**_labels(each.name, each.team, severity)) for severity in ("page", "ticket")
    )
    assert AIRLINE_ROUTES[each.name] == reached


def test_an_alert_that_names_no_app_reaches_no_team(airline: Callable[..., str]) -> None:
    """An alert that only looks like ours, by team and severity, stays with the default."""
    labels = _labels("ticketing", "bookings", "page")
    labels.pop("app")
    assert "default" == airline(**labels)


@pytest.mark.parametrize("lacking", ["env", "slo"])
def test_an_alert_of_an_app_reaches_its_team(airline: Callable[..., str], lacking: str) -> None:
    """App, team and severity are enough: an alert of the team's own making is routed too."""
    labels = _labels("ticketing", "bookings", "page")
    labels.pop(lacking)
    assert "pagerduty-bookings" == airline(**labels)


def test_an_app_that_was_added_by_hand_reaches_its_team(airline: Callable[..., str]) -> None:
    """An app that the catalog does not know is its team's."""
    assert "pagerduty-bookings" == airline(**_labels("newcomer", "bookings", "page"))


def test_teams_with_hostile_names_are_told_apart(start_alertmanager: StartAlertmanager) -> None:
    """Whatever a team is called, its alerts and nobody else's reach it."""
    apps = [
        app(f"app-{i}", team, page=f"page {team}", ticket=f"ticket {team}")
        for i, team in enumerate(HOSTILE_TEAMS)
    ]
    receivers = [
        slack(f"{severity} {team}", "#ops")
        for team in HOSTILE_TEAMS
        for severity in ("page", "ticket")
    ]
    server = start_alertmanager(config=_text(catalog(*apps), workspace(*receivers)))
    expected = {
        (each.name, severity): f"{severity} {each.team}"
        for each in apps
        for severity in ("page", "ticket")
    }
    alerts = [_labels(each.name, each.team, s) for each in apps for s in ("page", "ticket")]
    assert expected == _arrivals(server, alerts)


def test_two_hundred_apps_reach_their_people(start_alertmanager: StartAlertmanager) -> None:
    """Every seventh app has a pager of its own, every eleventh its own tickets."""
    apps = []
    expected = {}
    for i in range(200):
        team = f"team-{i % 20}"
        page = f"pager-app-{i}" if i % 7 == 0 else f"pager-{team}"
        ticket = f"chat-app-{i}" if i % 11 == 0 else f"chat-{team}"
        apps.append(app(f"app-{i}", team, page=page, ticket=ticket))
        expected[f"app-{i}", "page"] = page
        expected[f"app-{i}", "ticket"] = ticket
    names = sorted(set(expected.values()))
    made = [pager(name) if name.startswith("pager") else slack(name, "#ops") for name in names]
    server = start_alertmanager(config=_text(catalog(*apps), workspace(*made)))
    alerts = [_labels(each.name, each.team, s) for each in apps for s in ("page", "ticket")]
    assert expected == _arrivals(server, alerts)


NEEDS_NEWER = [
    kind
    for kind in RECEIVER_KINDS.values()
    if any(setting.required and setting.since for setting in kind.settings)
]


@pytest.mark.parametrize(
    "kind",
    [kind for kind in RECEIVER_KINDS.values() if kind not in NEEDS_NEWER],
    ids=lambda kind: kind.name,
)
def test_the_oldest_alertmanager_accepts_a_receiver_with_what_it_knows(
    kind: ReceiverKind, alertmanager_bin: Path, tmp_path: Path
) -> None:
    """Settings that need a newer Alertmanager are left out."""
    settings = [each for each in kind.settings if not each.since]
    _accepted(kind, settings, alertmanager_bin, tmp_path)


@pytest.mark.parametrize("kind", RECEIVER_KINDS.values(), ids=lambda kind: kind.name)
def test_todays_alertmanager_accepts_a_receiver_with_all_its_settings(
    kind: ReceiverKind, newest_alertmanager_bin: Path, tmp_path: Path
) -> None:
    """Also those that came after the oldest version we support."""
    _accepted(kind, kind.settings, newest_alertmanager_bin, tmp_path)


def _accepted(
    kind: ReceiverKind, settings: Sequence[Setting], binaries: Path, folder: Path
) -> None:
    """Check a receiver that has the settings; of those that exclude each other, the first."""
    first = next((each.key for each in settings if each.key in kind.one_of), None)
    together = {
        each.key: _EXAMPLES[each.form]
        for each in settings
        if each.key not in kind.one_of or each.key == first
    }
    file = folder / "alertmanager.yaml"
    file.write_text(
        _text(catalog(), workspace(receiver("it", kind.name, **together))), encoding="utf-8"
    )
    outcome = amtool(binaries, "check-config", file)
    assert outcome.ok, outcome.output


def test_a_page_keeps_only_the_tickets_about_the_same_budget_quiet(
    start_alertmanager: StartAlertmanager,
) -> None:
    """Tickets about data, other apps and other environments stay loud."""
    server = start_alertmanager(config=_text(AIRLINE, AIRLINE_WORKSPACE))
    alerts = [
        _labels("ticketing", "bookings", "page"),
        _labels("ticketing", "bookings", "ticket"),
        _labels("ticketing", "bookings", "ticket", "ErrorBudgetLow"),
        _labels("ticketing", "bookings", "ticket", "SLIIncomplete"),
        _labels("refunds", "bookings", "ticket"),
        {**_labels("ticketing", "bookings", "ticket"), "env": "staging"},
    ]
    server.send([{"labels": labels} for labels in alerts])

    def quiet() -> list[tuple[str, ...]]:
        return sorted(
            tuple(alert["labels"][key] for key in ("alertname", "app", "env", "severity"))
            for alert in server.alerts()
            if alert["status"]["inhibitedBy"]
        )

    expected: list[tuple[str, ...]] = [
        ("ErrorBudgetBurn", "ticketing", "prod", "ticket"),
        ("ErrorBudgetLow", "ticketing", "prod", "ticket"),
    ]
    # The inhibitor hears of the page a moment after the API does; then it judges all at once.
    wait_until(lambda: quiet() == expected, what="both tickets are inhibited")
    assert len(alerts) == len(server.alerts())


@contextmanager
def _mailbox() -> Iterator[tuple[str, Queue[dict[str, Any]]]]:
    """Take JSON posts on loopback; gives the address and what arrived."""
    arrived: Queue[dict[str, Any]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", arrived
        finally:
            server.shutdown()
            thread.join()


def test_a_page_arrives_once_for_all_its_pairs_and_says_what_burns(
    start_alertmanager: StartAlertmanager, tmp_path: Path
) -> None:
    """One message on loopback holds both pairs, the title and the links."""
    with _mailbox() as (url, arrived):
        secret = tmp_path / "slack"
        secret.write_text(url)
        people = receiver("chat", "slack", apiUrlFile=str(secret), channel="#bookings")
        apps = catalog(app("ticketing", "bookings", page="chat"))
        server = start_alertmanager(config=_text(apps, workspace(people)))
        runbook = {"runbook_url": "https://runbooks.example.com/ticketing"}
        server.send(
            [
                {
                    "labels": {**_labels("ticketing", "bookings", "page"), "long": long},
                    "annotations": {"summary": f"burns fast over {long}", **runbook},
                }
                for long in ("1h", "6h")
            ]
        )
        try:
            message = arrived.get(timeout=30)
        except Empty:
            pytest.fail(f"no page within 30 s:\n{server.log()[-2000:]}")
    (attachment,) = message["attachments"]
    expected = "[page firing] ticketing prod availability"
    assert ("#bookings", expected) == (message["channel"], attachment["title"])
    lines = attachment["text"].splitlines()
    assert {"burns fast over 1h", "burns fast over 6h"} == set(lines[:2])
    assert ["runbook_url: https://runbooks.example.com/ticketing"] == lines[2:]
