"""How a server is put together, before and around its first request."""

import http.client
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from app.project import open_project
from app.server import ServeError, check_access, is_loopback, listen, retention_of
from collectors.signals import Signal
from collectors.store import Limit
from slo.errors import UsageError
from slo.serving import Retention, Serving, TrustedProxy
from slo.units import Duration
from slo.workspace import Workspace
from tests.unit.app.api.serving import WORKSPACE, serving, write_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    file = write_workspace(tmp_path)
    return open_project((), environment={}, workspace=str(file)).workspace


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_which_addresses_are_this_machine_s_alone(host: str, expected: bool) -> None:  # noqa: FBT001
    assert expected == is_loopback(host)


def test_an_open_server_listens_on_loopback_only(workspace: Workspace) -> None:
    """Once people sign in, any address will do."""
    check_access(workspace, "127.0.0.1")
    with pytest.raises(UsageError, match="nobody would be asked who they are") as caught:
        check_access(workspace, "0.0.0.0")
    assert "serve.trustedProxy" in str(caught.value.hint)
    closed = Serving(trusted_proxy=TrustedProxy(user_header="X-User"))
    check_access(replace(workspace, serving=closed), "0.0.0.0")


def test_a_port_in_use_is_told() -> None:
    """With what to do about it."""
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(ServeError, match="the port is in use") as caught,
        listen("127.0.0.1", other.getsockname()[1]),
    ):
        pass
    assert "choose another one with --port" == caught.value.hint


def test_an_address_of_another_machine_is_told() -> None:
    with (
        pytest.raises(ServeError, match=r"cannot listen on 192\.0\.2\.1:0"),
        listen("192.0.2.1", 0),
    ):
        pass


def test_answers_on_an_open_connection_do_not_wait_for_the_network(tmp_path: Path) -> None:
    """Fifty of them take well under the two seconds that delayed acknowledgements cost."""
    with serving(tmp_path) as server:
        connection = http.client.HTTPConnection(*server.address, timeout=30)
        began = time.monotonic()
        for _ in range(50):
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        elapsed = time.monotonic() - began
        connection.close()

    assert elapsed < 1.5


def test_retention_is_the_workspace_s(workspace: Workspace) -> None:
    """Durations become nanoseconds."""
    kept = {
        "logs": Retention(age=Duration.parse("1d")),
        "spans": Retention(age=Duration.parse("2h"), size=7),
    }

    assert {
        Signal.LOGS: Limit(age=86_400 * 10**9),
        Signal.SPANS: Limit(age=7_200 * 10**9, size=7),
    } == dict(retention_of(replace(workspace, retention=kept)).limits)


def test_the_console_link_is_a_name_of_the_server(tmp_path: Path) -> None:
    """A proxy on the same machine asks by the public name."""
    linked = f'{WORKSPACE}  links: {{console: "https://slo.example.com/"}}\n'
    with serving(tmp_path, workspace=linked) as server:
        statuses = [
            server.get("/healthz", {"Host": host}).status
            for host in ("slo.example.com", "127.0.0.1", "other.example.com")
        ]

    assert [200, 200, 421] == statuses


def test_the_api_alone_needs_no_streamlit() -> None:
    """Nor is it loaded by accident."""
    script = (
        "import sys, app.server, app.api.every, app.cli.serve; print('streamlit' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "False" == done.stdout.strip()
