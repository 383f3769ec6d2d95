"""What every request goes through first: a name, a path that is one, a host that is ours.

Browsers are told what pages of this server may do, and each answer is measured. The frame wraps
the console too, so that no path reaches either of them in two spellings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from secrets import token_hex
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import HttpProblem, response
from app.api.site import Site
from slo.printable import printable
from slo.records import dataclass

ELASTIC = "/elastic"
"""Below it, Elasticsearch's way of taking documents is spoken."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ODD = re.compile(
    rb"//|;|\\|%(?:2e|2f|5c|3b|25|0[0-9a-f]|1[0-9a-f]|7f)|[\x00-\x20\x7f]", re.IGNORECASE
)
_DOTS = {b".", b".."}
_API = ("/v1", "/api/v1", ELASTIC, "/healthz", "/readyz", "/metrics")
CLOSED = ("/_stcore/metrics", "/_stcore/script-health-check")
"""Pages of Streamlit's own that are nobody's business."""

_FOR_DATA = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# Streamlit's page has a script of its own inside; Vega and Plotly compile expressions.
_FOR_PAGES = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; frame-src 'self'; "
    "frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
_ALWAYS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    # With no-referrer, browsers would send "Origin: null" to our own server.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(slots=True, kw_only=True)
class _Answer:
    """What became of one request."""

    status: int = 0
    began: bool = False


class Frame:
    """ASGI middleware around everything that a server answers."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope)
        if scope["type"] == "websocket":
            if problem is None:
                await self._app(scope, receive, send)
            else:
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            return
        await self._http(scope, receive, send, problem)

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, problem: HttpProblem | None
    ) -> None:
        began = perf_counter()
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else token_hex(8)
        scope["headroom.request_id"] = request_id
        answer = _Answer()
        security = self._security(scope, request_id)

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.began, answer.status = True, message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in security.items():
                    headers[name] = value
            await send(message)

        try:
            if problem is None:
                await self._app(scope, receive, tell)
            else:
                scope["headroom.route"] = "refused"
                await response(problem, request_id)(scope, receive, tell)
        finally:
            self._measure(scope, answer, perf_counter() - began)

    def _problem(self, scope: Scope) -> HttpProblem | None:
        """Why a request is not even looked at."""
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0]
        if _ODD.search(path) or not _DOTS.isdisjoint(path.split(b"/")):
            return HttpProblem(404, "no path is written like this")
        if scope["path"] in CLOSED:
            return HttpProblem(404, "there is nothing here")
        if not self._is_ours(scope):
            return HttpProblem(
                421, "this server does not go by that name", hint="ask it by its own address"
            )
        if self._site.draining.is_set() and scope["type"] == "http":
            return HttpProblem(
                503, "the server is ending", headers={"Retry-After": "5", "Connection": "close"}
            )
        return None

    def _is_ours(self, scope: Scope) -> bool:
        """Whether the host is one of the server's: a page elsewhere may point its name at us."""
        hosts = self._site.hosts
        if hosts is None:
            return True
        named = Headers(scope=scope).getlist("host")
        return len(named) == 1 and _without_port(named[0]).lower() in hosts

    def _security(self, scope: Scope, request_id: str) -> dict[str, str]:
        is_data = is_api(scope["path"])
        own = {
            "Content-Security-Policy": _FOR_DATA if is_data else _FOR_PAGES,
            "X-Frame-Options": "DENY" if is_data else "SAMEORIGIN",
            "X-Request-Id": request_id,
        }
        if is_data:
            own["Cache-Control"] = "no-store"
        if _is_below(scope["path"], ELASTIC):
            # Its clients believe no answer without it, and errors least.
            own["X-Elastic-Product"] = "Elasticsearch"
        return {**_ALWAYS, **own}

    def _measure(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route = scope.get("headroom.route", "console")
        status = str(answer.status) if answer.began else "none"
        telemetry = self._site.telemetry
        method = scope["method"] if scope["method"] in {"GET", "HEAD", "POST"} else "other"
        telemetry.count("headroom_http_requests_total", route=route, method=method, status=status)
        telemetry.observe("headroom_http_request_duration_seconds", seconds, route=route)
        log = self._site.access_log
        if log is not None:
            address = (scope.get("client") or ("-",))[0]
            log(
                f"{address} {scope['method']} {printable(scope['path'])} {status}"
                f" {seconds * 1000:.1f}ms {scope['headroom.request_id']}"
            )


def is_api(path: str) -> bool:
    """Whether a path is the API's, and not the console's."""
    return any(_is_below(path, each) for each in _API)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
