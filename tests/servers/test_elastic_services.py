"""An installation whose logs and traces are in Elasticsearch or OpenSearch, and no store."""

import json
from pathlib import Path

import pytest

from app.access import OPEN
from app.cli.main import COMMANDS
from app.project import open_project
from app.services import logs, patterns, traces
from app.services.indicators import indicator_series
from app.services.opening import open_world
from app.services.unattributed import unattributed
from app.services.world import World
from collectors.readers.telemetry import LogQuery, TraceQuery
from collectors.store import StoreWriter
from tests.cli.fakes.terminals import call
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import cluster_of
from tests.servers.test_elastic_counts import lines, spans
from tests.stored_rows import asking, hours

AT = ("--at", "2025-10-09T12:00:00Z")
LAST = hours(-1, 0)

_WORKSPACE = """
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: searched}}
spec:
  apps: [apps]
  state: state
  sources:
    elasticsearch:
      telemetry:
        url: "{url}"
        flavor: {flavor}
        timeout: 60s
        indices: {{logs: ["{logs}"], traces: ["{traces}"]}}
"""

_APP = """
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  components: [{name: api, kind: service, service: ticketing-api}]
  slos:
    - name: lines
      objective: 95
      window: 1d
      indicator: {logs: {query: "event: busy", bad: "level: error"}}
    - name: requests
      objective: 95
      window: 1d
      indicator: {source: elasticsearch/telemetry, spans: {service: busy, bad: error}}
"""


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[str, str]]:
    """The indices by node, so that each is filled once."""
    return {}


@pytest.fixture
def folder(tmp_path: Path, search_node: SearchNode, made: dict[str, tuple[str, str]]) -> Path:
    """A workspace over a node with two days of telemetry."""
    if search_node.name not in made:
        source = cluster_of(search_node, logs=lines(), spans=spans()).source
        made[search_node.name] = (source.logs_indices[0], source.traces_indices[0])
    of_logs, of_traces = made[search_node.name]
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "ticketing.yaml").write_text(_APP)
    text = _WORKSPACE.format(
        url=search_node.url, flavor=search_node.name, logs=of_logs, traces=of_traces
    )
    (tmp_path / "headroom.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def world(folder: Path) -> World:
    """Its sources."""
    return open_world(open_project([str(folder)], environment={}), environ={})


def test_status_and_gate_judge_what_was_counted(folder: Path) -> None:
    """The budget of both signals, from the default cluster and from the one that is named."""
    ending = call(("status", str(folder), "--format", "json", *AT), commands=COMMANDS)
    assert 0 == ending.code, ending.stderr
    found = {each["slo"]: each for each in json.loads(ending.stdout)["slos"]}
    assert {"lines", "requests"} == set(found)
    gate = call(
        ("gate", str(folder), "--app", "ticketing", "--audit", str(folder / "a.jsonl"), *AT),
        commands=COMMANDS,
    )
    assert 0 == gate.code, gate.stderr + gate.stdout


def test_the_console_s_questions_are_answered(world: World) -> None:
    """Logs, patterns, traces, what is nobody's, and the picture of an indicator."""
    query = LogQuery(where=asking(range_=LAST), text="level: info")
    for found in (
        logs.search(world, OPEN, query),
        logs.histogram(world, OPEN, query),
        patterns.patterns(world, OPEN, query.where),
        traces.traces(world, OPEN, TraceQuery(where=asking(range_=LAST))),
        indicator_series(world, OPEN, "ticketing", "prod", "lines", LAST),
        indicator_series(world, OPEN, "ticketing", "prod", "requests", LAST),
    ):
        assert len(found.value), found.query
        assert "elasticsearch/telemetry" == found.source
        assert () == found.partial
    assert () == unattributed(world, OPEN, LAST).partial


def test_a_store_holds_the_records_where_there_is_one(folder: Path) -> None:
    """A cluster beside it is asked when an SLO names it."""
    text = (folder / "headroom.yaml").read_text()
    (folder / "headroom.yaml").write_text(text + "    store: {path: store}\n")
    with StoreWriter(folder / "store"):
        pass
    project = open_project([str(folder)], environment={})
    opened = open_world(project, environ={})
    assert opened.telemetry is not None
    assert "store" == opened.telemetry.reference
