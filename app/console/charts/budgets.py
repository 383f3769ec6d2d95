"""Budgets over time, what happened beside them, and whose fault it was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from app.console.charts.palette import BLUE, GREY, ORANGE, PURPLE, RED
from app.console.charts.series import MILLISECOND, SHARE, Mark, Option, base, threshold, vertical
from app.services.results import Forecast, Happening, Outlook
from collectors.readers.telemetry import DIMENSIONS, TimeRange
from slo.printable import printable

if TYPE_CHECKING:
    import pandas as pd

_ROWS = (("decision", PURPLE), ("pattern", BLUE), ("deploy", GREY), ("alert", RED))
_SYMBOLS = {"deploy": "diamond", "pattern": "rect", "decision": "circle", "alert": "triangle"}
_LONGEST = 60


def burn_down(
    frame: pd.DataFrame, forecast: Forecast, now: datetime, marks: Sequence[Mark] = ()
) -> Option:
    """What is left of a budget, beside spending it evenly and what is forecast."""
    source = frame[["time", "remaining", "ideal"]].copy()
    source["time"] = source["time"] // MILLISECOND
    for name in ("remaining", "ideal"):
        source[name] = source[name].astype("float64") * SHARE.scale
    ahead = _ahead(source, forecast, now)
    last = max([int(source["time"].max()), *(int(x) for _, x, _ in ahead)])
    span = TimeRange(start=int(source["time"].min()) * MILLISECOND, end=last * MILLISECOND)
    option = base(span, SHARE)
    option["legend"] = {"top": 0, "type": "scroll"}
    option["yAxis"]["max"] = 100
    option["dataset"] = {"source": source}
    option["series"] = [
        {
            "type": "line",
            "name": "budget left",
            "encode": {"x": "time", "y": "remaining"},
            "sampling": "lttb",
            "showSymbol": False,
            "itemStyle": {"color": BLUE},
            "lineStyle": {"width": 2, "color": BLUE},
            "areaStyle": {"opacity": 0.12},
            **({"markLine": vertical(marks)} if marks else {}),
        },
        {
            "type": "line",
            "name": "spent evenly",
            "encode": {"x": "time", "y": "ideal"},
            "showSymbol": False,
            "itemStyle": {"color": GREY},
            "lineStyle": {"width": 1, "type": "dashed", "color": GREY},
        },
        *(_line(name, x, left, _start(source)) for name, x, left in ahead),
    ]
    return threshold(option, 0, "budget gone")


def _start(source: pd.DataFrame) -> tuple[int, float] | None:
    known = source.dropna(subset=["remaining"])
    if not len(known):
        return None
    return int(known["time"].iloc[-1]), float(known["remaining"].iloc[-1])


def _ahead(
    source: pd.DataFrame, forecast: Forecast, now: datetime
) -> list[tuple[str, float, float]]:
    """Where the budget meets zero: as expected, at the earliest and at the latest."""
    if forecast.outlook is not Outlook.EXHAUSTING or _start(source) is None:
        return []
    instants = (
        ("forecast", forecast.at),
        ("earliest", forecast.earliest),
        ("latest", forecast.latest),
    )
    return [(n, at.timestamp() * 1000, 0.0) for n, at in instants if at is not None and at > now]


def _line(name: str, x: float, left: float, start: tuple[int, float] | None) -> Option:
    assert start is not None
    main = name == "forecast"
    return {
        "type": "line",
        "name": name,
        "data": [[start[0], start[1]], [int(x), left]],
        "symbol": "circle" if main else "none",
        "itemStyle": {"color": ORANGE},
        "lineStyle": {"color": ORANGE, "width": 2 if main else 1, "type": "dotted"},
    }


def timeline(happenings: Sequence[Happening], span: TimeRange) -> Option:
    """What happened, a row for each kind; alerts last from when they fired to when they stopped."""
    option = base(span, SHARE)
    rows = [kind for kind, _ in _ROWS if any(each.kind == kind for each in happenings)]
    option["grid"] = {"left": 8, "right": 16, "top": 8, "bottom": 8, "containLabel": True}
    option["yAxis"] = {"type": "category", "data": rows, "axisTick": {"show": False}}
    option["tooltip"] = {"trigger": "item", "formatter": "{b}", "confine": True}
    option["series"] = [
        each
        for kind, colour in _ROWS
        if kind in rows
        for each in _kind(kind, colour, happenings, span)
    ]
    return option


def _kind(kind: str, colour: str, happenings: Sequence[Happening], span: TimeRange) -> list[Option]:
    mine = [each for each in happenings if each.kind == kind]
    points: Option = {
        "type": "scatter",
        "name": kind,
        "symbol": _SYMBOLS[kind],
        "symbolSize": 11,
        "itemStyle": {"color": colour},
        "data": [
            {
                "name": printable(each.title)[:_LONGEST],
                "value": [max(each.time, span.start) // MILLISECOND, kind],
            }
            for each in mine
        ],
    }
    if kind != "alert":
        return [points]
    lasting = [
        {
            "type": "line",
            "name": printable(each.title)[:_LONGEST],
            "data": [
                [max(each.time, span.start) // MILLISECOND, kind],
                [min(each.end or span.end, span.end) // MILLISECOND, kind],
            ],
            "symbol": "none",
            "lineStyle": {"color": colour, "width": 9, "opacity": 0.45, "cap": "butt"},
        }
        for each in mine
    ]
    return [*lasting, points]


def blamed(rows: pd.DataFrame, remainder: float) -> Option:
    """Shares of bad events: a bar for each combination, and one for what is left."""
    names = [called(row) for row in rows[list(DIMENSIONS)].to_dict("records")]
    names = [f"{place}. {name}" for place, name in enumerate(names, start=1)] + ["everything else"]
    shares = [float(each) * 100 for each in rows["share"]] + [remainder * 100]
    before = [_percent(each) for each in rows["share_before"]] + [None]
    return {
        "animation": False,
        "grid": {"left": 8, "right": 56, "top": 28, "bottom": 8, "containLabel": True},
        "legend": {"top": 0, "right": 0},
        "tooltip": {"trigger": "item", "confine": True, "valueFormatter": "%.1f %%"},
        "xAxis": {"type": "value", "min": 0, "max": 100, "axisLabel": {"formatter": "{value} %"}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": names,
            "axisTick": {"show": False},
            "axisLabel": {"width": 150, "overflow": "truncate"},
        },
        "series": [
            {
                "type": "bar",
                "name": "share of bad events",
                "data": [
                    {
                        "value": round(share, 2),
                        "itemStyle": {"color": RED if place < len(rows) else GREY},
                    }
                    for place, share in enumerate(shares)
                ],
                "itemStyle": {"color": RED},
                "barMaxWidth": 18,
                "label": {"show": True, "position": "right", "formatter": "{c} %"},
            },
            {
                "type": "scatter",
                "name": "in the window before",
                "symbol": "diamond",
                "symbolSize": 11,
                "itemStyle": {"color": "transparent", "borderColor": BLUE, "borderWidth": 2},
                "data": [
                    ["-" if b is None else b, name] for b, name in zip(before, names, strict=True)
                ],
            },
        ],
    }


def _percent(share: object) -> float | None:
    return round(float(share) * 100, 2) if isinstance(share, float) and share == share else None  # noqa: PLR0124 - NaN is not itself


def called(row: object) -> str:
    """A combination as one line of text: what it says of route, pod, version and dependency."""
    values = row if isinstance(row, dict) else {}
    said = [f"{values[name]}" for name in DIMENSIONS if isinstance(values.get(name), str)]
    return printable(" · ".join(said)) or "any request"
