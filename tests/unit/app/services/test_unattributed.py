"""What belongs to nobody, and who could mend it."""

from pathlib import Path

import pytest

from app.access import OPEN, Forbidden, Scope
from app.services.unattributed import unattributed
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal
from slo.errors import SourceUnavailable
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


def test_without_a_source_of_telemetry_that_is_said(tmp_path: Path) -> None:
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")
    world = install(tmp_path, workspace=bare, store=False)

    with pytest.raises(SourceUnavailable, match="no source of this workspace holds telemetry"):
        unattributed(world, OPEN, WHOLE)
