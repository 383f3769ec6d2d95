"""A loopback product for adapters: JSON in and out, any method, every request kept.

with Vendor(lambda asked: json_reply({"id": "1"})) as vendor:
    ...vendor.url...
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from collectors.readers.external.port import Steps
from collectors.readers.prometheus.clock import Clock
from slo.units import Duration
from slo.workspace import ExternalSource
from tests.servers.loopback import FakeTime

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT_MS = 1_795_348_800_000
MINUTES = Duration.of(minutes=5)
HOUR = Duration.of(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request as it came."""

    method: str
    path: str
    params: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any

    def param(self, name: str) -> str:
        """Return a parameter that stands there once."""
        (value,) = self.params[name]
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer to send."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_reply(body: object, status: int = 200, **headers: str) -> Given:
    """Answer in JSON; an underscore in a header's name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Given(status=status, body=json.dumps(body).encode(), headers=named)


class Vendor:
    """The server; ``asked`` holds the requests in their order."""

    def __init__(self, answer: Callable[[Wanted], Given]) -> None:
        self.asked: list[Wanted] = []
        self._answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._any()

            def do_POST(self) -> None:
                self._any()

            def do_DELETE(self) -> None:
                self._any()

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                address = urlsplit(self.path)
                wanted = Wanted(
                    method=self.command,
                    path=address.path,
                    params=parse_qs(address.query, keep_blank_values=True),
                    headers=dict(self.headers.items()),
                    body=json.loads(body) if body else None,
                )
                vendor.asked.append(wanted)
                given = vendor._answer(wanted)
                self.send_response_only(given.status)
                for name, value in given.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(given.body)))
                self.end_headers()
                self.wfile.write(given.body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def steps(count: int = 3, step: Duration = MINUTES, start: datetime = AT) -> Steps:
    """Make steps, three of five minutes if nothing else is said."""
    return Steps(start=start, step=step, count=count)


def source(kind: str, url: str | None, folder: Path, **more: Any) -> ExternalSource:
    """Make a source whose settings that end in ``File`` are put into files of a folder."""
    settings = {}
    for key, value in more.pop("settings", {}).items():
        if key.endswith("File"):
            (folder / key).write_text(value)
            settings[key] = str(folder / key)
        else:
            settings[key] = value
    return ExternalSource(
        kind=kind,
        name="main",
        timeout=Duration.of(seconds=10),
        lag=Duration.of(minutes=5),
        url=url,
        settings=settings,
        **more,
    )


def clock(fake: FakeTime) -> Clock:
    """Make a client's time that moves only when it sleeps."""
    return Clock(monotonic=fake.monotonic, sleep=fake.sleep, now=lambda: AT, jitter=lambda: 0.5)
