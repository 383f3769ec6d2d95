"""Durations as a heatmap to select from, one trace as a waterfall, and services as a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.console import words
from app.console.charts.palette import BLUE, PURPLE, RED, SERIES, STATES
from app.console.charts.series import Option
from collectors.readers.telemetry import TimeRange
from slo.printable import printable
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

PAGE = 500
"""How many spans a page of a waterfall has."""

MOST_PAGES = 4

_LONGEST = 48
_ROW = 22
_FEW = 12
_CLEAR = "rgba(0,0,0,0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A part of a heatmap: whole Unix seconds, and milliseconds of duration; ``below`` if any."""

    start: int
    end: int
    at_least: int
    below: int | None


def heatmap(frame: pd.DataFrame, span: TimeRange) -> Option:
    """Entry spans by time and duration, as a figure of Plotly; a box selects.

    Plotly's heatmaps cannot be selected from, so invisible points lie on the cells.
    """
    times = [_utc(int(each)) for each in frame["time"]]
    buckets = [int(each) for each in frame["bucket"]]
    low = dict(zip(buckets, frame["low"], strict=True))
    shown = sorted(low)[:: max(1, len(low) // 8)]
    said = [
        f"{words.amount(count)} requests, {words.amount(errors)} failed, "
        f"from {words.duration(least)}"
        for count, errors, least in zip(frame["count"], frame["errors"], frame["low"], strict=True)
    ]
    cells = {
        "type": "heatmap",
        "x": times,
        "y": buckets,
        "z": [float(each) for each in frame["count"]],
        "colorscale": [[0, "rgba(245,158,11,0.3)"], [0.5, "#ef4444"], [1, "#991b1b"]],
        "showscale": False,
        "hoverinfo": "skip",
        "xgap": 1,
        "ygap": 1,
    }
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": times,
        "y": buckets,
        "text": said,
        "hovertemplate": "%{x}<br>%{text}<extra></extra>",
        "marker": {"size": 12, "opacity": 0, "symbol": "square"},
        "selected": {"marker": {"opacity": 0.5, "color": SERIES[0]}},
    }
    return {
        "data": [cells, points],
        "layout": {
            "height": 280,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "showlegend": False,
            "dragmode": "select",
            "xaxis": {"range": [_utc(span.start), _utc(span.end)], "type": "date"},
            "yaxis": {
                "tickvals": shown,
                "ticktext": [words.duration(low[each]) for each in shown],
                "automargin": True,
            },
        },
    }


def _utc(time: int) -> str:
    """An instant in UTC as Plotly reads it: it takes what has no zone as it stands."""
    return f"{datetime.fromtimestamp(time / 1e9, tz=UTC):%Y-%m-%dT%H:%M:%S.%f}"


def chosen(event: object, frame: pd.DataFrame, span: TimeRange, slices: int) -> Cells | None:
    """The cells that were selected in a heatmap; ``None`` for none."""
    selection = event.get("selection", {}) if isinstance(event, Mapping) else {}
    places = [
        point["point_index"] for point in selection.get("points", ()) if "point_index" in point
    ]
    picked = frame.iloc[[place for place in places if 0 <= place < len(frame)]]
    if not len(picked):
        return None
    width = -(-span.length // slices)
    high = None if picked["high"].isna().any() else int(picked["high"].max())
    return Cells(
        start=int(picked["time"].min()) // words.SECOND,
        end=-(-(int(picked["time"].max()) + width) // words.SECOND),
        at_least=int(picked["low"].min()) // 1_000_000,
        below=None if high is None else -(-high // 1_000_000),
    )


def waterfall(spans: pd.DataFrame, logs: Mapping[str, Sequence[int]]) -> Option:
    """One page of a trace's spans as bars, in order, as a figure of Plotly.

    What is not on the critical path is pale, and failures have a red edge. ``logs`` has instants
    of log records by span.
    """
    start = int(spans["time"].min())
    services = list(dict.fromkeys(_service(each) for each in spans["service"]))
    rows = spans.to_dict("records")
    bars = [
        _bars(
            service,
            SERIES[place % len(SERIES)],
            [(at, row) for at, row in enumerate(rows) if _service(row["service"]) == service],
            start,
        )
        for place, service in enumerate(services)
    ]
    return {
        "data": [*bars, *_marks(spans, logs, start)],
        "layout": {
            "height": max(160, 70 + _ROW * len(spans)),
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "barmode": "overlay",
            "bargap": 0.25,
            "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
            "showlegend": True,
            "dragmode": False,
            "xaxis": {"ticksuffix": " ms", "rangemode": "tozero", "fixedrange": True},
            "yaxis": {
                "autorange": "reversed",
                "fixedrange": True,
                "tickvals": list(range(len(rows))),
                "ticktext": [_plain(_label(row)) for row in rows],
                "automargin": True,
                "showgrid": False,
            },
        },
    }


def _bars(
    service: str, colour: str, rows: Sequence[tuple[int, Mapping[Any, Any]]], start: int
) -> Option:
    failed = [row["status"] == "error" for _, row in rows]
    return {
        "type": "bar",
        "name": _plain(service),
        "orientation": "h",
        "y": [place for place, _ in rows],
        "base": [(int(row["time"]) - start) / 1e6 for _, row in rows],
        "x": [max(int(row["duration"]) / 1e6, 1e-6) for _, row in rows],
        "marker": {
            "color": colour,
            "opacity": [1.0 if row["critical"] else 0.45 for _, row in rows],
            "line": {
                "color": [RED if each else _CLEAR for each in failed],
                "width": [2 if each else 0 for each in failed],
            },
        },
        "text": [words.duration(row["duration"]) for _, row in rows],
        "textposition": "auto",
        "hovertext": [_plain(_named(row)) for _, row in rows],
        "hovertemplate": "%{hovertext}<br>%{text}<extra></extra>",
    }


def _marks(spans: pd.DataFrame, logs: Mapping[str, Sequence[int]], start: int) -> list[Option]:
    places = {str(span): place for place, span in enumerate(spans["span_id"])}
    points = [
        ((time - start) / 1e6, places[span])
        for span, times in logs.items()
        if span in places
        for time in times
    ]
    if not points:
        return []
    return [
        {
            "type": "scatter",
            "name": "log records",
            "mode": "markers",
            "x": [x for x, _ in points],
            "y": [y for _, y in points],
            "marker": {"symbol": "diamond-tall", "size": 10, "color": "#eab308"},
            "hoverinfo": "name",
        }
    ]


def _service(name: object) -> str:
    return name if isinstance(name, str) else "hidden"


def _named(row: Mapping[Any, Any]) -> str:
    name = row.get("name")
    return f"{_service(row.get('service'))}: {name if isinstance(name, str) else 'hidden'}"


def _label(row: Mapping[Any, Any]) -> str:
    name = row.get("name") if isinstance(row.get("name"), str) else "(another app)"
    signs = ("◆ " if row.get("critical") else "") + ("✕ " if row.get("status") == "error" else "")
    text = f"{'·  ' * min(int(row.get('depth', 0)), 8)}{signs}{name}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(text: str) -> str:
    """Untrusted text for Plotly, which reads a little HTML in labels."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def service_map(nodes: pd.DataFrame, edges: pd.DataFrame, chosen: str | None = None) -> Option:
    """Who calls whom: shapes tell kinds, colours states, dashes what was declared and not seen.

    The node that is ``chosen`` by its id has a thick edge.
    """
    shapes = {"service": "circle", "database": "rect", "queue": "diamond", "topic": "diamond"}
    places = {str(each) for each in nodes["id"]}
    names = node_names(nodes)
    rates = [float(each) for each in edges["rate"] if words.known(each)]
    most = max(rates, default=1.0) or 1.0
    return {
        "animation": False,
        "tooltip": {"confine": True, "formatter": "{b}"},
        "series": [
            {
                "type": "graph",
                "layout": "force",
                "force": {"repulsion": 480, "edgeLength": [60, 115], "gravity": 0.18},
                "roam": True,
                "zoom": 1.2 if len(nodes) < _FEW else 0.8,
                "draggable": True,
                "selectedMode": "single",
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 7,
                "label": {"show": True, "position": "bottom", "fontSize": 11},
                "data": [
                    {
                        "id": str(row["id"]),
                        "name": _node(row, names),
                        "symbol": shapes.get(str(row["kind"]), "roundRect"),
                        "symbolSize": 30 if row["own"] else 20,
                        "itemStyle": {
                            "color": STATES.get(str(row["state"]), "#94a3b8"),
                            "borderWidth": 6 if row["id"] == chosen else 3 if row["own"] else 0,
                            "borderColor": PURPLE if row["id"] == chosen else BLUE,
                        },
                    }
                    for row in nodes.to_dict("records")
                ],
                "links": [
                    _link(row, most)
                    for row in edges.to_dict("records")
                    if str(row["source"]) in places and str(row["target"]) in places
                ],
            }
        ],
    }


def node_names(nodes: pd.DataFrame) -> dict[str, str]:
    """What nodes are called, by their ids; of two with one name each says whose it is."""
    times = nodes["name"].value_counts()
    return {
        str(row["id"]): f"{row['name']} ({row['app']})"
        if times[row["name"]] > 1 and isinstance(row["app"], str)
        else str(row["name"])
        for row in nodes.to_dict("records")
    }


def _node(row: Mapping[Any, Any], names: Mapping[str, str]) -> str:
    signs = {"ok": "✓", "burning": "▲", "exhausted": "✕"}
    return printable(f"{signs.get(str(row['state']), '')} {names[str(row['id'])]}".strip())


def _link(row: Mapping[Any, Any], most: float) -> Option:
    rate = float(row["rate"]) if words.known(row["rate"]) else 0.0
    failing = words.known(row["error_ratio"]) and float(row["error_ratio"]) >= 0.01  # noqa: PLR2004 - one call in a hundred
    name = (
        f"{words.per_second(row['rate'])}, {words.percent(row['error_ratio'], 2)} errors, "
        f"p99 {words.duration(row['p99'])}"
    )
    return {
        "source": str(row["source"]),
        "target": str(row["target"]),
        "name": name if row["observed"] else "declared, not observed",
        "lineStyle": {
            "width": 1 + 4 * (rate / most) ** 0.5,
            "color": RED if failing else "#94a3b8",
            "type": "solid" if row["observed"] else "dashed",
            "curveness": 0.12,
        },
    }
