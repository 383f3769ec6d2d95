"""What clicks in charts and rows in tables select, and what they are called in an address."""

from collections.abc import Hashable
from typing import Any

import pandas as pd
import pytest

from app.console.charts.series import EXEMPLARS, MILLISECONDS, example, with_examples
from app.console.tabs.logs import alike, record_name
from app.console.tabs.metrics import shown_examples
from app.console.tabs.overview import event_name, named_event
from app.console.topology import clicked
from app.services.results import Happening
from collectors.readers.telemetry import Exemplar, TimeRange

SECOND = 10**9
SPAN = TimeRange(start=0, end=60 * SECOND)


def one(time: int, value: float, trace: str, status: str = "200") -> Exemplar:
    labels = {"http_route": "/r", "http_response_status_code": status}
    return Exemplar(time=time * SECOND, value=value, trace_id=trace, labels=labels)


def test_a_chart_shows_the_slowest_of_each_slice_and_failures_first() -> None:
    """At most so many, each in its place."""
    found = [one(0, 0.1, "a"), one(0, 0.9, "b"), one(30, 0.9, "c"), one(30, 0.2, "d", "503")]
    frame = shown_examples(found, SPAN)

    assert [("b", False), ("d", True)] == list(zip(frame["trace_id"], frame["failed"], strict=True))
    many = [one(at % 60, at, str(at)) for at in range(600)]
    assert 60 == len(shown_examples(many, SPAN))


def test_points_have_the_units_of_their_chart() -> None:
    """Failed ones look different, and not by their colour alone."""
    frame = shown_examples([one(1, 0.25, "a"), one(30, 0.5, "b", "500")], SPAN)
    series = with_examples({"series": []}, frame, MILLISECONDS)["series"][0]

    assert [[1000, 250.0], [30_000, 500.0]] == [each["value"] for each in series["data"]]
    assert ["diamond", "triangle"] == [each["symbol"] for each in series["data"]]
    assert {"series": []} == with_examples({"series": []}, frame.iloc[:0], MILLISECONDS)


@pytest.mark.parametrize(
    ("event", "place"),
    [
        ({"selection": {"selected": [{"series_id": EXEMPLARS, "data_indices": [3]}]}}, 3),
        ({"selection": {"selected": [{"series_id": None, "data_indices": [3]}]}}, None),
        ({"selection": {"selected": [], "areas": []}}, None),
        (None, None),
    ],
)
def test_a_click_on_a_point_is_told_from_others(event: object, place: int | None) -> None:
    """Lines and brushes select as well."""
    assert place == example(event)


@pytest.mark.parametrize(
    ("kind", "places", "name"),
    [("node", [1], "b"), ("edge", [1], None), ("node", [], None), ("node", [7], None)],
)
def test_a_click_on_a_node_is_told_from_one_on_an_edge(
    kind: str, places: list[int], name: str | None
) -> None:
    """And from one that takes the selection away."""
    event = {"selection": {"selected": [{"data_type": kind, "data_indices": places}]}}
    assert name == clicked(event, ["a", "b"])


def test_a_record_is_called_by_what_it_is() -> None:
    """Two of one instant are two; where it stands in a list does not matter."""
    row: dict[Hashable, Any] = {
        "time": 5,
        "body": "x",
        "trace_id": "t",
        "span_id": None,
        "pod": None,
        "host": None,
    }
    frame = pd.DataFrame([row, {**row, "body": "y"}])
    names = [record_name(each) for each in frame.to_dict("records")]

    assert 2 == len(set(names))
    assert all(each.startswith("5-") for each in names)
    assert names[0] == record_name(row)


def test_a_pattern_is_known_again_when_more_of_it_varies() -> None:
    """The miner learns while lines come."""
    assert alike("seat <*> was taken", "seat 12A was taken")
    assert not alike("seat <*> was taken", "seat 12A was sold")
    assert not alike("seat <*>", "seat 12A was")


def happening(time: int, title: str = "burns") -> Happening:
    return Happening(
        time=time * SECOND, end=None, kind="alert", severity="page", title=title, detail="",
        env="prod", link={},
    )  # fmt: skip


def test_an_event_is_found_again_though_its_beginning_moved() -> None:
    """The nearest of its kind and title; nothing else is taken for it."""
    name = event_name(happening(1000))
    near, far = happening(1060), happening(9000)

    assert near is named_event(name, [far, near, happening(1000, "other")])
    assert named_event(name, [happening(1000, "other")]) is None
    assert named_event("banana", [near]) is None
