"""API and console in one process: the API's routes and frame around Streamlit's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.types import ASGIApp
from streamlit import config

from app.api.every import api_routes
from app.api.frame import Frame
from app.api.site import Site
from app.console import host
from app.console.settings import SETTINGS

PAGES = ("/app", "/unattributed", "/map", "/catalogue")
"""The addresses of pages other than the first."""

_DRAWN_WITH = (
    "pandas",
    "plotly.tools",
    *(
        f"app.console.{page}"
        for page in ("frame", "fleet", "application", "nobody", "topology", "declared")
    ),
)
"""What the pages are drawn with."""

_SERVER = "window.__streamlit = {BACKEND_BASE_URL: location.origin}"

SCRIPT = Path(host.__file__).with_name("main.py")


def application(site: Site) -> ASGIApp:
    """API and console together; the console's pages are Streamlit's."""
    # Before the first visitor, who would wait for them; and two threads that import pandas at
    # once, such as two panels, can see half of it.
    for name in _DRAWN_WITH:
        import_module(name)
    for name, value in settings(site).items():
        config.set_option(name, value)
    host.install(
        host.Host(
            world=lambda: site.world,
            clock=lambda: datetime.fromtimestamp(site.clock() / 1e9, UTC),
            telemetry=site.telemetry,
            scope_of=site.scope_of,
        )
    )
    routes = [*api_routes(site), *(Route(path, _page) for path in PAGES)]
    return cast("ASGIApp", st.App(SCRIPT, routes=routes, middleware=[Middleware(Frame, site=site)]))


async def _page(_: Request) -> HTMLResponse:
    """Streamlit's page, told where its server is.

    Opened below a page's own path it would look there first, and complain of what is not there.
    """
    page = Path(st.__file__).with_name("static") / "index.html"
    text = page.read_text(encoding="utf-8")
    return HTMLResponse(
        text.replace("<head>", f"<head><script>{_SERVER}</script>", 1),
        headers={"Cache-Control": "no-cache"},
    )


def settings(site: Site) -> dict[str, object]:
    """What Streamlit is told, whatever a user's own settings of Streamlit are."""
    link = site.world.project.workspace.links.console
    public = (urlsplit(link).hostname if link else None) or "localhost"
    return {
        **SETTINGS,
        "browser.serverAddress": public,
        "client.allowedOrigins": [],
        "logger.level": "warning",
        "server.allowedHosts": ["*"] if site.hosts is None else sorted(site.hosts),
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.headless": True,
        "server.runOnSave": False,
        "server.scriptHealthCheckEnabled": False,
    }
