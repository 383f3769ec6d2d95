"""Deploys: what changed after each, with how much is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from app.console import words
from app.console.frame import step
from app.console.panels import Panel, show
from app.console.state import Tab, around
from app.console.visit import Visit
from app.services.deploys import deploys
from app.services.results import DeployReport, Estimate

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = {"worse": "red", "better": "green"}
_MEASURES = (("errors", "failed requests", False), ("p50", "median", True), ("p99", "99 %", True))


def draw() -> None:
    """Draw the tab."""
    show(
        Panel(
            title="Deploys",
            key="deploys",
            unit="before and after, with sample sizes and the interval of the change",
            ask=lambda here: deploys(
                here.world, here.scope, here.name, here.environment, here.range
            ),
            draw=_draw,
            table=_rows,
            says="No deploy was told and no new version was seen in this range.",
            height=260,
        )
    )


def _draw(here: Visit, found: Sequence[DeployReport]) -> None:
    for place, each in enumerate(sorted(found, key=lambda one: -one.time)):
        with st.container(border=True, gap="small", key=f"deploy-{place}"):
            _deploy(here, each, str(place))


def _deploy(here: Visit, one: DeployReport, place: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(
            words.verdict(one.verdict),
            color=_COLOURS.get(one.verdict, "gray"),  # type: ignore[arg-type]  # names of Streamlit's colours
        )
        after = f", after {one.previous}" if one.previous else ""
        st.text(words.plain(f"{one.component or 'app'} {one.version or 'unknown'}{after}"))
        st.text(f"{words.instant(one.time)}, {words.age(one.time, here.now)}")
    st.text("told by the pipeline" if one.told else "seen in telemetry; nobody told")
    said = {"title": one.title, "commit": one.commit, "by": one.actor, "at": one.url}
    told = [f"{name} {value}" for name, value in said.items() if value]
    if told:
        st.text(words.plain(", ".join(told)))
    with st.grid(min_column_width=260):
        for field, title, durations in _MEASURES:
            with st.container(gap="small"):
                st.markdown(f"**{title}**")
                st.text(words.compared(getattr(one, field), durations=durations))
    with st.container(horizontal=True):
        start, end = around(one.time, 3600)
        near = replace(here.view, start=start, end=end)
        step("Requests by version", replace(near, tab=Tab.METRICS, by="version"), of=place)
        newer = replace(near, tab=Tab.TRACES, failed=True, version=one.version)
        step("Failing traces of this version", newer, of=place)


def _rows(found: Sequence[DeployReport]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first file

    names = (
        "time",
        "component",
        "version",
        "previous",
        "told",
        "verdict",
        "commit",
        "actor",
        "url",
    )
    return pd.DataFrame(
        [
            {
                **{name: getattr(each, name) for name in names},
                **{
                    f"{field}_{part}": value
                    for field, _, _ in _MEASURES
                    for part, value in _parts(getattr(each, field)).items()
                },
            }
            for each in found
        ]
    )


def _parts(one: Estimate) -> dict[str, float | None]:
    return {
        "before": one.before,
        "after": one.after,
        "before_count": one.before_count,
        "after_count": one.after_count,
        "low": one.low,
        "high": one.high,
    }
