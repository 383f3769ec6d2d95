"""Deploys, told or seen, and what changed after them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.access import OPEN, Forbidden
from app.services import deploys
from app.services.deploys import AT_ONCE, LONGEST, MINUTE, window
from app.services.releases import Deploy, merged
from app.services.world import World
from collectors.signals import Signal
from collectors.store import StoreWriter
from tests.stored_rows import CARGO, HOUR, MS, NOON, SECOND, Row, deploy, hours, rows_of, span
from tests.unit.app.services import airline
from tests.unit.app.services.airline import TIA

SEED = 7


def _requests(
    first: float,
    last: float,
    *,
    bad: float = 0.0,
    ms: float = 100,
    every: float = 10,
    **more: object,
) -> list[Row]:
    """Requests from one second after noon to another, with errors spread evenly."""
    rng = np.random.default_rng(SEED)
    times = np.arange(first, last, every)
    wrong = set(np.linspace(0, len(times) - 1, round(bad * len(times))).astype(int).tolist())
    return [
        span(
            round(at * 10) + 1_000_000,
            at,
            ms * float(rng.lognormal(0, 0.2)),
            status="error" if place in wrong else "ok",
            **more,
        )
        for place, at in enumerate(times)
    ]


def _world(folder: Path, spans: list[Row], told: list[Row] | None = None) -> World:
    world = airline.opened(folder)
    assert world.store is not None
    with StoreWriter(world.store) as writer:
        writer.append(Signal.SPANS, rows_of(Signal.SPANS, spans))
        if told:
            writer.append(Signal.DEPLOYS, rows_of(Signal.DEPLOYS, told))
    return world


def test_a_new_version_that_fails_is_a_deploy_that_made_things_worse(tmp_path: Path) -> None:
    """Seen in the telemetry, with equal windows before and after and an interval without none."""
    world = _world(
        tmp_path,
        [*_requests(0, 5400, version="1"), *_requests(5400, 10800, version="2", bad=0.2)],
    )
    answer = deploys.deploys(world, TIA, "ticketing", "prod", hours(0, 3))
    (found,) = answer.value
    assert (NOON + 5400 * SECOND, "api", "2", "1", False) == (
        found.time,
        found.component,
        found.version,
        found.previous,
        found.told,
    )
    assert "worse" == found.verdict
    assert (360, 360) == (found.errors.before_count, found.errors.after_count)
    assert 0 == found.errors.before
    assert found.errors.after == pytest.approx(0.2, abs=0.01)
    assert found.errors.low is not None
    assert found.errors.low > 0.1
    assert found.p50.before == pytest.approx(100 * MS, rel=0.1)
    assert ("intervals hold the truth 99% of the time",) == answer.notes


def test_the_same_before_and_after_is_no_clear_change(tmp_path: Path) -> None:
    """The first version of a range is no deploy, and a deploy without effect has none."""
    world = _world(
        tmp_path,
        [
            *_requests(0, 5400, version="1", bad=0.02),
            *_requests(5400, 10800, version="2", bad=0.02),
        ],
    )
    found = deploys.deploys(world, OPEN, "ticketing", "prod", hours(0, 3)).value
    assert ["no clear change"] == [one.verdict for one in found]


def test_latency_alone_makes_better_or_worse(tmp_path: Path) -> None:
    """Twice as slow is worse, and back again is better."""
    spans = [
        *_requests(0, 7200, version="1"),
        *_requests(7200, 14400, version="2", ms=200),
        *_requests(14400, 21600, version="3", ms=100),
    ]
    found = deploys.deploys(_world(tmp_path, spans), OPEN, "ticketing", "prod", hours(0, 6)).value
    assert [("2", "worse"), ("3", "better")] == [(one.version, one.verdict) for one in found]
    assert found[0].p50.difference == pytest.approx(100 * MS, rel=0.15)


def test_a_deploy_that_was_told_is_not_seen_again(tmp_path: Path) -> None:
    """What was told says more, and knows what was there before from the telemetry."""
    told = [
        deploy(1, 5390, version="2", actor="ada", commit_id="c0ffee", url="https://x", title="t"),
        deploy(2, 5390, **CARGO, version="9"),
    ]
    spans = [*_requests(0, 5400, version="1"), *_requests(5400, 10800, version="2")]
    world = _world(tmp_path, spans, told)
    (found,) = deploys.deploys(world, TIA, "ticketing", "prod", hours(0, 3)).value
    assert (True, "2", "1", "ada", "c0ffee", "https://x", "t") == (
        found.told,
        found.version,
        found.previous,
        found.actor,
        found.commit,
        found.url,
        found.title,
    )


def test_few_requests_give_no_verdict(tmp_path: Path) -> None:
    """Nor does a deploy at the very end of the range."""
    spans = [
        *_requests(0, 5400, version="1", every=600),
        *_requests(5400, 10800, version="2", every=600, bad=1),
    ]
    world = _world(tmp_path, spans)
    (found,) = deploys.deploys(world, OPEN, "ticketing", "prod", hours(0, 3)).value
    assert "too few events" == found.verdict
    assert 6 == found.errors.after_count
    (found,) = deploys.deploys(world, OPEN, "ticketing", "prod", hours(1, 1.5 + 1 / 3600)).value
    assert (None, None) == (found.errors.low, found.errors.high)
    assert "too few events" == found.verdict


def test_sampled_requests_are_as_sure_as_what_was_seen(tmp_path: Path) -> None:
    """Ten thousand that are told by forty spans are forty."""
    spans = [
        *_requests(0, 5400, version="1", every=90, weight=250.0),
        *_requests(5400, 10800, version="2", every=90, weight=250.0, bad=0.1),
    ]
    (found,) = deploys.deploys(
        _world(tmp_path, spans), OPEN, "ticketing", "prod", hours(0, 3)
    ).value
    assert 40 == found.errors.after_count
    assert found.errors.after == pytest.approx(0.1)
    assert "no clear change" == found.verdict


def test_a_component_without_requests_is_judged_by_its_app(tmp_path: Path) -> None:
    """A worker takes none; its deploy may break the others."""
    spans = [*_requests(0, 5400), *_requests(5400, 10800, bad=0.5)]
    told = [deploy(1, 5400, component="worker", version="7")]
    world = _world(tmp_path, spans, told)
    (found,) = deploys.deploys(world, OPEN, "ticketing", "prod", hours(0, 3)).value
    assert ("worker", "worse") == (found.component, found.verdict)


def test_no_deploys_and_no_telemetry_are_empty_answers(tmp_path: Path) -> None:
    """And others' deploys are forbidden."""
    world = _world(tmp_path, _requests(0, 600, version="1"))
    assert () == deploys.deploys(world, OPEN, "ticketing", "prod", hours()).value
    assert () == deploys.deploys(world, OPEN, "crew", "prod", hours()).value
    with pytest.raises(Forbidden):
        deploys.deploys(world, TIA, "cargo", "prod", hours())


def test_windows_end_at_neighbours_but_not_at_the_same_change() -> None:
    """Two components that go out together are one change."""
    assert LONGEST == window(10 * HOUR, [10 * HOUR], 20 * HOUR)
    assert 20 * MINUTE == window(10 * HOUR, [10 * HOUR - 20 * MINUTE], 20 * HOUR)
    assert LONGEST == window(10 * HOUR, [10 * HOUR + AT_ONCE], 20 * HOUR)
    assert 7 * MINUTE == window(10 * HOUR, [], 10 * HOUR + 7 * MINUTE)
    assert 0 == window(10 * HOUR, [], 10 * HOUR)


def test_versions_become_deploys_of_their_component() -> None:
    """The first version of each is none; what came before is the newest of the others."""
    frame = pd.DataFrame(
        [
            ("api", "1", 0, 90, 5),
            ("api", "2", 50, 60, 5),
            ("api", "3", 70, 90, 5),
            ("web", "9", 20, 90, 5),
            (None, "x", 30, 90, 5),
        ],
        columns=["component", "version", "first", "last", "records"],
    )
    found = merged([Deploy(time=75, component=None, version="3", told=True)], frame)
    assert [(50, "2", "1", False), (75, "3", None, True)] == [
        (one.time, one.version, one.previous, one.told) for one in found
    ]
