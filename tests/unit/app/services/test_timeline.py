"""One timeline: alerts that fired, deploys told and seen, patterns, decisions of the gate."""

from datetime import timedelta
from pathlib import Path

import pytest

from app import gating
from app.access import OPEN, Forbidden, Scope
from app.services.evaluations import evaluations
from app.services.overview import timeline
from app.services.results import Happening
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal
from slo.errors import UsageError
from slo.gate.subject import Subject
from tests.unit.app.services.installation import (
    AT,
    DAY,
    END,
    HOUR,
    MINUTE,
    SECOND,
    START,
    STEP,
    WHOLE,
    WORKSPACE,
    deploy,
    filled,
    install,
    requests,
)

LAST_HOURS = TimeRange(start=END - 3 * HOUR, end=END + 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("timeline"))


def of_kind(found: tuple[Happening, ...], kind: str) -> list[Happening]:
    return [each for each in found if each.kind == kind]


def test_a_burn_that_is_over_has_a_beginning_and_an_end(world: World) -> None:
    """Twenty in a hundred failed from step 276 on, for half an hour; an hour later all is well."""
    found = of_kind(timeline(world, OPEN, "ticketing", "prod", WHOLE).value, "alert")
    pages = [each for each in found if each.severity == "page"]
    first = pages[0]

    assert START + 277 * STEP == first.time
    assert first.end is not None
    assert START + 282 * STEP <= first.end <= START + 289 * STEP
    assert "ErrorBudgetBurn availability" == first.title
    assert {"tab": "why", "slo": "availability"} == first.link


def test_a_burn_that_goes_on_has_no_end(world: World) -> None:
    found = of_kind(timeline(world, OPEN, "ticketing", "prod", LAST_HOURS).value, "alert")

    assert START + 571 * STEP == found[0].time
    assert {None} == {each.end for each in found if each.severity == "page"}


def test_alerts_do_not_depend_on_where_the_range_begins(world: World) -> None:
    """A shorter range reads back as far as the longest window needs."""
    whole = of_kind(timeline(world, OPEN, "ticketing", "prod", WHOLE).value, "alert")
    short = of_kind(timeline(world, OPEN, "ticketing", "prod", LAST_HOURS).value, "alert")

    assert [each for each in whole if each.time > LAST_HOURS.start] == short


def test_an_alert_that_began_before_the_range_is_cut_and_says_so(world: World) -> None:
    cut = TimeRange(start=END - 10 * MINUTE, end=END + 1)

    first = of_kind(timeline(world, OPEN, "ticketing", "prod", cut).value, "alert")[0]

    assert cut.start == first.time
    assert "began before this range" in first.detail


def test_a_version_that_appears_is_a_deploy_that_nobody_told(world: World) -> None:
    """The version that was there from the beginning is none."""
    (found,) = of_kind(timeline(world, OPEN, "ticketing", "prod", WHOLE).value, "deploy")

    assert START + 570 * STEP + MINUTE == found.time
    assert "api 1.1" == found.title
    assert "after 1.0" in found.detail
    assert "nobody told" in found.detail


def test_a_version_that_ran_before_the_range_is_no_deploy_in_it(world: World) -> None:
    late = TimeRange(start=END - 20 * MINUTE, end=END + 1)

    assert [] == of_kind(timeline(world, OPEN, "ticketing", "prod", late).value, "deploy")


def test_a_deploy_that_was_told_is_shown_once(tmp_path: Path) -> None:
    """Its version is seen a little later, and is the same deploy."""
    told = START + 569 * STEP
    world = install(
        tmp_path,
        [
            (Signal.SPANS, requests(version={0: "1.0", 570: "1.1"})),
            (Signal.DEPLOYS, deploy("1.1", told)),
            (Signal.DEPLOYS, deploy("9.9", told, env="staging")),
            (Signal.DEPLOYS, deploy("0.9", START + HOUR, env=None, component=None)),
        ],
    )

    found = of_kind(timeline(world, OPEN, "ticketing", "prod", WHOLE).value, "deploy")

    assert [(START + HOUR, "0.9"), (told, "api 1.1")] == [(each.time, each.title) for each in found]
    assert "commit c0ffee" in found[1].detail


def test_decisions_of_the_gate_are_read_from_the_audit_log(tmp_path: Path) -> None:
    world = filled(tmp_path)
    log = tmp_path / "state" / "audit.ndjson"
    for name, env, at in (
        ("01A", "prod", AT - timedelta(hours=1)),
        ("01B", "prod", AT - timedelta(days=9)),
    ):
        question = gating.Question(
            id=name, subject=Subject(app="ticketing", environment=env), at=at
        )
        gating.answer(world.project, question, log=log, environ={})
    other = gating.Question(
        id="01C", subject=Subject(app="cargo", environment="prod"), at=AT - timedelta(hours=1)
    )
    gating.answer(world.project, other, log=log, environ={})

    (found,) = of_kind(timeline(world, OPEN, "ticketing", "prod", WHOLE).value, "decision")

    assert END - HOUR == found.time
    assert {"tab": "gate", "decision": "01A"} == found.link
    assert found.severity in {"deny", "indeterminate", "warn", "allow"}
    assert "ticketing" in found.detail


def test_patterns_that_the_caller_found_stand_in_their_range_and_environment(world: World) -> None:
    def pattern(time: int, env: str | None) -> Happening:
        return Happening(
            time=time, end=None, kind="pattern", severity="error", title="no seat <*>", env=env
        )

    given = [
        pattern(END - HOUR, "prod"),
        pattern(END - 2 * HOUR, None),
        pattern(END - HOUR, "staging"),
        pattern(END - DAY, "prod"),
    ]
    found = timeline(world, OPEN, "ticketing", "prod", LAST_HOURS, patterns=given)

    assert [given[1], given[0]] == of_kind(found.value, "pattern")


def test_happenings_are_in_order_of_time(world: World) -> None:
    times = [each.time for each in timeline(world, OPEN, "ticketing", "prod", WHOLE).value]

    assert sorted(times) == times
    assert 3 <= len(times)


def test_what_cannot_be_judged_is_missing_and_named(world: World) -> None:
    found = timeline(world, OPEN, "crew", "prod", WHOLE)

    assert () == found.value
    assert ("alerts of availability: no spans of crew have ever been stored",) == found.partial


def test_evaluations_that_are_there_are_not_made_again(world: World) -> None:
    judged = evaluations(world.project, world.project.levels(None, "prod"), AT)

    again = timeline(world, OPEN, "ticketing", "prod", WHOLE, judged=judged)

    assert timeline(world, OPEN, "ticketing", "prod", WHOLE).value == again.value


def test_without_a_source_of_telemetry_the_rest_is_still_there(tmp_path: Path) -> None:
    bare = WORKSPACE.replace("  sources: {store: {path: store}}\n", "")
    world = install(tmp_path, workspace=bare, store=False)
    log = tmp_path / "state" / "audit.ndjson"
    given = Happening(time=END - SECOND, end=None, kind="pattern", severity="warn", title="x")

    found = timeline(world, OPEN, "ticketing", "prod", WHOLE, patterns=[given])

    assert (given,) == found.value
    assert 2 == len(found.partial)
    assert any("no source of this workspace holds deploys" in text for text in found.partial)
    assert not log.exists()


def test_a_timeline_of_what_may_not_be_seen_is_refused(world: World) -> None:
    scope = Scope(user="ana", apps=frozenset({"cargo"}))

    with pytest.raises(Forbidden):
        timeline(world, scope, "ticketing", "prod", WHOLE)
    with pytest.raises(UsageError, match="no environment"):
        timeline(world, OPEN, "ticketing", "prd", WHOLE)
