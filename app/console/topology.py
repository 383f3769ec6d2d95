"""The Map page: who calls whom, what was declared, and what a change touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.console import tables, words
from app.console.charts.traces import node_names
from app.console.charts.traces import service_map as graph
from app.console.frame import choose, page_link
from app.console.panels import Panel, absent, show
from app.console.visit import APP, Visit, note
from app.services.results import ServiceMap
from app.services.servicemap import service_map
from collectors.readers.telemetry import Answered
from slo.evaluate import State

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
        _picture(here, found)
    ids = [str(each) for each in found.nodes["id"]]
    names = node_names(found.nodes)
    chosen = here.view.node
    choose(
        "Selected",
        [None, *sorted(ids, key=lambda each: names[each])],
        chosen,
        key="map-node",
        change_to=lambda node: note(node=node),
        show=lambda each: "nothing" if each is None else words.plain(names.get(each, each)),
        width=260,
    )
    if chosen in names:
        _selected(here, found, chosen)
    elif chosen is not None:
        absent("What is selected in this address was not seen in this range.")
    if here.view.app:
        _touched(here, found)
    st.dataframe(
        _shown(found, chosen if chosen in names else None),
        hide_index=True,
        key="map-table",
        placeholder=words.ABSENT,
        height="auto",
    )


def _picture(here: Visit, found: ServiceMap) -> None:
    ids = [str(each) for each in found.nodes["id"]]

    def pick() -> None:
        note(node=clicked(st.session_state.get("map-chart"), ids))

    st.echarts_chart(
        graph(found.nodes, found.edges, here.view.node),
        height=460,
        key="map-chart",
        on_select=pick,
        alt="services and who calls whom; the table below has the same",
    )


def clicked(event: object, ids: Sequence[str]) -> str | None:
    """The node that was clicked in the graph; ``None`` for none."""
    selection: Mapping[str, Any] = event.get("selection", {}) if isinstance(event, Mapping) else {}
    for group in selection.get("selected", ()):
        places: Sequence[int] = group.get("data_indices") or ()
        if group.get("data_type") == "node" and places and 0 <= places[0] < len(ids):
            return ids[places[0]]
    return None


def _selected(here: Visit, found: ServiceMap, chosen: str) -> None:
    """What is known of a node, with the way to its app."""
    row = found.nodes[found.nodes["id"] == chosen].iloc[0]
    state = words.STATES.get(str(row["state"]), words.STATES[State.NO_DATA])
    app = row["app"] if isinstance(row["app"], str) else None
    said = [f"{row['kind']} {row['name']}"]
    if app is not None:
        said.append(f"app {app}: {state}, budget left {words.percent(row['budget_remaining'])}")
    said.append(
        f"{words.per_second(row['rate'])} arrive, {words.percent(row['error_ratio'], 2)} fail"
    )
    with st.container(border=True, key="map-selected"):
        st.text(words.plain("\n".join(said)))
        if app is not None and here.scope.sees(app):
            view = replace(here.view, app=app, env=None, slo=None, node=None)
            page_link(f"Open {app}", APP, view)


def _touched(here: Visit, found: ServiceMap) -> None:
    st.markdown(f"**What a change of {here.name} touches**")
    if not found.touched:
        st.text("No other app depends on it.")
        return
    with st.container(horizontal=True):
        for name in found.touched:
            page_link(name, APP, replace(here.view, app=name, env=None, slo=None))


def _named(found: ServiceMap) -> pd.DataFrame:
    names = node_names(found.nodes)
    edges = found.edges.copy()
    for end in ("source", "target"):
        edges[end] = [names.get(each, each) for each in edges[end]]
    return edges


def _shown(found: ServiceMap, chosen: str | None) -> pd.DataFrame:
    """Who calls whom; only what touches a node where one is selected."""
    edges = _named(found)
    if chosen is not None:
        edges = edges[(found.edges["source"] == chosen) | (found.edges["target"] == chosen)]
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
