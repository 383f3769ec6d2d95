"""The one table of routes: what the server answers and what its description says."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from app.api.parameters import Parameter, Values, read_values
from app.api.problems import HttpProblem, problem_of, response
from app.api.site import Site
from slo.records import dataclass

_LOG = logging.getLogger("headroom.api")
_UNFORESEEN = 500
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way to its handler, parameters read."""

    site: Site
    request: Request
    values: Values


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A route and method: how it is called, what it takes and what it answers.

    ``answers`` describes each status in words; ``schema`` is the JSON Schema of a success and
    ``body`` that of what is sent, or the media types of bodies that have none.
    """

    method: str
    path: str
    operation: str
    summary: str
    handler: Handler
    parameters: tuple[Parameter, ...] = ()
    answers: Mapping[int, str] = field(default_factory=dict)
    schema: Mapping[str, object] | None = None
    body: Mapping[str, object] | tuple[str, ...] | None = None


def routes(endpoints: Sequence[Endpoint], site: Site) -> list[BaseRoute]:
    """Make the routes of a table, and those that answer for what is not in it."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for each in endpoints:
        by_path.setdefault(each.path, {})[each.method] = each
    found: list[BaseRoute] = [
        Route(path, Resource(path, methods, site)) for path, methods in by_path.items()
    ]
    others = ("/v1", "/v1/{rest:path}", "/api/v1/{rest:path}")
    return [*found, *(Route(path, Resource("other", {}, site)) for path in others)]


def nothing_here(site: Site) -> BaseRoute:
    """Make the route that answers for every other path of a server without a console."""
    return Route("/{rest:path}", Resource("other", {}, site))


class Resource:
    """Everything that answers at one path, as an ASGI application."""

    def __init__(self, path: str, methods: Mapping[str, Endpoint], site: Site) -> None:
        self._path = path
        self._methods = methods
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it meets."""
        request = Request(scope, receive, send)
        scope["headroom.route"] = self._path
        telemetry = self.site.telemetry
        if self._path in _UNTRACED or telemetry.is_own(request.headers):
            await self._serve(request, send)
            return
        method = request.method if request.method in self._methods else "other"
        name = f"{method} {self._path}"
        said = {"http.request.method": method, "http.route": self._path}
        with telemetry.span(name, said, serving=True) as traced:
            status = await self._serve(request, send)
            if status is not None:
                traced.answered(status)

    async def _serve(self, request: Request, send: Send) -> int | None:
        """Answer, and return with which status; ``None`` where nobody waits for it any more."""
        scope = request.scope
        try:
            answer = await self.answer(request)
        except ClientDisconnect:
            return None
        except Exception as error:  # noqa: BLE001 - the one place where every error ends
            problem = problem_of(error)
            request_id = scope.get("headroom.request_id")
            if problem.status == _UNFORESEEN:
                _LOG.error("request %s broke its handler", request_id, exc_info=error)
            answer = self.refused(problem, request)
        await answer(scope, request.receive, send)
        return answer.status_code

    def refused(self, problem: HttpProblem, request: Request) -> Response:
        """Say what went wrong."""
        return response(problem, request.scope.get("headroom.request_id"))

    async def answer(self, request: Request) -> Response:
        """Answer a request, or raise."""
        if not self._methods:
            raise HttpProblem(
                404, "there is nothing here", hint="/v1/openapi.json lists all routes"
            )
        method = "GET" if request.method == "HEAD" else request.method
        endpoint = self._methods.get(method)
        if endpoint is None:
            allowed = ", ".join(self._methods)
            raise HttpProblem(
                405, f"{request.method} is not for this route", headers={"Allow": allowed}
            )
        values = self.values(endpoint, request)
        return await endpoint.handler(Call(site=self.site, request=request, values=values))

    def values(self, endpoint: Endpoint, request: Request) -> Values:
        """Read the parameters of a request; raises ``HttpProblem`` for what is none."""
        return read_values(
            endpoint.parameters, request.path_params, request.query_params.multi_items()
        )
