"""Elasticsearch's way in over HTTP: who it says it is, tokens, encodings, back-pressure."""

import base64
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest

from app.api.intake import Sizing
from collectors.signals import Signal
from tests.unit.app.api.serving import WORKSPACE, Answer, Running, serving

LINES = {"Content-Type": "application/x-ndjson"}
ANY, BOUND = "any-" + "a" * 28, "bound-" + "b" * 26
TOKENS = f"{WORKSPACE}  serve: {{ingestTokens: [{{file: any}}, {{file: bound, app: ticketing}}]}}\n"


def bulk(*documents: object) -> bytes:
    lines = [line for each in documents for line in ('{"create":{}}', json.dumps(each))]
    return "\n".join([*lines, ""]).encode()


def line(body: str, app: str = "ticketing") -> dict[str, str]:
    return {"message": body, "labels.app": app, "@timestamp": "2026-03-01T12:00:00Z"}


def bodies(server: Running) -> list[str]:
    return sorted(row["body"] for row in server.rows(Signal.LOGS, "time, body"))


def basic(user: str, password: str, scheme: str = "Basic") -> dict[str, str]:
    coded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"{scheme} {coded}"}


@pytest.mark.parametrize("path", ["/elastic", "/elastic/"])
def test_it_says_that_it_is_elasticsearch(server: Running, path: str) -> None:
    """Version, flavour and header, for GET and HEAD."""
    said = server.get(path)

    assert (200, "8.15.0", "default", "You Know, for Search") == (
        said.status,
        said.json["version"]["number"],
        said.json["version"]["build_flavor"],
        said.json["tagline"],
    )
    head = server.ask("HEAD", path)
    assert (200, b"") == (head.status, head.body)
    assert ["Elasticsearch"] * 2 == [each.headers["x-elastic-product"] for each in (said, head)]


def test_collectors_get_the_answers_that_they_wait_for(server: Running) -> None:
    """A license, a health; of templates there are none, and of the rest there is nothing."""
    license_ = server.get("/elastic/_license?human=false").json["license"]
    assert ("active", "basic") == (license_["status"], license_["type"])
    assert "green" == server.get("/elastic/_cluster/health").json["status"]
    assert b" green " in server.get("/elastic/_cat/health").body
    for method, path in (
        ("HEAD", "/elastic/_index_template/logs"),
        ("GET", "/elastic/_index_template/logs"),
        ("PUT", "/elastic/_ingest/pipeline/x"),
        ("GET", "/elastic/_search"),
    ):
        found = server.ask(method, path)
        assert (404, "Elasticsearch") == (found.status, found.headers["x-elastic-product"])
        assert method == "HEAD" or 404 == found.json["status"]
    assert 405 == server.get("/elastic/_bulk").status


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-ndjson",
        "application/json",
        "application/x-ndjson; charset=utf-8",
        "application/vnd.elasticsearch+x-ndjson;compatible-with=8",
        "application/vnd.elasticsearch+json; compatible-with=8",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_every_media_type_of_the_bulk_api_is_taken(server: Running, kind: str, method: str) -> None:
    """Parameters of the address that mean nothing here do not matter."""
    path = "/elastic/logs-ticketing.api-prod/_bulk?timeout=1m&refresh=false"
    accept = "application/vnd.elasticsearch+json; compatible-with=8"
    found = server.ask(method, path, bulk(line("one")), {"Content-Type": kind, "Accept": accept})

    assert (200, False, accept) == (
        found.status,
        found.json["errors"],
        found.headers["content-type"],
    )
    assert "logs-ticketing.api-prod" == found.json["items"][0]["create"]["_index"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_refused(server: Running, kind: str) -> None:
    """A form of another page's could send it without asking."""
    found = server.ask("POST", "/elastic/_bulk", bulk(line("one")), {"Content-Type": kind})

    assert (406, "media_type_header_exception") == (found.status, found.json["error"]["type"])


def test_the_same_batch_counts_once(tmp_path: Path) -> None:
    """However it is compressed; for another index it is another batch."""
    body = bulk(line("one"), line("two"))
    zstd = bytes(pa.Codec("zstd").compress(body, asbytes=True))
    with serving(tmp_path) as server:
        answers = [
            server.ask("POST", "/elastic/_bulk", body, LINES),
            server.ask("POST", "/elastic/_bulk", body, LINES),
            server.ask(
                "POST", "/elastic/_bulk", gzip.compress(body), {**LINES, "Content-Encoding": "gzip"}
            ),
            server.ask("POST", "/elastic/_bulk", zstd, {**LINES, "Content-Encoding": "zstd"}),
        ]
        assert ["one", "two"] == bodies(server)
        server.ask("POST", "/elastic/other/_bulk", body, LINES)
        assert ["one", "one", "two", "two"] == bodies(server)

    assert [200] * 4 == [each.status for each in answers]
    assert 1 == len({str(each.json["items"]) for each in answers})


def test_a_bomb_is_refused(server: Running) -> None:
    """A hundred megabytes in a hundred kilobytes."""
    bomb = gzip.compress(bytes(100 * 2**20))
    found = server.ask("POST", "/elastic/_bulk", bomb, {**LINES, "Content-Encoding": "gzip"})

    assert (413, 413) == (found.status, found.json["status"])
    unknown = server.ask("POST", "/elastic/_bulk", b"x", {**LINES, "Content-Encoding": "br"})
    broken = server.ask("POST", "/elastic/_bulk", b"x", {**LINES, "Content-Encoding": "gzip"})
    assert [415, 400] == [unknown.status, broken.status]


def test_who_has_no_room_is_told_to_come_again(tmp_path: Path) -> None:
    """The whole request: nothing of it is taken, and the client sends all of it later."""
    with serving(tmp_path, sizing=Sizing(waiting=50)) as server:
        found = server.ask("POST", "/elastic/_bulk", bulk(line("x" * 100)), LINES)
        stored = bodies(server)

    assert (429, "1", "es_rejected_execution_exception") == (
        found.status,
        found.headers["retry-after"],
        found.json["error"]["type"],
    )
    assert [] == stored


def test_a_token_comes_by_any_scheme_of_elasticsearch(tmp_path: Path) -> None:
    """As a bearer, as an API key of one part or two, as the password of any user."""
    (tmp_path / "any").write_text(ANY)
    (tmp_path / "bound").write_text(BOUND)
    right = [
        {"Authorization": f"Bearer {ANY}"},
        {"Authorization": f"ApiKey {ANY}"},
        basic("id", ANY, "ApiKey"),
        basic("anybody", ANY),
    ]
    wrong = [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "ApiKey wrong"},
        {"Authorization": f"Basic {ANY}"},
        {"Authorization": "Basic \xff"},
        basic("anybody", "wrong"),
        basic(ANY, ""),
    ]
    with serving(tmp_path, workspace=TOKENS) as server:

        def send(headers: dict[str, str], number: int) -> Answer:
            body = bulk(line(f"line {number}"))
            return server.ask("POST", "/elastic/_bulk", body, {**LINES, **headers})

        taken = [send(each, number) for number, each in enumerate(right)]
        refused = [send(each, 9) for each in wrong]
        greeted = server.get("/elastic/")
        stored = bodies(server)

    assert [200] * 4 == [each.status for each in taken]
    assert [401] * 8 == [each.status for each in (*refused, greeted)]
    assert "Basic" in refused[0].headers["www-authenticate"]
    assert "security_exception" == refused[0].json["error"]["type"]
    assert [f"line {number}" for number in range(4)] == stored


def test_a_bound_token_stores_as_its_app_or_refuses_the_item(tmp_path: Path) -> None:
    """What claims to be another's is told in its own place."""
    (tmp_path / "any").write_text(ANY)
    (tmp_path / "bound").write_text(BOUND)
    body = bulk(line("theirs", "cargo"), line("ours"), {"message": "silent"})
    with serving(tmp_path, workspace=TOKENS) as server:
        found = server.ask("POST", "/elastic/_bulk", body, {**LINES, **basic("x", BOUND)})
        stored = sorted(
            (row["body"], row["app"]) for row in server.rows(Signal.LOGS, "time, body, app")
        )

    assert [403, 201, 201] == [each["create"]["status"] for each in found.json["items"]]
    assert [("ours", "ticketing"), ("silent", "ticketing")] == stored
