"""What a server stores reaches a real cluster: every record, once, whatever ends in between."""

import json
import signal
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from collectors.signals import Signal
from collectors.store import StoreReader
from tests.cli.installed import headroom
from tests.cli.served import Served, served
from tests.servers.elastic import Opensearch, SearchNode
from tests.servers.processes import wait_until
from tests.servers.server import free_port
from tests.unit.app.api.serving import log

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: bookings}}
spec:
  environments: [{{name: prod}}]
  components: [{{name: api, kind: service, service: {name}-api}}]
"""
WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: test}}
spec:
  apps: [apps]
  sources:
    store: {{path: store}}
    elasticsearch: {{sink: {{url: "{url}", flavor: {flavor}, timeout: 20s}}}}
  serve: {{forward: {{elasticsearch: sink}}}}
"""


class Place:
    """A workspace that forwards, with an application that no other test has."""

    def __init__(self, folder: Path, node: SearchNode) -> None:
        self.app = f"fwd{uuid.uuid4().hex[:10]}"
        self.folder = folder
        self.node = node
        (folder / "apps").mkdir()
        (folder / "apps" / "app.yaml").write_text(APP.format(name=self.app))
        self.write_workspace(node.url)
        for kind in ("logs", "traces"):
            node.call("PUT", f"/_index_template/{kind}-{self.app}", self._template(kind))

    def write_workspace(self, url: str) -> None:
        flavor = "opensearch" if isinstance(self.node, Opensearch) else "elasticsearch"
        (self.folder / "headroom.yaml").write_text(WORKSPACE.format(url=url, flavor=flavor))

    def _template(self, kind: str) -> dict[str, Any]:
        fields = {
            "@timestamp": {"type": "date"},
            "labels": {"properties": {"app": {"type": "keyword"}}},
            "attributes": {"properties": {"seat": {"type": "integer"}}},
        }
        return {
            "index_patterns": [f"{kind}-{self.app}*", f"{kind}-unattributed-{self.app}"],
            "priority": 900,
            "data_stream": {},
            "template": {
                "settings": {"number_of_replicas": 0},
                "mappings": {"dynamic": False, "properties": fields},
            },
        }

    def log(self, body: str, at: int = 0, **attributes: object) -> dict[str, Any]:
        """A request of one record of the application's."""
        request: Any = log(
            body,
            at,
            service_namespace=self.app,
            service_name=f"{self.app}-api",
            deployment_environment_name="prod",
        )
        record = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
        record["severityNumber"] = 17
        record["attributes"] = [
            {"key": key, "value": {"stringValue": str(value)}} for key, value in attributes.items()
        ]
        return request  # type: ignore[no-any-return]  # made above

    def post(self, server: Served, kind: str, value: object) -> None:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(f"{server.url}/v1/{kind}", json=value, timeout=30)
            assert 200 == answer.status_code, answer.text

    def documents(self, kind: str = "logs") -> list[dict[str, Any]]:
        streams = f"{kind}-{self.app}*"
        if not self.node.call("GET", f"/_resolve/index/{streams}")["data_streams"]:
            return []
        return list(self.node.documents(streams))

    def bodies(self) -> list[str]:
        return sorted(each["message"] for each in self.documents())

    def metric(self, server: Served, name: str) -> float:
        with requests.Session() as session:
            session.trust_env = False
            text = session.get(f"{server.url}/metrics", timeout=30).text
        found = [line for line in text.splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    @property
    def forward(self) -> Path:
        return self.folder / "store" / "forward" / "sink"


@pytest.fixture
def place(tmp_path: Path, search_node: SearchNode) -> Place:
    return Place(tmp_path, search_node)


def span(app: str) -> dict[str, Any]:
    resource = {"service.namespace": app, "service.name": f"{app}-api"}
    resource["deployment.environment.name"] = "prod"
    return {
        "resourceSpans": [
            {
                "resource": {
                    "attributes": [
                        {"key": key, "value": {"stringValue": value}}
                        for key, value in resource.items()
                    ]
                },
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "0af7651916cd43dd8448eb211c80319c",
                                "spanId": "b7ad6b7169203331",
                                "parentSpanId": "00f067aa0ba902b7",
                                "name": "GET /seats",
                                "kind": 2,
                                "startTimeUnixNano": "1760000000000000001",
                                "endTimeUnixNano": "1760000000250000001",
                                "status": {"code": 2, "message": "no seat"},
                                "attributes": [
                                    {"key": "http.route", "value": {"stringValue": "/seats"}}
                                ],
                            }
                        ]
                    }
                ],
            }
        ]
    }


def test_logs_and_spans_reach_their_data_streams(place: Place) -> None:
    """As ECS documents; the same span sent twice is one, two equal lines are two."""
    with served(place.folder) as server:
        place.post(server, "logs", place.log("no seat", row=12))
        place.post(server, "logs", place.log("no seat", row=13))
        place.post(server, "traces", span(place.app))
        again = span(place.app)
        again["resourceSpans"][0]["scopeSpans"][0]["scope"] = {"name": "another batch"}
        place.post(server, "traces", again)
        wait_until(lambda: place.metric(server, "headroom_forward_records_total") >= 4, what="4")
        name = "headroom_forward_lag_seconds"
        wait_until(lambda: place.metric(server, name) == 0, what="the end of the lag")
        assert 0 == server.end()

    first, second = sorted(place.documents(), key=lambda each: str(each["attributes"]))
    assert {
        "@timestamp": "2025-10-09T08:53:20Z",
        "data_stream": {"type": "logs", "dataset": f"{place.app}.api", "namespace": "prod"},
        "labels": {"app": place.app, "component": "api"},
        "service": {"name": f"{place.app}-api", "environment": "prod"},
        "message": "no seat",
        "event": {"severity": 17},
        "log": {"level": "error"},
        "attributes": {"row": "12"},
    } == first
    assert {"row": "13"} == second["attributes"]
    (trace,) = place.documents("traces")
    assert ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7") == tuple(
        trace[key]["id"] for key in ("trace", "span", "parent")
    )
    assert ("GET /seats", "server", "/seats", "failure", 250_000_000, "no seat") == (
        trace["span"]["name"],
        trace["span"]["kind"],
        trace["http"]["route"],
        trace["event"]["outcome"],
        trace["event"]["duration"],
        trace["status"]["message"],
    )


def test_nothing_is_lost_or_doubled_by_kill_9(place: Place) -> None:
    """Three servers are killed while they send; the fourth finishes, and all is there once."""
    expected = []
    for life in range(3):
        with served(place.folder) as server:
            for number in range(25):
                body = f"life {life} line {number:02}"
                place.post(server, "logs", place.log(body, at=number))
                expected.append(body)
            assert -signal.SIGKILL == server.end(signal.SIGKILL)
    with served(place.folder) as server:
        wait_until(lambda: len(place.bodies()) >= len(expected), what="all lines", timeout=60)
        wait_until(
            lambda: not place.metric(server, "headroom_forward_waiting_commits"), what="the end"
        )
        assert 0 == server.end()

    assert sorted(expected) == place.bodies()
    reader = StoreReader(place.folder / "store")
    stored = reader.query(Signal.LOGS, "SELECT body FROM records ORDER BY body")
    reader.close()
    assert sorted(expected) == stored.column("body").to_pylist()


def test_what_waits_survives_restarts_while_the_cluster_is_away(place: Place) -> None:
    """The lag tells of it, the log once; later everything arrives."""
    place.write_workspace(f"http://127.0.0.1:{free_port()}")
    with served(place.folder) as server:
        for number in range(3):
            place.post(server, "logs", place.log(f"line {number}"))
        wait_until(lambda: place.metric(server, "headroom_forward_lag_seconds") > 1, what="lag")
        assert 3 == place.metric(server, "headroom_forward_waiting_commits")
        assert 0 == server.end()
        said = server.log.read_text()
    assert 1 == said.count("forwarding waits")
    assert "sink" in said
    place.write_workspace(place.node.url)
    with served(place.folder) as server:
        wait_until(lambda: len(place.bodies()) == 3, what="the lines")

    assert ["line 0", "line 1", "line 2"] == place.bodies()


def test_a_document_that_no_cluster_takes_is_a_dead_letter(place: Place) -> None:
    """Its neighbours arrive, the file says why, and the metric counts it."""
    with served(place.folder) as server:
        place.post(server, "logs", place.log("good", seat=12))
        place.post(server, "logs", place.log("bad", seat="12A"))
        place.post(server, "logs", place.log("good again", seat=13))
        name = "headroom_forward_dead_letters_total"
        wait_until(lambda: place.metric(server, name) == 1, what="a dead letter")
        wait_until(lambda: len(place.bodies()) == 2, what="the others")

    assert ["good", "good again"] == place.bodies()
    (line,) = (place.forward / "dead-letters.ndjson").read_text().splitlines()
    letter = json.loads(line)
    assert (400, f"logs-{place.app}.api-prod", "bad") == (
        letter["status"],
        letter["index"],
        letter["document"]["message"],
    )
    assert "seat" in letter["reason"]


def test_ingest_forwards_before_it_ends(place: Place) -> None:
    """Files that are read without a server go the same way, and what nobody owns goes apart."""
    lines = [{"message": f"line {n}", "labels.app": place.app} for n in range(10)]
    lines.append({"message": "whose?", "service.environment": place.app})
    file = place.folder / "app.log"
    file.write_text(
        "".join(f"{json.dumps({**each, '@timestamp': time.time()})}\n" for each in lines)
    )

    ending = headroom("ingest", file, cwd=place.folder)

    assert 0 == ending.code, ending.stderr
    assert [f"line {n}" for n in range(10)] == place.bodies()
    (nobody,) = place.node.documents(f"logs-unattributed-{place.app}")
    assert "whose?" == nobody["message"]
