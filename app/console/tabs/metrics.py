"""Metrics: rate, errors and durations of requests, the SLO's indicator, and the app's parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    example,
    lines,
    pivoted,
    with_examples,
)
from app.console.frame import step
from app.console.panels import Panel, show
from app.console.state import SLICES, Tab, View
from app.console.visit import Visit, asked, change, go
from app.services.exemplars import latency_exemplars
from app.services.metrics import components, indicator_series, red
from collectors.readers.telemetry import Answered, Exemplar, TimeRange
from slo.errors import HeadroomError, UsageError
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT = 220
_EXAMPLES = 60
"""How many traced requests a chart shows at most."""
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
            table=lambda found: found.frame,
            empty=lambda found: not len(found.frame),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Requests over time, and some of them with their traces.

    ``examples`` has the columns time (ns), duration (ns), trace_id, route, status and failed.
    """

    frame: pd.DataFrame
    examples: pd.DataFrame


def _ask(here: Visit) -> Answered[Requests]:
    by = here.view.by or None
    found = red(here.world, here.scope, here.name, here.environment, here.range, by)
    try:
        named = latency_exemplars(here.world, here.scope, here.name, here.env, here.range)
    except HeadroomError as reason:
        # The requests are there all the same.
        without = Requests(frame=found.value, examples=shown_examples((), here.range))
        return replace(found.giving(without), notes=(*found.notes, f"traced requests: {reason}"))
    both = Requests(frame=found.value, examples=shown_examples(named.value, here.range))
    return replace(
        found.giving(both),
        source=", ".join(dict.fromkeys((found.source, named.source))),
        query="; ".join(each for each in (found.query, named.query) if each),
        partial=(*found.partial, *named.partial),
    )


def shown_examples(found: Sequence[Exemplar], span: TimeRange) -> pd.DataFrame:
    """The slowest traced request of each slice of a range, failed ones before others."""
    import pandas as pd  # noqa: PLC0415 - loaded with the first picture

    width = max(1, span.length // _EXAMPLES)
    chosen: dict[int, Exemplar] = {}
    for one in sorted(found, key=lambda each: (_failed(each), each.value)):
        chosen[(one.time - span.start) // width] = one
    return pd.DataFrame(
        [
            {
                "time": one.time,
                "duration": round(one.value * words.SECOND),
                "trace_id": one.trace_id,
                "route": one.labels.get("http_route"),
                "status": one.labels.get("http_response_status_code"),
                "failed": _failed(one),
            }
            for one in sorted(chosen.values(), key=lambda each: each.time)
        ],
        columns=["time", "duration", "trace_id", "route", "status", "failed"],
    )


def _failed(one: Exemplar) -> bool:
    status = one.labels.get("http_response_status_code") or one.labels.get("status") or ""
    return status.startswith("5")


def _by(here: Visit) -> None:
    st.session_state["red-by"] = here.view.by
    st.segmented_control(
        "Broken down by",
        SLICES,
        key="red-by",
        format_func=lambda each: each or "nothing",
        on_change=lambda: change(by=st.session_state["red-by"] or ""),
    )


def _red(here: Visit, found: Requests) -> None:
    with st.grid(min_column_width=340):
        for title, column, unit in _CHARTS:
            with st.container(gap="small"):
                st.markdown(f"{title}, {_subtitle(here, column)}")
                option = _lines(here, found.frame, column, unit)
                examples = found.examples if column == "p99" else None
                if examples is not None:
                    option = with_examples(option, examples, unit)
                zooming(option, f"red-{column}", f"{title} over time", examples)
    if here.view.by:
        left_out = pivoted(found.frame, "rate")[2]
        if left_out:
            st.caption(f"the eight busiest of {left_out + 8}; the CSV has all")
    _examples(here, found.examples)


def _subtitle(here: Visit, column: str) -> str:
    """What a chart shows, with its unit."""
    slowest = "the slowest 1 %, " if column == "p99" and here.view.by else ""
    return slowest + _SUBTITLES[column]


def _examples(here: Visit, examples: pd.DataFrame) -> None:
    """The points of the chart as a table, which keyboards reach."""
    if not len(examples):
        st.caption("No traced request is told by the metrics of this range.")
        return
    st.caption("◆ and ▲ (failed) are traced requests: select one to open its trace.")
    with st.expander(f"Traced requests in the chart: {len(examples)}"):
        newest = examples.iloc[::-1].reset_index(drop=True)
        shown = newest[["time"]].copy()
        shown["outcome"] = ["✕ failed" if each else "✓ ok" for each in newest["failed"]]
        shown["duration"] = [words.duration(each) for each in newest["duration"]]
        for name in ("route", "status", "trace_id"):
            shown[name] = newest[name]
        picked = st.dataframe(
            tables.cleaned(shown, ("route", "status", "trace_id")),
            hide_index=True,
            key="examples-table",
            height=min(300, 38 + 35 * len(shown)),
            on_select="rerun",
            selection_mode="single-row",
            placeholder=words.ABSENT,
            column_config={
                "time": st.column_config.DatetimeColumn("time (UTC)", format="MM-DD HH:mm:ss.SSS")
            },
        )
        rows = picked["selection"]["rows"]
        if rows and rows[0] < len(newest):
            step("Open its trace", _of_trace(here.view, str(newest["trace_id"].iloc[rows[0]])))


def _of_trace(view: View, trace: str) -> View:
    return replace(view, tab=Tab.TRACES, trace=trace, span=None, part=1)


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


def zooming(option: Option, key: str, alt: str, examples: pd.DataFrame | None = None) -> None:
    """A chart over time in which selecting a part makes it the page's range.

    A click on one of the ``examples`` opens its trace.
    """

    def zoom() -> None:
        event = st.session_state.get(key)
        part = brushed(event)
        if part is not None:
            change(start=part[0], end=part[1])
            return
        place = example(event)
        if examples is not None and place is not None and place < len(examples):
            view, _ = asked()
            go(_of_trace(view, str(examples["trace_id"].iloc[place])))

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
