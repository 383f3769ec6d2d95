"""The catalogue: whose applications are, what they have, what is wrong with them."""

import math
from pathlib import Path

import pytest

from app.access import OPEN, Scope
from app.services.catalogue import COLUMNS, catalogue, problems
from app.services.world import World
from tests.unit.app.services.installation import APPS, WHOLE, WORKSPACE, filled, install

WRONG = """\
apiVersion: headroom/v1
kind: App
metadata: {name: broken, team: ops}
spec: {slos: [{name: x, objective: 1.5.2, indicator: {events: {total: a, bad: b}}}]}
"""
ANA = Scope(user="ana", apps=frozenset({"ticketing"}))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("catalogue"))


def test_every_app_is_listed_with_what_it_has(world: World) -> None:
    found = catalogue(world, OPEN, WHOLE)
    by_app = {row["app"]: row for row in found.value.to_dict("records")}
    ticketing = by_app["ticketing"]

    assert list(COLUMNS) == list(found.value.columns)
    assert ["cargo", "crew", "loyalty", "ticketing"] == list(by_app)
    assert ("Airline ticketing", "bookings", "1") == (
        ticketing["title"],
        ticketing["team"],
        ticketing["tier"],
    )
    assert (["prod"], ["availability", "batches"], ["api"], ["cargo"]) == (
        ticketing["environments"],
        ticketing["slos"],
        ticketing["components"],
        ticketing["depends_on"],
    )
    assert ["prod", "staging"] == by_app["cargo"]["environments"]


def test_coverage_is_what_an_app_has_of_what_it_claims(world: World) -> None:
    """Cargo and ticketing both claim four lines and neither has them; crew sends nothing."""
    by_app = {row["app"]: row for row in catalogue(world, OPEN, WHOLE).value.to_dict("records")}

    assert (1.0, 12 / 16, 1.0) == tuple(
        by_app["ticketing"][name] for name in ("metrics", "logs", "traces")
    )
    assert 0.0 == by_app["cargo"]["logs"]
    assert all(math.isnan(by_app["crew"][name]) for name in ("metrics", "logs", "traces"))


def test_who_sees_one_app_finds_one_app(world: World) -> None:
    found = catalogue(world, ANA, WHOLE).value

    assert ["ticketing"] == list(found["app"])
    assert 12 / 16 == found["logs"].iloc[0]


def test_environments_that_may_not_be_seen_are_not_listed(world: World) -> None:
    scope = Scope(user="ana", environments=frozenset({"staging"}))
    by_app = {row["app"]: row for row in catalogue(world, scope, WHOLE).value.to_dict("records")}

    assert ["staging"] == by_app["cargo"]["environments"]
    assert "ticketing" not in by_app


def test_without_telemetry_the_apps_are_still_there(tmp_path: Path) -> None:
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")
    found = catalogue(install(tmp_path, workspace=bare, store=False), OPEN, WHOLE)

    assert 4 == len(found.value)
    assert found.value[["metrics", "logs", "traces"]].isna().all(axis=None)
    assert ("no source of this workspace holds telemetry",) == found.partial


def test_problems_are_counted_for_their_app_and_told_to_those_who_see_it(tmp_path: Path) -> None:
    world = install(tmp_path, apps={**APPS, "broken": WRONG})
    every = problems(world, OPEN)
    by_app = {row["app"]: row for row in catalogue(world, OPEN, WHOLE).value.to_dict("records")}

    assert any("objective" in each.id for each in every)
    assert by_app["cargo"]["problems"] == sum(
        each.span is not None and each.span.file.endswith("cargo.yaml") for each in every
    )
    assert 1 <= by_app["cargo"]["problems"]
    assert {"ticketing.yaml"} == {
        Path(each.span.file).name for each in problems(world, ANA) if each.span
    }


def test_a_file_with_an_app_that_may_not_be_seen_is_not_told(tmp_path: Path) -> None:
    both = f"{APPS['ticketing']}---\n{APPS['cargo']}"
    world = install(tmp_path, apps={"both": both})
    by_app = {row["app"]: row for row in catalogue(world, OPEN, WHOLE).value.to_dict("records")}

    assert () == problems(world, ANA)
    assert (
        len(problems(world, OPEN)) == by_app["cargo"]["problems"] + by_app["ticketing"]["problems"]
    )
