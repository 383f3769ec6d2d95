"""Logs: how many, which, what they have in common, and new ones as they come."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.console import tables, words
from app.console.charts.series import brushed, by_level
from app.console.frame import choose, step
from app.console.panels import Panel, absent, show
from app.console.state import SEVERITIES, Tab, around
from app.console.tabs.traces import listed, log_columns
from app.console.visit import Visit, change, followed, visit
from app.services.logs import BUCKETS, histogram, search
from app.services.patterns import patterns
from collectors.readers.telemetry import Answered, LogQuery, TimeRange
from slo.logquery import LogQueryError, parse

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 200
_LONGEST_NAME = 400
_TAIL_SECONDS = 2.0
_ABOUT = ("text", "level")

_HELP = """
payment failed                  both words, anywhere in the message
"card declined"                 these words in this order
event.action: checkout          a field has this value
status: (500 or 503)            one of several values
host: web-*                     a value with a wildcard
attributes.retries >= 3         a number compared
trace_id: *                     a field that is there at all
not level: debug and (a or b)   combined
"""


def draw() -> None:
    """Draw the tab."""
    here = visit()
    _search(here)
    mistake = _mistake(here.view.text)
    if mistake is not None:
        st.error("This query cannot be read.")
        st.code(mistake, language=None)
        return
    show(
        Panel(
            title="Records over time",
            key="histogram",
            unit="log records by level; select a part with the brush to zoom",
            about=_ABOUT,
            ask=lambda here: histogram(here.world, here.scope, _query(here)),
            draw=_histogram,
            table=lambda frame: frame,
            says="No log record fits the query in this range.",
            height=200,
        )
    )
    tail = here.view.tail and not here.view.absolute
    show(
        Panel(
            title="Log records",
            key="logs",
            unit="newest first",
            about=None if tail else _ABOUT,
            ask=_newest if tail else lambda here: search(here.world, here.scope, _query(here)),
            draw=_records,
            table=lambda frame: frame,
            says="No log record fits the query in this range.",
            height=320,
        ),
        every=_TAIL_SECONDS if tail else None,
    )
    show(
        Panel(
            title="Patterns",
            key="patterns",
            unit="what log lines have in common, most frequent first",
            about=("text",),
            ask=lambda here: patterns(here.world, here.scope, here.where(), text=here.view.text),
            draw=_patterns,
            table=lambda frame: frame,
            says="There are no lines to find patterns in.",
            height=320,
        )
    )


def _query(here: Visit) -> LogQuery:
    level = here.view.level
    return LogQuery(
        where=here.where(),
        text=here.view.text,
        min_severity=SEVERITIES[level] if level else None,
        limit=_LISTED,
    )


def _search(here: Visit) -> None:
    view = here.view
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.session_state["logs-text"] = view.text
        st.text_input(
            "Search",
            key="logs-text",
            placeholder='words, "a phrase", field: value',
            on_change=lambda: change(text=st.session_state["logs-text"].strip()),
            width=420,
        )
        choose(
            "At least",
            [None, *SEVERITIES],
            view.level,
            key="logs-level",
            change_to=lambda level: change(level=level),
            show=lambda each: "any level" if each is None else str(each),
            width=130,
        )
        st.session_state["logs-tail"] = view.tail
        st.toggle(
            "Follow",
            key="logs-tail",
            disabled=view.absolute,
            help="show new records as they come; needs a range up to now",
            on_change=lambda: change(tail=st.session_state["logs-tail"]),
        )
        with st.popover("Language", type="tertiary"):
            st.code(_HELP.strip(), language=None)


def _mistake(text: str) -> str | None:
    """The query with a caret under its mistake; ``None`` when it can be read."""
    try:
        parse(text)
    except LogQueryError as error:
        shown = words.plain(text).replace("\n", " ")
        caret = " " * (error.column - 1) + "^"
        hint = f"\n{error.hint}" if error.hint else ""
        return f"{shown}\n{caret} {error}{hint}"
    return None


def _newest(here: Visit) -> Answered[pd.DataFrame]:
    """What came since the last look, before what was there; kept for this visitor alone."""
    import pandas as pd  # noqa: PLC0415 - loaded with the first tail

    query = _query(here)
    asked = (here.name, here.env, query.text, query.min_severity, here.scope.cache_key)
    before = st.session_state.get("logs-kept")
    if before is None or before[0] != asked or not len(before[1]):
        found = search(here.world, here.scope, query)
    else:
        known = before[1]
        found = search(here.world, here.scope, replace(query, after=int(known["cursor"].max())))
        joined = pd.concat([found.value, known]) if len(found.value) else known
        ordered = joined.sort_values("time", ascending=False, kind="stable")
        found = found.giving(ordered.head(_LISTED).reset_index(drop=True))
    st.session_state["logs-kept"] = (asked, found.value)
    return found


def _histogram(here: Visit, frame: pd.DataFrame) -> None:
    def zoom() -> None:
        part = brushed(st.session_state.get("histogram-chart"))
        if part is not None:
            change(start=part[0], end=part[1], tail=False)

    st.echarts_chart(
        by_level(frame, here.range, BUCKETS),
        height=190,
        key="histogram-chart",
        on_select=zoom,
        alt="log records over time by level",
    )
    total = int(frame["count"].sum())
    st.caption(f"{words.amount(total)} records")


def _records(here: Visit, frame: pd.DataFrame) -> None:
    names = [record_name(row) for row in frame.to_dict("records")]
    picked = st.dataframe(
        listed(frame),
        hide_index=True,
        key="logs-table",
        height=min(420, 38 + 35 * len(frame)),
        on_select="rerun",
        selection_mode="single-row",
        placeholder=words.ABSENT,
        column_config=log_columns(),
    )
    chosen = followed("logs-table", picked["selection"]["rows"], "record", names)
    if chosen is None:
        st.caption("Select a row to read a record in full.")
        return
    row = frame.iloc[names.index(chosen)] if chosen in names else _named(here, chosen)
    if row is None:
        absent("The record of this address is not there: it is another app's, or too old.")
        return
    _record(here, row)


def _record(here: Visit, row: pd.Series) -> None:
    with st.container(border=True, key="log-record"):
        with st.container(horizontal=True):
            trace = row["trace_id"]
            if isinstance(trace, str) and trace:
                start, end = around(int(row["time"]), 1800)
                view = replace(here.view, tab=Tab.TRACES, trace=trace, start=start, end=end)
                step("Its trace", view, icon=":material/timeline:")
            start, end = around(int(row["time"]), 60)
            near = replace(here.view, text="", level=None, tail=False, start=start, end=end)
            step("The minutes around it", near, icon=":material/unfold_more:")
        st.code(words.plain(row["body"]), language=None, wrap_lines=True)
        rest = row.drop(["body", "cursor"]).to_dict()
        st.code(words.described(rest), language=None, wrap_lines=True)


def record_name(row: Mapping[Hashable, Any]) -> str:
    """What a record is called in an address: when it was written, and a digest of what it says."""
    said = "\0".join(str(row[name]) for name in ("body", "trace_id", "span_id", "pod", "host"))
    return f"{row['time']}-{blake2b(said.encode(), digest_size=4).hexdigest()}"


def _named(here: Visit, name: str) -> pd.Series | None:
    """The record of an address, also where the list does not hold it any more."""
    digits = name.partition("-")[0]
    if not re.fullmatch(r"[0-9]{1,19}", digits):
        return None
    time = int(digits)
    where = replace(here.where(), range=TimeRange(start=time, end=time + 1))
    found = search(here.world, here.scope, LogQuery(where=where, limit=_LISTED)).value
    places = (at for at, row in enumerate(found.to_dict("records")) if record_name(row) == name)
    place = next(places, None)
    return None if place is None else found.iloc[place]


def _patterns(here: Visit, frame: pd.DataFrame) -> None:
    shown = frame[["pattern"]].copy()
    shown["new"] = ["✱ new" if each else "" for each in frame["new"]]
    shown["count"] = [words.amount(each) for each in frame["count"]]
    shown["share"] = [words.percent(each) for each in frame["share"]]
    shown["level"] = [words.LEVELS.get(str(each), str(each)) for each in frame["level"]]
    shown["trend"] = frame["trend"]
    shown["first seen"] = [words.age(each, here.now) for each in frame["first_seen"]]
    shown["last seen"] = [words.age(each, here.now) for each in frame["last_seen"]]
    picked = st.dataframe(
        tables.cleaned(shown, ("pattern",)),
        hide_index=True,
        key="patterns-table",
        height=min(420, 38 + 35 * len(frame)),
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "pattern": st.column_config.TextColumn("pattern", width="large"),
            "trend": st.column_config.BarChartColumn("trend over the range", y_min=0),
        },
    )
    names = [str(each)[:_LONGEST_NAME] for each in frame["pattern"]]
    chosen = followed("patterns-table", picked["selection"]["rows"], "pattern", names)
    if chosen is None:
        st.caption("✱ was not seen in as long a time before. Select a row for an example.")
        return
    place = next((at for at, name in enumerate(names) if alike(name, chosen)), None)
    if place is None:
        absent("The pattern of this address was not seen in this range.")
    else:
        _pattern(here, frame.iloc[place])


def alike(first: str, second: str) -> bool:
    """Whether two patterns may be one, of which more has been found to vary meanwhile."""
    words_of = [each.split() for each in (first, second)]
    return len(words_of[0]) == len(words_of[1]) and all(
        one == other or "<" in one + other for one, other in zip(*words_of, strict=True)
    )


def _pattern(here: Visit, row: pd.Series) -> None:
    with st.container(border=True, key="pattern-detail"):
        st.code(words.plain(row["pattern"]), language=None, wrap_lines=True)
        st.code(words.plain(row["example"]), language=None, wrap_lines=True)
        trace = row["trace_id"]
        if isinstance(trace, str) and trace:
            view = replace(here.view, tab=Tab.TRACES, trace=trace)
            step("The example's trace", view, icon=":material/timeline:")
