"""Pictures as data."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from app.console.charts.budgets import blamed, burn_down, called, timeline
from app.console.charts.series import (
    SHARE,
    Lines,
    Mark,
    brushed,
    by_level,
    lines,
    pivoted,
)
from app.console.charts.traces import Cells, chosen, heatmap, service_map, waterfall
from app.services.results import Forecast, Happening, Outlook
from collectors.readers.telemetry import TimeRange

SECOND = 1_000_000_000
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
END = int(NOW.timestamp()) * SECOND
HOUR = 3600 * SECOND
SPAN = TimeRange(start=END - HOUR, end=END)
NAN = float("nan")
EVIL = "<img src=x onerror=alert(1)>"


def plain(option: dict[str, Any]) -> str:
    """The option as JSON, which is how it reaches the browser; frames are left out."""
    return json.dumps(option, default=lambda _: "a frame", allow_nan=False)


def test_lines_keep_gaps_and_draw_fewer_points() -> None:
    """Missing data is no zero, and a hundred thousand points are sampled by shape."""
    frame = pd.DataFrame({"time": [SPAN.start, SPAN.start + SECOND], "error_ratio": [NAN, 0.5]})
    option = lines(frame, Lines(span=SPAN, unit=SHARE, names={"error_ratio": "errors"}))

    assert "lttb" == option["series"][0]["sampling"]
    assert not option["series"][0]["connectNulls"]
    assert 50.0 == option["dataset"]["source"]["error_ratio"].iloc[1]
    assert pd.isna(option["dataset"]["source"]["error_ratio"].iloc[0])
    assert (SPAN.start // 10**6, SPAN.end // 10**6) == (
        option["xAxis"]["min"],
        option["xAxis"]["max"],
    )


def test_marks_are_vertical_lines_with_their_labels() -> None:
    """A deploy stands where it happened."""
    frame = pd.DataFrame({"time": [SPAN.start], "x": [1.0]})
    marks = (Mark(time=SPAN.start + SECOND, label="api 2.0\n"),)
    option = lines(frame, Lines(span=SPAN, unit=SHARE, names={"x": "x"}, marks=marks))

    assert [{"xAxis": (SPAN.start + SECOND) // 10**6, "name": "api 2.0\\n"}] == (
        option["series"][0]["markLine"]["data"]
    )


def test_a_selected_part_is_in_whole_seconds() -> None:
    """Whichever way the brush was drawn; nothing selected is nothing."""
    event = {"selection": {"areas": [{"brush_type": "lineX", "coord_range": [9500.0, 4200.0]}]}}

    nothing: list[object] = [None, {}, {"selection": {"areas": []}}, {"selection": {"areas": [{}]}}]

    assert (4, 9) == brushed(event)
    assert [None] * 4 == [brushed(each) for each in nothing]


def test_the_greatest_keys_get_a_line_each() -> None:
    """And how many were left out is told."""
    frame = pd.DataFrame(
        {
            "time": [1, 1, 1, 2],
            "key": ["a", "b", "c", "a"],
            "count": [1, 9, 5, 1],
            "rate": [1.0] * 4,
        }
    )
    wide, names, left_out = pivoted(frame, "rate", most=2)

    assert ({"s0": "b", "s1": "c"}, 1) == (names, left_out)
    assert [1] == list(wide["time"])


def test_slices_without_log_records_are_zero() -> None:
    """The range was read whole, so nothing there is known to be nothing."""
    frame = pd.DataFrame(
        {"time": [SPAN.start, SPAN.start], "level": ["error", "info"], "count": [2, 5]}
    )
    option = by_level(frame, SPAN, 60)
    source = option["dataset"]["source"]

    assert ["info", "error"] == [each["name"] for each in option["series"]]
    assert (60, 2.0, 0.0) == (len(source), source["error"].sum(), source["error"].iloc[1])


def burning() -> pd.DataFrame:
    return pd.DataFrame({"time": [SPAN.start, END], "remaining": [1.0, 0.4], "ideal": [1.0, 0.0]})


def test_a_burn_down_leads_to_where_the_budget_will_be_gone() -> None:
    """With the earliest and the latest instant."""
    outlook = Forecast(
        outlook=Outlook.EXHAUSTING,
        at=NOW + timedelta(hours=2),
        earliest=NOW + timedelta(hours=1),
        latest=NOW + timedelta(hours=4),
    )
    option = burn_down(burning(), outlook, NOW)
    ahead = {each["name"]: each["data"] for each in option["series"] if "data" in each}

    assert {"forecast", "earliest", "latest"} == set(ahead)
    assert [[END // 10**6, 40.0], [(END + 2 * HOUR) // 10**6, 0.0]] == ahead["forecast"]
    assert (END + 4 * HOUR) // 10**6 == option["xAxis"]["max"]
    plain(option)


def test_a_budget_that_lasts_has_no_line_ahead() -> None:
    """Nothing is drawn that is not expected."""
    option = burn_down(burning(), Forecast(outlook=Outlook.STABLE), NOW)

    assert ["budget left", "spent evenly"] == [each["name"] for each in option["series"]]


def happenings() -> tuple[Happening, ...]:
    return (
        Happening(time=SPAN.start - HOUR, end=None, kind="alert", severity="page", title=EVIL),
        Happening(time=SPAN.start, end=None, kind="deploy", severity="info", title="api 2.0"),
    )


def test_an_alert_lasts_to_the_end_of_the_range_while_it_fires() -> None:
    """And begins at its start when it is older."""
    option = timeline(happenings(), SPAN)
    (bar,) = [each for each in option["series"] if each["type"] == "line"]

    assert [[SPAN.start // 10**6, "alert"], [SPAN.end // 10**6, "alert"]] == bar["data"]
    assert ["deploy", "alert"] == option["yAxis"]["data"]
    plain(option)


def test_blame_adds_up_on_the_picture() -> None:
    """The rest has a bar as well."""
    rows = pd.DataFrame(
        {
            "route": ["/a", None],
            "pod": [None, None],
            "version": ["2.0", None],
            "dependency": [None, None],
            "share": [0.7, 0.2],
            "share_before": [0.1, NAN],
        }
    )
    option = blamed(rows, 0.1)

    assert ["1. /a · 2.0", "2. any request", "everything else"] == option["yAxis"]["data"]
    assert 100.0 == sum(each["value"] for each in option["series"][0]["data"])
    assert [10.0, "-", "-"] == [each[0] for each in option["series"][1]["data"]]
    plain(option)


def test_a_combination_is_called_by_what_it_says() -> None:
    """Untrusted values are made printable."""
    assert "/a\\n · 1" == called({"route": "/a\n", "pod": None, "version": "1"})


def cells() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time": [SPAN.start, SPAN.start + 60 * SECOND],
            "bucket": [4, 5],
            "low": [10_000_000, 15_000_000],
            "high": pd.array([15_000_000, None], dtype="Int64"),
            "count": [3.0, 1.0],
            "errors": [0.0, 1.0],
        }
    )


def test_a_heatmap_has_a_point_to_select_on_every_cell() -> None:
    """Plotly's heatmaps cannot be selected from."""
    figure = heatmap(cells(), SPAN)

    assert len(figure["data"][0]["x"]) == len(figure["data"][1]["x"]) == 2
    plain(figure)


def test_selected_cells_are_a_part_of_the_range_and_of_durations() -> None:
    """The last bucket has no end; points that are not there are passed over."""
    picked = {"selection": {"points": [{"point_index": 0}, {"point_index": 9}]}}
    everything = {"selection": {"points": [{"point_index": 0}, {"point_index": 1}]}}
    start = SPAN.start // SECOND

    assert Cells(start=start, end=start + 60, at_least=10, below=15) == chosen(
        picked, cells(), SPAN, 60
    )
    assert Cells(start=start, end=start + 120, at_least=10, below=None) == chosen(
        everything, cells(), SPAN, 60
    )
    assert chosen({"selection": {"points": []}}, cells(), SPAN, 60) is None


def spans() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "span_id": ["a", "b"],
            "time": [SPAN.start, SPAN.start + 10_000_000],
            "duration": [100_000_000, 0],
            "name": [EVIL, None],
            "service": ["api", None],
            "status": ["error", "unset"],
            "critical": [True, False],
            "depth": [0, 1],
        }
    )


def test_a_waterfall_marks_failures_the_critical_path_and_log_records() -> None:
    """With signs in the names, besides colours."""
    figure = waterfall(spans(), {"a": [SPAN.start + 5_000_000], "gone": [1]})
    names = figure["layout"]["yaxis"]["ticktext"]

    assert names[0].startswith("◆ ✕ ")
    assert "·  (another app)" == names[1]
    assert [5.0] == figure["data"][-1]["x"]
    assert [0.0] == figure["data"][0]["base"]


def test_names_of_spans_are_no_html_for_plotly() -> None:
    """It reads a little of it in labels."""
    assert "<img" not in plain(waterfall(spans(), {}))


def test_a_map_tells_kinds_states_and_what_was_not_observed() -> None:
    """By shapes, signs and dashes, besides colours; edges to nodes that are not there are left."""
    nodes = pd.DataFrame(
        {
            "id": ["a", "b"], "name": ["api", "db"], "kind": ["service", "database"],
            "state": ["exhausted", "no_data"], "own": [True, False],
        }
    )  # fmt: skip
    edges = pd.DataFrame(
        {
            "source": ["a", "a"], "target": ["b", "gone"], "rate": [NAN, 1.0],
            "error_ratio": [NAN, 0.5], "p99": [NAN, 1e6], "observed": [False, True],
        }
    )  # fmt: skip
    (graph,) = service_map(nodes, edges)["series"]

    assert ["✕ api", "db"] == [each["name"] for each in graph["data"]]
    assert ["circle", "rect"] == [each["symbol"] for each in graph["data"]]
    assert ["dashed"] == [each["lineStyle"]["type"] for each in graph["links"]]
    plain(graph)
