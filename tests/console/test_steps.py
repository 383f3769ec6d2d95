"""What a visitor does on a page: select, follow, narrow."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from app.access import OPEN
from app.services.world import World
from app.telemetry import Telemetry
from collectors.signals import Signal, table
from collectors.store import StoreWriter
from tests.console.stage import APP, FLEET, MAP, TRACE, lines, nobody, said, shown, visited
from tests.unit.app.services.installation import END, SECOND, install


def pick(key: str, row: int = 0) -> tuple[str, dict[str, object]]:
    return key, {"selection": {"rows": [row], "columns": [], "cells": []}}


def test_an_app_that_needs_attention_is_one_click_away(full: World) -> None:
    """At the same range, with the SLO that is worst."""
    link: Any = shown(full, FLEET, {"range": "2d"}).get("page_link")[0]

    expected = {"app": ["ticketing"], "env": ["prod"], "slo": ["availability"], "range": ["2d"]}
    assert ("app", expected) == (link.page, parse_qs(link.query_string))


def test_a_row_that_was_selected_on_another_page_opens_its_app(full: World) -> None:
    """The page is left as soon as it is drawn again."""
    test = shown(full, FLEET, {"range": "2d"})
    test.session_state["left"] = {"app": "cargo", "range": "6h"}
    test.run()

    assert not test.exception
    assert {"app": "cargo", "range": "6h"} == dict(test.query_params)
    assert "May I ship?" in said(test)


def test_the_fleet_shows_the_worst_app_first(full: World) -> None:
    """What may not ship, before what may."""
    decisions = list(shown(full, FLEET, {"range": "2d"}).dataframe[0].value["decision"])

    assert "✕ deny" == decisions[0]
    assert sorted(decisions, key=lambda each: each != "✕ deny") == decisions


def test_the_fleet_is_narrowed_by_team(full: World) -> None:
    """The address says so too."""
    test = shown(full, FLEET, {"range": "2d"})
    test.selectbox(key="fleet-team").select("freight").run()

    assert {"range": "2d", "team": "freight"} == dict(test.query_params)
    assert {"cargo"} == set(test.dataframe[0].value["app"])


def test_the_traces_hold_the_one_that_failed(full: World) -> None:
    """Failed ones only, where that was chosen."""
    test = shown(full, APP, {"app": "ticketing", "tab": "traces", "range": "1h", "failed": "1"})
    listed = test.dataframe[0].value

    assert {"✕ error"} == set(listed["status"])
    assert TRACE in set(listed["trace_id"])


def test_a_log_record_is_read_in_full_and_leads_to_its_trace(full: World) -> None:
    """Around the time it was written."""
    query = {"app": "ticketing", "tab": "logs", "range": "1h", "q": "seat"}
    test = shown(full, APP, query)
    key, selection = pick("logs-table")
    test.session_state[key] = selection
    test.run()

    assert "seat 12A was taken" in [code.value for code in test.code]
    assert test.query_params["record"]
    next(button for button in test.button if button.label == "Its trace").click().run()
    assert ("traces", TRACE) == (test.query_params["tab"], test.query_params["trace"])
    assert "Log records inside" in said(test)


def test_why_leads_to_the_failing_traces_of_its_first_row(full: World) -> None:
    """Filtered by what the row says."""
    test = shown(full, APP, {"app": "ticketing", "tab": "why", "slo": "availability"})
    next(b for b in test.button if b.label == "All its failing traces").click().run()

    assert not test.exception
    assert ("traces", "1") == (test.query_params["tab"], test.query_params["failed"])


def test_what_happened_leads_to_its_tab(full: World) -> None:
    """A deploy to the deploys, around its time."""
    test = shown(full, APP, {"app": "ticketing", "range": "2d"})
    frame = next(each.value for each in test.dataframe if "kind" in each.value.columns)
    key, selection = pick("timeline-table", list(frame["kind"]).index("◆ deploy"))
    test.session_state[key] = selection
    test.run()
    next(b for b in test.button if b.label == "Open what this is about").click().run()

    assert "deploys" == test.query_params["tab"]
    assert 3600 == int(test.query_params["to"]) - int(test.query_params["from"])


def test_following_shows_what_is_stored_later(tmp_path: Path) -> None:
    """New records come before those that were there, each once."""
    world = install(tmp_path, [(Signal.LOGS, lines())])
    test = shown(world, APP, {"app": "ticketing", "tab": "logs", "range": "1h", "tail": "1"})
    assert 2 == len(test.dataframe[0].value)

    late: dict[str, list[Any]] = {
        "time": [END - SECOND], "observed": [END], "app": ["ticketing"], "env": ["prod"],
        "body": ["and another"], "severity": [9],
    }  # fmt: skip
    with StoreWriter(tmp_path / "store") as writer:
        writer.append(Signal.LOGS, table(Signal.LOGS, late))
    test.run()

    bodies = list(test.dataframe[0].value["body"])
    assert ("and another", 3) == (bodies[0], len(bodies))


def test_a_trace_is_closed_again(full: World) -> None:
    """The list stays where it was."""
    test = shown(full, APP, {"app": "ticketing", "tab": "traces", "range": "1h", "trace": TRACE})
    next(button for button in test.button if button.label == "Close").click().run()

    assert "trace" not in test.query_params
    assert "Log records inside" not in said(test)


APP_HOUR = {"app": "ticketing", "range": "1h"}


def again(world: World, test: AppTest) -> AppTest:
    """The address of a page, as somebody else opens it."""
    return shown(world, APP, dict(test.query_params))


def test_an_opened_record_is_in_the_address(full: World) -> None:
    """Whoever gets the link reads the same record, whatever else has been written since."""
    test = shown(full, APP, {**APP_HOUR, "tab": "logs", "q": "seat"})
    test.session_state["logs-table"] = pick("logs-table")[1]
    test.run()
    opened = again(full, test)

    assert "seat 12A was taken" in [code.value for code in opened.code]
    elsewhere = {**dict(test.query_params), "q": "nothing-like-this or seat", "level": "error"}
    other = shown(full, APP, {**elsewhere, "q": "", "level": "error"})
    assert "seat 12A was taken" in [code.value for code in other.code], "not in the list"


def test_a_record_of_an_address_that_is_not_there_is_told(full: World) -> None:
    """Nor is anything else shown in its place; nonsense is no error."""
    for name in ("1760183400000000000-00000000", "banana", "9" * 30):
        test = shown(full, APP, {**APP_HOUR, "tab": "logs", "record": name})
        assert not test.exception
        assert "The record of this address is not there" in said(test)


def test_a_selected_pattern_is_in_the_address(full: World) -> None:
    """With its example; selecting nothing takes it out again."""
    test = shown(full, APP, {**APP_HOUR, "tab": "logs"})
    patterns = next(each.value for each in test.dataframe if "pattern" in each.value.columns)
    test.session_state["patterns-table"] = pick("patterns-table")[1]
    test.run()
    assert patterns["pattern"].iloc[0] == test.query_params["pattern"]
    opened = again(full, test)
    assert str(patterns["pattern"].iloc[0]) in [code.value for code in opened.code]

    test.session_state["patterns-table"] = {"selection": {"rows": [], "columns": [], "cells": []}}
    test.run()
    assert "pattern" not in test.query_params


def test_a_selected_service_of_the_map_is_in_the_address(full: World) -> None:
    """The table has its calls only, and its app is a click away."""
    test = shown(full, MAP, {"range": "1h"})
    whole = len(test.dataframe[0].value)
    chosen = test.selectbox(key="map-node")
    chosen.select(next(each for each in chosen.options if "ticketing" in each)).run()
    opened = shown(full, MAP, dict(test.query_params))

    assert test.query_params["node"]
    assert 0 < len(opened.dataframe[0].value) <= whole
    links: Any = opened.get("page_link")
    assert "Open ticketing" in [link.label for link in links]
    gone = shown(full, MAP, {"range": "1h", "node": "no-such-node"})
    assert "What is selected in this address was not seen" in said(gone)


def test_a_selected_event_of_the_timeline_is_in_the_address(full: World) -> None:
    """With the way to what it is about."""
    test = shown(full, APP, {"app": "ticketing", "range": "2d"})
    frame = next(each.value for each in test.dataframe if "kind" in each.value.columns)
    place = list(frame["kind"]).index("◆ deploy")
    test.session_state["timeline-table"] = pick("timeline-table", place)[1]
    test.run()

    assert test.query_params["event"]
    assert "Open what this is about" in [b.label for b in again(full, test).button]


def test_a_trace_a_span_and_a_range_are_in_the_address(full: World) -> None:
    """As are the tab and how requests are told apart."""
    query = {"app": "ticketing", "tab": "traces", "trace": TRACE, "span": "22" * 8, "range": "1h"}
    test = shown(full, APP, query)
    assert any("SELECT seats" in code.value for code in test.code)
    assert query == dict(test.query_params)

    end = END // SECOND
    query = {"app": "ticketing", "tab": "metrics", "by": "route"}
    query |= {"from": str(end - 3600), "to": str(end)}
    test = shown(full, APP, query)
    assert query == dict(test.query_params)
    assert "route" == test.segmented_control(key="red-by").value


def test_what_a_page_takes_is_measured_once(full: World) -> None:
    """By page, tab and outcome; what the address says otherwise is no label."""
    telemetry = Telemetry()
    query = {"app": "ticketing", "tab": "logs", "range": "1h", "q": "secret-search"}
    visited(full, APP, query, lambda: OPEN, telemetry=telemetry)
    visited(full, APP, {"app": "no-such"}, lambda: OPEN, telemetry=telemetry)
    visited(full, FLEET, {}, nobody, telemetry=telemetry)
    lines = telemetry.exposition().splitlines()
    counts = [each for each in lines if each.startswith("headroom_page_duration_seconds_count")]

    assert [
        'headroom_page_duration_seconds_count{outcome="drawn",page="app",tab="logs"} 1',
        'headroom_page_duration_seconds_count{outcome="failed",page="app",tab="overview"} 1',
        'headroom_page_duration_seconds_count{outcome="forbidden",page="fleet",tab="none"} 1',
    ] == counts
    assert "secret-search" not in telemetry.exposition()


def test_decisions_that_pages_show_are_counted(full: World) -> None:
    """On Fleet one for each row, on Overview one with its duration."""
    telemetry = Telemetry()
    rows = visited(full, FLEET, {}, lambda: OPEN, telemetry=telemetry).dataframe[0].value
    visited(full, APP, {"app": "ticketing"}, lambda: OPEN, telemetry=telemetry)
    lines = telemetry.exposition().splitlines()
    decided = [each for each in lines if each.startswith("headroom_gate_decisions_total")]

    assert len(rows) + 1 == sum(int(each.rsplit(" ", 1)[1]) for each in decided)
    assert "headroom_gate_duration_seconds_count 1" in lines
