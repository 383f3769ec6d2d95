"""Reading the bodies of requests: never more than allowed, never for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request

from app.api.problems import HttpProblem


def media_type(request: Request) -> str:
    """The ``Content-Type`` without its parameters, in lower case; empty when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def single(request: Request, name: str) -> str | None:
    """The value of a header that may be given once; raises ``HttpProblem`` (400) for two values."""
    values = set(request.headers.getlist(name))
    if len(values) > 1:
        raise HttpProblem(400, f"the header {name} is given twice, with different values")
    return next(iter(values), None)


async def read_body(
    request: Request, limit: int, hold: Callable[[int], None], *, patience: float
) -> bytes:
    """Read a body within ``patience`` seconds; ``hold`` is told of each part before it is kept.

    Raises ``HttpProblem``: 413 past the limit, 408 when it takes too long.
    """
    announced = single(request, "content-length")
    if announced is not None and announced.isdigit() and int(announced) > limit:
        raise _too_long(limit)
    parts: list[bytes] = []
    length = 0
    try:
        async with asyncio.timeout(patience):
            async for part in request.stream():
                length += len(part)
                if length > limit:
                    raise _too_long(limit)
                hold(len(part))
                parts.append(part)
    except TimeoutError:
        raise HttpProblem(
            408, f"the body did not arrive within {patience:.0f} s", headers={"Connection": "close"}
        ) from None
    return b"".join(parts)


def _too_long(limit: int) -> HttpProblem:
    return HttpProblem(
        413, f"the body is longer than {limit} bytes", hint="send it in smaller batches"
    )
