"""Pages of the console as `AppTest` runs them, over a small installation."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

import app.console
from app.access import OPEN, Forbidden, Scope
from app.console.host import Host, install
from app.services.world import World
from app.telemetry import Telemetry
from collectors.signals import Signal, table
from tests.unit.app.services.installation import AT, END, MINUTE, SECOND

MAIN = Path(app.console.__file__).with_name("main.py")

FLEET = "screens/fleet_page.py"
APP = "screens/app_page.py"
UNATTRIBUTED = "screens/unattributed_page.py"
MAP = "screens/map_page.py"
CATALOGUE = "screens/catalogue_page.py"

HOSTILE = "![x](http://evil.example/x.png) **bold** <script>alert(1)</script> =1+1 :red[r]"
"""What an attacker would have a log line say."""

TRACE = "ab" * 16


def shown(
    world: World,
    page: str = FLEET,
    query: Mapping[str, str] | None = None,
    *,
    scope: Scope = OPEN,
    now: datetime = AT,
) -> AppTest:
    """A page as a visitor of that scope sees it."""
    return visited(world, page, query, lambda: scope, now=now)


def visited(
    world: World,
    page: str,
    query: Mapping[str, str] | None,
    scope: Callable[[], Scope],
    *,
    now: datetime = AT,
    telemetry: Telemetry | None = None,
) -> AppTest:
    """A page as whoever ``scope`` says sees it."""
    # Answers are kept for seconds, and worlds of tests are not told apart.
    st.cache_data.clear()
    install(
        Host(
            world=lambda: world,
            clock=lambda: now,
            telemetry=telemetry or Telemetry(),
            scope_of=lambda *_: scope(),
        )
    )
    test = AppTest.from_file(MAIN, default_timeout=60)
    if page != FLEET:
        test._page_hash = _hash(page)
    for name, value in (query or {}).items():
        test.query_params[name] = value
    return test.run()


def _hash(page: str) -> str:
    """What `st.Page` calls a page by; asking the test for it would draw another page first."""
    return calc_hash(page.removeprefix("screens/").removesuffix("_page.py"))


def nobody() -> Scope:
    """The scope of somebody who has no role."""
    raise Forbidden("eve has no role here")


def said(test: AppTest) -> str:
    """Everything that is written on a page."""
    kinds = ("text", "markdown", "caption", "code", "error", "warning", "info", "success")
    titles = ("header", "subheader", "metric")
    found = [element for kind in (*kinds, *titles) for element in test.get(kind)]
    return "\n".join(
        f"{getattr(element, 'label', '')} {getattr(element, 'value', '')}" for element in found
    )


def request(*, bad: bool = True) -> pa.Table:
    """One request through two spans, a minute before the end."""
    start = END - MINUTE
    return table(
        Signal.SPANS,
        {
            "time": [start, start + 10_000_000],
            "end": [start + SECOND // 4, start + 200_000_000],
            "duration": [SECOND // 4, 190_000_000],
            "app": ["ticketing"] * 2,
            "env": ["prod"] * 2,
            "component": ["api"] * 2,
            "rung": [1] * 2,
            "service": ["ticketing-api"] * 2,
            "version": ["1.1"] * 2,
            "trace_id": [TRACE] * 2,
            "span_id": ["11" * 8, "22" * 8],
            "parent_id": [None, "11" * 8],
            "name": [HOSTILE, "SELECT seats"],
            "route": ["/confirm", None],
            "kind": ["server", "client"],
            "status": ["error" if bad else "unset"] * 2,
            "peer": [None, "postgresql/seats"],
            "weight": [1.0] * 2,
        },
    )


def lines() -> pa.Table:
    """Two log lines of that request, one of them hostile."""
    return table(
        Signal.LOGS,
        {
            "time": [END - MINUTE + 20_000_000, END - MINUTE + 30_000_000],
            "observed": [END - MINUTE, END - MINUTE],
            "app": ["ticketing"] * 2,
            "env": ["prod"] * 2,
            "rung": [1] * 2,
            "severity": [17, 9],
            "severity_text": ["ERROR", "INFO"],
            "body": [HOSTILE, "seat 12A was taken"],
            "trace_id": [TRACE] * 2,
            "span_id": ["11" * 8] * 2,
        },
    )
