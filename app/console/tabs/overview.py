"""Overview: may I ship, what is left of each budget, and what happened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import streamlit as st

from app.console import host, tables, words
from app.console.charts.budgets import burn_down
from app.console.charts.budgets import timeline as picture
from app.console.frame import step
from app.console.panels import Panel, absent, show
from app.console.state import Tab, View
from app.console.visit import Visit, deciding, followed
from app.reports.gate_words import origin, remedies, speaking, ways_out
from app.services.notable import notable
from app.services.overview import cards, timeline
from app.services.results import Happening, SloCard
from app.services.verdict import verdict
from collectors.readers.telemetry import Answered
from slo.errors import SourceError
from slo.gate.decision import Decision
from slo.gate.findings import Effect, Finding

if TYPE_CHECKING:
    import pandas as pd

_MOST_HAPPENINGS = 300


def draw() -> None:
    """Draw the tab."""
    show(
        Panel(
            title="May I ship?",
            key="verdict",
            # A decision is never an old one.
            about=None,
            ask=_decide,
            draw=_verdict,
            height=110,
        )
    )
    show(
        Panel(
            title="SLOs",
            key="cards",
            unit="each over its own window",
            ask=_cards,
            draw=_draw_cards,
            table=_rows,
            says="This app has no SLO in this environment.",
            height=240,
        )
    )
    show(
        Panel(
            title="Timeline",
            key="timeline",
            unit="UTC",
            ask=_ask_timeline,
            draw=_timeline,
            table=_listed,
            says="Nothing happened in this range: no alert, no deploy, no decision.",
            height=180,
        )
    )


def _decide(here: Visit) -> Answered[Decision]:
    telemetry = host.installed().telemetry
    with deciding() as decided, telemetry.timed("headroom_gate_duration_seconds"):
        found = verdict(here.world, here.scope, here.name, here.env, here.now)
        decided(found.value.effect)
    return found


def _ask_timeline(here: Visit) -> Answered[tuple[Happening, ...]]:
    """What happened, with new patterns where logs can be read."""
    try:
        patterns = notable(here.world, here.scope, here.where())
    except SourceError as reason:
        found = timeline(here.world, here.scope, here.name, here.env, here.range)
        return replace(found, partial=(*found.partial, f"log patterns: {reason}"))
    return timeline(
        here.world, here.scope, here.name, here.env, here.range, patterns=patterns.value
    )


def _verdict(here: Visit, decision: Decision) -> None:
    colour = words.COLOURS[decision.effect]
    st.subheader(
        f":{colour}[{words.DECISIONS[decision.effect]}] {words.HEADLINES[decision.effect]}",
        anchor=False,
    )
    if not decision.enforced:
        st.text("The policy only observes: nothing is stopped.")
    st.text(words.plain(decision.summary))
    against = list(speaking(decision))
    if against:
        st.markdown("**Why**")
        st.text(words.bullets(map(_said, against)))
    contacts = here.app.contacts if here.app else None
    people = ways_out(decision, contacts)
    columns = (
        ("What to do", remedies(decision)),
        ("What would turn it", decision.turns),
        ("Who can say so", people),
    )
    with st.grid(min_column_width=260):
        for title, lines in columns:
            if lines:
                with st.container(gap="small"):
                    st.markdown(f"**{title}**")
                    st.text(words.bullets(lines))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"decided at {words.instant(decision.evaluated_at)} by {_by(decision)}")
        if decision.effect is not Effect.ALLOW:
            step("Why is the budget going?", replace(here.view, tab=Tab.WHY))


def _said(found: Finding) -> str:
    """What a rule found, with the SLO it is about."""
    named = found.slo is None or found.message.startswith(f"{found.slo}:")
    return found.message if named else f"{found.slo}: {found.message}"


def _by(decision: Decision) -> str:
    return words.unmarked(origin(decision))


def _cards(here: Visit) -> Answered[tuple[SloCard, ...]]:
    found = cards(here.world, here.scope, here.name, here.env, here.now)
    seen = [c.evaluation.reading.observed_at for c in found if c.evaluation.reading.observed_at]
    return Answered(
        value=found,
        source=", ".join(dict.fromkeys(each.source for each in found)),
        query="\n".join(dict.fromkeys(each.query for each in found)),
        observed_at=max(seen, default=None),
        partial=tuple(
            dict.fromkeys(name for each in found for name in each.evaluation.reading.partial)
        ),
    )


def _draw_cards(here: Visit, found: Sequence[SloCard]) -> None:
    with st.grid(min_column_width=270):
        for card in found:
            with st.container(border=True, gap="small", key=f"slo-{card.evaluation.key.slo}"):
                _card(here, card)
    chosen = _chosen(found, here.view.slo)
    if chosen is None:
        return
    name = chosen.evaluation.key.slo
    st.markdown(f"Burn-down of **{name}**: what is left of its budget")
    if chosen.burn_down is None or not len(chosen.burn_down):
        absent("How the events spread over the window is not known.")
        return
    st.echarts_chart(
        burn_down(chosen.burn_down, chosen.forecast, here.now),
        height=280,
        key="burn-down",
        alt=f"what is left of the error budget of {name} over its window, in percent",
    )


def _chosen(found: Sequence[SloCard], name: str | None) -> SloCard | None:
    """The SLO that the address names, else the one with the least budget."""
    for card in found:
        if card.evaluation.key.slo == name:
            return card
    judged = [card for card in found if card.evaluation.budget is not None]
    return min(judged, key=_left, default=next(iter(found), None))


def _left(card: SloCard) -> float:
    assert card.evaluation.budget is not None
    return float(card.evaluation.budget.remaining)


def _card(here: Visit, card: SloCard) -> None:
    one = card.evaluation
    slo = one.level.slo
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{slo.name}**", width="content")
        st.badge(words.STATES[one.state], color=words.COLOURS[one.state])  # type: ignore[arg-type]  # names of Streamlit's colours
    about = f"objective {slo.objective.text} % over {slo.window}"
    st.text(words.plain(f"{slo.title}\n{about}" if slo.title else about))
    if one.budget is None:
        absent(words.unmarked(one.no_data.detail if one.no_data else ""))
    else:
        st.metric("budget left", words.percent(one.budget.remaining))
        st.progress(max(0.0, min(1.0, float(one.budget.remaining))))
        st.text(_spent(card))
    st.text(words.sentence(card.forecast, here.now))
    if card.notes:
        st.caption(words.unmarked("; ".join(card.notes)))
    with st.container(horizontal=True, gap="small"):
        step("Burn-down", replace(here.view, slo=slo.name), of=slo.name)
        step("Why?", replace(here.view, tab=Tab.WHY, slo=slo.name), of=slo.name)


def _spent(card: SloCard) -> str:
    """What is left in events, and how fast the rest goes, in two lines."""
    one = card.evaluation
    assert one.budget is not None
    unit = "failures" if one.level.slo.indicator.counts_events else "bad seconds"
    left, allowed = words.amount(one.budget.failures_left), words.amount(one.budget.allowed)
    shortest_first = sorted(one.burn_rates.items(), key=lambda each: each[0].milliseconds)
    rates = ", ".join(f"{window} {words.times(rate)}" for window, rate in shortest_first)
    return f"{left} of {allowed} {unit} left\nburn rate {rates}"


def _rows(found: Sequence[SloCard]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first file

    return pd.DataFrame(
        [
            {
                "slo": c.evaluation.key.slo,
                "state": str(c.evaluation.state),
                "objective_percent": c.evaluation.level.slo.objective.text,
                "window": str(c.evaluation.level.slo.window),
                "budget_remaining": None
                if c.evaluation.budget is None
                else float(c.evaluation.budget.remaining),
                "error_ratio": None
                if c.evaluation.error_ratio is None
                else float(c.evaluation.error_ratio),
                "forecast": str(c.forecast.outlook),
            }
            for c in found
        ]
    )


def _timeline(here: Visit, found: Sequence[Happening]) -> None:
    st.echarts_chart(
        picture(found, here.range),
        height=60 + 34 * len({each.kind for each in found}),
        key="timeline-chart",
        alt="alerts, deploys, patterns and decisions over time; the table below has the same",
    )
    newest = sorted(found, key=lambda each: -each.time)[:_MOST_HAPPENINGS]
    frame = _listed(newest)
    frame["kind"] = [words.KINDS.get(each.kind, each.kind) for each in newest]
    frame["lasted"] = [
        ""
        if each.kind != "alert"
        else "still firing"
        if each.end is None
        else words.duration(each.end - each.time)
        for each in newest
    ]
    picked = st.dataframe(
        tables.cleaned(
            frame[["time", "kind", "severity", "title", "detail", "lasted"]], ("title", "detail")
        ),
        hide_index=True,
        key="timeline-table",
        height=min(320, 38 + 35 * len(frame)),
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "time": st.column_config.DatetimeColumn("time (UTC)", format="YYYY-MM-DD HH:mm:ss"),
            "detail": st.column_config.TextColumn("detail", width="large"),
        },
    )
    names = [event_name(each) for each in newest]
    chosen = followed("timeline-table", picked["selection"]["rows"], "event", names)
    about = None if chosen is None else named_event(chosen, newest)
    if about is not None:
        with st.container(border=True, key="timeline-event"):
            st.text(words.plain(f"{words.instant(about.time)} {about.title}\n{about.detail}"))
            step("Open what this is about", linked(here.view, about))


def named_event(name: str, found: Sequence[Happening]) -> Happening | None:
    """The event of an address: when alerts began is worked out anew, and differs by a step."""
    time, _, digest = name.partition("-")
    near = [each for each in found if event_name(each).partition("-")[2] == digest]
    if not near or not re.fullmatch(r"[0-9]{1,12}", time):
        return None
    return min(near, key=lambda each: abs(each.time // words.SECOND - int(time)))


def event_name(happening: Happening) -> str:
    """What an event is called in an address: its second, and a digest of what it is."""
    said = f"{happening.kind}\0{happening.title}"
    second = happening.time // words.SECOND
    return f"{second}-{blake2b(said.encode(), digest_size=4).hexdigest()}"


def linked(view: View, happening: Happening) -> View:
    """The view that shows what happened, around when it did."""
    wanted = {"app": view.app or "", **happening.link}
    known, _ = View.read({key: value for key, value in wanted.items() if value})
    around = 1800
    start = happening.time // words.SECOND - around
    end = (happening.end or happening.time) // words.SECOND + around
    return replace(known, app=view.app, env=view.env, start=start, end=end, refresh=view.refresh)


def _listed(found: Sequence[Happening]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first file

    columns = ("time", "end", "kind", "severity", "title", "detail")
    return pd.DataFrame(
        [{name: getattr(each, name) for name in columns} for each in found], columns=list(columns)
    )
