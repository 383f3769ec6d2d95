"""Odd paths, foreign hosts and spoofed headers, met before anything else looks at a request."""

import pytest

from tests.unit.app.api.serving import Running


@pytest.mark.parametrize(
    "path",
    [
        "//v1/apps",
        "/v1//apps",
        "/v1/apps/",
        "/v1/apps/%2e%2e/apps",
        "/v1/apps/../apps",
        "/v1/./apps",
        "/v1/apps;x=1",
        "/v1/apps%2fticketing",
        "/v1/apps%5c",
        "/v1/apps%00",
        "/v1/apps%0d%0aX:1",
        "/v1/%252e%252e/apps",
        "/V1/apps",
        "/v1",
        "/v1/nothing",
        "/api/v1/query",
        "/nothing",
    ],
)
def test_no_path_has_a_second_spelling(server: Running, path: str) -> None:
    """404 as a problem, never a page and never another route."""
    answer = server.get(path)

    assert (404, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert 404 == answer.json["status"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_a_wrong_method_is_told_the_right_one(server: Running, method: str) -> None:
    """405 with Allow."""
    answer = server.ask(method, "/v1/logs")

    assert (405, "POST") == (answer.status, answer.headers["allow"])


def test_head_is_a_get_without_its_body(server: Running) -> None:
    """Load balancers ask so."""
    answer = server.ask("HEAD", "/healthz")

    assert (200, b"") == (answer.status, answer.body)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:80", 200),
        ("localhost", 200),
        ("LOCALHOST:8501", 200),
        ("[::1]:8501", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
    ],
)
def test_a_name_that_was_pointed_at_us_is_not_ours(server: Running, host: str, status: int) -> None:
    """A page elsewhere cannot read a server that listens on loopback by rebinding its name."""
    assert status == server.get("/v1/apps", {"Host": host}).status


def test_forwarding_and_tenant_headers_change_nothing(server: Running) -> None:
    """Nobody on this side of a proxy believes them."""
    spoofed = {
        "X-Scope-OrgID": "cargo",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/admin",
        "X-Original-URL": "/v1/deploys",
        "X-HTTP-Method-Override": "DELETE",
    }

    assert server.get("/v1/apps").body == server.get("/v1/apps", spoofed).body


def test_every_answer_has_a_name_and_says_what_a_page_may_do(server: Running) -> None:
    """A sender's own request id is kept when it is one."""
    own = server.get("/v1/nothing", {"X-Request-Id": "build-7.1"})
    odd = server.get("/v1/apps", {"X-Request-Id": "a b\tc"})

    assert ("build-7.1", "build-7.1") == (own.headers["x-request-id"], own.json["requestId"])
    assert 16 == len(odd.headers["x-request-id"])
    for answer in (own, odd):
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "no-store" == answer.headers["cache-control"]
        assert "server" not in answer.headers


def test_a_browser_elsewhere_cannot_send(server: Running) -> None:
    """What pages may send without asking first, none of the receivers takes."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {"Content-Type": kind, "Origin": "https://evil.example"}
        for path in ("/v1/logs", "/v1/deploys", "/api/v1/write"):
            assert 415 == server.ask("POST", path, b"{}", headers).status
    assert "access-control-allow-origin" not in server.get("/v1/apps").headers


def test_our_own_metrics_count_by_route_and_not_by_path(server: Running) -> None:
    """An attacker's paths make no new series."""
    for number in range(5):
        server.get(f"/v1/apps/a{number}")
    lines = server.get("/metrics").body.decode().splitlines()

    (line,) = [each for each in lines if "requests_total" in each and "/v1/apps/{app}" in each]
    assert line.startswith(
        'headroom_http_requests_total{method="GET",route="/v1/apps/{app}",status="404"} '
    )
    assert [] == [each for each in lines if "a1" in each]
