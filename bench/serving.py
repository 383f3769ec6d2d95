"""`headroom serve` and the Collector as processes, and a client that sends both the same."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local
from urllib.parse import urlsplit

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from bench.model import FailedError
from bench.processes import headroom
from tests.servers.server import Server, ServerError

BATCH = 1_000
"""How many records a request has."""

_SECOND = 1_000_000_000
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 60
_TOO_BUSY = frozenset({429, 503})
_OK = 200
_SENDERS = 4

_WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: bench}
spec:
  apps: [apps]
  sources: {store: {path: store}}
"""
_APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  components: [{name: api, kind: service, service: ticketing-api}]
  slos:
    - {name: requests, objective: 99, indicator: {spans: {service: ticketing-api, bad: error}}}
"""
_RESOURCE = {
    "service.name": "ticketing-api",
    "service.namespace": "ticketing",
    "service.version": "1.4.2",
    "deployment.environment.name": "prod",
    "k8s.cluster.name": "eu-1",
    "k8s.namespace.name": "ticketing",
    "k8s.pod.name": "ticketing-api-7d5f-x2x9q",
}


class Headroom(Server):
    """`headroom serve` over a workspace of its own, or one that is given."""

    name = "headroom"

    def __init__(self, *flags: str, workspace: Path | None = None) -> None:
        command = headroom("serve")
        super().__init__(Path(sys.executable).parent, flags=flags, timeout=_PATIENCE)
        self._serve = [str(word) for word in command]
        self._workspace = workspace or self._own()

    def command(self, port: int) -> list[str]:
        """Return the command that starts the server on a port."""
        return [*self._serve, str(self._workspace), "--port", str(port), *self.flags]

    def _is_ready(self) -> bool:
        try:
            self.request("/readyz")
        except ServerError:
            return False
        return True

    def _own(self) -> Path:
        (self.folder / "apps").mkdir()
        (self.folder / "headroom.yaml").write_text(_WORKSPACE, encoding="utf-8")
        (self.folder / "apps" / "ticketing.yaml").write_text(_APP, encoding="utf-8")
        return self.folder


class Collector(Server):
    """The OpenTelemetry Collector with an OTLP receiver and a file exporter, and nothing between.

    Without a queue a request is answered when its records have been handed to the file.
    """

    name = "otelcol"

    def __init__(self, binaries: Path) -> None:
        super().__init__(binaries, flags=(), timeout=_PATIENCE)

    def command(self, port: int) -> list[str]:
        """Return the command that starts the server on a port."""
        self.write_config(
            {
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
                "exporters": {"file": {"path": str(self.folder / "logs.json")}},
                "service": {
                    "telemetry": {"metrics": {"level": "none"}},
                    "pipelines": {"logs": {"receivers": ["otlp"], "exporters": ["file"]}},
                },
            }
        )
        return [str(self.binaries / "otelcol"), f"--config=file:{self.config_file}"]

    def _is_ready(self) -> bool:
        try:
            address = urlsplit(self.url)
            socket.create_connection((address.hostname or "", address.port or 0), 1).close()
        except OSError:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Sends OTLP over HTTP, several requests at a time."""

    url: str
    _own: local

    @classmethod
    def to(cls, server: Server) -> Client:
        """Return a client of a server."""
        return cls(url=server.url, _own=local())

    def send(self, bodies: Sequence[bytes]) -> None:
        """Send all; raises ``FailedError`` unless each of them is accepted in the end."""
        with ThreadPoolExecutor(_SENDERS) as pool:
            for _ in pool.map(self._send, bodies):
                pass

    def _send(self, body: bytes) -> None:
        if not hasattr(self._own, "session"):
            self._own.session = requests.Session()
            self._own.session.trust_env = False
        for _ in range(_PATIENCE):
            answer = self._own.session.post(
                f"{self.url}/v1/logs",
                data=body,
                headers={"Content-Type": "application/x-protobuf"},
                timeout=_PATIENCE,
            )
            if answer.status_code == _OK:
                return
            if answer.status_code not in _TOO_BUSY:
                break
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        raise FailedError(f"{self.url} answers {answer.status_code}: {answer.text[:200]}")


def batches(count: int, *, now_ns: int) -> Iterator[bytes]:
    """Give requests of ``BATCH`` log records, each of them different; their times end now."""
    made = [_batch(number) for number in range(min(count, 8))]
    for number in range(count):
        request = made[number % len(made)]
        [one] = request.resource_logs
        one.resource.attributes[-1].value.int_value = number
        begin = now_ns - (count - number) * _SECOND
        for place, record in enumerate(one.scope_logs[0].log_records):
            record.time_unix_nano = begin + place * 1_000
            record.observed_time_unix_nano = record.time_unix_nano
        yield request.SerializeToString()


def _batch(number: int) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    logs = request.resource_logs.add()
    logs.resource.attributes.extend(_text(name, value) for name, value in _RESOURCE.items())
    logs.resource.attributes.append(KeyValue(key="batch", value=AnyValue(int_value=0)))
    scope = logs.scope_logs.add()
    for place in range(BATCH):
        own = number * BATCH + place
        failed = place % 50 == 0
        scope.log_records.append(
            LogRecord(
                severity_number=17 if failed else 9,  # type: ignore[arg-type]  # an enumeration
                severity_text="ERROR" if failed else "INFO",
                body=AnyValue(string_value=f"GET /bookings/{own * 7919} took {own % 997} ms"),
                trace_id=(own * 0x9E3779B97F4A7C15).to_bytes(16, "big"),
                span_id=(own + 1).to_bytes(8, "big"),
                attributes=[
                    _text("http.route", "/bookings/{id}"),
                    _text("customer", f"c-{own % 5000}"),
                    KeyValue(
                        key="http.response.status_code",
                        value=AnyValue(int_value=500 if failed else 200),
                    ),
                ],
            )
        )
    return request


def _text(name: str, value: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=value))


def processor_seconds(pid: int) -> float:
    """The processor seconds that a process has used so far, in all its threads."""
    # Its name, in parentheses, may hold anything.
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident(pid: int) -> int:
    """The memory that a process has now, in bytes."""
    [line] = [each for each in _proc(pid, "status").splitlines() if each.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def _proc(pid: int, name: str) -> str:
    file = Path("/proc", str(pid), name)
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ServerError(f"process {pid} has gone: {error}") from error
