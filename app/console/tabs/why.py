"""Why: whose fault the bad events are, adding up to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.console import tables, words
from app.console.charts.budgets import blamed, called
from app.console.frame import step
from app.console.panels import Panel, absent, show
from app.console.state import Tab
from app.console.visit import Visit, change
from app.services.attribution import attribution
from app.services.results import Attribution
from collectors.readers.telemetry import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

_ROW = 34


def draw() -> None:
    """Draw the tab."""
    show(
        Panel(
            title="Who spends the budget",
            key="why",
            unit="shares of bad events over the SLO's window, with the window before",
            ask=lambda here: attribution(
                here.world, here.scope, here.name, here.env, here.view.slo, at=here.now
            ),
            draw=_draw,
            table=lambda found: found.rows,
            empty=lambda found: not found.total,
            says="No event of this SLO was counted in its window.",
            height=380,
        )
    )


def _draw(here: Visit, found: Attribution) -> None:
    ratio = found.bad / found.total
    st.markdown(
        f"**{found.slo}**: {words.amount(found.bad)} bad of {words.amount(found.total)} events "
        f"({words.percent(ratio, 3)}), {words.instant(found.window.start)} to "
        f"{words.instant(found.window.end)}"
    )
    if found.factor is not None:
        st.caption(
            f"from {found.basis}; one sampled bad event stands for {found.factor:,.1f} of the SLO's"
        )
    for note in found.notes:
        st.text(words.plain(f"• {note}"))
    if not found.bad:
        st.success("Nothing was bad in this window: 0 bad events.", icon=":material/check:")
        return
    if not len(found.rows):
        absent("The bad events cannot be told apart by route, pod, version or dependency.")
        return
    st.echarts_chart(
        blamed(found.rows, found.remainder),
        height=56 + _ROW * (len(found.rows) + 1),
        key="why-chart",
        alt="share of bad events by combination; the table below has the same numbers",
    )
    rows = found.rows.to_dict("records")
    st.dataframe(
        _shown(found),
        hide_index=True,
        key="why-table",
        on_select=lambda: _pick(rows),
        selection_mode="single-row",
        placeholder="any",
        column_config={
            "share": st.column_config.TextColumn("share of bad events"),
            "change": st.column_config.TextColumn("change", help="against the window before"),
        },
    )
    st.caption(f"everything else: {words.percent(found.remainder)} of bad events")
    _detail(here, found, rows)


def _pick(rows: list[dict[Any, Any]]) -> None:
    places = st.session_state["why-table"]["selection"]["rows"]
    row = rows[places[0]] if places and places[0] < len(rows) else {}
    change(**{name: _text(row.get(name)) for name in DIMENSIONS})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _shown(found: Attribution) -> pd.DataFrame:
    rows = found.rows
    shown = rows[list(DIMENSIONS)].copy()
    shown["bad"] = [words.amount(each) for each in rows["bad"]]
    shown["share"] = [words.percent(each) for each in rows["share"]]
    shown["change"] = [words.points(each) for each in rows["change"]]
    shown["error ratio"] = [words.percent(each, 2) for each in rows["error_ratio"]]
    shown["before"] = [words.percent(each, 2) for each in rows["error_ratio_before"]]
    cleaned: pd.DataFrame = tables.cleaned(shown, DIMENSIONS)
    return cleaned


def _detail(here: Visit, found: Attribution, rows: list[dict[Any, Any]]) -> None:
    """The row that the address names, else the first: its traces, patterns and deploys."""
    wanted = {name: getattr(here.view, name) for name in DIMENSIONS}
    row = next((r for r in rows if all(_text(r[n]) == wanted[n] for n in DIMENSIONS)), rows[0])
    with st.container(border=True, key="why-row"):
        st.markdown("Selected combination")
        st.code(called(row), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            _links(here, row)
        patterns = [str(each) for each in row.get("patterns") or ()]
        if patterns:
            st.markdown("Log patterns of its failing requests that others do not write")
            for pattern in patterns:
                st.code(words.plain(pattern), language=None, wrap_lines=True)
        else:
            st.caption("No log pattern stands out in its failing requests.")
        _coinciding(found)


def _links(here: Visit, row: Mapping[Any, Any]) -> None:
    view = here.view.but({name: _text(row.get(name)) for name in DIMENSIONS})
    trace = _text(row.get("trace_id"))
    if trace:
        step(
            "An example trace",
            replace(view, tab=Tab.TRACES, trace=trace),
            icon=":material/timeline:",
        )
        logs = replace(here.view, tab=Tab.LOGS, text=f"trace_id: {trace}", level=None)
        step("Its log records", logs, icon=":material/notes:")
    failing = replace(view, tab=Tab.TRACES, failed=True, trace=None)
    step("All its failing traces", failing, icon=":material/list:")
    step("Deploys", replace(here.view, tab=Tab.DEPLOYS), icon=":material/rocket_launch:")


def _coinciding(found: Attribution) -> None:
    if not found.coinciding:
        return
    st.markdown("What coincides")
    for each in found.coinciding:
        sign = words.KINDS.get(each.kind, each.kind)
        st.text(words.plain(f"{sign} {words.instant(each.time)} {each.title} {each.detail}"))
