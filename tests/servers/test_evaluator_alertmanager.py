"""A burning level in the store, its evaluator, and a real Alertmanager that hears of it."""

from collections.abc import Callable
from pathlib import Path

from app.evaluator import start
from app.project import open_project
from collectors.store import StoreWriter
from slo.units import parse_time
from tests.servers.evaluated import NO_WAIT, Counter, append
from tests.servers.processes import Alertmanager, wait_until

NOTHING = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}

WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: test}
spec:
  apps: [apps]
  sources: {store: {path: store}, alertmanager: {url: "URL"}}
"""

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  slos:
    - name: availability
      objective: 99.9
      window: 1d
      indicator: {events: {total: total, bad: bad}, scrapeInterval: 15s}
"""


def _traffic(end: int) -> list[Counter]:
    """Two hours that end now; a tenth of the requests fail."""
    start_ = end - 7200
    return [
        Counter(
            name=name,
            labels={"job": "a", "instance": "i"},
            points=tuple((float(at), (at - start_) * rate) for at in range(start_, end + 1, 15)),
        )
        for name, rate in (("total", 10.0), ("bad", 1.0))
    ]


def _end(server: Alertmanager) -> float:
    """When the page ends or is no longer believed, in Unix seconds."""
    (end,) = (each["endsAt"] for each in server.alerts() if each["labels"]["long"] == "1h")
    return parse_time(end).timestamp()


def test_an_alertmanager_hears_of_a_page_and_of_its_end(
    start_alertmanager: Callable[..., Alertmanager], tmp_path: Path
) -> None:
    """By its API, with the labels and the beginning of the alert."""
    import time  # noqa: PLC0415 - an Alertmanager has no time but the present

    server = start_alertmanager(config=NOTHING)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "ticketing.yaml").write_text(APP)
    (tmp_path / "headroom.yaml").write_text(WORKSPACE.replace("URL", server.url))
    project = open_project([str(tmp_path)], environment={})
    began = time.time()
    ahead = [0.0]
    with StoreWriter(tmp_path / "store") as writer:
        append(writer, _traffic(int(began)))
        running = start(
            project,
            writer,
            store=tmp_path / "store",
            clock=lambda: round((time.time() + ahead[0]) * 1e9),
            state=tmp_path / "state",
            settling=NO_WAIT,
        )
        try:
            wait_until(lambda: bool(server.alerts()), timeout=90, what="the page arrives")
            found = {alert["labels"]["long"]: alert for alert in server.alerts()}
            page = found["1h"]
            assert ("ErrorBudgetBurn", "page") == (
                page["labels"]["alertname"],
                page["labels"]["severity"],
            )
            assert "active" == page["status"]["state"]
            assert "10% of events were bad" in page["annotations"]["description"]
            # Ten minutes later nothing has been sent to the store, and nothing burns any more.
            ahead[0] = 600
            ticks = running.status.ticks
            wait_until(lambda: running.status.ticks > ticks, timeout=90, what="a round")
            wait_until(lambda: _end(server) > began + 700, timeout=90, what="the page goes on")
            # A page is kept for two minutes after its condition.
            ahead[0] = 900
            # To the Alertmanager that is still to come, so it lists the alert with its end.
            wait_until(lambda: _end(server) < began + 960, timeout=90, what="the page ends")
            assert _end(server) > began + 600
        finally:
            running.stop()
