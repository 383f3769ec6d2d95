"""The address of a page and the view it stands for."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console.state import (
    RANGES,
    REFRESHES,
    SEVERITIES,
    SLICES,
    Tab,
    View,
    around,
    from_datetime,
)
from collectors.readers.telemetry import TimeRange, TraceOrder
from slo.units import Duration

SECOND = 1_000_000_000
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)

names = st.none() | st.text(min_size=1, max_size=200)
instants = st.integers(min_value=0, max_value=4_000_000_000)
ranges = st.none() | st.tuples(instants, instants).filter(lambda ends: ends[0] < ends[1])
_NAMES = (
    "app",
    "env",
    "slo",
    "team",
    "tier",
    "pod",
    "version",
    "dependency",
    "trace",
    "span",
    "node",
    "record",
    "event",
)


@st.composite
def views(draw: st.DrawFn) -> View:
    whole, part = draw(ranges), draw(ranges)
    return View(
        tab=draw(st.sampled_from(Tab)),
        length=Duration.parse(draw(st.sampled_from(RANGES))),
        start=whole[0] if whole else None,
        end=whole[1] if whole else None,
        part_start=part[0] if part else None,
        part_end=part[1] if part else None,
        refresh=draw(st.sampled_from(REFRESHES)),
        by=draw(st.sampled_from(SLICES)),
        failed=draw(st.booleans()),
        tail=draw(st.booleans()),
        order=draw(st.sampled_from(TraceOrder)),
        level=draw(st.none() | st.sampled_from(sorted(SEVERITIES))),
        at_least=draw(st.none() | st.integers(0, 10**6)),
        below=draw(st.none() | st.integers(0, 10**6)),
        text=draw(st.text(max_size=400)),
        part=draw(st.integers(1, 99)),
    ).but({name: draw(names) for name in _NAMES})


@given(views())
def test_an_address_says_everything_that_was_chosen(view: View) -> None:
    """Reading back what was written gives the same view, without a mistake."""
    assert (view, ()) == View.read(view.query())


@given(st.dictionaries(st.sampled_from([*View().query(), "tab", "range", "from", "to", "q", "page",
                                        "min", "refresh", "by", "failed", "order", "level", "app"]),
                       st.text(max_size=30)))  # fmt: skip
def test_any_address_is_read(query: dict[str, str]) -> None:
    """Nonsense is told, and what is left can be written and read again."""
    view, _ = View.read(query)

    assert (view, ()) == View.read(view.query())


def test_a_view_that_nobody_changed_needs_no_query() -> None:
    """Addresses stay short."""
    assert {} == View().query()


def test_every_field_has_a_name_of_its_own_in_the_address() -> None:
    """Two fields with one name would overwrite each other."""
    view = View(
        app="a", tab=Tab.LOGS, env="e", slo="s", length=Duration.of(hours=1), start=1, end=2,
        refresh=15, team="t", tier="1", by="pod", failed=True, order=TraceOrder.SLOWEST,
        at_least=1, below=2, part_start=3, part_end=4, text="q", level="warn", tail=True,
        pattern="p", route="/", pod="x", version="1", dependency="d", trace="t", span="s",
        node="n", record="r", event="e", part=2,
    )  # fmt: skip

    assert len(fields(View)) == len(view.query())


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ({"range": "banana"}, "range: a duration"),
        ({"range": "900d"}, "range: is a year at most"),
        ({"from": "10", "to": "5"}, "from and to: a range has a start before its end"),
        ({"from": "10"}, "from and to: a range has a start before its end"),
        ({"tab": "secret"}, "tab: is one of overview"),
        ({"page": "0"}, "page: counts from 1"),
        ({"failed": "yes"}, "failed: is 0 or 1"),
        ({"app": "a" * 201}, "app: has 1 to 200 characters"),
        ({"refresh": "1"}, "refresh: is one of 0, 15, 60"),
    ],
)
def test_nonsense_is_told_and_left_out(query: dict[str, str], mistake: str) -> None:
    """The rest of the view is as if it had not been written."""
    view, mistakes = View.read(query)

    assert View() == view
    assert 1 == len(mistakes)
    assert mistakes[0].startswith(mistake)


def test_what_is_no_part_of_a_view_is_passed_over() -> None:
    """Other tools may add to an address."""
    assert (View(app="a"), ()) == View.read({"app": "a", "utm_source": "mail"})


def test_a_relative_range_ends_at_a_round_second_that_holds_now() -> None:
    """So that questions within it are alike, and the newest record is in it."""
    moments = [NOON.replace(second=second) for second in range(15)]
    found = {View().range(moment) for moment in moments}

    assert 1 == len(found)
    assert all(span.end > moment.timestamp() * SECOND for span in found for moment in moments)
    assert {86_400 * SECOND} == {span.length for span in found}


def test_a_fixed_range_is_what_it_says() -> None:
    """Whatever the time is."""
    view = View(start=10, end=20)

    assert TimeRange(start=10 * SECOND, end=20 * SECOND) == view.range(NOON)
    assert view.range(NOON) == view.selected(NOON)


def test_a_time_may_be_written_for_people() -> None:
    """RFC 3339 and Unix seconds mean the same."""
    view, _ = View.read({"from": "2026-11-23T04:10:00Z", "to": "2026-11-23T05:10:00+00:00"})

    assert (1_795_407_000, 1_795_410_600) == (view.start, view.end)


def test_a_selected_part_narrows_the_range() -> None:
    """A box in the heatmap."""
    assert 5 * SECOND == View(part_start=10, part_end=15).selected(NOON).length


def test_times_around_an_instant() -> None:
    """Whole seconds on both sides of it."""
    assert (40, 161) == around(100 * SECOND + 1, 60)


def test_a_time_without_a_zone_is_in_utc() -> None:
    """The inputs of the page have none."""
    assert from_datetime(NOON) == from_datetime(NOON.replace(tzinfo=None))
