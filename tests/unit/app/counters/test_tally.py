"""Buckets enter exactly once, whatever comes when, and however often the process is killed."""

import json
from collections import Counter as Multiset
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from app.counters.state import dumped, loaded
from app.counters.tally import Tally
from slo.model import SloKey
from slo.ports import Counts

KEY = SloKey(app="ticketing", env="prod", slo="checkout")
STEP, LAG, WATCH = 60, 150, 600
BEGAN = 1_000_020


def counts(total: int | Fraction, bad: int | Fraction = 0) -> Counts:
    return Counts(total=Fraction(total), bad=Fraction(bad))


def begun() -> Tally:
    tally = Tally.beginning(KEY, STEP, BEGAN + 7)
    assert BEGAN == tally.position
    return tally


def read(tally: Tally, found: dict[int, Counts], now: int) -> tuple[Tally, Fraction]:
    until = -(-now // STEP) * STEP
    return tally.counted(found, until=until, now=now, lag=LAG, watch=WATCH)


def value(tally: Tally) -> tuple[float, float]:
    """All events and the good ones."""
    total, good = tally.value
    return float(total), float(good)


def reloaded(tally: Tally) -> Tally:
    """What a restart finds."""
    return loaded(json.loads(json.dumps(dumped([tally]))))[tally.key]


def test_an_open_bucket_counts_at_once_and_grows() -> None:
    """Nobody waits for the lag to see events."""
    tally, _ = read(begun(), {BEGAN: counts(10, 1)}, BEGAN + 20)
    assert (10, 9) == value(tally)
    tally, _ = read(tally, {BEGAN: counts(14, 2)}, BEGAN + 40)
    assert (14, 12) == value(tally)
    assert BEGAN == tally.position


def test_an_open_bucket_never_shrinks() -> None:
    """A source that forgets takes nothing back, and neither part falls."""
    tally, _ = read(begun(), {BEGAN: counts(10, 1)}, BEGAN + 20)
    for found in (counts(4), counts(10, 8), counts(2, 5)):
        tally, _ = read(tally, {BEGAN: found}, BEGAN + 40)
        assert (10, 9) == value(tally)


def test_good_events_are_no_more_than_all() -> None:
    """However a source rounds."""
    tally, _ = read(begun(), {BEGAN: counts(10, -3)}, BEGAN + 20)
    assert (10, 10) == value(tally)
    tally, _ = read(begun(), {BEGAN: counts(10, 12)}, BEGAN + 20)
    assert (10, 0) == value(tally)


def test_a_bucket_is_closed_a_lag_after_its_end_and_what_follows_is_late() -> None:
    """Told once for each event, and never counted."""
    closes = BEGAN + STEP + LAG
    tally, _ = read(begun(), {BEGAN: counts(10)}, closes - 1)
    assert BEGAN == tally.position
    tally, late = read(tally, {BEGAN: counts(11)}, closes)
    assert (BEGAN + STEP, 11, 0) == (tally.position, value(tally)[0], float(late))
    tally, late = read(tally, {BEGAN: counts(15)}, closes + 5)
    assert (11, 4) == (value(tally)[0], float(late))
    tally, late = read(reloaded(tally), {BEGAN: counts(15)}, closes + 10)
    assert (11, 0) == (value(tally)[0], float(late))


def test_what_happened_before_it_began_is_neither_counted_nor_late() -> None:
    tally, late = read(begun(), {BEGAN - STEP: counts(99), BEGAN: counts(1)}, BEGAN + 500)
    assert (1, 0) == (value(tally)[0], float(late))


def test_a_restart_catches_up_with_everything_in_between() -> None:
    """A day without it is a day of buckets, closed as they are read."""
    tally, _ = read(begun(), {BEGAN: counts(3)}, BEGAN + 20)
    now = BEGAN + 86_400
    found = {start: counts(1) for start in range(BEGAN + STEP, now, STEP)}
    tally, late = read(reloaded(tally), {BEGAN: counts(5), **found}, now)
    assert (5 + len(found), 0) == (value(tally)[0], float(late))
    assert tally.behind(now, LAG) == 0
    assert len(tally.recent) == WATCH // STEP


def test_fractions_survive_a_restart() -> None:
    """Sampled spans stand for parts of events, and thirds are no decimals."""
    tally, _ = read(begun(), {BEGAN: counts(Fraction(10, 3), Fraction(1, 7))}, BEGAN + 20)
    assert tally == reloaded(tally)


def test_buckets_of_another_length_begin_after_those_that_were_counted() -> None:
    """No moment is in two buckets when an SLO moves to another source."""
    tally, _ = read(begun(), {BEGAN: counts(3), BEGAN + STEP: counts(4)}, BEGAN + 70)
    moved = tally.at_step(300)
    assert (7, 7) == value(moved)
    assert moved.position >= BEGAN + 2 * STEP
    assert 0 == moved.position % 300
    assert tally == tally.at_step(STEP)


EVENTS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 400)), max_size=40)
ROUNDS = st.lists(st.tuples(st.integers(1, 200), st.sampled_from(["kept", "lost", "restart"])))


@given(events=EVENTS, rounds=ROUNDS)
def test_every_event_is_counted_once_or_late(
    events: list[tuple[int, int]], rounds: list[tuple[int, str]]
) -> None:
    """Reads at any time, lost before they were saved or not: nothing is twice, nothing shrinks."""
    arrivals = [(BEGAN + at, BEGAN + at + after) for at, after in events]
    saved, now, late = begun(), BEGAN, Fraction(0)
    last = (BEGAN + 2000, "kept")
    for pause, fate in [*rounds, (0, "last")]:
        now = max(now + pause, last[0] if fate == "last" else 0)
        known = Multiset(at // STEP * STEP for at, arrives in arrivals if arrives <= now)
        start = saved.watched_from(10_000)
        found = {at: counts(many) for at, many in known.items() if at >= start}
        made, more = saved.counted(
            found, until=-(-now // STEP) * STEP, now=now, lag=LAG, watch=10_000
        )
        assert made.value[0] >= saved.value[0]
        if fate == "lost":
            continue
        late += more
        saved = reloaded(made) if fate == "restart" else made
    timely = sum(arrives <= at // STEP * STEP + STEP + LAG for at, arrives in arrivals)
    assert len(arrivals) == saved.value[0] + late
    assert saved.value[0] >= timely
