"""What belongs to nobody, and how the rest was joined."""

from pathlib import Path

import pytest

from app.access import OPEN, Forbidden, Scope
from app.services.unattributed import HEALTH_COLUMNS, join_health, unattributed
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal
from slo.errors import SourceUnavailable, UsageError
from tests.unit.app.services.installation import (
    DAY,
    START,
    WHOLE,
    WORKSPACE,
    filled,
    install,
    lost_logs,
)

EMPTY = TimeRange(start=START - 9 * DAY, end=START - 8 * DAY)
ANA = Scope(user="ana", apps=frozenset({"ticketing"}))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("unattributed"))


def test_what_two_apps_claim_is_theirs_to_agree_about(world: World) -> None:
    found = unattributed(world, OPEN, WHOLE)
    (row,) = found.value.to_dict("records")

    assert ("logs", "pdf-renderer", "app", 4) == (
        row["signal"],
        row["service"],
        row["missing"],
        row["records"],
    )
    assert ["cargo", "ticketing"] == row["claimants"]
    assert "freight or bookings: only one of cargo, ticketing can have it" == row["who"]
    assert "rendered" == row["example"]


def test_what_nobody_claims_is_for_whoever_runs_it(tmp_path: Path) -> None:
    world = install(
        tmp_path,
        [(Signal.LOGS, lost_logs(3, claimants=None)), (Signal.LOGS, lost_logs(9))],
    )

    found = unattributed(world, OPEN, WHOLE).value.to_dict("records")

    assert [9, 3] == [row["records"] for row in found]
    assert [0.75, 0.25] == [row["share"] for row in found]
    assert ([], "whoever runs service pdf-renderer") == (found[1]["claimants"], found[1]["who"])


def test_what_belongs_to_nobody_is_for_those_who_see_all(world: World) -> None:
    with pytest.raises(Forbidden, match="ana may not see what belongs to no app"):
        unattributed(world, ANA, WHOLE)


def test_nothing_unattributed_is_an_empty_table(world: World) -> None:
    found = unattributed(world, OPEN, EMPTY).value

    assert 0 == len(found)
    assert {"signal", "claimants", "who", "share"} <= set(found.columns)


def test_join_health_is_by_rung_and_tells_what_is_nobodys(world: World) -> None:
    found = join_health(world, OPEN, WHOLE).value
    said = {
        (row["app"] if isinstance(row["app"], str) else None, row["signal"]): row
        for row in found.to_dict("records")
    }

    assert list(HEALTH_COLUMNS) == list(found.columns)
    assert (2, 1152, 1.0) == (
        said["ticketing", "spans"]["rung"],
        said["ticketing", "spans"]["records"],
        said["ticketing", "spans"]["share"],
    )
    assert (4, 0.25) == (said[None, "logs"]["records"], said[None, "logs"]["share"])


def test_join_health_of_one_app_is_its_own(world: World) -> None:
    found = join_health(world, OPEN, WHOLE, app="cargo").value

    assert [("cargo", "spans", 1.0)] == list(
        found[["app", "signal", "share"]].itertuples(index=False, name=None)
    )
    with pytest.raises(Forbidden):
        join_health(world, ANA, WHOLE, app="cargo")
    with pytest.raises(UsageError, match='did you mean "cargo"'):
        join_health(world, OPEN, WHOLE, app="cargoo")


def test_join_health_of_some_apps_does_not_show_the_others(world: World) -> None:
    assert {"ticketing"} == set(join_health(world, ANA, WHOLE).value["app"])


def test_join_health_of_nothing_is_empty(world: World) -> None:
    found = join_health(world, OPEN, EMPTY).value

    assert (0, list(HEALTH_COLUMNS)) == (len(found), list(found.columns))


def test_without_a_source_of_telemetry_that_is_said(tmp_path: Path) -> None:
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")
    world = install(tmp_path, workspace=bare, store=False)

    with pytest.raises(SourceUnavailable, match="no source of this workspace holds telemetry"):
        unattributed(world, OPEN, WHOLE)
