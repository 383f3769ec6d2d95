"""Join health on the Unattributed page: data, none, a source down, and not allowed."""

from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest

from app.access import OPEN, Role, Scope
from app.services.world import World
from collectors.signals import Signal
from tests.console.stage import HOSTILE, UNATTRIBUTED, nobody, said, shown, visited
from tests.unit.app.services.installation import install, logs, lost_logs

CARGO_ONLY = Scope(user="tia", role=Role.DEVELOPER, apps=frozenset({"cargo"}))
RANGE = {"range": "2d"}
TITLE = "How telemetry is joined to its apps"


def page(world: World, scope: Scope = OPEN) -> AppTest:
    test = shown(world, UNATTRIBUTED, RANGE, scope=scope)
    assert not test.exception, test.exception
    assert "This panel is broken" not in said(test)
    return test


def frame(test: AppTest, column: str) -> pd.DataFrame:
    """The table that has a column of this name."""
    frames: list[pd.DataFrame] = [each.value for each in test.dataframe]
    return next(each for each in frames if column in each.columns)


def test_shares_and_gaps_are_shown(full: World) -> None:
    """By app, signal and rung; what two claim with both names; the remedy beside it."""
    test = page(full)
    shares, gaps = frame(test, "not attributed"), frame(test, "what to do")

    assert TITLE in said(test)
    assert {"(all)", "ticketing", "cargo"} <= set(shares["app"])
    assert {"1 the app's tag", "2 service name"} <= set(shares.columns)
    claimed = gaps[gaps["claimed by"] == "cargo, ticketing"].iloc[0]
    assert ("logs", "pdf-renderer") == (claimed["signal"], claimed["service"])
    assert "only one of cargo" in claimed["what to do"]


def test_the_generated_file_and_its_command_are_shown(tmp_path: Path) -> None:
    """Untrusted words are drawn as text in a table, on one line."""
    lost = lost_logs(3, claimants=None)
    lost = lost.set_column(
        lost.schema.get_field_index("body"),
        "body",
        [[f"{HOSTILE}\npassword=hunter2"] * 3],
    )
    gaps = frame(
        page(install(tmp_path, [(Signal.LOGS, logs()), (Signal.LOGS, lost)])), "what to do"
    )
    row = gaps.iloc[0]

    assert "collectors/otelcol/prod/agent.yaml" in row["generated file"]
    assert "headroom generate --only collectors --collector otelcol" == row["command"]
    assert "hunter2" not in str(row["example"])
    assert "\n" not in str(row["example"])


def test_all_that_is_joined_lacks_nothing(tmp_path: Path) -> None:
    """No gap looks other than no data."""
    text = said(page(install(tmp_path, [(Signal.LOGS, logs())])))

    assert "Nothing lacks a key." in text


def test_nothing_recorded_is_no_data(tmp_path: Path) -> None:
    assert "No data" in said(page(install(tmp_path)))


def test_a_source_that_is_down_beside_another_is_partial(partial: World) -> None:
    """What the store holds is shown; the Prometheus that is down is named."""
    test = page(partial)

    assert "Partial: something did not answer" in said(test)
    assert "prometheus/eu" in said(test)
    assert "ticketing" in set(frame(test, "not attributed")["app"])


def test_a_source_that_is_down_alone_is_told(down: World) -> None:
    """The panel says why, and the page stands."""
    text = said(page(down))

    assert "Could not be read." in text
    assert "cannot be reached" in text


def test_others_see_the_shares_of_their_apps_alone(full: World) -> None:
    """And no gap, nor another app's name."""
    test = page(full, CARGO_ONLY)

    assert {"cargo"} == set(frame(test, "not attributed")["app"])
    assert not any("what to do" in each.value.columns for each in test.dataframe)
    assert "Nothing lacks a key." not in said(test)


def test_who_has_no_role_sees_nothing(full: World) -> None:
    test = visited(full, UNATTRIBUTED, RANGE, nobody)

    assert TITLE not in said(test)
    assert [] == list(test.dataframe)
