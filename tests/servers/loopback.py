"""A loopback HTTP server that plays a back end: scripted replies, every request kept.

    with Loopback([Reply(status=503), vector({"app": "a"}, "1")]) as server:
        ...server.url...

The last reply is repeated. A function in place of a reply gets the request and returns one.
"""

import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came; ``form`` joins the address's parameters and the body's."""

    method: str
    path: str
    address: str
    headers: Mapping[str, str]
    form: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer: ``delay`` before anything, ``trickle`` seconds before each byte.

    ``promised`` is a Content-Length that the body does not keep.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    trickle: float = 0
    promised: int | None = None


def envelope(data: object, **more: object) -> Reply:
    """Answer a success of the Prometheus API."""
    body = json.dumps({"status": "success", "data": data, **more}).encode()
    return Reply(body=body, headers={"Content-Type": "application/json"})


def result(series: Sequence[Mapping[str, object]], kind: str = "vector", **more: object) -> Reply:
    """Answer a query."""
    return envelope({"resultType": kind, "result": list(series)}, **more)


def vector(labels: Mapping[str, str], value: str, *, at: float = 0) -> Reply:
    """Answer a query with one sample."""
    return result([{"metric": dict(labels), "value": [at, value]}])


def refusal(status: int, kind: str, message: str) -> Reply:
    """Answer an error of the Prometheus API."""
    body = json.dumps({"status": "error", "errorType": kind, "error": message}).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/json"})


Script = Reply | Callable[[Asked], Reply]


class Loopback:
    """The server; ``asked`` holds the requests in their order."""

    def __init__(self, script: Sequence[Script], *, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self._script = list(script)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def forms(self, name: str) -> list[str]:
        """Return one parameter of all requests that have it."""
        return [one.form[name] for one in self.asked if name in one.form]

    def reply(self, asked: Asked) -> Reply:
        """Keep a request and find its answer."""
        with self._lock:
            place = min(len(self.asked), len(self._script) - 1)
            self.asked.append(asked)
        script = self._script[place]
        return script if isinstance(script, Reply) else script(asked)

    def send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        """Write an answer as slowly and as wrongly as it should be."""
        self._ended.wait(reply.delay)
        handler.send_response_only(reply.status)
        length = len(reply.body) if reply.promised is None else reply.promised
        own = {"Content-Length": str(length), "Date": handler.date_time_string()}
        for name, value in {**own, **reply.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        step = 1 if reply.trickle else max(1, len(reply.body))
        for place in range(0, len(reply.body), step):
            handler.wfile.write(reply.body[place : place + step])
            if self._ended.wait(reply.trickle):
                break
        handler.close_connection = reply.promised is not None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def do_DELETE(self) -> None:
                self.do_POST()

            def log_message(self, *_: Any) -> None:
                pass

            def _answer(self, body: bytes) -> None:
                address = urlsplit(self.path)
                texts = parse_qs(
                    f"{address.query}&{body.decode(errors='replace')}", keep_blank_values=True
                )
                asked = Asked(
                    method=self.command,
                    path=address.path,
                    address=self.path,
                    headers=dict(self.headers.items()),
                    form={name: values[0] for name, values in texts.items()},
                    body=body,
                )
                try:
                    server.send(self, server.reply(asked))
                except OSError:
                    self.close_connection = True

        return Handler


@dataclass(slots=True)
class FakeTime:
    """A clock that moves only when it is told to, or slept on; ``slept`` keeps the pauses."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.slept.append(seconds)
        self.now += seconds
