"""Liveness, readiness, our own metrics, and the description of the API."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.api.table import Call, Endpoint

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def _alive(call: Call) -> Response:
    del call
    return JSONResponse({"status": "ok"})


async def _ready(call: Call) -> Response:
    """Name what is down: a store whose compaction fails still takes and answers, and says so."""
    site = call.site
    checks = {"store": "none" if site.intake is None else "ok"}
    if site.intake is not None and site.intake.writer.trouble is not None:
        checks["store"] = f"compaction fails: {site.intake.writer.trouble}"
    ending = site.draining.is_set()
    return JSONResponse(
        {"status": "ending" if ending else "ready", "checks": checks}, 503 if ending else 200
    )


async def _metrics(call: Call) -> Response:
    return PlainTextResponse(call.site.telemetry.exposition(), media_type=_METRICS_TYPE)


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/healthz",
        operation="isAlive",
        summary="Whether the process answers",
        handler=_alive,
        answers={200: "it does"},
        schema={"type": "object", "properties": {"status": {"type": "string"}}},
    ),
    Endpoint(
        method="GET",
        path="/readyz",
        operation="isReady",
        summary="Whether it can serve, and what is down",
        handler=_ready,
        answers={200: "it can", 503: "it is about to end"},
        schema={
            "type": "object",
            "properties": {"status": {"type": "string"}, "checks": {"type": "object"}},
        },
    ),
    Endpoint(
        method="GET",
        path="/metrics",
        operation="metrics",
        summary="Our own metrics, for Prometheus",
        handler=_metrics,
        answers={200: "the text format of Prometheus"},
    ),
)
