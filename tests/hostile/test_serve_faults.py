"""What is acknowledged is there, whatever happens to the server; what is hostile stays small."""

import gzip
import http.client
import json
import random
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from collectors.signals import Signal
from collectors.store import StoreReader, verify
from tests.cli.served import Served, served
from tests.servers.server import wait_until
from tests.unit.app.api.serving import log, write_workspace

JSON = {"Content-Type": "application/json"}


def post(server: Served, body: bytes, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", "/v1/logs", body, {**JSON, **(headers or {})})
        return connection.getresponse().status
    finally:
        connection.close()


def bodies(folder: Path) -> list[str]:
    reader = StoreReader(folder / "store")
    found = reader.query(Signal.LOGS, "SELECT body FROM records")["body"].to_pylist()
    reader.close()
    return [str(each) for each in found]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_kill_in_the_middle_of_ingest_loses_nothing_acknowledged(
    tmp_path: Path, seed: int
) -> None:
    """Eight senders, kill -9 at a random moment; what was not acknowledged is sent again."""
    print("seed", seed)
    write_workspace(tmp_path)
    acknowledged: set[str] = set()
    unsure: set[str] = set()

    def send(server: Served, sender: int) -> None:
        for number in range(100_000):
            body = f"{sender}-{number}"
            try:
                status = post(server, json.dumps(log(body)).encode())
            except (OSError, http.client.HTTPException):
                unsure.add(body)
                return
            if status == 200:
                acknowledged.add(body)

    with served(tmp_path) as server:
        threads = [threading.Thread(target=send, args=(server, each)) for each in range(8)]
        for each in threads:
            each.start()
        moment = random.Random(seed)
        wanted = moment.randrange(1, 300)
        wait_until(lambda: len(acknowledged) >= wanted, timeout=60, what="batches stored")
        time.sleep(moment.uniform(0, 0.05))
        server.end(signal.SIGKILL)
        for each in threads:
            each.join()
    assert [] == verify(tmp_path / "store")
    with served(tmp_path) as server:
        assert acknowledged <= set(bodies(tmp_path))
        for body in unsure:
            assert 200 == post(server, json.dumps(log(body)).encode())
        assert 0 == server.end()

    assert sorted(acknowledged | unsure) == sorted(bodies(tmp_path))


def test_bombs_and_bursts_do_not_grow_the_server(tmp_path: Path) -> None:
    """A gigabyte of nothing eight times over, and then ten times what can wait."""
    write_workspace(tmp_path)
    bomb = gzip.compress(gzip.compress(b" " * 2**30, 1), 1)
    inner = gzip.decompress(bomb)
    large = json.dumps(log("x" * 1_000_000)).encode()
    statuses: list[int] = []

    def send(server: Served, body: bytes, headers: dict[str, str]) -> None:
        try:
            statuses.append(post(server, body, headers))
        except OSError:
            statuses.append(0)  # the answer came before the body had gone

    with served(tmp_path) as server:
        assert 200 == post(server, json.dumps(log("before")).encode())
        before = server.memory
        for body, headers, times in ((inner, {"Content-Encoding": "gzip"}, 8), (large, {}, 100)):
            threads = [
                threading.Thread(target=send, args=(server, body, headers)) for _ in range(times)
            ]
            for each in threads:
                each.start()
            for each in threads:
                each.join()
        grown = server.memory - before
        assert 200 == post(server, json.dumps(log("after")).encode())
        assert 0 == server.end()

    assert [413] * 8 == statuses[:8]
    assert {200, 429, 0} >= set(statuses[8:])
    print("grown by", grown // 2**20, "MiB")
    assert grown < 500 * 2**20


def test_hundreds_of_slow_clients_do_not_keep_others_out(tmp_path: Path) -> None:
    """Those that send nothing after their headers hold places, and then get none."""
    write_workspace(tmp_path)
    head = (
        b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    with served(tmp_path) as server:
        clients = [
            socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(300)
        ]
        for client in clients:
            client.sendall(head)
        time.sleep(1)
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        connection.request("GET", "/v1/apps")
        assert 200 == connection.getresponse().status
        connection.close()
        assert 429 == post(server, json.dumps(log("full")).encode())
        for client in clients:
            client.close()
        time.sleep(1)
        assert 200 == post(server, json.dumps(log("free again")).encode())
