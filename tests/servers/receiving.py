"""A loopback receiver made of the decoders alone, as the API's routes are made of them.

with Receiving(AIRLINE) as receiver:
...post to receiver.url + "/v1/logs"...
receiver.rows(Signal.LOGS)
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from collectors.joining import Joiner
from collectors.receive import (
    Content,
    Decoded,
    OtlpDecoder,
    Refused,
    RemoteWriteDecoder,
    inflate,
    refusal,
    success,
)
from collectors.signals import Signal
from slo.model import Catalog

PATHS = {
    "/v1/logs": Signal.LOGS,
    "/v1/traces": Signal.SPANS,
    "/v1/metrics": Signal.METRICS,
}
_LIMIT = 64 * 1024 * 1024


class Receiving:
    """The server; ``decoded`` holds what each request became, ``failed`` what was refused."""

    def __init__(self, catalog: Catalog) -> None:
        joiner = Joiner(catalog)
        self.decoded: list[Decoded] = []
        self.failed: list[Refused] = []
        self._otlp = OtlpDecoder(joiner)
        self._prometheus = RemoteWriteDecoder(joiner)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def rows(self, signal: Signal) -> list[dict[str, Any]]:
        """Return the rows of a signal so far."""
        with self._lock:
            return [row for each in self.decoded if each.signal is signal for row in _rows(each)]

    def take(self, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """Decode a request; returns the answer's status and body."""
        content = Content.JSON if "json" in headers.get("Content-Type", "") else Content.PROTOBUF
        with self._lock:
            try:
                plain = inflate(body, headers.get("Content-Encoding"), _LIMIT)
                if path == "/api/v1/write":
                    self.decoded.append(self._prometheus.decode(plain))
                    return 204, b""
                found = self._otlp.decode(PATHS[path], plain, at=time.time_ns(), content=content)
            except Refused as error:
                self.failed.append(error)
                return error.status, refusal(str(error), content)
            self.decoded.append(found)
            return 200, success(found, content)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = receiver.take(self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", self.headers.get("Content-Type", "text/plain"))
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def _rows(found: Decoded) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = found.table.to_pylist()
    return rows
