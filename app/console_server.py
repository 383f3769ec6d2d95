"""API and console in one process: the API's routes and frame around Streamlit's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware
from starlette.types import ASGIApp
from streamlit import config

from app.api.every import api_routes
from app.api.frame import Frame
from app.api.site import Site
from app.console import host

SCRIPT = Path(host.__file__).with_name("main.py")


def application(site: Site) -> ASGIApp:
    """API and console together; the console's pages are Streamlit's."""
    for name, value in settings(site).items():
        config.set_option(name, value)
    host.install(
        host.Host(
            world=lambda: site.world,
            clock=lambda: datetime.fromtimestamp(site.clock() / 1e9, UTC),
            scope_of=site.scope_of,
        )
    )
    return cast(
        "ASGIApp",
        st.App(SCRIPT, routes=api_routes(site), middleware=[Middleware(Frame, site=site)]),
    )


def settings(site: Site) -> dict[str, object]:
    """What Streamlit is told, whatever a user's own settings of Streamlit are."""
    link = site.world.project.workspace.links.console
    public = (urlsplit(link).hostname if link else None) or "localhost"
    return {
        "browser.gatherUsageStats": False,
        "browser.serverAddress": public,
        "client.allowedOrigins": [],
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.level": "warning",
        "server.allowedHosts": ["*"] if site.hosts is None else sorted(site.hosts),
        "server.enableCORS": True,
        "server.enableStaticServing": False,
        "server.enableXsrfProtection": True,
        "server.fileWatcherType": "none",
        "server.headless": True,
        "server.runOnSave": False,
        "server.scriptHealthCheckEnabled": False,
    }
