"""Active alerts: of this server's own rules, and of a Prometheus."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access import OPEN, Forbidden
from app.services.alerts import ActiveAlert, Board, active_alerts
from slo.errors import SourceUnavailable
from tests.servers.loopback import Asked, Loopback, Reply, result
from tests.unit.app.services import airline
from tests.unit.app.services.airline import TIA
from tests.unit.app.services.installation import install

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
LABELS = {"alertname": "ErrorBudgetBurn", "app": "ticketing", "env": "prod", "slo": "hits"}
WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: test}}
spec:
  apps: [apps]
  sources: {{prometheus: {{eu: {{url: "{url}", retries: 0}}}}}}
"""


def test_nobody_who_evaluates_is_not_the_same_as_no_alert(tmp_path: Path) -> None:
    """A store alone raises none; an evaluator that found nothing says so."""
    world, board = airline.opened(tmp_path), Board()
    with pytest.raises(SourceUnavailable, match="nobody evaluates rules"):
        active_alerts(world, OPEN, "ticketing", "prod", AT, board)
    board.attach(list)
    assert () == active_alerts(world, OPEN, "ticketing", "prod", AT, board).value


def test_another_apps_alerts_are_not_shown(tmp_path: Path) -> None:
    """Neither beside one's own, nor when asked for."""
    world, board = airline.opened(tmp_path), Board()
    labels = {"app": "cargo", "env": "prod", "slo": "hits"}
    one = ActiveAlert(name="ErrorBudgetBurn", state="firing", labels=labels, annotations={})
    board.attach(lambda: [one])
    assert () == active_alerts(world, TIA, "ticketing", "prod", AT, board).value
    with pytest.raises(Forbidden):
        active_alerts(world, TIA, "cargo", "prod", AT, board)


def test_a_prometheus_tells_its_alerts_and_since_when(tmp_path: Path) -> None:
    """By the series that it writes of them."""

    def answer(asked: Asked) -> Reply:
        if asked.form["query"].startswith("ALERTS_FOR_STATE"):
            return result([{"metric": LABELS, "value": [0, "1795430000"]}])
        return result([{"metric": {**LABELS, "alertstate": "firing"}, "value": [0, "1"]}])

    with Loopback([answer]) as server:
        text = WORKSPACE.format(url=server.url)
        world = install(tmp_path, workspace=text, apps=airline.APPS, store=False)
        found = active_alerts(world, TIA, "ticketing", "prod", AT, Board())
        asked = {each.form["query"] for each in server.asked}
    (one,) = found.value
    assert ("ErrorBudgetBurn", "firing", "hits") == (one.name, one.state, one.labels["slo"])
    assert 1_795_430_000 * 10**9 == one.since
    assert 'ALERTS{app="ticketing",env="prod"}' in asked
    assert "prometheus/eu" == found.source


def test_a_prometheus_that_is_down_is_no_answer(tmp_path: Path) -> None:
    """Rather than no alert."""
    with Loopback([Reply(status=503)]) as server:
        text = WORKSPACE.format(url=server.url)
        world = install(tmp_path, workspace=text, apps=airline.APPS, store=False)
        with pytest.raises(SourceUnavailable):
            active_alerts(world, TIA, "ticketing", "prod", AT, Board())
