"""What a visitor does on a page: select, follow, narrow."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from app.services.world import World
from collectors.signals import Signal, table
from collectors.store import StoreWriter
from tests.console.stage import APP, FLEET, TRACE, lines, said, shown
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
