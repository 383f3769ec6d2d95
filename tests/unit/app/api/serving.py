"""A real server on loopback, in a thread of the test.

with serving(tmp_path) as server:
...server.ask("POST", "/v1/logs", body, {"Content-Type": "application/json"})...
server.rows(Signal.LOGS)
"""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from app.api.intake import Sizing
from app.api.site import Site
from app.project import open_project
from app.server import Options, Started, serve
from app.telemetry import Telemetry
from collectors.signals import Signal
from collectors.store import StoreReader

JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}

WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: test}
spec:
  apps: [apps]
  sources: {store: {path: store}}
"""
APPS = {
    "ticketing": """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings, title: Airline ticketing, labels: {tier: "1"}}
spec:
  environments: [{name: prod}, {name: staging}]
  components: [{name: api, kind: service, service: ticketing-api}]
  slos:
    - name: availability
      objective: 99
      window: 1d
      indicator: {spans: {service: ticketing-api, bad: error}}
""",
    "cargo": """\
apiVersion: headroom/v1
kind: App
metadata: {name: cargo, team: freight}
spec:
  components: [{name: api, kind: service, service: cargo-api}]
  slos:
    - name: availability
      objective: 99
      indicator: {spans: {service: cargo-api, bad: error}}
""",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A running server."""

    url: str
    site: Site
    store: Path
    started: Started

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; the path goes as it is written."""
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            connection.request(method, path, body, dict(headers or {}))
            said = connection.getresponse()
            names = {name.lower(): value for name, value in said.getheaders()}
            return Answer(status=said.status, headers=names, body=said.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, value: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", path, body, {**JSON, **(headers or {})})

    def rows(self, signal: Signal, columns: str = "*") -> list[dict[str, Any]]:
        """Return what is in the store, by time."""
        sql = f"SELECT {columns} FROM records ORDER BY time"
        found: list[dict[str, Any]] = StoreReader(self.store).query(signal, sql).to_pylist()
        return found


def write_workspace(folder: Path, workspace: str = WORKSPACE) -> Path:
    """Write a workspace with its applications; returns its file."""
    (folder / "apps").mkdir(parents=True, exist_ok=True)
    for name, text in APPS.items():
        (folder / "apps" / f"{name}.yaml").write_text(text, encoding="utf-8")
    file = folder / "headroom.yaml"
    file.write_text(workspace, encoding="utf-8")
    return file


@contextmanager
def serving(
    folder: Path, *, workspace: str = WORKSPACE, sizing: Sizing | None = None
) -> Iterator[Running]:
    """Serve a workspace without its console; it has ended when the block is left."""
    file = write_workspace(folder, workspace)
    project = open_project((), environment={}, workspace=str(file))
    told: Queue[Started | BaseException] = Queue()

    def work() -> None:
        options = Options(port=0, console=False, sizing=sizing)
        try:
            serve(project, options, environ={}, telemetry=Telemetry(), ready=told.put)
        except BaseException as error:  # noqa: BLE001 - told to the test
            told.put(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    started = told.get(timeout=60)
    if isinstance(started, BaseException):
        raise started
    store = Path(project.workspace.store or folder)
    try:
        yield Running(url=started.url, site=started.site, store=store, started=started)
    finally:
        started.end()
        thread.join(60)
        assert not thread.is_alive()


def log(body: str, at: int = 0, **resource: str) -> dict[str, object]:
    """Make an OTLP request of one log record, its time in seconds of the year 2025."""
    attributes = [
        {"key": key.replace("_", "."), "value": {"stringValue": value}}
        for key, value in resource.items()
    ]
    record = {"timeUnixNano": str((1_760_000_000 + at) * 10**9), "body": {"stringValue": body}}
    return {
        "resourceLogs": [
            {"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": [record]}]}
        ]
    }
