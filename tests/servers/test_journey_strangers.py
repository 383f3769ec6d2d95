"""A second application's documents do not get into the first one's stream.

Headroom refuses or keeps them apart, whatever the cluster; the stream itself refuses them where
`constant_keyword` is to be had, which Elasticsearch's published core lacks.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.cli.served import Served, served
from tests.servers.elastic import Opensearch, SearchNode
from tests.servers.journey import Place, Request, told
from tests.servers.processes import wait_until

TOKEN, OTHER = "own-" + "a" * 28, "other-" + "b" * 26


@pytest.fixture
def place(search_node: SearchNode, tmp_path: Path) -> Place:
    """Both applications, each with a token that is bound to it."""
    found = Place(tmp_path, search_node)
    (tmp_path / "own").write_text(TOKEN)
    (tmp_path / "other").write_text(OTHER)
    file = tmp_path / "headroom.yaml"
    tokens = f"[{{file: own, app: {found.told}}}, {{file: other, app: {found.filed}}}]"
    file.write_text(
        file.read_text().replace("  serve:\n", f"  serve:\n    ingestTokens: {tokens}\n")
    )
    found.publish()
    return found


def send(server: Served, path: str, body: bytes, token: str, kind: str = "json") -> Any:
    """Send a request that is answered with 200, and return what is said about its parts."""
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {token}", "Content-Type": f"application/{kind}"}
        answer = session.post(f"{server.url}{path}", data=body, headers=headers, timeout=30)
    assert 200 == answer.status_code, answer.text
    return answer.json()


def record(resource: dict[str, str], number: int) -> bytes:
    """An OTLP request of one log record, by a sender that says this of itself."""
    ((_, value), *_) = told("x", [Request(number=number, at=time.time_ns())])
    value["resourceLogs"][0]["resource"]["attributes"] = [
        {"key": key, "value": {"stringValue": each}} for key, each in resource.items()
    ]
    return json.dumps(value).encode()


def bulk(*documents: dict[str, str]) -> bytes:
    """A bulk request whose actions name no index."""
    lines = [line for each in documents for line in ('{"create":{}}', json.dumps(each))]
    return "\n".join([*lines, ""]).encode()


def test_strangers_are_kept_out(place: Place) -> None:
    """By the token, by the owner that the record has, and by the stream that it would go to."""
    node, stream = place.node, f"logs-{place.told}.api-prod"
    own = {"service.name": place.service, "deployment.environment.name": "prod"}
    lied = {"service.name": "x", "data_stream.dataset": f"{place.told}.api"}
    with served(place.folder) as server:
        send(server, "/v1/logs", record(own, 0), TOKEN)
        refused = send(server, "/v1/logs", record(own, 1), OTHER)
        apart = send(server, "/v1/logs", record({**own, **lied}, 2), OTHER)
        items = send(
            server,
            f"/elastic/{stream}/_bulk",
            bulk(
                {"message": "request 3", "labels.app": place.told},
                {"message": "request 4", "labels.app": place.filed},
                {"message": "request 5", "service.environment": "prod"},
            ),
            OTHER,
            "x-ndjson",
        )["items"]
        wait_until(lambda: 4 == forwarded(server), what="four documents")

    assert "1" == refused["partialSuccess"]["rejectedLogRecords"]
    assert {} == apart
    assert [403, 201, 201] == [each["create"]["status"] for each in items]
    assert ["request 0"] == messages(node, stream)
    assert ["request 2", "request 4", "request 5"] == messages(node, f"logs-{place.filed}*")
    _by_the_stream(place, stream)


def _by_the_stream(place: Place, stream: str) -> None:
    """Who writes past Headroom is refused by the stream, or at least not read as its own."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    labels = {"labels": {"app": place.filed}, "event": {"action": "book"}}
    (fate,) = place.node.bulk(stream, [{"@timestamp": stamp, "message": "smuggled", **labels}])
    if isinstance(place.node, Opensearch):
        assert 400 == fate["status"]
        assert "labels.app" in json.dumps(fate)
        assert ["request 0"] == messages(place.node, stream)
    else:
        place.run("generate", "--force", "--only", "elastic")
        (file,) = place.folder.rglob(f"*{place.told}@owner.json")
        assert {"type": "constant_keyword", "value": place.told} == _app_field(file)
    numbers = place.numbers(time.time() + 1, place.told)
    assert (1, 0) == numbers["logs", "cluster"]


def _app_field(file: Path) -> Any:
    mappings = json.loads(file.read_text())["template"]["mappings"]
    return mappings["properties"]["labels"]["properties"]["app"]


def forwarded(server: Served) -> int:
    """How many records the cluster has taken."""
    with requests.Session() as session:
        session.trust_env = False
        lines = session.get(f"{server.url}/metrics", timeout=30).text.splitlines()
    name = "headroom_forward_records_total{"
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(name))


def messages(node: SearchNode, streams: str) -> list[str]:
    """What the documents of streams say."""
    return sorted(each["message"] for each in node.documents(streams))
