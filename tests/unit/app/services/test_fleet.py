"""The fleet: one row for each application and environment, with nothing made up."""

import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from app.access import OPEN, Role, Scope
from app.services.evaluations import evaluations
from app.services.fleet import COLUMNS, fleet
from app.services.world import World
from collectors.readers.telemetry import Answered
from collectors.signals import Signal
from slo.errors import UsageError
from tests.servers.loopback import Loopback, Reply
from tests.unit.app.services.installation import (
    APPS,
    AT,
    END,
    HOUR,
    MINUTE,
    QUIET,
    WORKSPACE,
    ago,
    filled,
    install,
    logs,
    requests,
)

BOOKINGS = Scope(user="ana", role=Role.DEVELOPER, apps=frozenset({"ticketing", "loyalty"}))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def whole(world: World) -> Answered[pd.DataFrame]:
    return fleet(world, OPEN, AT)


def rows(frame: pd.DataFrame) -> dict[tuple[str, str], dict[str, object]]:
    return {(str(row["app"]), str(row["env"])): dict(row) for _, row in frame.iterrows()}


def test_every_app_has_a_row_for_each_environment(whole: Answered[pd.DataFrame]) -> None:
    found = whole

    assert list(COLUMNS) == list(found.value.columns)
    assert [
        ("cargo", "prod"),
        ("cargo", "staging"),
        ("crew", "prod"),
        ("loyalty", "prod"),
        ("ticketing", "prod"),
    ] == list(rows(found.value))
    assert "store" == found.source
    assert () == found.partial


def test_a_burning_app_shows_its_worst_slo_and_what_the_gate_would_say(
    whole: Answered[pd.DataFrame],
) -> None:
    """Of 57,600 requests 576 may be bad: the arithmetic is that of `headroom status`."""
    row = rows(whole.value)["ticketing", "prod"]
    bad = 6 * 20 + 6 * 50 + 564 * QUIET

    assert ("availability", "burning", "deny") == (row["slo"], row["state"], row["decision"])
    assert 1 - bad / 576 == pytest.approx(row["budget_remaining"])
    assert bad / 57_600 == pytest.approx(row["error_ratio"])
    assert (6 * 50 + 6 * QUIET) / 12 == pytest.approx(row["burn_rate"])
    assert str(row["why"]).startswith("ticketing may not ship to prod: availability: burning 25")
    assert ("Airline ticketing", "bookings", "1") == (row["title"], row["team"], row["tier"])


def test_a_well_app_may_ship(whole: Answered[pd.DataFrame]) -> None:
    row = rows(whole.value)["loyalty", "prod"]

    assert ("ok", "allow") == (row["state"], row["decision"])
    assert 0.9 == pytest.approx(row["budget_remaining"], abs=0.001)


def test_an_app_without_data_is_neither_well_nor_at_zero(whole: Answered[pd.DataFrame]) -> None:
    """No number stands for missing data, and the gate does not let it ship."""
    row = rows(whole.value)["crew", "prod"]

    assert ("no_data", "indeterminate") == (row["state"], row["decision"])
    for name in ("budget_remaining", "burn_rate", "error_ratio", "metrics_at", "bytes"):
        assert pd.isna(row[name]), name  # type: ignore[call-overload]
    assert "no spans of crew have ever been stored" in str(row["note"])


def test_freshness_is_that_of_each_signal_and_absence_stays_absent(
    whole: Answered[pd.DataFrame],
) -> None:
    found = rows(whole.value)
    ticketing, cargo = found["ticketing", "prod"], found["cargo", "prod"]

    assert END - HOUR == ticketing["metrics_at"]
    assert END - 2 * HOUR + 11 * MINUTE == ticketing["logs_at"]
    assert END - 4 * MINUTE == ticketing["traces_at"]
    assert pd.isna(cargo["logs_at"])  # type: ignore[call-overload]
    assert END - 4 * MINUTE == cargo["traces_at"]
    assert 0 < int(str(ticketing["bytes"]))


def test_what_is_older_than_a_day_is_not_fresh(tmp_path: Path) -> None:
    world = install(tmp_path, [(Signal.LOGS, logs())])

    later = ago(days=-2)
    row = rows(fleet(world, OPEN, later).value)["ticketing", "prod"]

    assert pd.isna(row["logs_at"])  # type: ignore[call-overload]


def test_telemetry_without_an_environment_is_that_of_the_only_one(tmp_path: Path) -> None:
    """An app with two environments has two that it could be of, and so neither."""
    world = install(
        tmp_path, [(Signal.LOGS, logs(env=None)), (Signal.LOGS, logs("cargo", env=None))]
    )

    found = rows(fleet(world, OPEN, AT).value)

    assert END - 2 * HOUR + 11 * MINUTE == found["ticketing", "prod"]["logs_at"]
    assert pd.isna(found["cargo", "prod"]["logs_at"])  # type: ignore[call-overload]


def test_a_developer_sees_the_own_apps_alone(world: World) -> None:
    found = fleet(world, BOOKINGS, AT)

    assert [("loyalty", "prod"), ("ticketing", "prod")] == list(rows(found.value))
    assert "cargo" not in "".join(found.partial)


def test_environments_that_may_not_be_seen_are_no_rows(world: World) -> None:
    scope = Scope(user="eve", apps=None, environments=frozenset({"staging"}))

    assert [("cargo", "staging")] == list(rows(fleet(world, scope, AT).value))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"team": "freight"}, [("cargo", "prod"), ("cargo", "staging")]),
        ({"tier": "1"}, [("loyalty", "prod"), ("ticketing", "prod")]),
        ({"env": "staging"}, [("cargo", "staging")]),
        ({"team": "freight", "env": "prod"}, [("cargo", "prod")]),
        ({"team": "bookings", "tier": "2"}, []),
    ],
)
def test_rows_are_filtered_by_team_tier_and_environment(
    world: World, filters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    found = fleet(world, OPEN, AT, **filters)

    assert expected == list(rows(found.value))
    assert list(COLUMNS) == list(found.value.columns)


def test_a_team_that_nobody_has_is_a_mistake_with_a_suggestion(world: World) -> None:
    with pytest.raises(UsageError, match='no app has the team "freigth"; did you mean "freight"'):
        fleet(world, OPEN, AT, team="freigth")


def test_teams_that_may_not_be_seen_are_not_suggested(world: World) -> None:
    with pytest.raises(UsageError) as caught:
        fleet(world, BOOKINGS, AT, team="freigth")

    assert "known: bookings" == caught.value.hint
    assert "did you mean" not in str(caught.value)


def test_an_installation_without_any_source_says_so_in_every_row(tmp_path: Path) -> None:
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")
    world = install(tmp_path, workspace=bare, apps={"loyalty": APPS["loyalty"]}, store=False)

    found = fleet(world, OPEN, AT)
    row = rows(found.value)["loyalty", "prod"]

    assert ("no_data", "indeterminate") == (row["state"], row["decision"])
    assert "no Prometheus is configured" in str(row["why"])
    assert any("no Prometheus is configured" in text for text in found.partial)


def test_a_store_that_has_gone_leaves_rows_without_numbers(tmp_path: Path) -> None:
    world = filled(tmp_path)
    shutil.rmtree(tmp_path / "store")

    found = fleet(world, OPEN, AT)

    assert 5 == len(found.value)
    assert {"no_data"} == set(found.value["state"])
    assert {"indeterminate"} == set(found.value["decision"])
    assert found.value["budget_remaining"].isna().all()
    assert found.partial


def test_a_damaged_file_is_told_beside_the_rows_it_is_missing_from(tmp_path: Path) -> None:
    world = filled(tmp_path)
    first = min((tmp_path / "store" / "fresh" / "logs").iterdir())
    first.write_bytes(b"no telemetry" * 100)

    found = fleet(world, OPEN, AT)

    assert any("unreadable" in text for text in found.partial)
    assert pd.isna(rows(found.value)["ticketing", "prod"]["logs_at"])  # type: ignore[call-overload]


def test_a_prometheus_that_is_down_greys_its_own_columns_alone(tmp_path: Path) -> None:
    """The store still tells what it holds."""
    with Loopback([Reply(status=503)]) as server:
        prometheus = f"prometheus: {{p: {{url: '{server.url}', retries: 0}}}}"
        sources = f"{{store: {{path: store}}, metrics: prometheus/p, {prometheus}}}"
        workspace = WORKSPACE.replace("{store: {path: store}}", sources)
        world = install(tmp_path, [(Signal.LOGS, logs("loyalty"))], workspace=workspace)
        found = fleet(world, OPEN, AT)
    row = rows(found.value)["loyalty", "prod"]

    assert ("no_data", "indeterminate") == (row["state"], row["decision"])
    assert END - 2 * HOUR + 11 * MINUTE == row["logs_at"]
    assert found.partial


def test_numbers_that_were_read_already_are_not_read_again(world: World) -> None:
    """The server judges every service level twice a minute anyway."""
    judged = evaluations(world.project, world.project.levels("cargo", "prod"), AT)

    found = rows(fleet(world, BOOKINGS, AT, judged=judged).value)

    assert {"no_data"} == {row["state"] for row in found.values()}
    own = rows(fleet(world, OPEN, AT, judged=judged).value)
    assert ("ok", "no_data") == (own["cargo", "prod"]["state"], own["ticketing", "prod"]["state"])


def test_a_look_writes_no_audit_record(world: World) -> None:
    fleet(world, OPEN, AT)

    assert not list(world.project.root.rglob("audit.ndjson"))


def test_two_policies_that_fit_equally_leave_that_row_undecided(tmp_path: Path) -> None:
    policy = """\
apiVersion: headroom/v1
kind: GatePolicy
metadata: {name: NAME}
spec: {match: {apps: [ticketing]}, rules: [{id: budget, type: error_budget, slos: ["*"]}]}
"""
    apps = {**APPS, **{name: policy.replace("NAME", name) for name in ("one", "two")}}
    world = install(tmp_path, [(Signal.SPANS, requests())], apps=apps)

    found = rows(fleet(world, OPEN, AT).value)

    assert "indeterminate" == found["ticketing", "prod"]["decision"]
    assert "equally well" in str(found["ticketing", "prod"]["why"])
    assert "equally well" not in str(found["crew", "prod"]["why"])


def test_a_hundred_apps_cost_no_question_each_beside_their_slos(tmp_path: Path) -> None:
    """One question tells how fresh all of them are: the rest is arithmetic."""
    apps = {f"app-{place}": APPS["crew"].replace("crew", f"app-{place}") for place in range(100)}
    world = install(tmp_path, [(Signal.SPANS, requests("app-7"))], apps=apps)
    fleet(world, OPEN, AT, judged=())
    began = time.perf_counter()
    found = fleet(world, OPEN, AT, judged=())
    took = time.perf_counter() - began
    print(f"fleet of {len(found.value)} without reading SLOs: {took:.2f} s")

    assert 100 == len(found.value)
    assert END - 4 * MINUTE == rows(found.value)["app-7", "prod"]["traces_at"]
    assert 3 > took
