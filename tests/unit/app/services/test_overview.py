"""The cards of an application's first page: numbers, burn-down and forecast that agree."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.access import OPEN, Forbidden, Scope
from app.services.evaluations import evaluations
from app.services.overview import cards
from app.services.results import Outlook, SloCard
from app.services.world import World
from collectors.signals import Signal
from slo.errors import SourceError, UsageError
from slo.evaluate import State
from tests.servers.loopback import Loopback, Reply
from tests.unit.app.services.installation import (
    APPS,
    AT,
    DAY,
    END,
    HOUR,
    MINUTE,
    START,
    WORKSPACE,
    filled,
    install,
    requests,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("overview"))


def card(world: World, app: str, slo: str = "availability") -> SloCard:
    found = {one.evaluation.key.slo: one for one in cards(world, OPEN, app, "prod", AT)}
    return found[slo]


def test_there_is_a_card_for_each_slo_in_the_files_order(world: World) -> None:
    found = cards(world, OPEN, "ticketing", "prod", AT)

    assert ["availability", "batches"] == [one.evaluation.key.slo for one in found]
    assert {"store"} == {one.source for one in found}
    assert all("FROM" in one.query for one in found)


def test_numbers_that_were_read_already_make_the_same_cards(world: World) -> None:
    """Those of other apps among them make no card here."""
    judged = evaluations(world.project, world.project.levels(None, "prod"), AT)

    found = cards(world, OPEN, "ticketing", "prod", AT, judged=judged)
    again = cards(world, OPEN, "ticketing", "prod", AT)

    assert [one.evaluation.budget for one in again] == [one.evaluation.budget for one in found]
    assert [one.forecast for one in again] == [one.forecast for one in found]


def test_a_burn_down_ends_at_what_is_left_now(world: World) -> None:
    """About 120 points over the whole period, the last of them this very moment."""
    one = card(world, "ticketing")
    assert one.burn_down is not None
    assert one.evaluation.budget is not None
    times, left = one.burn_down["time"], one.burn_down["remaining"]

    assert 120 <= len(one.burn_down) <= 150
    assert END == times.iloc[-1]
    assert {20 * MINUTE} == set(times.diff().dropna())
    assert float(one.evaluation.budget.remaining) == pytest.approx(left.iloc[-1])
    assert left.is_monotonic_decreasing
    assert 0.0 == one.burn_down["ideal"].iloc[-1]
    assert 1 - 20 / (48 * 60) == pytest.approx(one.burn_down["ideal"].iloc[0])


def test_a_burning_budget_has_a_forecast_that_runs_out(world: World) -> None:
    found = card(world, "ticketing").forecast

    assert Outlook.EXHAUSTING == found.outlook
    assert found.earliest is not None
    assert found.at is not None
    assert AT < found.earliest <= found.at


def test_an_slo_without_data_has_a_card_that_says_why(world: World) -> None:
    one = card(world, "ticketing", "batches")

    assert (State.NO_DATA, None) == (one.evaluation.state, one.burn_down)
    assert Outlook.UNKNOWN == one.forecast.outlook
    assert one.evaluation.no_data is not None
    assert one.evaluation.no_data.detail == one.forecast.note
    assert one.forecast.note


def test_a_spent_budget_is_exhausted_in_state_and_forecast(tmp_path: Path) -> None:
    world = install(tmp_path, [(Signal.SPANS, requests(bad=dict.fromkeys(range(500, 576), 30.0)))])

    one = card(world, "ticketing")

    assert State.EXHAUSTED == one.evaluation.state
    assert (Outlook.EXHAUSTED, AT) == (one.forecast.outlook, one.forecast.at)
    assert one.burn_down is not None
    assert one.burn_down["remaining"].iloc[-1] < 0


def test_what_came_before_the_first_record_is_unknown_and_not_an_untouched_budget(
    tmp_path: Path,
) -> None:
    """Half of the period has records: the first half of the burn-down has no value at all."""
    world = install(tmp_path, [(Signal.SPANS, requests(bad={}, steps=range(288, 576)))])

    one = card(world, "ticketing")
    assert one.burn_down is not None
    before = one.burn_down[one.burn_down["time"] <= START + DAY]

    assert 60 < len(before)
    assert before["remaining"].isna().all()
    assert one.burn_down["remaining"].iloc[-72:].notna().all()


def test_steps_without_records_are_gaps_in_the_burn_down(tmp_path: Path) -> None:
    steps = [step for step in range(576) if not 300 <= step < 400]
    world = install(tmp_path, [(Signal.SPANS, requests(bad={}, steps=steps))])

    one = card(world, "ticketing")
    assert one.burn_down is not None
    gap = one.burn_down[one.burn_down["time"].between(START + 26 * HOUR, START + 33 * HOUR)]

    assert gap["remaining"].isna().all()
    assert not np.isnan(one.burn_down["remaining"].iloc[-1])


def test_a_metric_indicator_has_the_same_card(world: World) -> None:
    one = card(world, "loyalty")
    assert one.burn_down is not None

    assert State.OK == one.evaluation.state
    assert Outlook.STABLE == one.forecast.outlook
    assert 0.9 == pytest.approx(one.burn_down["remaining"].iloc[-1], abs=0.002)


def test_cards_of_what_may_not_be_seen_are_refused(world: World) -> None:
    scope = Scope(user="ana", apps=frozenset({"cargo"}), environments=frozenset({"prod"}))

    with pytest.raises(Forbidden, match='ana may not see app "ticketing" in prod'):
        cards(world, scope, "ticketing", "prod", AT)
    with pytest.raises(Forbidden):
        cards(world, scope, "cargo", "staging", AT)
    with pytest.raises(Forbidden):
        cards(world, scope, "no-such-app", "prod", AT)


def test_an_unknown_app_is_a_mistake_with_a_suggestion(world: World) -> None:
    with pytest.raises(UsageError, match='did you mean "ticketing"'):
        cards(world, OPEN, "ticketting", "prod", AT)


def test_a_store_that_has_gone_is_an_error_and_no_empty_page(tmp_path: Path) -> None:
    world = filled(tmp_path)
    shutil.rmtree(tmp_path / "store")

    with pytest.raises(SourceError):
        cards(world, OPEN, "ticketing", "prod", AT)


def test_a_prometheus_that_is_down_makes_a_card_that_says_so(tmp_path: Path) -> None:
    with Loopback([Reply(status=503)]) as server:
        sources = f"{{prometheus: {{p: {{url: '{server.url}', retries: 0}}}}}}"
        workspace = WORKSPACE.replace("{store: {path: store}}", sources)
        world = install(
            tmp_path, workspace=workspace, apps={"loyalty": APPS["loyalty"]}, store=False
        )
        (one,) = cards(world, OPEN, "loyalty", "prod", AT)

    assert (State.NO_DATA, None) == (one.evaluation.state, one.burn_down)
    assert Outlook.UNKNOWN == one.forecast.outlook
    assert "503" in one.forecast.note
