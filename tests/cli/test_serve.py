"""`headroom serve` as a process: starting, refusing to start, and ending."""

import http.client
import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from collectors.store import StoreReader, stats
from tests.cli.installed import app_text, headroom
from tests.cli.served import Served, served
from tests.unit.app.api.serving import log


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ticketing.yaml").write_text(app_text(), encoding="utf-8")
    return tmp_path


def post(server: Served, value: object, *, timeout: float = 30) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/logs", json.dumps(value), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def logs(folder: Path) -> int:
    signals = stats(StoreReader(folder).snapshot()).signals
    return next(each.records for name, each in signals.items() if name == "logs")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_told(folder: Path, how: signal.Signals) -> None:
    """Exit code 0; what was acknowledged is in the store, and the store can be written again."""
    with served(folder, "--store", "data") as server:
        assert 200 == post(server, log("a"))
        code = server.end(how)
        said = server.log.read_text()

    assert (0, "") == (code, said)
    assert 1 == logs(folder / "data")
    assert 0 == headroom("store", "compact", "--store", "data", cwd=folder).code


def test_what_was_accepted_is_answered_while_it_ends(folder: Path) -> None:
    """A request whose body is still coming when the signal comes is stored and acknowledged."""
    body = json.dumps(log("last")).encode()
    head = (
        "POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    with served(folder, "--store", "data") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
            client.sendall(head + body[:10])
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            client.sendall(body[10:])
            answer = client.recv(1000)
        code = server.process.wait(60)

    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert 0 == code
    assert 1 == logs(folder / "data")


def test_a_burst_while_it_ends_loses_nothing_acknowledged(folder: Path) -> None:
    """Others are refused, and know it."""
    acknowledged: list[int] = []

    def burst(server: Served, sender: int) -> None:
        for number in range(10_000):
            try:
                status = post(server, log(f"{sender}-{number}"))
            except OSError:
                return
            if status == 200:
                acknowledged.append(status)
            elif status == 503:
                return

    with served(folder, "--store", "data") as server:
        threads = [threading.Thread(target=burst, args=(server, each)) for each in range(8)]
        for each in threads:
            each.start()
        time.sleep(1)
        code = server.end()
        for each in threads:
            each.join()

    assert 0 == code
    assert 0 < len(acknowledged) == logs(folder / "data")


def test_a_second_server_on_a_store_is_refused(folder: Path) -> None:
    """Exit code 1, and which process it is."""
    with served(folder, "--store", "data") as server:
        second = headroom("serve", "--no-console", "--port", "0", "--store", "data", cwd=folder)
        ingest = folder / "a.log"
        ingest.write_text("{}\n")
        third = headroom("ingest", "a.log", "--store", "data", cwd=folder)

    assert (1, 1) == (second.code, third.code)
    assert f"is being written by process {server.process.pid}" in second.stderr
    assert "post to it instead" in third.stderr


def test_a_port_in_use_is_refused(folder: Path) -> None:
    """Before the store is opened."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ending = headroom("serve", "--port", port, "--store", "data", "--no-console", cwd=folder)

    assert 1 == ending.code
    assert f"cannot listen on 127.0.0.1:{port}: the port is in use" in ending.stderr
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--host", "0.0.0.0", "--store", "data"), "nobody would be asked who they are"),
        ((), "there is nothing to serve: no source and no store"),
        (("--port", "65536", "--store", "data"), '"65536" is no port'),
    ],
)
def test_wrong_usage_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """Exit code 2."""
    ending = headroom("serve", "--no-console", *arguments, cwd=folder)

    assert 2 == ending.code
    assert message in ending.stderr
    assert not (folder / "data").exists()


def test_an_unsound_app_file_is_told_and_left_out(folder: Path) -> None:
    """A mistake in one team's file does not take the others' telemetry down."""
    (folder / "broken.yaml").write_text("apiVersion: headroom/v1\nkind: App\nmetadata: {}\n")
    with served(folder, "--store", "data") as server:
        assert 200 == post(server, log("a"))
        assert 0 == server.end()
        assert "broken.yaml" in server.log.read_text()


def test_an_unsound_workspace_is_refused(folder: Path) -> None:
    """It says who may look."""
    (folder / "headroom.yaml").write_text(
        "apiVersion: headroom/v1\nkind: Workspace\nmetadata: {name: x}\n"
        "spec: {sources: {store: {path: data}}, serve: {trustedProxi: {userHeader: X}}}\n"
    )
    ending = headroom("serve", "--no-console", "--port", "0", cwd=folder)

    assert 1 == ending.code
    assert "trustedProxi" in ending.stderr


def test_requests_are_logged_when_wanted(folder: Path) -> None:
    """One line each, on stderr; nothing in a path can forge another."""
    with served(folder, "--store", "data", "--access-log") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/v1/apps/%E2%80%AEx")
        connection.getresponse().read()
        connection.close()
        server.end()
        (line,) = server.log.read_text().splitlines()

    assert line.startswith(r"127.0.0.1 GET /v1/apps/\u202ex 404 ")
