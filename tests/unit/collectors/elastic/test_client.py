"""The client asks as its source says, gives up in time, and says what went wrong and what to do."""

import json
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from collectors.elastic.client import Cluster, connect
from collectors.elastic.completeness import incomplete
from collectors.elastic.flavors import parse_version, version_of
from collectors.elastic.refusal import Refusal
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.units import Duration
from slo.workspace import BasicAuth, ElasticsearchSource, Tls
from tests.servers.loopback import Loopback, Reply
from tests.unit.collectors.certificates import issued

HITS = {"hits": {"hits": []}, "timed_out": False, "_shards": {"total": 1, "failed": 0}}


def answer(body: object, status: int = 200, **headers: str) -> Reply:
    """An answer of Elasticsearch."""
    own = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    return Reply(status=status, body=json.dumps(body).encode(), headers={**own, **headers})


def refused(status: int, kind: str = "some_exception", reason: str = "because") -> Reply:
    """An error of Elasticsearch."""
    cause = {"type": kind, "reason": reason}
    return answer({"error": {**cause, "root_cause": [cause]}, "status": status}, status)


def source(url: str, **more: Any) -> ElasticsearchSource:
    """How to reach a server on loopback."""
    usual: dict[str, Any] = {"name": "here", "timeout": Duration.of(seconds=5)}
    return ElasticsearchSource(url=url, **{**usual, **more})


def test_nothing_is_sent_before_something_is_asked() -> None:
    """A cluster that is down is found out by the first request, not by the start."""
    with Loopback([answer(HITS)]) as server:
        connect(source(server.url))
        Cluster(source(server.url))

        assert [] == server.asked


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (lambda file: {"api_key_file": file("id:key")}, "ApiKey aWQ6a2V5"),
        (lambda file: {"api_key_file": file("aWQ6a2V5\n")}, "ApiKey aWQ6a2V5"),
        (lambda file: {"bearer_token_file": file("t0k")}, "Bearer t0k"),
        (
            lambda file: {"basic_auth": BasicAuth(username="me", password_file=file("pä:ss"))},
            "Basic bWU6cMOkOnNz",
        ),
    ],
)
def test_secrets_come_from_files_whenever_they_are_needed(
    tmp_path: Path, settings: Any, expected: str
) -> None:
    """So that a rotated one is used from then on."""

    def file(text: str) -> str:
        (tmp_path / "secret").write_text(text)
        return str(tmp_path / "secret")

    with Loopback([answer(HITS)]) as server:
        cluster = Cluster(source(server.url, **settings(file)))
        cluster.search("logs-*", {})
        (tmp_path / "secret").write_text("new")
        cluster.search("logs-*", {})

    sent = [asked.headers["authorization"] for asked in server.asked]
    assert expected == sent[0]
    assert sent[0] != sent[1]


@pytest.mark.parametrize("text", [None, "", "x" * 70_000, "a\nb"])
def test_a_secret_that_cannot_be_used_is_named_and_not_quoted(
    tmp_path: Path, text: str | None
) -> None:
    """By its file."""
    if text is not None:
        (tmp_path / "secret").write_text(text)

    with pytest.raises(AuthenticationFailed, match="secret") as caught:
        connect(source("http://127.0.0.1:9", api_key_file=str(tmp_path / "secret")))

    assert not text or text not in str(caught.value)


def test_headers_path_and_both_timeouts_are_sent() -> None:
    """The server is told to give up before the client does."""
    with Loopback([answer(HITS)]) as server:
        there = source(f"{server.url}/behind/", headers={"X-Scope": "a"})
        Cluster(there, timeout=Duration.of(seconds=2)).search("logs-a.*,logs-b", {"size": 1})
        (asked,) = server.asked

    assert "/behind/logs-a.*,logs-b/_search" == asked.path
    assert ("a", "headroom") == (asked.headers["x-scope"], asked.headers["user-agent"])
    assert "true" == asked.form["ignore_unavailable"]
    assert '"timeout":"1800ms"' in "".join(asked.form).replace(" ", "")
    assert "compatible-with=8" in asked.headers["accept"]


def test_opensearch_is_spoken_to_in_plain_json() -> None:
    """Its answers need not name Elasticsearch."""
    plain = Reply(body=json.dumps(HITS).encode(), headers={"Content-Type": "application/json"})
    with Loopback([plain]) as server:
        found = Cluster(source(server.url, flavor="opensearch")).search("logs-*", {})

    assert HITS == found
    assert {"application/json"} == {
        server.asked[0].headers[name] for name in ("accept", "content-type")
    }


@pytest.mark.parametrize(
    ("reply", "kind", "said", "hint"),
    [
        (refused(400, "parsing_exception", "no [x]"), QueryRejected, "no [x]", None),
        (refused(401), AuthenticationFailed, "401", "apiKeyFile"),
        (refused(403, "security_exception", "needs read"), AuthenticationFailed, "read", "privil"),
        (refused(404, "index_not_found_exception"), QueryRejected, "404", "url"),
        (answer({}, 406), SourceUnavailable, "media types", "flavor: opensearch"),
        (refused(408), SourceTimeout, "gave the request up", "timeout"),
        (refused(413), QueryRejected, "413", "less at once"),
        (refused(429), SourceUnavailable, "429", "less often"),
        (refused(500, "x", "broke"), SourceUnavailable, "500: broke", None),
        (refused(503), SourceUnavailable, "503", "_cluster/health"),
        (refused(504), SourceTimeout, "gave the request up", "timeout"),
        (answer({}, 302, Location="/login"), SourceUnavailable, "redirects", "login"),
        (
            Reply(body=b"{}", headers={"Content-Type": "application/json"}),
            SourceUnavailable,
            "does not say that it is Elasticsearch",
            "flavor: opensearch",
        ),
        (answer([]), SourceUnavailable, "is missing", "itself"),
        (answer({"took": 3}), SourceUnavailable, "hits is missing", "itself"),
        (
            Reply(
                body=b'{"hits": ',
                headers={"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"},
            ),
            SourceUnavailable,
            "not complete JSON",
            "itself",
        ),
    ],
)
def test_an_answer_that_is_no_success_says_so(
    reply: Reply, kind: type[SourceError], said: str, hint: str | None
) -> None:
    """With the source's name, the server's words and what to do."""
    with (
        Loopback([reply]) as server,
        pytest.raises(kind, match="elasticsearch/here: ") as caught,
    ):
        Cluster(source(server.url)).search("logs-*", {})

    assert said in str(caught.value)
    assert "elasticsearch/here" == caught.value.source
    assert (hint or "") in (caught.value.hint or "")


def test_a_refusal_carries_its_parts() -> None:
    """For those who act on them."""
    with Loopback([refused(400, "a_kind", "a reason")]) as server, pytest.raises(Refusal) as caught:
        Cluster(source(server.url)).call("GET", "/x")

    refusal = caught.value
    assert (400, "a_kind", "a reason") == (refusal.status, refusal.kind, refusal.reason)


def test_reads_are_tried_again_and_writes_are_not() -> None:
    """A document must not be indexed twice."""
    with Loopback([refused(503), refused(429), answer(HITS)]) as server:
        assert HITS == Cluster(source(server.url)).search("logs-*", {})
        assert 3 == len(server.asked)
    with Loopback([refused(503), answer({"items": []})]) as server:
        with pytest.raises(SourceUnavailable):
            Cluster(source(server.url)).bulk([{"create": {"_index": "x"}}, {"a": 1}])
        assert 1 == len(server.asked)


@pytest.mark.parametrize("reply", [Reply(delay=5), Reply(body=b"x" * 99, trickle=1)])
def test_an_answer_that_does_not_come_ends_in_time(reply: Reply) -> None:
    """Also one that comes byte by byte."""
    with Loopback([reply]) as server, pytest.raises(SourceTimeout, match=r"in time|within"):
        Cluster(source(server.url), timeout=Duration(milliseconds=400)).search("x", {})


def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    """In the words of the operating system."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(SourceUnavailable, match="cannot be reached: Connection refused"):
            Cluster(source(url)).search("x", {})


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(tmp_path: Path) -> None:
    """Until its authority is named."""
    made = issued(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.file)
    with Loopback([answer(HITS)], tls=context) as server:
        with pytest.raises(SourceUnavailable, match=r"TLS failed: .*certificate"):
            Cluster(source(server.url), environ={}).search("x", {})
        trusting = source(server.url, tls=Tls(ca_file=str(made.authority)))
        assert HITS == Cluster(trusting).search("x", {})
        assert HITS == Cluster(
            source(server.url), environ={"SSL_CERT_FILE": str(made.authority)}
        ).search("x", {})
    with pytest.raises(SourceUnavailable, match=r"cannot read .*nowhere"):
        connect(source("https://127.0.0.1:9", tls=Tls(ca_file=str(tmp_path / "nowhere"))))


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        ({**HITS, "timed_out": True}, SourceTimeout, "ran out of time"),
        (
            {
                **HITS,
                "_shards": {
                    "total": 5,
                    "failed": 2,
                    "failures": [{"reason": {"type": "x", "reason": "disk"}}],
                },
            },
            SourceUnavailable,
            "2 of 5 shards failed: disk",
        ),
        (
            {**HITS, "_shards": {"total": 5, "successful": 4, "skipped": 1, "failed": 0}},
            SourceUnavailable,
            "1 of 5 shards failed",
        ),
        (
            {**HITS, "_clusters": {"total": 2, "skipped": 1}},
            SourceUnavailable,
            "1 of 2 clusters: skipped",
        ),
    ],
)
def test_an_incomplete_answer_says_what_it_lacks(
    body: Mapping[str, Any], kind: type[SourceError], said: str
) -> None:
    """And is an error for those who need the whole."""
    with Loopback([answer(body)]) as server:
        cluster = Cluster(source(server.url))
        (sentence,) = incomplete(cluster.search("x", {}))
        assert said in sentence
        with pytest.raises(kind, match=said):
            cluster.search("x", {}, partial=False)
    assert () == incomplete(HITS)


def test_versions_are_those_of_the_oldest_node() -> None:
    """Read from the nodes, else from the greeting; asked for once."""
    nodes = {"nodes": {"a": {"version": "8.19.2"}, "b": {"version": "8.17.0-SNAPSHOT"}}}
    with Loopback([answer(nodes)]) as server:
        cluster = Cluster(source(server.url))
        assert (8, 17, 0) == cluster.version == cluster.version
        assert 1 == len(server.asked)
    with Loopback([refused(403), answer({"version": {"number": "9.1.0"}})]) as server:
        assert (9, 1, 0) == Cluster(source(server.url)).version
    with Loopback([answer({})]) as server, pytest.raises(SourceUnavailable, match="which version"):
        _ = Cluster(source(server.url)).version
    assert (None, None) == (parse_version("main"), version_of([]))
