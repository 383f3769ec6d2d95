"""What surrounds every page: environment, range, who is looking, and how often it is read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from app.access import Forbidden
from app.console import host, words
from app.console.panels import failed, refused
from app.console.state import RANGES, REFRESHES, View, from_datetime
from app.console.timing import Drawing, Outcome, begun
from app.console.visit import APP, Visit, asked, change, go, left, moved, visit
from slo.errors import HeadroomError
from slo.units import Duration

_ABSOLUTE = "fixed"
_ALL = ""
"""What stands for ``None`` in a select box, which takes it for no choice."""

_WITHOUT_ENV = ("unattributed", "catalogue")


def framed(draw: Callable[[], None], page: str) -> None:
    """Draw a page within its frame, or why the visitor may not see it."""
    moved()
    away = left()
    if away is not None:
        st.switch_page(APP, query_params=away)
    view, _ = asked()
    drawing = Drawing(
        host.installed().telemetry, page or "fleet", view.tab if page == "app" else "none"
    )
    begun(drawing)
    drawing.end(_page(draw, page))


def _page(draw: Callable[[], None], page: str) -> Outcome:
    """Draw the page with its frame, or why the visitor may not see it."""
    try:
        here = visit()
        _frame(here, page)
        draw()
    except Forbidden as reason:
        refused(reason)
        return Outcome.FORBIDDEN
    except HeadroomError as reason:
        failed(reason)
        return Outcome.FAILED
    return Outcome.DRAWN


def _frame(here: Visit, page: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="frame"):
        if page in {"app", "map"}:
            _apps(here, everything=page == "map")
        if page not in _WITHOUT_ENV:
            _environments(here, everything=page != "app")
        if page == "app":
            _slos(here)
        _ranges(here)
        _refreshes(here)
        _person(here)
    for mistake in here.mistakes:
        st.warning("A part of this address makes no sense and was left out.")
        st.text(words.plain(mistake))


def choose(
    label: str,
    options: Sequence[str | None],
    chosen: str | None,
    *,
    key: str,
    change_to: Callable[[Any], None],
    show: Callable[[Any], str] = str,
    width: int = 150,
) -> None:
    """A choice whose value is in the address; an unknown one is shown as it stands there.

    ``None`` among the options is a choice like others, and not the absence of one.
    """
    known = [each or _ALL for each in (options if chosen in options else [chosen, *options])]
    st.session_state[key] = chosen or _ALL
    st.selectbox(
        label,
        known,
        key=key,
        format_func=lambda each: show(None if each == _ALL else each),
        width=width,
        on_change=lambda: change_to(
            None if st.session_state[key] == _ALL else st.session_state[key]
        ),
    )


def _apps(here: Visit, *, everything: bool) -> None:
    names: list[str | None] = [each.name for each in here.apps]
    chosen = here.view.app if everything else here.name
    choose(
        "App",
        [None, *names] if everything else names,
        chosen,
        key="frame-app",
        change_to=lambda app: go(_of_another(here.view, app)),
        show=lambda app: "all" if app is None else str(app),
        width=170,
    )


def _of_another(view: View, app: str | None) -> View:
    """The same tab and range of another application; nothing of the old one stays selected."""
    return View(
        app=app,
        tab=view.tab,
        env=view.env,
        length=view.length,
        start=view.start,
        end=view.end,
        refresh=view.refresh,
    )


def _environments(here: Visit, *, everything: bool) -> None:
    apps = [here.app] if here.app is not None and not everything else list(here.apps)
    names = sorted(
        {
            each.name
            for app in apps
            for each in app.environments
            if here.scope.sees(app.name, each.name)
        }
    )
    choose(
        "Environment",
        [None, *names] if everything else names,
        here.view.env if everything else here.env,
        key="frame-env",
        change_to=lambda env: change(env=env),
        show=lambda env: "all" if env is None else str(env),
        width=130,
    )


def _slos(here: Visit) -> None:
    envs = () if here.app is None else here.app.environments
    names = [slo.name for env in envs if env.name == here.env for slo in env.slos]
    choose(
        "SLO",
        [None, *names],
        here.view.slo,
        key="frame-slo",
        change_to=lambda slo: change(slo=slo),
        show=lambda slo: "the worst" if slo is None else str(slo),
        width=170,
    )


def _ranges(here: Visit) -> None:
    view = here.view
    chosen = _ABSOLUTE if view.absolute else view.length.text
    offered = [_normal(each) for each in RANGES]
    options = list(dict.fromkeys([*offered, *([] if view.absolute else [chosen])]))
    choose(
        "Range (UTC)",
        [*options, _ABSOLUTE] if view.absolute else options,
        chosen,
        key="frame-range",
        change_to=_to_range,
        show=lambda each: _shown(view) if each == _ABSOLUTE else f"last {_written(each)}",
        width=300 if view.absolute else 130,
    )
    with st.popover("From … to …", help="a range with fixed ends, in UTC"):
        _fixed(here)


def _normal(text: str) -> str:
    return Duration.parse(text).text


def _written(text: str) -> str:
    return "24h" if text == "1d" else text


def _shown(view: View) -> str:
    start, end = (datetime.fromtimestamp(each or 0, tz=UTC) for each in (view.start, view.end))
    same = start.date() == end.date()
    return f"{start:%Y-%m-%d %H:%M} to {end:{'%H:%M' if same else '%Y-%m-%d %H:%M'}}"


def _to_range(text: str) -> None:
    if text != _ABSOLUTE:
        change(length=Duration.parse(text), start=None, end=None, part_start=None, part_end=None)


def _fixed(here: Visit) -> None:
    span = here.range
    with st.form("frame-fixed", border=False):
        ends = [
            st.datetime_input(
                label,
                value=datetime.fromtimestamp(time // words.SECOND, tz=UTC).replace(tzinfo=None),
                key=f"frame-{label.lower()}-{time // words.SECOND}",
                step=60,
            )
            for label, time in (("From", span.start), ("To", span.end))
        ]
        if st.form_submit_button("Show this range"):
            start, end = (from_datetime(each) for each in ends)
            if start < end:
                change(start=start, end=end, part_start=None, part_end=None)
                st.rerun()
            st.error("A range has a start before its end.")


def _refreshes(here: Visit) -> None:
    choose(
        "Refresh",
        [str(each) for each in REFRESHES],
        str(here.view.refresh),
        key="frame-refresh",
        change_to=lambda each: change(refresh=int(each)),
        show=lambda each: "off" if each == "0" else f"every {each} s",
        width=120,
    )


def _person(here: Visit) -> None:
    st.space("stretch")
    if here.scope.open:
        st.badge(
            "open",
            icon=":material/lock_open:",
            color="orange",
            help="no access is configured: everybody who reaches this address sees everything",
        )
        return
    st.text(f"{words.plain(here.scope.user or 'somebody')}, {here.scope.role}")


def step(label: str, view: View, *, of: str = "", icon: str | None = None) -> None:
    """A way to another view of the same page, out of a panel; its label is our own words.

    ``of`` tells steps of one label apart.
    """
    # A page link to the page that is open already changes nothing.
    st.button(label, icon=icon, key=f"step-{label}-{of}", on_click=go, args=(view,))


def page_link(label: str, page: str, view: View, *, icon: str | None = None) -> None:
    """A link to a view of another page; its label is our own words."""
    st.page_link(page, label=label, icon=icon, query_params=view.query(), width="content")
