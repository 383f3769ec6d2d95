"""The evaluator as a thread: begun, stopped, begun again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.evaluator import Running, Stage, start
from app.evaluator.notify.courier import Patience
from app.project import open_project
from app.telemetry import Telemetry
from collectors.store import StoreWriter
from slo.units import Duration
from tests.servers.evaluated import NO_WAIT, START, append
from tests.unit.app.evaluator.letters import Post, post_box, soon
from tests.unit.app.evaluator.test_engine import END, _traffic

WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: test}
spec:
  apps: [apps]
  state: state
  sources: {store: {path: store}}
  receivers:
    people: {webhook: {url: "URL"}}
"""

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  contacts: {page: people}
  environments: [{name: prod}]
  slos:
    - name: availability
      objective: 99.9
      window: 1d
      indicator: {events: {total: total, bad: bad}, scrapeInterval: 15s}
"""


class Clock:
    """A time that moves when it is told to; in seconds."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> int:
        return round(self.now * 1_000_000_000)


@contextmanager
def _running(folder: Path, post: Post, clock: Clock, telemetry: Telemetry) -> Iterator[Running]:
    (folder / "apps").mkdir(exist_ok=True)
    (folder / "apps" / "ticketing.yaml").write_text(APP)
    (folder / "headroom.yaml").write_text(WORKSPACE.replace("URL", post.url))
    project = open_project([str(folder)], environment={})
    store = folder / "store"
    with StoreWriter(store) as writer:
        if not (folder / "filled").exists():
            append(writer, _traffic())
            (folder / "filled").touch()
        running = start(
            project,
            writer,
            store=store,
            clock=clock,
            state=folder / "state",
            telemetry=telemetry,
            settling=NO_WAIT,
            patience=Patience(attempts=2, pause=0.02),
        )
        try:
            yield running
        finally:
            running.stop()


def test_it_catches_up_ticks_and_tells_and_a_restart_repeats_nothing(tmp_path: Path) -> None:
    """A page of a burning level is posted once; after the restart only its end is."""
    clock, telemetry = Clock(END), Telemetry()
    with post_box() as post:
        with _running(tmp_path, post, clock, telemetry) as running:
            soon(lambda: any(each.stage is Stage.FIRING for each in running.alerts), within=60)
            clock.now = END + 11
            soon(lambda: bool(post.bodies), within=60)
            assert running.status.ticks >= 1
            assert () == running.failing
        saved = json.loads((tmp_path / "state" / "alerts.json").read_text())
        assert {"firing"} == {each["stage"] for each in saved["alerts"]} - {"pending"}
        posted = len(post.bodies)
        with _running(tmp_path, post, clock, telemetry) as running:
            clock.now = END + 30
            soon(lambda: running.status.ticks >= 1, within=60)
            assert posted == len(post.bodies)
            clock.now = END + 30 * 60
            soon(lambda: (running.status.last_ms or 0) >= clock.now * 1000, within=60)
            # A page is kept for two minutes after its condition.
            clock.now += 5 * 60
            soon(
                lambda: "resolved" in {a["status"] for each in post.bodies for a in each["alerts"]},
                within=90,
            )
    shown = telemetry.exposition()
    assert "headroom_evaluator_ticks_total" in shown
    assert "headroom_evaluator_tick_duration_seconds_count" in shown
    assert START < END


def test_a_state_file_that_is_none_is_set_aside(tmp_path: Path) -> None:
    """The evaluator goes on without it."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "alerts.json").write_text("{")
    with post_box() as post, _running(tmp_path, post, Clock(START), Telemetry()) as running:
        soon(lambda: running.status.ticks >= 1, within=60)
    assert (tmp_path / "state" / "alerts.json.unreadable").exists()
    assert Duration.parse("1s").milliseconds == 1000
