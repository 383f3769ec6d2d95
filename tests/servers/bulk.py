"""A loopback server that takes Elasticsearch's bulk requests and refuses what it is told to.

with Bulk() as bulk:
...send to bulk.url; bulk.taken holds the documents it took, bulk.requests how each was answered...
"""

import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

_TAKEN = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A document that was taken, as it came."""

    index: str
    operation: str
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: where it went, what it carried, and how the whole of it was answered."""

    path: str
    headers: Mapping[str, str]
    body: str
    status: int


Judge = Callable[[Mapping[str, Any]], int]


class Bulk:
    """The server; ``refusals`` are the statuses of the first requests.

    ``judge`` is asked for each document's status, 201 to take it.
    """

    def __init__(
        self, *, refusals: Sequence[int] = (), judge: Judge = lambda _: _TAKEN, port: int = 0
    ) -> None:
        self.taken: list[Taken] = []
        self.requests: list[Request] = []
        self._refusals = list(refusals)
        self._judge = judge
        self._known: set[tuple[str, str | None]] = set()
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        # A sender keeps its connection for as long as it is answered.
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def sources(self, index: str | None = None) -> list[Mapping[str, Any]]:
        """The documents of an index, or all, in the order in which they came."""
        with self._lock:
            return [each.source for each in self.taken if index in {None, each.index}]

    def messages(self, index: str | None = None) -> list[str]:
        """The messages of these documents."""
        return [each.get("message", "") for each in self.sources(index)]

    def _answer(self, path: str, headers: Mapping[str, str], body: str) -> tuple[int, Any]:
        with self._lock:
            status = self._refusals.pop(0) if self._refusals else 200
            self.requests.append(Request(path=path, headers=headers, body=body, status=status))
            if status != 200:
                return status, {"error": {"type": "refused"}, "status": status}
            try:
                lines = [json.loads(line) for line in body.split("\n") if line]
            except ValueError as error:
                return 400, {"error": {"type": "parse_exception", "reason": str(error)}}
            items = [
                self._item(action, source)
                for action, source in zip(lines[::2], lines[1::2], strict=True)
            ]
        failed = any(next(iter(each.values()))["status"] != _TAKEN for each in items)
        return 200, {"took": 1, "errors": failed, "items": items}

    def _item(self, action: Mapping[str, Any], source: Mapping[str, Any]) -> Mapping[str, Any]:
        ((operation, target),) = action.items()
        known = (target["_index"], target.get("_id"))
        # What was created before is a conflict, as in Elasticsearch.
        status = 409 if known in self._known else self._judge(source)
        answer = {"_index": target["_index"], "_id": target.get("_id", "made"), "status": status}
        if status == _TAKEN:
            if "_id" in target:
                self._known.add(known)
            self.taken.append(Taken(index=target["_index"], operation=operation, source=source))
            return {operation: {**answer, "result": "created"}}
        error = {"type": "mapper_parsing_exception", "reason": "refused by the test"}
        return {operation: {**answer, "error": error}}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        bulk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                bulk._connections.append(self.connection)

            def do_GET(self) -> None:
                self._send(200, {})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                self._send(*bulk._answer(self.path, dict(self.headers.items()), body))

            def log_message(self, *_: Any) -> None:
                pass

            def _send(self, status: int, value: Any) -> None:
                content = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler
