"""The Fleet page: who needs attention, and a table of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.console import tables, words
from app.console.frame import choose, page_link
from app.console.panels import Panel, show
from app.console.state import View
from app.console.visit import APP, Visit, change, deciding, leave
from app.services.cost import cost
from app.services.fleet import fleet
from app.services.results import Cost
from collectors.readers.telemetry import Answered
from slo.gate.findings import Effect

if TYPE_CHECKING:
    import pandas as pd

_MOST_CARDS = 6
_CALM = {"allow", "warn"}
_ORDER = {"deny": 0, "indeterminate": 1, "warn": 2, "allow": 3}


def draw() -> None:
    """Draw the page."""
    show(
        Panel(
            title="Apps",
            key="fleet",
            unit="budgets are shares of each SLO's own window",
            # The gate's answer is in it, and that is never an old one.
            about=None,
            ask=_ask,
            draw=_table,
            table=lambda frame: frame,
            says="No app is in this workspace, or none that fits the filters.",
            controls=_filters,
            height=320,
        )
    )
    show_cost()


def show_cost() -> None:
    """Draw what the telemetry of the chosen range costs; two pages have it."""
    show(
        Panel(
            title="What the telemetry costs",
            key="cost",
            unit="in the chosen range",
            ask=lambda here: cost(here.world, here.scope, here.range),
            draw=draw_cost,
            empty=lambda found: not len(found.rows),
            table=lambda found: found.rows,
        )
    )


def _ask(here: Visit) -> Answered[pd.DataFrame]:
    view, world = here.view, here.world
    with deciding() as decided:
        found = fleet(world, here.scope, here.now, team=view.team, tier=view.tier, env=view.env)
        for effect in found.value["decision"]:
            decided(effect if effect in set(Effect) else Effect.INDETERMINATE)
    return found


def _filters(here: Visit) -> None:
    teams = sorted({app.team for app in here.apps})
    tiers = sorted({app.labels["tier"] for app in here.apps if "tier" in app.labels})
    with st.container(horizontal=True, gap="small"):
        for label, names in (("Team", teams), ("Tier", tiers)):
            field = label.lower()
            choose(
                label,
                [None, *names],
                getattr(here.view, field),
                key=f"fleet-{field}",
                change_to=partial(_narrow, field),
                show=lambda each: "all" if each is None else str(each),
                width=140,
            )


def _narrow(field: str, chosen: str | None) -> None:
    change(**{field: chosen})


def _table(here: Visit, found: pd.DataFrame) -> None:
    unsorted = found.to_dict("records")
    order = sorted(range(len(unsorted)), key=lambda place: _urgency(unsorted[place]))
    frame, rows = found.iloc[order], [unsorted[place] for place in order]
    worst = [row for row in rows if row["decision"] not in _CALM or row["state"] == "burning"]
    if worst:
        st.markdown("Needs attention")
        with st.grid(min_column_width=260):
            for row in worst[:_MOST_CARDS]:
                _card(here, row)

    def pick() -> None:
        places = st.session_state["fleet-table"]["selection"]["rows"]
        if places and places[0] < len(rows):
            leave(_of(here.view, rows[places[0]]))

    st.dataframe(
        _shown(here, frame),
        hide_index=True,
        key="fleet-table",
        on_select=pick,
        selection_mode="single-row",
        column_config=_columns(),
        placeholder=words.ABSENT,
    )
    st.caption("Select a row to open its app.")


def _urgency(row: Mapping[Any, Any]) -> tuple[int, float]:
    """What comes first: what may not ship, then what nobody can tell, then what has least left."""
    left = row["budget_remaining"]
    rank = _ORDER.get(row["decision"], len(_ORDER))
    return rank, float(left) if words.known(left) else 1.0


def _of(view: View, row: Mapping[Any, Any]) -> View:
    """The App page of a row, at the same range."""
    slo = row["slo"] if isinstance(row["slo"], str) else None
    return replace(
        View(),
        app=row["app"],
        env=row["env"],
        slo=slo,
        length=view.length,
        start=view.start,
        end=view.end,
        refresh=view.refresh,
    )


def _card(here: Visit, row: Mapping[Any, Any]) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            page_link(f"**{row['app']}** {row['env']}", APP, _of(here.view, row))
            st.badge(
                words.DECISIONS.get(row["decision"], row["decision"]),
                color=words.COLOURS.get(row["decision"], "gray"),  # type: ignore[arg-type]  # names of Streamlit's colours
            )
        left = words.percent(row["budget_remaining"])
        slo = row["slo"] if isinstance(row["slo"], str) else "no SLO"
        state = words.STATES.get(row["state"], row["state"])
        st.text(f"{slo}: {state}\nbudget left {left}, burn rate {words.times(row['burn_rate'])}")
        st.caption(words.unmarked(row["why"] or ""))


def _shown(here: Visit, frame: pd.DataFrame) -> pd.DataFrame:
    shown = tables.with_times(frame)
    shown["state"] = [words.STATES.get(each, each) for each in frame["state"]]
    shown["decision"] = [words.DECISIONS.get(each, each) for each in frame["decision"]]
    shown["budget"] = [words.percent(each) for each in frame["budget_remaining"]]
    shown["bar"] = [
        max(0.0, min(1.0, float(each))) * 100 if words.known(each) else None
        for each in frame["budget_remaining"]
    ]
    shown["burn"] = [words.times(each) for each in frame["burn_rate"]]
    shown["gone in"] = [
        words.lasting(each) if words.known(each) else words.ABSENT
        for each in frame["seconds_to_exhaustion"]
    ]
    for signal in ("metrics", "logs", "traces"):
        shown[signal] = [words.age(each, here.now) for each in frame[f"{signal}_at"]]
    shown["volume"] = [words.size(each) for each in frame["bytes"]]
    order = ["app", "env", "decision", "slo", "state", "bar", "budget", "burn", "gone in"]
    order += ["why", "team", "tier", "metrics", "logs", "traces", "volume", "note", "title"]
    found: pd.DataFrame = tables.cleaned(shown[order], ("why", "note", "title", "team", "tier"))
    return found


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "app": config.TextColumn("app", pinned=True),
        "slo": config.TextColumn("worst SLO"),
        "bar": config.ProgressColumn(
            "budget left", min_value=0, max_value=100, format=" ", width="small", color="blue"
        ),
        "budget": config.TextColumn("%", help="what is left of the worst SLO's error budget"),
        "burn": config.TextColumn("burn 1h", help="1 spends the budget in exactly its window"),
        "gone in": config.TextColumn("gone in", help="if the last hour's burn rate goes on"),
        "metrics": config.TextColumn("newest metric"),
        "logs": config.TextColumn("newest log"),
        "traces": config.TextColumn("newest span"),
        "volume": config.TextColumn("stored in a day"),
        "why": config.TextColumn("why", width="large"),
    }


def draw_cost(here: Visit, found: Cost) -> None:  # noqa: ARG001 - a panel's drawing
    """What telemetry amounts to, by app and signal."""
    rows = found.rows
    shown = rows[["app", "signal"]].copy()
    shown["app"] = [each if isinstance(each, str) else "(nobody's)" for each in rows["app"]]
    shown["records"] = [words.amount(each) for each in rows["records"]]
    shown["bytes"] = [words.size(each) for each in rows["bytes"]]
    shown["series"] = [
        words.amount(each) if words.known(each) else words.ABSENT for each in rows["series"]
    ]
    shown["price"] = [words.money(each, found.currency) for each in rows["price"]]
    total = words.money(found.total, found.currency)
    st.markdown(f"Total: **{total}**")
    st.dataframe(shown, hide_index=True, key="cost-table", height=min(300, 38 + 35 * len(shown)))
