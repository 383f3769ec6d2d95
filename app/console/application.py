"""The App page: one application, a tab for each question about it; only the open tab asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from app.console import words
from app.console.panels import absent
from app.console.state import Tab
from app.console.tabs import deploys, logs, metrics, overview, traces, why
from app.console.visit import change, visit
from slo.model import App

_LABELS: Mapping[Tab, str] = {
    Tab.OVERVIEW: "Overview",
    Tab.WHY: "Why",
    Tab.METRICS: "Metrics",
    Tab.TRACES: "Traces",
    Tab.LOGS: "Logs",
    Tab.DEPLOYS: "Deploys",
}

_DRAWN: Mapping[Tab, Callable[[], None]] = {
    Tab.OVERVIEW: overview.draw,
    Tab.WHY: why.draw,
    Tab.METRICS: metrics.draw,
    Tab.TRACES: traces.draw,
    Tab.LOGS: logs.draw,
    Tab.DEPLOYS: deploys.draw,
}


def draw() -> None:
    """Draw the page; raises ``Forbidden``, and ``HeadroomError`` for an app that is not there."""
    here = visit()
    if not here.name:
        absent("No app is in this workspace, or none that you may see.")
        return
    here.world.project.levels(here.name, here.view.env)
    here.scope.check(here.name, here.env)
    assert here.app is not None
    _heading(here.app)
    st.session_state["tab"] = _LABELS[here.view.tab]
    opened = st.tabs(list(_LABELS.values()), key="tab", on_change=_switch)
    for tab, place in zip(_LABELS, opened, strict=True):
        if tab is here.view.tab:
            with place:
                _DRAWN[tab]()


def _switch() -> None:
    label = st.session_state["tab"]
    change(tab=next(tab for tab, name in _LABELS.items() if name == label))


def _heading(app: App) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.header(app.name, anchor=False, width="content")
        st.text(words.plain(app.title))
        st.text(words.plain(f"team {app.team}"))
        tier = app.labels.get("tier")
        if tier:
            st.text(words.plain(f"tier {tier}"))
        if app.runbook and app.runbook.startswith(("https://", "http://")):
            st.link_button("Runbook", app.runbook, type="tertiary", icon=":material/menu_book:")
