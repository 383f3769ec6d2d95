"""One look at a page: who looks, at what, when. Read anew on every run, fragments included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import streamlit as st

from app.access import Scope
from app.console import host
from app.console.state import View
from app.services.world import World
from collectors.readers.telemetry import Filter, TimeRange, Where
from slo.errors import HeadroomError
from slo.model import App
from slo.records import dataclass

FLEET = "screens/fleet_page.py"
APP = "screens/app_page.py"
UNATTRIBUTED = "screens/unattributed_page.py"
MAP = "screens/map_page.py"
CATALOGUE = "screens/catalogue_page.py"


_MOVED, _LEFT = "moved", "left"

_LOOPBACK = "127.0.0.1"
"""Where a connection comes from of which Streamlit tells no address: it hides this one alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a panel needs to ask a service."""

    world: World
    scope: Scope
    now: datetime
    view: View
    mistakes: tuple[str, ...] = ()

    @property
    def range(self) -> TimeRange:
        """The range that is looked at."""
        return self.view.range(self.now)

    @property
    def apps(self) -> tuple[App, ...]:
        """The applications that the visitor may see, by name."""
        return tuple(a for a in self.world.project.catalog.apps if self.scope.sees(a.name))

    @property
    def app(self) -> App | None:
        """The application that is looked at; the first where the address names none."""
        if self.view.app is not None:
            return self.world.project.catalog.app(self.view.app)
        return self.apps[0] if self.apps else None

    @property
    def name(self) -> str:
        """The name of the application that is looked at, known or not."""
        return self.view.app or (self.app.name if self.app else "")

    @property
    def env(self) -> str:
        """The environment that is looked at; the application's first that the visitor sees."""
        if self.view.env is not None:
            return self.view.env
        names = [each.name for each in self.app.environments] if self.app else []
        return next((n for n in names if self.scope.sees(self.name, n)), names[0] if names else "")

    @property
    def environment(self) -> str | None:
        """The environment to restrict records to.

        ``None`` where the application has one only: then records that do not say are its own.
        """
        if (
            self.app is not None
            and len(self.app.environments) == 1
            and self.scope.environments is None
        ):
            return None
        return self.env

    def where(self, *, part: bool = False, filters: tuple[Filter, ...] = ()) -> Where:
        """Whose records, when; of the selected part of the range alone if ``part``."""
        span = self.view.selected(self.now) if part else self.range
        return Where(app=self.name, range=span, env=self.environment, filters=filters)


def visit() -> Visit:
    """Who looks at what now; raises ``Forbidden`` for somebody who may see nothing."""
    here = host.installed()
    view, mistakes = asked()
    return Visit(
        world=here.world(),
        scope=here.scope_of(_headers(), st.context.ip_address or _LOOPBACK),
        now=here.clock(),
        view=view,
        mistakes=mistakes,
    )


def asked() -> tuple[View, tuple[str, ...]]:
    """The view that the address stands for, and what makes no sense in it."""
    return View.read(st.query_params.to_dict())


def _headers() -> dict[str, str]:
    """The headers of the visitor's connection; one that is there twice has all its values."""
    found = st.context.headers
    return {name.lower(): ", ".join(found.get_all(name)) for name in found}


def go(view: View) -> None:
    """Put a view into the address; to be called from callbacks, before anything is drawn.

    A callback out of a panel draws that panel only; the panel sees from `moved` that the whole
    page is to be drawn, and a page that is drawn as a whole has forgotten it by then.
    """
    st.query_params.from_dict(view.query())
    st.session_state[_MOVED] = True


def leave(view: View) -> None:
    """Open a view of the App page from another page; to be called from callbacks."""
    st.session_state[_LEFT] = view.query()
    st.session_state[_MOVED] = True


def moved() -> bool:
    """Whether the address was changed since this was asked."""
    return bool(st.session_state.pop(_MOVED, False))


def left() -> dict[str, str] | None:
    """The view of the App page that is to be opened, told once."""
    query: dict[str, str] | None = st.session_state.pop(_LEFT, None)
    return query


def change(**changes: Any) -> None:
    """Change parts of the view that is in the address, and draw the page anew."""
    view, _ = asked()
    go(replace(view, **changes))


@contextmanager
def deciding() -> Iterator[Callable[[str], None]]:
    """Count decisions of the gate that a page asks for; call what is yielded with each effect."""
    telemetry = host.installed().telemetry
    try:
        yield lambda effect: telemetry.count("headroom_gate_decisions_total", decision=effect)
    except HeadroomError:
        telemetry.count("headroom_gate_failures_total")
        raise


def note(**changes: Any) -> None:
    """Change parts of the view that only the panel shows which is drawn now."""
    view, _ = asked()
    st.query_params.from_dict(replace(view, **changes).query())


def followed(key: str, rows: Sequence[int], field: str, names: Sequence[str]) -> str | None:
    """What a table's selection leaves in a field of the address, which wins until a row is picked.

    ``rows`` are the selected places, ``names`` what stands for each row in the address.
    """
    seen, now = f"{key}-seen", list(rows)
    view, _ = asked()
    chosen: str | None = getattr(view, field)
    if now != st.session_state.get(seen, []):
        st.session_state[seen] = now
        chosen = names[now[0]] if now and now[0] < len(names) else None
        note(**{field: chosen})
    return chosen
