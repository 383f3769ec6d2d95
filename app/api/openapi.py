"""The description of the API, OpenAPI 3.1, made from the table of routes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from app.api.parameters import Parameter
from app.api.problems import MEDIA_TYPE
from app.api.table import Call, Endpoint

_CONVERTER = re.compile(r"\{([a-z]+):[a-z]+\}")
_PROBLEM: Mapping[str, object] = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request."},
        "hint": {"type": "string", "description": "What would be right."},
        "requestId": {"type": "string", "description": "Its name in the server's log."},
    },
}
_ERRORS = 400


def described(endpoints: Sequence[Endpoint]) -> Endpoint:
    """Return the route that describes a table, itself included."""

    async def answer(call: Call) -> Response:
        del call
        return JSONResponse(description([*endpoints, own]))

    own = Endpoint(
        method="GET",
        path="/v1/openapi.json",
        operation="describe",
        summary="This description",
        handler=answer,
        answers={200: "OpenAPI 3.1"},
        schema={"type": "object"},
    )
    return own


def description(endpoints: Sequence[Endpoint]) -> dict[str, object]:
    """Describe a table of routes."""
    paths: dict[str, dict[str, object]] = {}
    for each in endpoints:
        path = _CONVERTER.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headroom",
            "version": "1",
            "description": "Telemetry in, answers about applications out.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                "ingestToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `serve.ingestTokens`; needed once there is one.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, object]:
    said: dict[str, object] = {
        "operationId": endpoint.operation,
        "summary": endpoint.summary,
        "responses": {
            str(status): _answer(endpoint, status, text)
            for status, text in endpoint.answers.items()
        },
    }
    if endpoint.parameters:
        said["parameters"] = [_parameter(each) for each in endpoint.parameters]
    if endpoint.body is not None:
        said["requestBody"] = {"required": True, "content": _content(endpoint.body)}
        said["security"] = [{}, {"ingestToken": []}]
    return said


def _content(body: Mapping[str, object] | tuple[str, ...]) -> dict[str, object]:
    if isinstance(body, tuple):
        return {media: {} for media in body}
    return {"application/json": {"schema": body}}


def _answer(endpoint: Endpoint, status: int, text: str) -> dict[str, object]:
    said: dict[str, object] = {"description": text or HTTPStatus(status).phrase}
    if status < _ERRORS and endpoint.schema is not None:
        said["content"] = {"application/json": {"schema": endpoint.schema}}
    elif status >= _ERRORS and not isinstance(endpoint.body, tuple):
        said["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return said


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
