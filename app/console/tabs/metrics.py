"""Metrics: rate, errors and durations of requests, the SLO's indicator, and the app's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.console import tables, words
from app.console.charts.series import (
    MILLISECONDS,
    RATE,
    SHARE,
    Lines,
    Option,
    Unit,
    brushed,
    lines,
    pivoted,
)
from app.console.panels import Panel, show
from app.console.state import SLICES
from app.console.visit import Visit, change
from app.services.metrics import components, indicator_series, red
from collectors.readers.telemetry import Answered
from slo.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT = 220
_CHARTS: tuple[tuple[str, str, Unit], ...] = (
    ("Rate", "rate", RATE),
    ("Errors", "error_ratio", SHARE),
    ("Duration", "p99", MILLISECONDS),
)
_SUBTITLES = {
    "rate": "requests per second",
    "error_ratio": "share of requests that failed",
    "p99": "milliseconds",
}


def draw() -> None:
    """Draw the tab."""
    show(
        Panel(
            title="Requests",
            key="red",
            unit="entry spans, weighted by sampling; select a part with the brush to zoom",
            about=("by",),
            ask=_ask,
            draw=_red,
            table=lambda frame: frame,
            says="No request was traced in this range.",
            controls=_by,
            height=420,
        )
    )
    show(
        Panel(
            title="The SLO's own events",
            key="indicator",
            unit="by the expressions that its budget is counted with",
            ask=_indicator,
            draw=_events,
            table=lambda frame: frame,
            says="Nothing was counted in this range.",
            height=220,
        )
    )
    show(
        Panel(
            title="Components",
            key="components",
            unit="of what is shared, this app's part alone",
            ask=lambda here: components(
                here.world, here.scope, here.name, here.environment, here.range
            ),
            draw=_components,
            table=lambda frame: frame,
            says="This app declares no components.",
        )
    )


def _ask(here: Visit) -> Answered[pd.DataFrame]:
    by = here.view.by or None
    return red(here.world, here.scope, here.name, here.environment, here.range, by)


def _by(here: Visit) -> None:
    st.session_state["red-by"] = here.view.by
    st.segmented_control(
        "Broken down by",
        SLICES,
        key="red-by",
        format_func=lambda each: each or "nothing",
        on_change=lambda: change(by=st.session_state["red-by"] or ""),
    )


def _red(here: Visit, frame: pd.DataFrame) -> None:
    with st.grid(min_column_width=340):
        for title, column, unit in _CHARTS:
            with st.container(gap="small"):
                st.markdown(f"{title}, {_SUBTITLES[column]}")
                zooming(_lines(here, frame, column, unit), f"red-{column}", f"{title} over time")
    if here.view.by:
        left_out = pivoted(frame, "rate")[2]
        if left_out:
            st.caption(f"the eight busiest of {left_out + 8}; the CSV has all")


def _lines(here: Visit, frame: pd.DataFrame, column: str, unit: Unit) -> Option:
    if here.view.by:
        wide, names, _ = pivoted(frame, column)
        named = {key: name or "(none)" for key, name in names.items()}
        return lines(wide, Lines(span=here.range, unit=unit, names=named, brush=True))
    if column == "p99":
        quantiles = {"p50": "median", "p90": "90 %", "p99": "99 %"}
        return lines(frame, Lines(span=here.range, unit=unit, names=quantiles, brush=True))
    return lines(
        frame, Lines(span=here.range, unit=unit, names={column: column}, area=True, brush=True)
    )


def zooming(option: Option, key: str, alt: str) -> None:
    """A chart over time in which selecting a part makes it the page's range."""

    def zoom() -> None:
        part = brushed(st.session_state.get(key))
        if part is not None:
            change(start=part[0], end=part[1])

    st.echarts_chart(option, height=_HEIGHT, key=key, on_select=zoom, alt=alt)


def _indicator(here: Visit) -> Answered[pd.DataFrame]:
    return indicator_series(here.world, here.scope, here.name, here.env, _slo(here), here.range)


def _slo(here: Visit) -> str:
    if here.view.slo is not None:
        return here.view.slo
    envs = () if here.app is None else here.app.environments
    names = [slo.name for env in envs if env.name == here.env for slo in env.slos]
    if not names:
        raise UsageError(f"{here.name} has no SLO in {here.env}")
    return names[0]


def _events(here: Visit, frame: pd.DataFrame) -> None:
    st.markdown(f"**{_slo(here)}**")
    with st.grid(min_column_width=340):
        with st.container(gap="small"):
            st.markdown("Events and bad events, per second")
            names = {"total_rate": "all", "bad_rate": "bad"}
            option = lines(
                frame,
                Lines(
                    span=here.range,
                    unit=RATE,
                    names=names,
                    brush=True,
                    colours=("#3b82f6", "#ef4444"),
                ),
            )
            zooming(option, "indicator-rates", "events and bad events of the SLO over time")
        with st.container(gap="small"):
            st.markdown("Error ratio, share of events that were bad")
            names = {"error_ratio": "error ratio"}
            option = lines(
                frame, Lines(span=here.range, unit=SHARE, names=names, area=True, brush=True)
            )
            zooming(option, "indicator-ratio", "error ratio of the SLO over time")


def _components(here: Visit, frame: pd.DataFrame) -> None:  # noqa: ARG001 - a panel's drawing
    shown = frame[["component", "kind", "address"]].copy()
    shown["shared"] = ["shared: only our part" if each else "ours" for each in frame["shared"]]
    shown["share"] = frame["share"]
    shown["rate"] = [words.per_second(each) for each in frame["rate"]]
    shown["errors"] = [words.percent(each, 2) for each in frame["error_ratio"]]
    shown["p99"] = [words.duration(each) for each in frame["p99"]]
    shown["note"] = frame["note"]
    st.dataframe(
        tables.cleaned(shown, ("component", "address", "share", "note")),
        hide_index=True,
        key="components-table",
        placeholder=words.ABSENT,
        column_config={"note": st.column_config.TextColumn("note", width="large")},
    )
