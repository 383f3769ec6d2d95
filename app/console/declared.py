"""The Catalogue page: apps, owners, dependencies, how much of each is seen, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.console import tables, words
from app.console.fleet import show_cost
from app.console.panels import Panel, show
from app.console.state import View
from app.console.visit import Visit, leave
from app.services.catalogue import catalogue, problems
from collectors.readers.telemetry import Answered
from slo.problems import Problem

if TYPE_CHECKING:
    import pandas as pd


def draw() -> None:
    """Draw the page."""
    show(
        Panel(
            title="Apps",
            key="catalogue",
            unit="coverage is the share of records that could be joined, of those it claims",
            ask=lambda here: catalogue(here.world, here.scope, here.range),
            draw=_draw,
            table=lambda frame: frame,
            says="No app is in this workspace, or none that you may see.",
            height=300,
        )
    )
    show(
        Panel(
            title="Problems",
            key="problems",
            unit="in the files of the workspace",
            ask=lambda here: Answered(
                value=problems(here.world, here.scope),
                source="the workspace's files",
                query="headroom validate",
            ),
            draw=_problems,
            empty=lambda _: False,
            table=_rows,
        )
    )
    show_cost()


def _draw(here: Visit, frame: pd.DataFrame) -> None:
    shown = frame[["app", "title", "team", "tier"]].copy()
    for signal in ("metrics", "logs", "traces"):
        shown[signal] = [words.percent(each) for each in frame[signal]]
    shown["problems"] = [f"▲ {each}" if each else "✓ none" for each in frame["problems"]]
    for name in ("environments", "slos", "components", "depends_on"):
        shown[name] = [", ".join(each) for each in frame[name]]

    def pick() -> None:
        rows = st.session_state["catalogue-table"]["selection"]["rows"]
        if rows and rows[0] < len(frame):
            leave(View(app=str(frame["app"].iloc[rows[0]]), length=here.view.length))

    untrusted = ("title", "team", "tier")
    st.dataframe(
        tables.cleaned(shown.rename(columns={"depends_on": "depends on"}), untrusted),
        hide_index=True,
        key="catalogue-table",
        on_select=pick,
        selection_mode="single-row",
        placeholder=words.ABSENT,
        column_config={"app": st.column_config.TextColumn("app", pinned=True)},
    )
    st.caption("Select a row to open its app.")


def _problems(here: Visit, found: Sequence[Problem]) -> None:  # noqa: ARG001 - a panel's drawing
    if not found:
        st.success("The files have no problem.", icon=":material/check:")
        return
    st.dataframe(
        tables.cleaned(_rows(found), ("message", "hint", "file")),
        hide_index=True,
        key="problems-table",
        placeholder=words.ABSENT,
        column_config={"message": st.column_config.TextColumn("message", width="large")},
    )


def _rows(found: Sequence[Problem]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first file

    return pd.DataFrame(
        [
            {
                "severity": str(each.severity),
                "id": each.id,
                "message": each.message,
                "file": each.span.file if each.span else None,
                "line": each.span.line if each.span else None,
                "hint": each.hint,
            }
            for each in found
        ],
        columns=["severity", "id", "message", "file", "line", "hint"],
    )
