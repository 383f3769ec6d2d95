"""Whether the Alertmanager answers."""

from __future__ import annotations

import json

from app.doctor.model import Check, fail, ok, skipped
from app.publishing.http import Http
from collectors.readers.prometheus import Clock
from slo.errors import PublishError
from slo.units import Duration
from slo.workspace import PrometheusSource

_TIMEOUT = Duration.of(seconds=10)


def alertmanager_check(url: str | None, clock: Clock) -> Check:
    """Ask the Alertmanager at an address for its status."""
    name = "alertmanager"
    if url is None:
        return skipped(name, "none is configured (alertmanager in headroom.yaml)")
    server = Http(PrometheusSource(name=name, url=url, timeout=_TIMEOUT), clock)
    try:
        answer = server.send("GET", "/api/v2/status", timeout=float(_TIMEOUT.seconds))
    except PublishError as cause:
        return fail(name, str(cause), cause.hint or "is the address right, and does it run?")
    if not answer.ok:
        return fail(name, f"{url} answered {answer.said}", "is the address that of its API?")
    version = _version(answer.text)
    if version is None:
        return fail(name, f"{url} is no Alertmanager", "is the address right, its path included?")
    return ok(name, f"{url} answers, version {version}")


def _version(text: str) -> str | None:
    try:
        data = json.loads(text)
        version = data["versionInfo"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return version if isinstance(version, str) else None
