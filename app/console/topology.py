"""The Map page: who calls whom, what was declared, and what a change touches."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from app.console import tables, words
from app.console.charts.traces import service_map as graph
from app.console.frame import page_link
from app.console.panels import Panel, show
from app.console.visit import APP, Visit
from app.services.results import ServiceMap
from app.services.servicemap import service_map
from collectors.readers.telemetry import Answered

if TYPE_CHECKING:
    import pandas as pd

_MOST_NODES = 100


def draw() -> None:
    """Draw the page."""
    show(
        Panel(
            title="Service map",
            key="map",
            unit="calls and messages in the chosen range",
            ask=_ask,
            draw=_draw,
            table=_named,
            empty=lambda found: not len(found.nodes),
            says="No call between services was traced in this range.",
            height=460,
        )
    )


def _ask(here: Visit) -> Answered[ServiceMap]:
    return service_map(here.world, here.scope, here.view.app, _environment(here), here.range)


def _environment(here: Visit) -> str:
    """The environment that is drawn; the first there is where none was chosen."""
    if here.view.env is not None:
        return here.view.env
    names = [
        each.name
        for app in ([here.app] if here.view.app and here.app else here.apps)
        for each in app.environments
        if here.scope.sees(app.name, each.name)
    ]
    return names[0] if names else ""


def _draw(here: Visit, found: ServiceMap) -> None:
    st.caption(
        "✓ ok, ▲ burning, ✕ exhausted: the app's worst SLO. Circles are services, squares "
        "databases, diamonds queues. Red arrows fail in 1 of 100 calls or more; dashed ones are "
        "declared and were not observed."
    )
    if len(found.nodes) > _MOST_NODES:
        st.text(f"{len(found.nodes)} nodes are too many to draw; the table has them all.")
    else:
        st.echarts_chart(
            graph(found.nodes, found.edges),
            height=460,
            key="map-chart",
            alt="services and who calls whom; the table below has the same",
        )
    if here.view.app:
        _touched(here, found)
    st.dataframe(
        _shown(found), hide_index=True, key="map-table", placeholder=words.ABSENT, height="auto"
    )


def _touched(here: Visit, found: ServiceMap) -> None:
    st.markdown(f"**What a change of {here.name} touches**")
    if not found.touched:
        st.text("No other app depends on it.")
        return
    with st.container(horizontal=True):
        for name in found.touched:
            page_link(name, APP, replace(here.view, app=name, env=None, slo=None))


def _named(found: ServiceMap) -> pd.DataFrame:
    names = dict(zip(found.nodes["id"], found.nodes["name"], strict=True))
    edges = found.edges.copy()
    for end in ("source", "target"):
        edges[end] = [names.get(each, each) for each in edges[end]]
    return edges


def _shown(found: ServiceMap) -> pd.DataFrame:
    edges = _named(found)
    shown = edges[["source", "target"]].copy()
    shown["rate"] = [words.per_second(each) for each in edges["rate"]]
    shown["errors"] = [words.percent(each, 2) for each in edges["error_ratio"]]
    shown["median"] = [words.duration(each) for each in edges["p50"]]
    shown["p99"] = [words.duration(each) for each in edges["p99"]]
    shown["dependency"] = [
        _agreement(declared=bool(d), observed=bool(o))
        for d, o in zip(edges["declared"], edges["observed"], strict=True)
    ]
    cleaned: pd.DataFrame = tables.cleaned(shown, ("source", "target"))
    return cleaned


def _agreement(*, declared: bool, observed: bool) -> str:
    if declared and observed:
        return "✓ declared and observed"
    return "▲ observed, not declared" if observed else "? declared, not observed"
