"""The Unattributed page: what belongs to no app, which key is missing, and what would add it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.console import tables, words
from app.console.panels import Panel, show
from app.console.visit import Visit
from app.services.joins import JoinHealth, health
from app.services.joins.model import RUNGS
from app.services.unattributed import unattributed

if TYPE_CHECKING:
    import pandas as pd

_RUNGS = {rung: f"{rung} {name}" for rung, name in RUNGS.items()}
_UNTRUSTED = (
    *("missing key", "service", "host", "namespace", "stream", "what to do", "generated file"),
    *("command", "example"),
)


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
            title="How telemetry is joined to its apps",
            key="join-health",
            unit="share that carries enough to be attributed, by rung; a lower rung is surer",
            ask=lambda here: health(here.world, here.scope, here.range),
            draw=_health,
            table=_gaps,
            empty=lambda found: not found.shares and not found.gaps,
            height=300,
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


def _health(here: Visit, found: JoinHealth) -> None:
    """Shares by app and signal, then what is missing and the file that would mend it."""
    st.dataframe(
        tables.cleaned(_shares(found), ("app",)),
        hide_index=True,
        key="health-table",
        placeholder=words.ABSENT,
        column_config={
            "bar": st.column_config.ProgressColumn(
                "attributed", min_value=0, max_value=100, format=" ", width="small", color="blue"
            )
        },
    )
    if not found.gaps:
        if here.scope.apps is None:
            st.success("Nothing lacks a key.", icon=":material/check:")
        return
    shown = _gaps(found)
    shown["records"] = [words.amount(each) for each in shown["records"]]
    shown["share"] = [words.percent(each) for each in shown["share"]]
    st.caption("What lacks a key, and the generated file that would tag it")
    st.dataframe(
        tables.cleaned(
            shown.drop(columns=["first"]).rename(columns={"last": "newest"}), _UNTRUSTED
        ),
        hide_index=True,
        key="gaps-table",
        placeholder=words.ABSENT,
        column_config={
            "what to do": st.column_config.TextColumn(width="large"),
            "generated file": st.column_config.TextColumn(width="medium"),
            "example": st.column_config.TextColumn(width="large"),
        },
    )


def _shares(found: JoinHealth) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first panel

    rows = [
        {
            "app": each.app or "(all)",
            "signal": each.signal,
            "bar": None if (part := each.part()) is None else part * 100,
            "share": words.percent(each.part()),
            **{
                name: words.percent(each.part(rung)) if rung in each.rungs else None
                for rung, name in _RUNGS.items()
            },
            "of": f"{words.amount(each.records)} {each.unit}",
            "not attributed": words.amount(each.lost),
            "source": each.source,
        }
        for each in found.shares
    ]
    return pd.DataFrame(rows)


def _gaps(found: JoinHealth) -> pd.DataFrame:
    """The gaps as rows; what they say of themselves comes from whoever sent them."""
    import pandas as pd  # noqa: PLC0415 - as above

    rows = [
        {
            "signal": each.signal,
            "missing key": each.missing,
            "claimed by": ", ".join(each.claimants) or None,
            "records": each.records,
            "share": each.part,
            "service": each.service,
            "host": each.host,
            "namespace": each.namespace,
            "stream": each.stream,
            "what to do": each.remedy.todo,
            "generated file": ", ".join(each.remedy.files) or None,
            "command": each.remedy.command,
            "example": each.example,
            "first": each.first,
            "last": each.last,
            "source": each.source,
        }
        for each in found.gaps
    ]
    return pd.DataFrame(rows)
