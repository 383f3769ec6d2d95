"""Lines and bars over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from app.console.charts.palette import GREY, LEVELS, RED, SERIES
from collectors.readers.telemetry import TimeRange
from slo.printable import printable
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

Option = dict[str, Any]

MILLISECOND = 1_000_000
MOST_SERIES = 8
"""How many series one chart shows; which ones were left out is said beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """How numbers of an axis are written: times ``scale``, then ``suffix``."""

    scale: float = 1
    suffix: str = ""
    digits: int = 2


COUNT = Unit(digits=0)
SHARE = Unit(scale=100, suffix=" %")
RATE = Unit(suffix="/s")
MILLISECONDS = Unit(scale=1e-6, suffix=" ms", digits=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A moment worth a vertical line; ``time`` is in nanoseconds."""

    time: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """What a chart of lines shows: columns of a frame by the names they have in the legend."""

    span: TimeRange
    unit: Unit
    names: Mapping[str, str]
    marks: Sequence[Mark] = ()
    area: bool = False
    colours: Sequence[str] = SERIES
    brush: bool = False
    dashed: Sequence[str] = field(default_factory=tuple)


def lines(frame: pd.DataFrame, what: Lines) -> Option:
    """Lines over time; gaps stay gaps. The frame has ``time`` in nanoseconds."""
    source = frame[["time", *what.names]].copy()
    source["time"] = source["time"] // MILLISECOND
    for name in what.names:
        source[name] = source[name].astype("float64") * what.unit.scale
    option = base(what.span, what.unit)
    option["legend"] = {
        "top": 0,
        "left": 104,
        "type": "scroll",
        "show": len(what.names) > 1,
        "itemWidth": 14,
        "itemGap": 8,
        # Points that are added later are explained beside the chart.
        "data": [printable(label) for label in what.names.values()],
    }
    option["dataset"] = {"source": source}
    option["series"] = [
        {
            "type": "line",
            "name": printable(label),
            "encode": {"x": "time", "y": name},
            "sampling": "lttb",
            "showSymbol": len(source) == 1,
            "connectNulls": False,
            "itemStyle": {"color": what.colours[place % len(what.colours)]},
            "lineStyle": {
                "width": 2,
                "color": what.colours[place % len(what.colours)],
                "type": "dashed" if name in what.dashed else "solid",
            },
            **({"areaStyle": {"opacity": 0.15}} if what.area else {}),
        }
        for place, (name, label) in enumerate(what.names.items())
    ]
    if what.marks and option["series"]:
        option["series"][0]["markLine"] = vertical(what.marks)
    return with_brush(option) if what.brush else option


def base(span: TimeRange, unit: Unit) -> Option:
    """What all charts over time have: the range as the axis, in UTC, and a unit."""
    return {
        "useUTC": True,
        "animation": False,
        "grid": {"left": 8, "right": 16, "top": 36, "bottom": 8, "containLabel": True},
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "valueFormatter": f"%,.{unit.digits}f{unit.suffix.replace('%', '%%')}",
        },
        "xAxis": {
            "type": "time",
            "min": span.start // MILLISECOND,
            "max": span.end // MILLISECOND,
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            "axisLabel": {"formatter": f"{{value}}{unit.suffix}"},
            "splitNumber": 4,
        },
    }


def vertical(marks: Sequence[Mark]) -> Option:
    """Vertical lines with their labels, which are drawn as plain text."""
    return {
        "symbol": "none",
        "silent": True,
        "lineStyle": {"type": "dashed", "width": 1},
        "label": {"formatter": "{b}", "position": "insideEndTop", "fontSize": 10},
        "data": [
            {"xAxis": mark.time // MILLISECOND, "name": printable(mark.label)[:40]}
            for mark in marks
        ],
    }


def with_brush(option: Option) -> Option:
    """The option with a tool to select a part of the range."""
    return {
        **option,
        "toolbox": {
            "left": 56,
            "top": 0,
            "itemSize": 13,
            "feature": {"brush": {"type": ["lineX", "clear"]}},
        },
        "brush": {"xAxisIndex": "all", "brushMode": "single", "throttleType": "debounce"},
    }


def brushed(event: object) -> tuple[int, int] | None:
    """The part of the range that was selected, in whole Unix seconds; ``None`` for none."""
    selection = event.get("selection", {}) if isinstance(event, Mapping) else {}
    for area in selection.get("areas", ()):
        ends = area.get("coord_range")
        if isinstance(ends, Sequence) and all(isinstance(each, int | float) for each in ends):
            start, end = int(min(ends) // 1000), int(max(ends) // 1000)
            return start, max(end, start + 1)
    return None


def pivoted(
    frame: pd.DataFrame, value: str, *, most: int = MOST_SERIES
) -> tuple[pd.DataFrame, dict[str, str], int]:
    """A frame of time, key and a value, with a column for each of the greatest keys.

    Returns it with the keys by their columns, and how many keys were left out.
    """
    weight = "count" if "count" in frame.columns else value
    order = frame.groupby("key")[weight].sum().sort_values(ascending=False)
    chosen = [str(each) for each in order.index[:most]]
    wide = frame[frame["key"].isin(chosen)].pivot_table(
        index="time", columns="key", values=value, aggfunc="first"
    )
    columns = {f"s{place}": key for place, key in enumerate(chosen)}
    wide = wide.reindex(columns=chosen)
    wide.columns = list(columns)
    return wide.reset_index(), columns, max(0, len(order) - len(chosen))


def by_level(frame: pd.DataFrame, span: TimeRange, slices: int) -> Option:
    """A histogram of log records: stacked bars, one colour and one name for each level.

    Slices of the range that have no row had no record, and are drawn as such.
    """
    present = [level for level in reversed(tuple(LEVELS)) if (frame["level"] == level).any()]
    wide = frame.pivot_table(index="time", columns="level", values="count", aggfunc="sum")
    width = max(1, span.length // slices)
    starts = range(span.start, span.end, width)
    wide = wide.reindex(index=starts, columns=present).fillna(0)
    wide = wide.rename_axis(index="time").reset_index()
    wide["time"] = wide["time"] // MILLISECOND
    option = base(span, COUNT)
    option["legend"] = {"top": 0, "left": 120, "type": "scroll"}
    option["yAxis"]["minInterval"] = 1
    option["dataset"] = {"source": wide}
    option["series"] = [
        {
            "type": "bar",
            "stack": "all",
            "name": level,
            "encode": {"x": "time", "y": level},
            "itemStyle": {"color": LEVELS[level]},
            "barCategoryGap": "8%",
            "large": False,
        }
        for level in present
    ]
    return with_brush(option)


EXEMPLARS = "exemplars"
"""The series of points that stand for one traced request each."""


def with_examples(option: Option, examples: pd.DataFrame, unit: Unit) -> Option:
    """The option with a point for each traced request, to open it; failed ones look different.

    The frame has ``time`` and ``duration`` in nanoseconds, and ``failed``.
    """
    if not len(examples):
        return option
    points = [
        {
            "value": [int(time) // MILLISECOND, float(took) * unit.scale],
            "symbol": "triangle" if failed else "diamond",
            "itemStyle": {"color": RED if failed else GREY},
        }
        for time, took, failed in zip(
            examples["time"], examples["duration"], examples["failed"], strict=True
        )
    ]
    series: Option = {
        "type": "scatter",
        "id": EXEMPLARS,
        "name": "traced requests",
        "symbolSize": 9,
        "selectedMode": "single",
        "itemStyle": {"color": GREY},
        "z": 5,
        "data": points,
    }
    return {**option, "series": [*option["series"], series]}


def example(event: object) -> int | None:
    """The place of the traced request that was clicked; ``None`` for none."""
    selection: Mapping[str, Any] = event.get("selection", {}) if isinstance(event, Mapping) else {}
    for group in selection.get("selected", ()):
        places = group.get("data_indices")
        if group.get("series_id") == EXEMPLARS and places:
            return int(places[0])
    return None


def threshold(option: Option, value: float, label: str) -> Option:
    """The option with a horizontal line on its first series."""
    if not option["series"]:
        return option
    first = option["series"][0]
    marks = first.setdefault("markLine", {"symbol": "none", "silent": True, "data": []})
    marks["data"] = [
        *marks["data"],
        {
            "yAxis": value,
            "name": label,
            "lineStyle": {"color": RED, "type": "solid", "width": 1},
            "label": {"formatter": "{b}", "position": "insideStartTop", "fontSize": 10},
        },
    ]
    return option
