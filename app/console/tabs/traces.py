"""Traces: a heatmap to select from, the list, and one trace with its log records inside."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.console import tables, words
from app.console.charts.traces import PAGE, Cells, chosen, heatmap, waterfall
from app.console.frame import step
from app.console.panels import Panel, absent, incomplete, show
from app.console.state import Tab
from app.console.visit import Visit, change, visit
from app.services.logs import search
from app.services.traces import SLICES, traces
from app.services.traces import heatmap as durations
from app.services.traces import trace as one_trace
from collectors.readers.telemetry import Answered, Filter, LogQuery, TraceOrder, TraceQuery
from slo.errors import HeadroomError

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 200
_MILLISECOND = 1_000_000
_FILTERS = ("route", "pod", "version")
_MOST_LOGS = 200


def draw() -> None:
    """Draw the tab."""
    # Two panels need it, and would load it at the same time.
    import_module("plotly.tools")
    if visit().view.trace is not None:
        _one()
    show(
        Panel(
            title="Durations",
            key="heatmap",
            unit="requests by time and duration; drag a box to list its traces",
            about=("failed", *_FILTERS),
            ask=lambda here: durations(here.world, here.scope, _query(here, part=False)),
            draw=_heatmap,
            table=lambda frame: frame,
            says="No request was traced in this range.",
            controls=_filters,
            height=280,
        )
    )
    show(
        Panel(
            title="Traces",
            key="traces",
            unit="a row for each request that entered the app",
            about=("failed", "order", "at_least", "below", "part_start", "part_end", *_FILTERS),
            ask=lambda here: traces(here.world, here.scope, _query(here, part=True)),
            draw=_list,
            table=lambda frame: frame,
            says="No trace fits what is selected.",
            height=300,
        )
    )


def _query(here: Visit, *, part: bool) -> TraceQuery:
    view = here.view
    filters = tuple(
        Filter(field=name, value=value)
        for name in _FILTERS
        if (value := getattr(view, name)) is not None
    )
    return TraceQuery(
        where=here.where(part=part, filters=filters),
        failed=view.failed,
        at_least=view.at_least * _MILLISECOND if part and view.at_least else None,
        below=view.below * _MILLISECOND if part and view.below else None,
        order=view.order,
        limit=_LISTED,
    )


def _filters(here: Visit) -> None:
    view = here.view
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.session_state["traces-failed"] = view.failed
        st.toggle(
            "Failed only",
            key="traces-failed",
            on_change=lambda: change(failed=st.session_state["traces-failed"]),
        )
        st.session_state["traces-order"] = view.order.value
        st.segmented_control(
            "Order",
            [each.value for each in TraceOrder],
            key="traces-order",
            label_visibility="collapsed",
            on_change=lambda: change(
                order=TraceOrder(st.session_state["traces-order"] or TraceOrder.NEWEST)
            ),
        )
        narrowed = [f"{name} {getattr(view, name)}" for name in _FILTERS if getattr(view, name)]
        if view.at_least is not None or view.part_start is not None:
            narrowed.append("a box in the heatmap")
        for each in narrowed:
            st.text(words.plain(each))
        if narrowed:
            everything = here.view.but({**_NOTHING, **dict.fromkeys((*_FILTERS, "dependency"))})
            step("Clear", everything)


_NOTHING = dict.fromkeys(("at_least", "below", "part_start", "part_end"))


def _heatmap(here: Visit, frame: pd.DataFrame) -> None:
    def pick() -> None:
        cells = chosen(st.session_state["heatmap-chart"], frame, here.range, SLICES)
        change(**(_NOTHING if cells is None else _as_view(cells)))

    st.plotly_chart(
        heatmap(frame, here.range),
        key="heatmap-chart",
        on_select=pick,
        selection_mode=("box", "points"),
        config={"displayModeBar": False, "displaylogo": False},
        alt="requests by time and duration",
    )


def _as_view(cells: Cells) -> dict[str, object]:
    return {
        "part_start": cells.start,
        "part_end": cells.end,
        "at_least": cells.at_least,
        "below": cells.below,
    }


def _list(_: Visit, frame: pd.DataFrame) -> None:
    ids = list(frame["trace_id"])
    shown = frame[["time"]].copy()
    shown["status"] = ["✕ error" if each == "error" else "✓ ok" for each in frame["status"]]
    shown["duration"] = [words.duration(each) for each in frame["duration"]]
    shown["request"] = frame["name"]
    shown["http"] = [words.amount(e) if words.known(e) else None for e in frame["http_status"]]
    for name in ("component", "version", "pod", "spans", "trace_id"):
        shown[name] = frame[name]

    def pick() -> None:
        rows = st.session_state["traces-table"]["selection"]["rows"]
        if rows and rows[0] < len(ids):
            change(trace=str(ids[rows[0]]), part=1, span=None)

    st.dataframe(
        tables.cleaned(shown, ("request", "component", "version", "pod", "trace_id")),
        hide_index=True,
        key="traces-table",
        height=min(420, 38 + 35 * len(frame)),
        on_select=pick,
        selection_mode="single-row",
        placeholder=words.ABSENT,
        column_config={
            "time": st.column_config.DatetimeColumn("time (UTC)", format="YYYY-MM-DD HH:mm:ss.SSS"),
            "http": st.column_config.TextColumn("HTTP"),
        },
    )
    st.caption("Select a row to open its trace.")
    if len(frame) >= _LISTED:
        st.caption(f"the first {_LISTED}; narrow the range or the box to see others")


def _one() -> None:
    show(
        Panel(
            title="Trace",
            key="trace",
            unit="◆ on the critical path, ✕ failed; yellow marks are log records",
            about=("trace",),
            ask=_ask_one,
            draw=_trace,
            table=lambda frame: frame,
            says="No span of this app has this trace id, at this time or ever.",
            height=320,
        )
    )


def _ask_one(here: Visit) -> Answered[pd.DataFrame]:
    wanted = here.view.trace or ""
    found = one_trace(here.world, here.scope, here.name, wanted, here.range)
    if len(found.value):
        return found
    # A pasted address may name a trace from before the range.
    return one_trace(here.world, here.scope, here.name, wanted)


def _trace(here: Visit, frame: pd.DataFrame) -> None:
    view = here.view
    pages = -(-len(frame) // PAGE)
    page = min(view.part, pages)
    part = frame.iloc[(page - 1) * PAGE : page * PAGE].reset_index(drop=True)
    logs = _logs(here, frame)
    length = int(frame["end"].max()) - int(frame["time"].min())
    failed = int((frame["status"] == "error").sum())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(
            f"{words.duration(length)}, {len(frame)} spans, {failed} failed, "
            f"{len(logs)} log records, began {words.instant(frame['time'].min())}"
        )
        query = replace(view, tab=Tab.LOGS, text=f"trace_id: {view.trace}", level=None)
        step("Logs of this trace", query, icon=":material/notes:")
        step("Close", replace(view, trace=None, span=None, part=1), icon=":material/close:")
    st.code(str(view.trace), language=None)
    if pages > 1:
        st.session_state["trace-page"] = page
        st.pagination(
            pages,
            key="trace-page",
            on_change=lambda: change(part=st.session_state["trace-page"]),
        )
    times = {
        str(span): [int(each) for each in group["time"]] for span, group in logs.groupby("span_id")
    }
    st.plotly_chart(
        waterfall(part, times),
        key="waterfall",
        on_select=lambda: _pick(part),
        selection_mode="points",
        config={"displayModeBar": False, "displaylogo": False},
        alt="the spans of the trace over time; the table below has the same",
    )
    _span(here, frame, logs)


def _pick(part: pd.DataFrame) -> None:
    points = st.session_state["waterfall"]["selection"]["points"]
    rows = [int(each["y"]) for each in points if isinstance(each.get("y"), int | float)]
    change(span=str(part["span_id"].iloc[rows[0]]) if rows and rows[0] < len(part) else None)


def _logs(here: Visit, frame: pd.DataFrame) -> pd.DataFrame:
    """The trace's log records; a trace without them is still one."""
    start, end = int(frame["time"].min()), int(frame["end"].max())
    where = replace(
        here.where(),
        range=replace(here.range, start=start - 60 * words.SECOND, end=end + 60 * words.SECOND),
    )
    query = LogQuery(where=where, trace_id=here.view.trace, limit=_MOST_LOGS)
    try:
        found = search(here.world, here.scope, query)
    except HeadroomError as reason:
        st.text(words.plain(f"◐ its log records could not be read: {reason}"))
        return frame.iloc[:0]
    incomplete(found)
    return found.value


def _span(here: Visit, frame: pd.DataFrame, logs: pd.DataFrame) -> None:
    """The selected span in full, or the trace's spans and log records as tables."""
    chosen_span = frame[frame["span_id"] == here.view.span]
    if len(chosen_span):
        row = chosen_span.iloc[0]
        with st.container(border=True):
            st.markdown("Selected span")
            st.code(words.described(row.to_dict()), language=None, wrap_lines=True)
        logs = logs[logs["span_id"] == here.view.span]
    else:
        shown = frame[["name", "service"]].copy()
        shown["took"] = [words.duration(each) for each in frame["duration"]]
        shown["itself"] = [words.duration(each) for each in frame["self_time"]]
        shown["critical"] = ["◆" if each else "" for each in frame["critical"]]
        shown["status"] = ["✕ error" if each == "error" else "" for each in frame["status"]]
        shown["peer"] = frame["peer"]
        with st.expander("Spans as a table"):
            st.dataframe(
                tables.cleaned(shown, ("name", "service", "peer")),
                hide_index=True,
                key="spans-table",
                placeholder=words.ABSENT,
            )
    if not len(logs):
        absent("No log record names this trace.")
        return
    st.markdown("Log records inside")
    st.dataframe(
        listed(logs),
        hide_index=True,
        key="trace-logs",
        height=min(300, 38 + 35 * len(logs)),
        placeholder=words.ABSENT,
        column_config=log_columns(),
    )


def listed(logs: pd.DataFrame) -> pd.DataFrame:
    """Log records as a table: levels with their signs, messages on one line."""
    shown = logs[["time"]].copy()
    shown["level"] = [words.LEVELS[words.level(each)] for each in logs["severity"]]
    for name in ("body", "component", "version", "pod", "host"):
        shown[name] = logs[name]
    cleaned: pd.DataFrame = tables.cleaned(shown, ("body", "component", "version", "pod", "host"))
    return cleaned


def log_columns() -> dict[str, Any]:
    """How the columns of log records look."""
    return {
        "time": st.column_config.DatetimeColumn("time (UTC)", format="MM-DD HH:mm:ss.SSS"),
        "body": st.column_config.TextColumn("message", width="large"),
    }
