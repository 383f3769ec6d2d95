"""The Unattributed page: what belongs to no app, which key is missing, and who could add it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.console import tables, words
from app.console.panels import Panel, show
from app.console.visit import Visit
from app.services.unattributed import join_health, unattributed

if TYPE_CHECKING:
    import pandas as pd

_RUNGS = {
    1: "1 tagged with the app",
    2: "2 service name",
    3: "3 Kubernetes workload",
    4: "4 container or image",
    5: "5 address or host",
}


def draw() -> None:
    """Draw the page."""
    show(
        Panel(
            title="What belongs to no app",
            key="unattributed",
            unit="grouped by what it says of itself",
            ask=lambda here: unattributed(here.world, here.scope, here.range),
            draw=_draw,
            table=lambda frame: frame,
            says="Every record of this range belongs to an app.",
            height=300,
        )
    )
    show(
        Panel(
            title="How records were joined to their apps",
            key="join-health",
            unit="share of each signal's records by rung of the ladder; a lower rung is surer",
            ask=lambda here: join_health(here.world, here.scope, here.range),
            draw=_health,
            table=lambda frame: frame,
            height=260,
        )
    )


def _draw(here: Visit, frame: pd.DataFrame) -> None:
    shown = frame[["signal"]].copy()
    shown["service"] = frame["service"]
    shown["missing"] = frame["missing"]
    shown["who could fix it"] = frame["who"]
    shown["records"] = [words.amount(each) for each in frame["records"]]
    shown["share"] = [words.percent(each) for each in frame["share"]]
    shown["last"] = [words.age(each, here.now) for each in frame["last"]]
    for name in ("host", "namespace", "example"):
        shown[name] = frame[name]
    shown["claimed by"] = [", ".join(each) for each in frame["claimants"]]
    untrusted = ("service", "missing", "who could fix it", "host", "namespace", "example")
    plain = shown.rename(columns={"last": "newest"})
    st.dataframe(
        tables.cleaned(plain, untrusted),
        hide_index=True,
        key="unattributed-table",
        placeholder=words.ABSENT,
        column_config={
            "who could fix it": st.column_config.TextColumn(width="large"),
            "missing": st.column_config.TextColumn("missing key", width="medium"),
            "example": st.column_config.TextColumn(width="large"),
        },
    )


def _health(here: Visit, frame: pd.DataFrame) -> None:  # noqa: ARG001 - a panel's drawing
    shown = frame[["app", "signal"]].copy()
    shown["app"] = [each if isinstance(each, str) else "(nobody's)" for each in frame["app"]]
    shown["joined by"] = [
        _RUNGS.get(int(each), str(each)) if words.known(each) else "not joined"
        for each in frame["rung"]
    ]
    shown["records"] = [words.amount(each) for each in frame["records"]]
    shown["bar"] = [float(each) * 100 if words.known(each) else None for each in frame["share"]]
    shown["share"] = [words.percent(each) for each in frame["share"]]
    st.dataframe(
        shown,
        hide_index=True,
        key="health-table",
        column_config={
            "bar": st.column_config.ProgressColumn(
                "of its signal", min_value=0, max_value=100, format=" ", width="small", color="blue"
            )
        },
    )
