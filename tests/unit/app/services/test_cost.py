"""What telemetry amounts to, and what that costs."""

from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest

from app.access import OPEN, Forbidden, Scope
from app.services.cost import COLUMNS, cost
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from slo.errors import SourceUnavailable, UsageError
from tests.unit.app.services.installation import COSTS, DAY, START, WHOLE, WORKSPACE, filled
from tests.unit.app.services.installation import install as installed

EMPTY = TimeRange(start=START - 9 * DAY, end=START - 8 * DAY)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("cost"), workspace=WORKSPACE + COSTS)


def rows(frame: pd.DataFrame) -> dict[tuple[object, str], dict[str, object]]:
    return {
        (row["app"] if isinstance(row["app"], str) else None, str(row["signal"])): dict(row)
        for _, row in frame.iterrows()
    }


def test_records_bytes_and_series_are_counted_by_app_and_signal(world: World) -> None:
    found = cost(world, OPEN, WHOLE).value
    by_key = rows(found.rows)

    assert list(COLUMNS) == list(found.rows.columns)
    assert {
        ("cargo", "spans"),
        ("loyalty", "metrics"),
        ("ticketing", "logs"),
        ("ticketing", "metrics"),
        ("ticketing", "spans"),
        (None, "logs"),
    } == set(by_key)
    assert (1152, 12) == (
        by_key["ticketing", "spans"]["records"],
        by_key["ticketing", "logs"]["records"],
    )
    assert 3 == by_key["ticketing", "metrics"]["series"]
    assert pd.isna(by_key["ticketing", "logs"]["series"])  # type: ignore[call-overload]
    assert found.rows["bytes"].min() > 0


def test_prices_are_those_of_the_workspace(world: World) -> None:
    """A span costs one euro; a thousand series cost 3,000 a month, and here two days of it."""
    span = TimeRange(start=START, end=START + 2 * DAY)
    found = cost(world, OPEN, span).value
    by_key = rows(found.rows)

    assert 1152.0 == by_key["ticketing", "spans"]["price"]
    assert 3 * 3 * 2 / 30 == pytest.approx(by_key["ticketing", "metrics"]["price"])
    assert "EUR" == found.currency
    assert Fraction(2 * 1152) + Fraction(5 * 3 * 2, 30) == found.total


def test_a_signal_without_a_price_is_not_free(world: World) -> None:
    found = cost(world, OPEN, WHOLE)

    assert pd.isna(rows(found.value.rows)["ticketing", "logs"]["price"])  # type: ignore[call-overload]
    assert ("no price for logs",) == found.notes


def test_without_a_price_table_amounts_are_there_and_prices_are_not(tmp_path: Path) -> None:
    found = cost(filled(tmp_path), OPEN, WHOLE)

    assert (None, None) == (found.value.currency, found.value.total)
    assert found.value.rows["price"].isna().all()
    assert 6 == len(found.value.rows)
    assert any("costs" in note for note in found.notes)


def test_one_app_is_counted_alone(world: World) -> None:
    found = cost(world, OPEN, WHOLE, app="cargo").value

    assert [("cargo", "spans")] == list(rows(found.rows))


def test_who_sees_some_apps_sees_their_cost_and_nobody_elses(world: World) -> None:
    scope = Scope(user="ana", apps=frozenset({"cargo"}))

    assert [("cargo", "spans")] == list(rows(cost(world, scope, WHOLE).value.rows))
    with pytest.raises(Forbidden):
        cost(world, scope, WHOLE, app="ticketing")


def test_environments_that_may_not_be_seen_cost_nothing_here(world: World) -> None:
    scope = Scope(user="ana", environments=frozenset({"staging"}))

    apps = {app for app, _ in rows(cost(world, scope, WHOLE).value.rows)}
    assert {None} == apps


def test_a_range_without_records_has_no_rows(world: World) -> None:
    found = cost(world, OPEN, EMPTY).value

    assert 0 == len(found.rows)
    assert Fraction(0) == found.total
    assert list(COLUMNS) == list(found.rows.columns)


def test_a_damaged_file_leaves_the_rest_and_is_told(tmp_path: Path) -> None:
    world = filled(tmp_path)
    first = min((tmp_path / "store" / "fresh" / "logs").iterdir())
    first.write_bytes(b"no telemetry" * 100)

    found = cost(world, OPEN, WHOLE)

    assert ("ticketing", "logs") not in rows(found.value.rows)
    assert ("ticketing", "spans") in rows(found.value.rows)
    assert any("unreadable" in text for text in found.partial)


def test_an_unknown_app_is_a_mistake_and_no_store_is_said_so(world: World, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='did you mean "cargo"'):
        cost(world, OPEN, WHOLE, app="carg")
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")
    without = installed(tmp_path, workspace=bare, store=False)
    with pytest.raises(SourceUnavailable, match="no source of this workspace holds telemetry"):
        cost(without, OPEN, WHOLE)
