"""The receivers: OTLP over HTTP and Prometheus remote write 1.0."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from app.api.bodies import media_type, read_body, single
from app.api.intake import Actions, Intake, Parcel
from app.api.problems import HttpProblem, problem_of
from app.api.site import address_of
from app.api.table import Call, Endpoint
from app.api.tokens import Sender
from collectors.receive import Content, Decoded, refusal, success
from collectors.signals import Signal

_CONTENTS = {
    "application/x-protobuf": Content.PROTOBUF,
    "application/protobuf": Content.PROTOBUF,
    "application/json": Content.JSON,
}
_PROTOBUF = "application/x-protobuf"
_ANSWERS = {
    200: "on disk; a partial success tells what was rejected, and why",
    400: "the body is no such request; sending it again will not help",
    401: "no token, or a wrong one",
    413: "the body is too long",
    415: "another format than protobuf or JSON, or an unknown encoding",
    429: "no room; send it again after `Retry-After` seconds",
    503: "the disk cannot be written, or the server is ending; send it again",
}


def _otlp(signal: Signal) -> Callable[[Call], Awaitable[Response]]:
    async def receive(call: Call) -> Response:
        content = _CONTENTS.get(media_type(call.request))
        if content is None:
            raise HttpProblem(
                415, "OTLP is application/x-protobuf or application/json", hint=_said(call)
            )
        try:
            decoded = await store(call, signal, content)
        except Exception as error:
            problem = problem_of(error)
            if problem.status == 500:  # noqa: PLR2004 - unforeseen, for the log
                raise
            # The specification wants errors in the format of the request.
            body = refusal(str(problem), content)
            return Response(body, problem.status, problem.headers, media_type=content.value)
        return Response(success(decoded, content), media_type=content.value)

    return receive


async def _remote_write(call: Call) -> Response:
    _check_remote_write(call)
    decoded = await store(call, Signal.METRICS, None)
    if decoded.rejected:
        # Remote write has no partial success; Prometheus logs the reason and goes on.
        raise HttpProblem(400, f"{decoded.rejected} were rejected: {decoded.reason}")
    return Response(status_code=204)


def _check_remote_write(call: Call) -> None:
    if media_type(call.request) != _PROTOBUF:
        raise HttpProblem(415, f"remote write is {_PROTOBUF}", hint=_said(call))
    message = call.request.headers.get("content-type", "").partition("proto=")[2].strip(' "')
    if message not in {"", "prometheus.WriteRequest"}:
        raise HttpProblem(
            415, "remote write 1.0 is understood, 2.0 is not", hint="prometheus.WriteRequest"
        )
    if (single(call.request, "content-encoding") or "").strip().lower() != "snappy":
        raise HttpProblem(415, "remote write is compressed by snappy")


async def store(
    call: Call, signal: Signal, content: Content | Actions | None, sender: Sender | None = None
) -> Decoded:
    """Have the body of a request stored, by the token it carries if nobody says who sends.

    Raises ``HttpProblem``, ``Refused`` and ``StoreError``.
    """
    site = call.site
    if sender is None:
        authorization = single(call.request, "authorization")
        sender = site.tokens.sender(authorization, address_of(call.request))
    intake = intake_of(call)
    try:
        with intake.room() as room:
            sizing = intake.sizing
            body = await read_body(call.request, sizing.body, room.take, patience=sizing.patience)
            parcel = Parcel(
                signal=signal,
                body=body,
                encoding=single(call.request, "content-encoding"),
                content=content,
                at=site.clock(),
                app=sender.app,
            )
            return await asyncio.wrap_future(intake.submit(parcel))
    except HttpProblem as problem:
        outcome = "busy" if problem.status in {429, 503} else "refused"
        site.telemetry.count("headroom_ingest_requests_total", signal=signal.value, outcome=outcome)
        raise


def intake_of(call: Call) -> Intake:
    """The way into the store; raises ``HttpProblem`` (404) where the server has none."""
    if call.site.intake is None:
        raise HttpProblem(
            404,
            "this server keeps no telemetry",
            hint="add sources.store.path to headroom.yaml, or start it with --store DIR",
        )
    return call.site.intake


def _said(call: Call) -> str:
    return f"this one says {media_type(call.request)[:60] or 'nothing'}"


ENDPOINTS = (
    *(
        Endpoint(
            method="POST",
            path=f"/v1/{name}",
            operation=f"receive{name.capitalize()}",
            summary=f"Receive {name} by OTLP/HTTP",
            handler=_otlp(signal),
            answers=_ANSWERS,
            body=("application/x-protobuf", "application/json"),
        )
        for name, signal in (
            ("traces", Signal.SPANS),
            ("metrics", Signal.METRICS),
            ("logs", Signal.LOGS),
        )
    ),
    Endpoint(
        method="POST",
        path="/api/v1/write",
        operation="remoteWrite",
        summary="Receive metrics by Prometheus remote write 1.0",
        handler=_remote_write,
        answers={
            204: "on disk",
            **{status: said for status, said in _ANSWERS.items() if status != 200},  # noqa: PLR2004
        },
        body=(_PROTOBUF,),
    ),
)
