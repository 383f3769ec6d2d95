"""API and console in one process, the console's own doors shut."""

import http.client
import json
from pathlib import Path

import pytest

from tests.cli.served import Served, served
from tests.unit.app.api.serving import write_workspace


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("console")
    write_workspace(folder)
    return folder


def get(server: Served, path: str, host: str = "127.0.0.1") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_pages_and_api_share_a_process(folder: Path) -> None:
    """Pages are Streamlit's, below ``/v1`` all is JSON, and every answer is framed alike."""
    with served(folder, console=True) as server:
        status, headers, body = get(server, "/")
        assert (200, "text/html; charset=utf-8") == (status, headers["content-type"])
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert ("nosniff", "same-origin") == (
            headers["x-content-type-options"],
            headers["referrer-policy"],
        )
        assert b"<script" in body
        assert 200 == get(server, "/_stcore/health")[0]
        assert ["cargo", "ticketing"] == [
            app["name"] for app in json.loads(get(server, "/v1/apps")[2])["apps"]
        ]
        for path in ("/v1/nothing", "//v1/apps", "/_stcore/metrics", "/%2e%2e/v1/apps"):
            status, headers, _ = get(server, path)
            assert (404, "application/problem+json") == (status, headers["content-type"]), path
        assert 421 == get(server, "/", "evil.example")[0]
        host = json.loads(get(server, "/_stcore/host-config")[2])
        assert [] == host["allowedOrigins"]
        assert 0 == server.end()
        assert "Traceback" not in server.log.read_text()


def test_a_socket_from_elsewhere_is_refused(folder: Path) -> None:
    """A page of another site, or one that rebinds its name, gets no session."""
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    with served(folder, console=True) as server:
        own = f"http://127.0.0.1:{server.port}"
        for host, origin, expected in (
            ("127.0.0.1", own, 101),
            ("127.0.0.1", "https://evil.example", 403),
            ("evil.example", "http://evil.example", 403),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            headers = {**upgrade, "Host": host, "Origin": origin}
            connection.request("GET", "/_stcore/stream", headers=headers)
            assert expected == connection.getresponse().status, (host, origin)
            connection.close()
