"""What a cluster answers, and what becomes of each document then."""

import json
from pathlib import Path

import pytest

from app.forwarding.dead_letters import DeadLetters
from app.forwarding.documents import Document
from app.forwarding.sending import batches, send
from collectors.elastic.client import Cluster
from slo.units import Duration
from slo.workspace import ElasticsearchSource
from tests.servers.loopback import Asked, Loopback, Reply, Script

PRODUCT = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
DOCUMENTS = [Document(index="logs-a-prod", id=str(n), text=f'{{"n":{n}}}') for n in range(4)]


def items(*statuses: int) -> Reply:
    """Answer a request of so many documents."""
    said = [
        {"create": {"status": each, "error": {"type": "some_exception", "reason": f"is {each}"}}}
        for each in statuses
    ]
    return Reply(body=json.dumps({"errors": True, "items": said}).encode(), headers=PRODUCT)


def whole(status: int) -> Reply:
    error = {"type": "some_exception", "reason": f"is {status}"}
    return Reply(status=status, body=json.dumps({"error": error}).encode(), headers=PRODUCT)


def cluster(url: str) -> Cluster:
    return Cluster(
        ElasticsearchSource(name="sink", url=url, timeout=Duration.parse("5s")), environ={}
    )


def test_each_document_has_a_fate_of_its_own() -> None:
    """Taken or there already; to be sent again; refused for good, with the reason."""
    with Loopback([items(201, 409, 429, 400)]) as server:
        fates = send(cluster(server.url), DOCUMENTS)
        (asked,) = server.asked

    assert ("/_bulk", "_none") == (asked.path, asked.form["pipeline"])
    assert (2, ["2"], ["3"]) == (
        fates.taken,
        [each.id for each in fates.again],
        [each.document.id for each in fates.refused],
    )
    assert (400, "some_exception", "is 400") == (
        fates.refused[0].status,
        fates.refused[0].kind,
        fates.refused[0].reason,
    )
    assert "429" in fates.trouble


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_what_may_pass_or_be_mended_is_sent_again(status: int) -> None:
    """Whether the request is refused or each item is: nothing is taken or thrown away."""
    for reply in (whole(status), items(*[status] * 4)):
        with Loopback([reply]) as server:
            fates = send(cluster(server.url), DOCUMENTS)

        assert (0, (), 4) == (fates.taken, fates.refused, len(fates.again))
        assert str(status) in fates.trouble


def test_a_cluster_that_is_away_is_tried_again() -> None:
    """The trouble names the source."""
    with Loopback([whole(200)]) as server:
        url = server.url
    fates = send(cluster(url), DOCUMENTS)

    assert 4 == len(fates.again)
    assert "elasticsearch/sink" in fates.trouble


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"items": []}', b"<html>"])
def test_an_answer_that_is_none_takes_nothing(body: bytes) -> None:
    """A proxy may have given it."""
    with Loopback([Reply(body=body, headers=PRODUCT)]) as server:
        fates = send(cluster(server.url), DOCUMENTS)

    assert (0, 4) == (fates.taken, len(fates.again))


def test_a_request_that_is_too_large_is_halved_until_one_document_is_left() -> None:
    """That one is refused for good, the others are taken."""

    def take(asked: Asked) -> Reply:
        size = int(asked.headers.get("Content-Length", asked.headers.get("content-length", "0")))
        return whole(413) if size > 100 else items(201)

    large = Document(index="logs-a-prod", id="large", text=json.dumps({"text": "x" * 200}))
    script: list[Script] = [take]
    with Loopback(script) as server:
        fates = send(cluster(server.url), [DOCUMENTS[0], large, DOCUMENTS[1]])

    assert (2, ["large"], 0) == (
        fates.taken,
        [each.document.id for each in fates.refused],
        len(fates.again),
    )


def test_documents_are_cut_into_requests() -> None:
    """A thousand at most, or four MiB."""
    many = [Document(index="a", id=str(n), text="{}") for n in range(2500)]
    long = [Document(index="a", id=str(n), text="x" * 3_000_000) for n in range(3)]

    assert [1000, 1000, 500] == [len(each) for each in batches(iter(many))]
    assert [1, 1, 1] == [len(each) for each in batches(iter(long))]
    assert [] == list(batches(iter([])))


def test_dead_letters_are_bounded(tmp_path: Path) -> None:
    """One file and the one before it."""
    with Loopback([items(400, 400, 400, 400)]) as server:
        refused = send(cluster(server.url), DOCUMENTS).refused
    letters = DeadLetters(tmp_path, largest=100)
    for each in range(3):
        letters.add(refused, f"2026-03-01T12:00:0{each}Z")

    written = {each.name: each.read_text().splitlines() for each in tmp_path.iterdir()}
    assert {"dead-letters.ndjson": 4, "dead-letters.1.ndjson": 4} == {
        name: len(lines) for name, lines in written.items()
    }
    assert {
        "at": "2026-03-01T12:00:02Z",
        "index": "logs-a-prod",
        "id": "0",
        "status": 400,
        "type": "some_exception",
        "reason": "is 400",
        "document": {"n": 0},
    } == json.loads(written["dead-letters.ndjson"][0])
