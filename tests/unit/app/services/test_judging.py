"""What is judged once for many panels, and what is judged anew."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app import gating
from app.access import OPEN
from app.services.fleet import fleet
from app.services.history import History
from app.services.judging import STEP, Judgements, aligned, judged
from app.services.once import Once
from app.services.verdict import verdict
from app.services.world import World
from collectors.signals import Signal
from collectors.store import StoreWriter
from slo.evaluate import State
from slo.gate.subject import ChangeType, Subject
from slo.model import SloKey
from slo.ports import NoDataReason
from tests.unit.app.services.installation import AT, filled, requests

LATER = timedelta(milliseconds=STEP.milliseconds)
KEY = SloKey(app="ticketing", env="prod", slo="availability")


class _Ticks:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _once(ticks: _Ticks, *, most: int = 10) -> Once[str, int]:
    return Once(most=most, keep=30.0, ticks=ticks, worth=lambda value: value >= 0)


def test_those_who_ask_at_once_wait_for_one_answer() -> None:
    """Eight threads ask for two things, of which each is found once."""
    once, begun, slow = _once(_Ticks()), threading.Barrier(8), threading.Event()
    asked: list[str] = []

    def find(keys: Sequence[str]) -> Mapping[str, int]:
        asked.extend(keys)
        slow.wait(0.3)
        return {key: len(key) for key in keys}

    def ask(_: int) -> dict[str, int]:
        begun.wait(10)
        return once.all(("a", "bb"), find)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(8)))
    assert [{"a": 1, "bb": 2}] * 8 == found
    assert ["a", "bb"] == sorted(asked)


def test_an_answer_is_kept_for_a_while_and_a_poor_one_is_not() -> None:
    """After half a minute it is found anew; what was not worth keeping at once."""
    ticks = _Ticks()
    once = _once(ticks)
    asked: list[str] = []

    def find(keys: Sequence[str]) -> Mapping[str, int]:
        asked.extend(keys)
        return {key: -1 if key == "poor" else 1 for key in keys}

    for now in (0.0, 30.0, 31.0):
        ticks.now = now
        assert {"good": 1, "poor": -1} == once.all(("good", "poor"), find)
    assert ["good", "poor", "poor", "good", "poor"] == asked


def test_no_more_answers_are_held_than_allowed() -> None:
    """The one that was not asked for the longest goes."""
    once = _once(_Ticks(), most=2)
    asked: list[str] = []

    def find(keys: Sequence[str]) -> Mapping[str, int]:
        asked.extend(keys)
        return dict.fromkeys(keys, 1)

    for key in ("a", "b", "a", "c", "a", "b"):
        once.all((key,), find)
    assert ["a", "b", "c", "b"] == asked
    assert 2 == len(once)


def test_a_failure_is_told_to_all_who_wait_and_then_forgotten() -> None:
    """The next one asks again."""
    once = _once(_Ticks())

    def fail(keys: Sequence[str]) -> Mapping[str, int]:
        raise LookupError(keys[0])

    with pytest.raises(LookupError):
        once.all(("a",), fail)
    assert {"a": 1} == once.all(("a",), lambda keys: dict.fromkeys(keys, 1))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world with judgements of its own."""
    return filled(tmp_path)


def test_a_step_is_judged_once_and_the_next_one_anew(world: World) -> None:
    """The same evaluation, not only an equal one, for everybody within half a minute."""
    levels = world.project.levels("ticketing", "prod")
    first = judged(world, levels, AT)
    assert first[0] is judged(world, levels[:1], AT + timedelta(seconds=29))[0]
    later = judged(world, levels, AT + LATER)
    assert first[0] is not later[0]
    assert AT == first[0].reading.at
    assert AT + LATER == later[0].reading.at
    assert AT == aligned(AT + timedelta(seconds=29.9))


def test_another_project_is_judged_anew(world: World) -> None:
    """One that was published meanwhile may say something else of the same names."""
    levels = world.project.levels("ticketing", "prod")
    first = judged(world, levels, AT)
    published = replace(world, project=replace(world.project))
    assert published.judgements is world.judgements
    assert first[0] is not judged(published, levels, AT)[0]


def test_the_gate_judges_anew_what_a_page_has_judged(world: World, tmp_path: Path) -> None:
    """Failures that arrive after the page was drawn count for the gate at once."""
    page = verdict(world, OPEN, "ticketing", "prod", AT).value
    with StoreWriter(tmp_path / "store") as writer:
        writer.append(Signal.SPANS, requests(bad={575: 60}, steps=range(575, 576)))
    again = verdict(world, OPEN, "ticketing", "prod", AT).value
    subject = Subject(app="ticketing", environment="prod", change_type=ChangeType.DEPLOY)
    question = gating.Question(id="1", subject=subject, at=AT)
    decision = gating.answer(world.project, question, log=tmp_path / "audit", environ={})
    assert page.rules == again.rules
    assert again.rules != decision.rules


def test_while_history_is_computed_pages_say_how_far_it_is(world: World) -> None:
    """No number is made of half a ledger; other levels are judged."""
    history = History()
    history.tell({KEY}, 43, 100)
    computing = replace(world, history=history, judgements=Judgements())
    found = {one.key: one for one in judged(computing, world.project.levels(None, None), AT)}
    missing = found[KEY].no_data
    assert missing is not None
    assert (NoDataReason.INCOMPLETE, "computing history: 43 %") == (missing.reason, missing.detail)
    assert State.NO_DATA is found[KEY].state
    assert any(one.budget is not None for one in found.values())
    page = fleet(computing, OPEN, AT)
    assert ("computing history: 43 %",) == page.notes
    assert () == page.partial
    history.tell((), 100, 100)
    assert () == fleet(computing, OPEN, AT).notes
    assert judged(computing, world.project.levels("ticketing", "prod"), AT)[0].budget is not None
