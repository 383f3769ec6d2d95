"""Frames as files that no spreadsheet runs."""

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console import tables


def rows(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(tables.csv(frame).decode(), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "  ="])
def test_a_cell_that_could_be_a_formula_is_text(start: str) -> None:
    """A quote in front is what spreadsheets take for it."""
    frame = pd.DataFrame({"body": [f"{start}cmd|calc"], "count": [1]})

    assert [["body", "count"], [f"'{start}cmd|calc", "1"]] == rows(frame)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))))
def test_no_cell_of_text_begins_like_a_formula(bodies: list[str]) -> None:
    """Whatever a log line says."""
    frame = pd.DataFrame({"body": pd.Series(bodies, dtype=object), "n": 1})

    assert not [
        row for row in rows(frame) if row and row[0][:1] in {"=", "+", "-", "@", "\t", "\r"}
    ]


def test_negative_numbers_stay_numbers() -> None:
    """They run nothing."""
    assert [["change"], ["-1.5"]] == rows(pd.DataFrame({"change": [-1.5]}))


def test_a_name_of_a_column_could_be_a_formula_too() -> None:
    """It comes from our own code today."""
    assert [["'=x"], ["1"]] == rows(pd.DataFrame({"=x": [1]}))


def test_times_are_written_for_people_and_programs() -> None:
    """RFC 3339 in UTC, and nothing where nothing is known."""
    frame = pd.DataFrame({"time": [1_795_407_000_000_000_000], "last": [None], "end": [pd.NA]})

    assert [["time", "last", "end"], ["2026-11-23T04:10:00.000000Z", "", ""]] == rows(frame)


def test_lists_are_json() -> None:
    """A trend is one cell."""
    assert [["trend"], ["[1, 2]"]] == rows(pd.DataFrame({"trend": [[1, 2]]}))


def test_the_frame_that_is_shown_is_not_changed() -> None:
    """A panel draws it after it offered the file."""
    frame = pd.DataFrame({"time": [1], "body": ["=1"]})
    tables.csv(frame)

    assert [[1, "=1"]] == frame.to_numpy().tolist()


def test_a_cell_of_a_table_is_on_one_line_and_visible() -> None:
    """Control characters and invisible ones are escaped; missing stays missing."""
    frame = pd.DataFrame({"body": ["a\nb\u202e", None]})
    cleaned = tables.cleaned(frame, ("body", "absent"))["body"]

    assert "a\\nb\\u202e" == cleaned.iloc[0]
    assert [False, True] == list(cleaned.isna())
