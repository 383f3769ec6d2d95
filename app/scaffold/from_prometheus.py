"""App files proposed from what a Prometheus holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.prometheus_view import PrometheusView
from app.scaffold.discover import Discovery, Progress, discover
from app.scaffold.proposals import AppProposal, app_proposals
from app.scaffold.server import Server
from slo.errors import UsageError
from slo.units import Duration
from slo.workspace import PrometheusSource

MOST_APPS = 100
"""How many apps are proposed at once: those with the most traffic."""

_PATIENCE = Duration.of(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """The apps that a server's metrics carry, and what was left out and why."""

    apps: tuple[AppProposal, ...]
    passed_over: tuple[str, ...]


def from_prometheus(
    url: str, at: datetime, progress: Progress, *, environ: Mapping[str, str] | None = None
) -> Proposed:
    """Look at a server as of an instant and propose apps.

    Raises ``SourceError`` when it gives no answer, and ``UsageError`` for what is no address.
    """
    if not url.startswith(("http://", "https://")):
        raise UsageError(f'"{url}" is no address of a server', hint="write it as http://HOST:9090")
    source = PrometheusSource(name="main", url=url, timeout=_PATIENCE)
    server = Server(PrometheusView(source, at, environ=environ))
    return _proposed(discover(server, progress), url, at)


def _proposed(found: Discovery, url: str, at: datetime) -> Proposed:
    busiest = sorted(
        found.slos, key=lambda owner: (-max(slo.traffic for slo in found.slos[owner]), owner)
    )
    left = len(busiest) - MOST_APPS
    more = () if left <= 0 else (f"{left} apps with less traffic than the {MOST_APPS} proposed",)
    kept = {owner: found.slos[owner] for owner in busiest[:MOST_APPS]}
    seen_at = f"{url} held at {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Proposed(apps=app_proposals(kept, seen_at), passed_over=(*found.passed_over, *more))
