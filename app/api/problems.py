"""Errors as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import JSONResponse

from app.access import Forbidden
from collectors.receive import Refused
from slo.errors import (
    HeadroomError,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
    StoreError,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
_SOON = "5"
"""Seconds after which a server that cannot serve may be asked again."""


_UNAVAILABLE = 503
_STATUS: Mapping[type[HeadroomError], int] = {
    Forbidden: 403,
    UsageError: 400,
    SourceTimeout: 504,
    SourceUnavailable: _UNAVAILABLE,
    SourceError: 502,
    StoreError: _UNAVAILABLE,
}
"""The first kind that an error is of counts."""


class HttpProblem(HeadroomError):  # noqa: N818 - says what happened
    """A request that is answered with an error; ``headers`` go with the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.hint = hint
        self.headers = dict(headers or {})
        super().__init__(detail)


def problem_of(error: Exception) -> HttpProblem:
    """Return what an error is called in HTTP; 500 for what nobody foresaw."""
    if isinstance(error, HttpProblem):
        return error
    if isinstance(error, Refused):
        return HttpProblem(error.status, str(error))
    status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), None)
    if status is None:
        return HttpProblem(500, "the server made a mistake; its log has more under this request id")
    return HttpProblem(
        status,
        _sourced(error),
        hint=getattr(error, "hint", None),
        headers={"Retry-After": _SOON} if status == _UNAVAILABLE else None,
    )


def response(problem: HttpProblem, request_id: str | None) -> JSONResponse:
    """Write a problem as an answer."""
    said = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": str(problem),
        "hint": problem.hint,
        "requestId": request_id,
    }
    return JSONResponse(
        {key: value for key, value in said.items() if value is not None},
        problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def _sourced(error: Exception) -> str:
    source = getattr(error, "source", "")
    return f"{source}: {error}" if source and source not in str(error) else str(error)
