"""Every route of the server, in the order of its description."""

from __future__ import annotations

from starlette.routing import BaseRoute

from app.api import deploys, elastic_intake, health, openapi, questions, receivers
from app.api.site import Site
from app.api.table import Endpoint, routes


def endpoints() -> tuple[Endpoint, ...]:
    """Return the table."""
    table = (
        *questions.endpoints(),
        *deploys.ENDPOINTS,
        *receivers.ENDPOINTS,
        *health.ENDPOINTS,
    )
    return (*table, openapi.described(table))


def api_routes(site: Site) -> list[BaseRoute]:
    """Return the routes of one server."""
    return [*routes(endpoints(), site), *elastic_intake.routes(site)]
