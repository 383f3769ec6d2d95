"""Which service levels are counted, where, how late, and in which folder that is kept."""

import json
import logging
import time
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from app.counters.opening import _watched, open_counting, state_folder
from app.project import Project, open_project
from app.services.opening import open_world
from app.telemetry import Telemetry
from collectors.store import StoreWriter
from slo.errors import SourceError
from slo.ports import Counts
from slo.units import Duration
from tests.servers.loopback import Asked, Loopback, Reply
from tests.servers.rising_datadog import datadog

NOWHERE = "http://127.0.0.1:9"
AT = datetime(2026, 11, 21, 12, 35, tzinfo=UTC)

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  slos:
    - {name: checkout, objective: 99, indicator: {logs: {query: "a: b", bad: "c: d"}}}
    - name: search
      objective: 99
      indicator: {source: elasticsearch/logs, spans: {service: api, bad: error}}
    - name: payments
      objective: 99
      indicator:
        source: datadog/eu
        events: {total: "sum:all{*}.as_count()", bad: "sum:bad{*}.as_count()"}
    - name: requests
      objective: 99
      indicator: {events: {total: all_total, bad: bad_total}}
"""
WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [ticketing.yaml]
  sources:
    store: {path: store}
    prometheus: {main: {url: "http://127.0.0.1:9"}}
    elasticsearch: {logs: {url: "http://127.0.0.1:9"}}
    datadog: {eu: {url: "http://127.0.0.1:9", lag: 7m}}
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with StoreWriter(tmp_path / "store"):
        pass
    return tmp_path / "store"


def opened(folder: Path, more: str = "") -> Project:
    (folder / "ticketing.yaml").write_text(APP)
    (folder / "headroom.yaml").write_text(WORKSPACE + more)
    return open_project((), environment={}, workspace=str(folder / "headroom.yaml"))


@pytest.mark.parametrize(
    ("more", "lags"),
    [
        ("", ("5m", "5m", "7m")),
        ("  serve: {counters: {lag: 2m}}\n", ("2m", "2m", "7m")),
        ("  serve: {counters: {lag: 1h}}\n", ("1h", "1h", "1h")),
    ],
)
def test_what_prometheus_cannot_read_is_counted_at_its_source(
    tmp_path: Path, store: Path, more: str, lags: tuple[str, ...]
) -> None:
    """Never before a source's own lag is over, whatever the workspace says."""
    world = open_world(opened(tmp_path, more), environ={})
    found = list(_watched(world))
    assert [
        ("checkout", "store", "1m", None),
        ("search", "elasticsearch/logs", "1m", None),
        ("payments", "datadog/eu", "5m", Duration.parse("7m")),
    ] == [(each.level.key.slo, each.reference, str(each.step), each.delay) for each in found]
    assert lags == tuple(str(each.lag) for each in found)
    assert {"1m"} == {str(each.settling) for each in found}


@pytest.mark.usefixtures("store")
def test_a_partial_answer_of_a_product_is_not_counted(tmp_path: Path) -> None:
    """It would be final: a counter never takes back what it left out."""
    whole = datadog({"all": 2, "bad": 1})

    def lacking(asked: Asked) -> Reply:
        body = {**json.loads(whole(asked).body), "errors": "a shard is away"}
        return Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})

    minutes = Duration.parse("5m")
    outcomes: list[object] = []
    for server in (Loopback([whole]), Loopback([lacking])):
        with server:
            opened(tmp_path)
            file = tmp_path / "headroom.yaml"
            before, after = (f'datadog: {{eu: {{url: "{url}"' for url in (NOWHERE, server.url))
            file.write_text(file.read_text().replace(before, after))
            project = open_project((), environment={}, workspace=str(file))
            world = open_world(project, environ={"DD_API_KEY": "a", "DD_APP_KEY": "b"})
            (watched,) = (each for each in _watched(world) if each.reference == "datadog/eu")
            try:
                found = watched.source.series(watched.level, AT, span=minutes, step=minutes)
                outcomes.append(found)
            except SourceError as error:
                outcomes.append(str(error))
    assert (Counts(total=Fraction(600), bad=Fraction(300)),) == outcomes[0]
    assert isinstance(outcomes[1], str)
    assert "a shard is away" in outcomes[1]


def test_counters_are_kept_with_the_state_else_with_the_store(tmp_path: Path) -> None:
    """Else in the user's folder, apart from those of other workspaces."""
    project = opened(tmp_path)
    assert tmp_path / "store" / "counters" == state_folder(project, {})
    project = opened(tmp_path, "  state: state\n")
    assert tmp_path / "state" / "counters" == state_folder(project, {})
    bare = WORKSPACE.replace("    store: {path: store}\n", "")
    (tmp_path / "headroom.yaml").write_text(bare)
    bare_project = open_project((), environment={}, workspace=str(tmp_path / "headroom.yaml"))
    folder = state_folder(bare_project, {"XDG_STATE_HOME": str(tmp_path / "home")})
    assert tmp_path / "home" / "headroom" == folder.parent
    assert folder.name.startswith("counters-")


def test_one_process_counts(tmp_path: Path, store: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Two would show two truths; the second serves everything else."""
    world = open_world(opened(tmp_path), environ={})
    first = open_counting(world, clock=time.time_ns, telemetry=Telemetry())
    assert first is not None
    with caplog.at_level(logging.WARNING):
        second = open_counting(world, clock=time.time_ns, telemetry=Telemetry())
    assert second is None
    assert "another process counts" in caplog.text
    first.close()
    third = open_counting(world, clock=time.time_ns, telemetry=Telemetry())
    assert third is not None
    third.close()


def test_a_workspace_of_prometheus_alone_needs_no_counters(tmp_path: Path) -> None:
    """Nothing is written for them either."""
    (tmp_path / "ticketing.yaml").write_text(
        "\n".join([*APP.splitlines()[:5], *APP.splitlines()[-3:]]) + "\n"
    )
    (tmp_path / "headroom.yaml").write_text(WORKSPACE.replace("    store: {path: store}\n", ""))
    project = open_project((), environment={}, workspace=str(tmp_path / "headroom.yaml"))
    world = open_world(project, environ={"XDG_STATE_HOME": str(tmp_path / "home")})
    assert open_counting(world, clock=time.time_ns, telemetry=Telemetry()) is None
    assert not (tmp_path / "home").exists()
