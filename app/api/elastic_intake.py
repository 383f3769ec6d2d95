"""Elasticsearch's way in: ``_bulk``, and what collectors ask of a cluster before they use it.

Everything is below ``/elastic``, so that a collector takes the server's address with that path for
a cluster. Its answers are Elasticsearch's, and no part of the description of our own API.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import cast

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.api.bodies import media_type, single
from app.api.frame import ELASTIC
from app.api.intake import Actions
from app.api.parameters import Values
from app.api.problems import HttpProblem
from app.api.receivers import store
from app.api.site import Site, address_of
from app.api.table import Call, Endpoint, Resource
from app.api.tokens import Sender
from collectors.receive import Bulk, bulk_answer, bulk_refusal
from collectors.receive.values import dumps
from collectors.signals import Signal

VERSION = "8.15.0"
"""The release whose answers these are; collectors choose their requests by it."""

_NAME = "headroom"
_BODIES = re.compile(r"application/(?:vnd\.elasticsearch\+)?(?:x-nd)?json")
_COMPATIBLE = re.compile(r"application/vnd\.elasticsearch\+json; *compatible-with=[789]")
_KINDS: Mapping[int, str] = {
    401: "security_exception",
    403: "security_exception",
    404: "resource_not_found_exception",
    406: "media_type_header_exception",
    413: "content_too_long_exception",
    429: "es_rejected_execution_exception",
    503: "unavailable_shards_exception",
}
_UNAUTHORIZED = 401
_NOT_FOUND = 404


class _Elastic(Resource):
    """Answers and errors as Elasticsearch's; parameters that mean nothing here are passed over."""

    async def answer(self, request: Request) -> Response:
        """Answer those who may send."""
        request.state.sender = _sender(self.site, request)
        return await super().answer(request)

    def values(self, endpoint: Endpoint, request: Request) -> Values:
        """Take the parts of the path alone, since clients send what our API does not know."""
        del endpoint
        return cast("Values", dict(request.path_params))

    def refused(self, problem: HttpProblem, request: Request) -> Response:
        """Say what went wrong in Elasticsearch's form."""
        kind = _KINDS.get(problem.status, "illegal_argument_exception")
        hint = f" ({problem.hint})" if problem.hint else ""
        body = bulk_refusal(problem.status, kind, f"{problem}{hint}")
        return Response(body, problem.status, problem.headers, media_type=_accepted(request))


def _sender(site: Site, request: Request) -> Sender:
    """Tell who sends, by whichever scheme the token comes with; raises ``HttpProblem``."""
    given = single(request, "authorization")
    address = address_of(request)
    refusal: HttpProblem | None = None
    for each in _bearers(given):
        try:
            return site.tokens.sender(each, address)
        except HttpProblem as problem:
            if problem.status != _UNAUTHORIZED:
                raise
            refusal = problem
    raise HttpProblem(
        _UNAUTHORIZED,
        str(refusal),
        hint="a token of serve.ingestTokens, as an API key or as the password of any user",
        headers={"WWW-Authenticate": 'Basic realm="headroom", ApiKey'},
    )


def _bearers(given: str | None) -> Iterator[str | None]:
    """The tokens that a header may mean, each as a bearer's."""
    scheme, _, text = (given or "").partition(" ")
    kind = scheme.lower()
    if kind not in {"apikey", "basic"}:
        yield given
        return
    if kind == "apikey":
        yield f"Bearer {text}"
    try:
        _, colon, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = secret = ""
    # An API key is an identifier and a secret; of a user and a password the latter is the token.
    if colon:
        yield f"Bearer {secret}"
    elif kind == "basic":
        yield None


def _accepted(request: Request) -> str:
    """The media type of an answer: the versioned one for clients that ask for it."""
    found = _COMPATIBLE.search(request.headers.get("accept", ""))
    return "application/json" if found is None else found[0]


def _said(call: Call, value: object) -> Response:
    return Response(dumps(value), media_type=_accepted(call.request))


async def _greet(call: Call) -> Response:
    return _said(
        call,
        {
            "name": _NAME,
            "cluster_name": _NAME,
            "cluster_uuid": _NAME,
            "version": {
                "number": VERSION,
                "build_flavor": "default",
                "build_type": "tar",
                "build_hash": "0000000000000000000000000000000000000000",
                "build_date": "2024-08-05T00:00:00.000000000Z",
                "build_snapshot": False,
                "lucene_version": "9.11.1",
                "minimum_wire_compatibility_version": "7.17.0",
                "minimum_index_compatibility_version": "7.0.0",
            },
            "tagline": "You Know, for Search",
        },
    )


async def _license(call: Call) -> Response:
    said = {"status": "active", "uid": _NAME, "type": "basic", "mode": "basic", "issuer": _NAME}
    return _said(call, {"license": said})


async def _health(call: Call) -> Response:
    return _said(
        call,
        {
            "cluster_name": _NAME,
            "status": "green",
            "timed_out": False,
            "number_of_nodes": 1,
            "number_of_data_nodes": 1,
            "active_primary_shards": 1,
            "active_shards": 1,
            "relocating_shards": 0,
            "initializing_shards": 0,
            "unassigned_shards": 0,
            "active_shards_percent_as_number": 100.0,
        },
    )


async def _health_line(call: Call) -> Response:
    seconds = call.site.clock() // 1_000_000_000
    return PlainTextResponse(f"{seconds} {_NAME} green 1 1 1 1 0 0 0 0 - 100.0%\n")


async def _no_template(call: Call) -> Response:
    name = str(call.request.path_params["name"])[:100]
    raise HttpProblem(_NOT_FOUND, f"index template matching [{name}] not found")


async def _bulk(call: Call) -> Response:
    began = perf_counter()
    found = media_type(call.request)
    if not _BODIES.fullmatch(found):
        raise HttpProblem(406, f"Content-Type header [{found[:60]}] is not supported")
    index = call.request.path_params.get("index")
    sender: Sender = call.request.state.sender
    decoded = await store(call, Signal.LOGS, Actions(index=index), sender)
    took = int((perf_counter() - began) * 1000)
    return Response(bulk_answer(cast("Bulk", decoded), took), media_type=_accepted(call.request))


_HANDLERS = (
    ("GET", "", _greet),
    ("GET", "/", _greet),
    ("GET", "/_license", _license),
    ("GET", "/_cluster/health", _health),
    ("GET", "/_cat/health", _health_line),
    ("GET", "/_index_template/{name:path}", _no_template),
    ("POST", "/_bulk", _bulk),
    ("PUT", "/_bulk", _bulk),
    ("POST", "/{index}/_bulk", _bulk),
    ("PUT", "/{index}/_bulk", _bulk),
)


def routes(site: Site) -> list[BaseRoute]:
    """Make the routes below ``/elastic``, and the one that answers for all others there."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for method, path, handler in _HANDLERS:
        whole = f"{ELASTIC}{path}"
        endpoint = Endpoint(
            method=method, path=whole, operation="elastic", summary="", handler=handler
        )
        by_path.setdefault(whole, {})[method] = endpoint
    found: list[BaseRoute] = [
        Route(path, _Elastic(path, methods, site)) for path, methods in by_path.items()
    ]
    return [*found, Route(f"{ELASTIC}/{{rest:path}}", _Elastic("other", {}, site))]
