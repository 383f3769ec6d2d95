"""The demo's incidents are explained: the planted cause stands in the first row, and it adds up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.access import OPEN, Forbidden, Role, Scope
from app.demo import World as Demo
from app.demo import places
from app.demo.filling import fill_store
from app.demo.incidents import Incident, Kind
from app.project import open_project
from app.services.attribution import attribution
from app.services.opening import open_world
from app.services.results import Attribution
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from slo.errors import UsageError
from slo.units import Duration

NOW = 1_763_750_000 * 1_000_000_000
AT = datetime.fromtimestamp(NOW / 1e9, UTC)
DEMO = Demo(seed=7, now_ns=NOW, days=1, scale=0.25)
HOUR = 3_600_000_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A day of the airline in a store."""
    print(f"seed {DEMO.seed}")
    folder = tmp_path_factory.mktemp("airline") / "store"
    workspace = str(places.workspace())
    catalog = open_project([], environment={}, workspace=workspace).catalog
    fill_store(DEMO, catalog, folder, lambda: None)
    project = open_project([], environment={}, workspace=workspace, store=str(folder))
    return open_world(project, environ={}, deadline=Duration.parse("2m"))


def planted(kind: Kind) -> Incident:
    return next(each for each in DEMO.truth if each.kind is kind)


def adds_up(found: Attribution) -> bool:
    return abs(float(found.rows["share"].sum()) + found.remainder - 1) < 1e-9


def test_the_bad_deploy_is_named_by_route_and_version(world: World) -> None:
    incident = planted(Kind.BAD_DEPLOY)
    found = attribution(world, OPEN, "ticketing", slo="availability", at=AT).value
    first = found.rows.iloc[0]
    assert str(incident.route).partition(" ")[2] == first["route"]
    assert incident.version == first["version"]
    assert any("fare_family" in pattern for pattern in first["patterns"])
    assert first["trace_id"]
    assert adds_up(found)
    assert found.remainder < 0.05
    assert found.factor is not None
    assert found.factor > 1
    assert [f"{incident.version}"] == [
        word for each in found.coinciding for word in each.title.split() if word.startswith("2.")
    ]


def test_the_budget_with_least_left_is_explained_without_being_named(world: World) -> None:
    found = attribution(world, OPEN, "ticketing", at=AT).value
    assert "availability" == found.slo


@pytest.mark.parametrize("app", ["cargo", "ticketing"])
def test_the_slow_database_is_named_for_each_app(world: World, app: str) -> None:
    incident = planted(Kind.SLOW_DATABASE)
    span = TimeRange(start=incident.start_ns - HOUR // 2, end=incident.end_ns + HOUR // 2)
    found = attribution(world, OPEN, app, slo="latency", at=AT, window=span).value
    assert f"postgresql/{incident.dependency}" == found.rows.iloc[0]["dependency"]
    assert adds_up(found)


def test_the_exhausted_budget_is_explained_by_its_route(world: World) -> None:
    incident = planted(Kind.EXHAUSTED)
    found = attribution(world, OPEN, "loyalty", slo="availability", at=AT).value
    assert str(incident.route).partition(" ")[2] == found.rows.iloc[0]["route"]
    assert adds_up(found)


def test_an_app_without_traffic_has_nothing_to_explain(world: World) -> None:
    found = attribution(world, OPEN, "crew", at=AT).value
    assert 0 == len(found.rows)
    assert any("too few" in note for note in found.notes)


def test_a_probe_has_no_requests_to_break_down(world: World) -> None:
    with pytest.raises(UsageError, match="nothing to break down"):
        attribution(world, OPEN, "check-in", slo="reachable", at=AT)


def test_an_unknown_slo_is_told_with_a_suggestion(world: World) -> None:
    with pytest.raises(UsageError, match='did you mean "availability"'):
        attribution(world, OPEN, "ticketing", slo="availabilty", at=AT)


def test_who_may_not_see_an_app_gets_no_reasons(world: World) -> None:
    scope = Scope(user="kim", role=Role.DEVELOPER, apps=frozenset({"cargo"}))
    with pytest.raises(Forbidden):
        attribution(world, scope, "ticketing", at=AT)
