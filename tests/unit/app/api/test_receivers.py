"""Receivers answer as OTLP/HTTP and remote write want it, and only for what is on disk."""

import gzip
import json
import socket
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from app.api.intake import Sizing
from collectors.receive.remote_write import TABLES
from collectors.receive.wire import views
from collectors.signals import Signal
from tests.unit.app.api.serving import JSON, PROTOBUF, WORKSPACE, Running, log, serving

WRITE = {**PROTOBUF, "Content-Encoding": "snappy"}


def write_request(value: float, at_ms: int, **labels: str) -> bytes:
    """One sample of one series, as Prometheus writes it."""
    request = views("test", TABLES)["WriteRequest"]()
    label = views("test.labels", {"Label": TABLES["Label"]})["Label"]
    series = request.timeseries.add()  # type: ignore[attr-defined]  # made from a table
    for name, text in sorted(labels.items()):
        series.labels.append(label(name=name.encode(), value=text.encode()).SerializeToString())
    series.samples.add(value=value, timestamp=at_ms)
    return pa.Codec("snappy").compress(request.SerializeToString(), asbytes=True)


def zstd(body: bytes) -> bytes:
    return pa.Codec("zstd").compress(body, asbytes=True)


def test_a_batch_is_on_disk_when_it_is_acknowledged(server: Running) -> None:
    """And belongs to the app that its tags name."""
    sent = log("paid", service_namespace="ticketing", deployment_environment_name="prod")

    answer = server.post("/v1/logs", sent)

    assert (200, b"{}", "application/json") == (
        answer.status,
        answer.body,
        answer.headers["content-type"],
    )
    (row,) = [row for row in server.rows(Signal.LOGS) if row["body"] == "paid"]
    assert ("ticketing", "prod", 1) == (row["app"], row["env"], row["rung"])


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_bodies_may_be_compressed(server: Running, encoding: str) -> None:
    """By gzip and zstd, as Collectors do."""
    body = json.dumps(log(f"by {encoding}")).encode()
    packed = {"gzip": gzip.compress(body), "zstd": zstd(body), "identity": body}[encoding]

    answer = server.ask("POST", "/v1/logs", packed, {**JSON, "Content-Encoding": encoding})

    assert 200 == answer.status
    assert [1] == [1 for row in server.rows(Signal.LOGS) if row["body"] == f"by {encoding}"]


def test_a_record_that_cannot_be_taken_costs_itself_only(server: Running) -> None:
    """A partial success says how many, and why, in the format of the request."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    scope.log_records.add(time_unix_nano=1_760_000_000 * 10**9).body.string_value = "good"
    scope.log_records.add(time_unix_nano=1_760_000_000).body.string_value = "bad"

    answer = server.ask("POST", "/v1/logs", request.SerializeToString(), PROTOBUF)

    assert (200, PROTOBUF["Content-Type"]) == (answer.status, answer.headers["content-type"])
    said = ExportLogsServiceResponse.FromString(answer.body).partial_success
    assert 1 == said.rejected_log_records
    assert "seconds" in said.error_message
    assert ["good"] == [
        row["body"] for row in server.rows(Signal.LOGS) if row["body"] in "good bad"
    ]


def test_a_batch_that_is_sent_again_counts_once(server: Running) -> None:
    """The second answer is as good as the first."""
    sent = log("twice")

    assert [200, 200] == [server.post("/v1/logs", sent).status for _ in range(2)]
    assert 1 == sum(row["body"] == "twice" for row in server.rows(Signal.LOGS))


def test_wrong_bodies_and_formats_are_refused_in_the_request_s_format(server: Running) -> None:
    """400 for nonsense, 415 for what is not understood; sending again would not help."""
    nonsense = server.post("/v1/traces", b"{")
    assert 400 == nonsense.status
    assert "no JSON" in nonsense.json["message"]
    garbage = server.ask("POST", "/v1/metrics", b"\xff\xff", PROTOBUF)
    assert (400, PROTOBUF["Content-Type"]) == (garbage.status, garbage.headers["content-type"])
    assert b"no protobuf" in garbage.body
    text = server.ask("POST", "/v1/logs", b"{}", {"Content-Type": "text/plain"})
    assert 415 == text.status
    assert "this one says text/plain" == text.json["hint"]
    assert 415 == server.post("/v1/logs", b"{}", {"Content-Encoding": "br"}).status


def test_a_bomb_is_refused_before_it_goes_off(server: Running) -> None:
    """100 MB of nothing, in 100 kB of gzip; a body that is too long is not even read."""
    bomb = gzip.compress(b"[" + b" " * 100_000_000)

    answer = server.ask("POST", "/v1/logs", bomb, {**JSON, "Content-Encoding": "gzip"})

    assert 413 == answer.status
    assert "longer than 20971520 bytes" in answer.json["message"]


def test_a_length_that_is_too_long_is_answered_before_the_body_comes(server: Running) -> None:
    """Nobody waits for 30 MB that will not be taken."""
    with socket.create_connection(server.address, timeout=10) as client:
        client.sendall(
            b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 30000000\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")


def test_remote_write_is_acknowledged_by_204(server: Running) -> None:
    """Its series belong to whom their labels name."""
    labels = {"__name__": "up", "app": "ticketing", "env": "prod"}
    body = write_request(1.0, 1_760_000_000_000, **labels)

    answer = server.ask("POST", "/api/v1/write", body, WRITE)

    assert (204, b"") == (answer.status, answer.body)
    assert [("up", "ticketing", 1.0)] == [
        (row["name"], row["app"], row["value"])
        for row in server.rows(Signal.METRICS)
        if row["name"] == "up"  # the server's evaluator records its own beside it
    ]


def test_remote_write_that_is_rejected_in_part_says_why(server: Running) -> None:
    """Remote write has no partial success: 400 with the reason, which Prometheus logs."""
    answer = server.ask("POST", "/api/v1/write", write_request(1.0, 1_760_000_000, job="x"), WRITE)

    assert 400 == answer.status
    assert "a series has no name" in answer.json["detail"]


def test_remote_write_2_and_what_is_not_snappy_are_refused(server: Running) -> None:
    """415, at which a Prometheus falls back to 1.0."""
    second = {
        **WRITE,
        "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    }
    assert 415 == server.ask("POST", "/api/v1/write", b"", second).status
    assert 415 == server.ask("POST", "/api/v1/write", b"", PROTOBUF).status
    assert 400 == server.ask("POST", "/api/v1/write", b"\x05nope", WRITE).status


def test_without_room_a_sender_is_told_to_come_again(tmp_path: Path) -> None:
    """429 with Retry-After; nothing of the request was taken, and nothing is forgotten."""
    with serving(tmp_path, sizing=Sizing(waiting=300, retry_after=7)) as server:
        small = server.post("/v1/logs", log("a"))
        large = server.post("/v1/logs", log("b" * 400))
        rows = server.rows(Signal.LOGS)
        metrics = server.get("/metrics").body.decode()

    assert (200, 429, "7") == (small.status, large.status, large.headers["retry-after"])
    assert ["a"] == [row["body"] for row in rows]
    assert 'headroom_ingest_requests_total{outcome="busy",signal="logs"} 1' in metrics


def test_slow_clients_hold_their_own_places_only(tmp_path: Path) -> None:
    """Others are served meanwhile; one that never ends is given up."""
    head = (
        b"POST /v1/logs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1000\r\n\r\n{"
    )
    with serving(tmp_path, sizing=Sizing(patience=1.5, requests=21)) as server:
        clients = [socket.create_connection(server.address, timeout=20) for _ in range(20)]
        for client in clients:
            client.sendall(head)
        time.sleep(0.3)
        assert 200 == server.post("/v1/logs", log("meanwhile")).status
        answers = [client.recv(100).split(b"\r\n")[0] for client in clients]
        for client in clients:
            client.close()
        after = server.post("/v1/logs", log("afterwards"))

    assert {b"HTTP/1.1 408 Request Timeout"} == set(answers)
    assert 200 == after.status


def test_many_senders_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each record that was acknowledged is there once."""
    acknowledged: list[str] = []

    def send(server: Running, sender: int) -> None:
        for number in range(25):
            body = f"{sender}-{number}"
            if server.post("/v1/logs", log(body)).status == 200:
                acknowledged.append(body)

    with serving(tmp_path) as server:
        threads = [threading.Thread(target=send, args=(server, each)) for each in range(12)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        stored = [row["body"] for row in server.rows(Signal.LOGS)]

    assert 300 == len(acknowledged)
    assert sorted(acknowledged) == sorted(stored)


def test_a_store_that_cannot_be_written_is_told_as_503(tmp_path: Path) -> None:
    """The sender keeps its batch and sends it again."""
    with serving(tmp_path) as server:
        assert server.site.intake
        server.site.intake.writer.close()
        answer = server.post("/v1/logs", log("lost?"))

    assert (503, "5") == (answer.status, answer.headers["retry-after"])


def test_a_server_that_is_ending_takes_nothing_more(tmp_path: Path) -> None:
    """Liveness is one thing, readiness another."""
    with serving(tmp_path) as server:
        assert (200, "ready") == ((ready := server.get("/readyz")).status, ready.json["status"])
        server.site.draining.set()
        assert [503, 503] == [
            server.post("/v1/logs", log("late")).status,
            server.get("/readyz").status,
        ]
        assert [] == server.rows(Signal.LOGS)


def test_a_server_without_a_store_says_where_one_is_named(tmp_path: Path) -> None:
    """It reads a Prometheus, and takes nothing."""
    other = WORKSPACE.replace(
        "store: {path: store}", 'prometheus: {eu: {url: "http://127.0.0.1:9"}}'
    )
    with serving(tmp_path, workspace=other) as server:
        answer = server.post("/v1/logs", log("where?"))

    assert 404 == answer.status
    assert "keeps no telemetry" in answer.json["message"]
