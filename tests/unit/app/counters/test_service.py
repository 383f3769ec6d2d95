"""Counters as a whole: what is shown is on disk, failures pass, gaps are seen from both sides."""

import json
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from threading import Lock

import pytest

from app.counters.counter import Counter, Watched
from app.counters.service import Counters
from app.evaluator.alert_state import StateFile
from app.telemetry import Telemetry
from slo.errors import SourceUnavailable
from slo.model import Logs, ServiceLevel
from slo.ports import Counts
from slo.units import Duration
from tests.builders import level, slo
from tests.servers.server import wait_until

NOW = 1_800_000_000_000
MINUTE = 60_000
NONE, TEN = (Fraction(0), Fraction(0)), (Fraction(10), Fraction(9))
LEVEL = level(slo(Logs(query="a: b", bad="c: d"), name="checkout"))


class Records:
    """A source of event times in milliseconds, every tenth of them bad; it can be down."""

    def __init__(self, *times: int) -> None:
        self.times = list(times)
        self.down = False
        self.asked: list[tuple[int, int]] = []
        self._lock = Lock()

    def series(
        self, level: ServiceLevel, at: datetime, *, span: Duration, step: Duration
    ) -> tuple[Counts | None, ...]:
        del level
        with self._lock:
            if self.down:
                raise SourceUnavailable("it is down", source="store")
            end = round(at.timestamp() * 1000) + 1
            self.asked.append((end - span.milliseconds, end))
            found = []
            for start in range(end - span.milliseconds, end, step.milliseconds):
                many = sum(start <= each < start + step.milliseconds for each in self.times)
                bad = Fraction(many // 10)
                found.append(Counts(total=Fraction(many), bad=bad) if many else None)
            return tuple(found)


def watched(source: Records, *, lag: str = "5m", settling: str = "1m") -> Watched:
    return Watched(
        level=LEVEL,
        source=source,
        reference="store",
        step=Duration.parse("1m"),
        lag=Duration.parse(lag),
        settling=Duration.parse(settling),
    )


def step(counter: Counter, now: int) -> tuple[float, float] | None:
    counter.read(now)
    counter.show(now)
    return None if counter.shown is None else (float(counter.shown[0]), float(counter.shown[1]))


def test_a_new_counter_shows_zero_before_it_shows_events() -> None:
    """Whoever scrapes sees where it began, and misses nothing."""
    counter = Counter(watched(Records(*[NOW + 5] * 10)), None, NOW)
    assert NONE == counter.shown
    assert (0, 0) == step(counter, NOW + 1000)
    assert (10, 9) == step(counter, NOW + MINUTE)


def test_after_a_gap_a_counter_stands_where_it_stood_for_a_slot() -> None:
    """So that a rule that looks back finds it, and what was missed is an increase."""
    records = Records(*[NOW + 5] * 10)
    counter = Counter(watched(records), None, NOW)
    assert (10, 9) == step(counter, NOW + MINUTE)
    records.down = True
    later = NOW + 60 * MINUTE
    with pytest.raises(SourceUnavailable):
        counter.read(later)
    counter.show(later)
    assert counter.shown is None
    records.down = False
    records.times += [NOW + 30 * MINUTE] * 20
    assert (10, 9) == step(counter, later + MINUTE)
    assert (10, 9) == step(counter, later + 6 * MINUTE)
    assert (30, 27) == step(counter, later + 7 * MINUTE)


def test_a_short_failure_is_not_seen() -> None:
    """Rules look back over ten minutes."""
    records = Records(*[NOW + 5] * 10)
    counter = Counter(watched(records), None, NOW)
    assert (10, 9) == step(counter, NOW + MINUTE)
    counter.show(NOW + 15 * MINUTE)
    assert TEN == counter.shown


def test_a_long_absence_is_read_in_parts() -> None:
    """No question spans more than a day."""
    records = Records(NOW + 5, NOW + 2 * 86_400_000)
    counter = Counter(watched(records), None, NOW)
    counter.read(NOW + 3 * 86_400_000)
    assert 2 == counter.tally.value[0]
    assert all(end - start <= 86_400_000 for start, end in records.asked)


def test_a_source_whose_numbers_change_is_asked_when_they_no_longer_do() -> None:
    """And no more often than there is something new."""
    records = Records(NOW + 5)
    one = Watched(
        level=LEVEL,
        source=records,
        reference="datadog/eu",
        step=Duration.parse("5m"),
        lag=Duration.parse("2m"),
        settling=Duration.parse("1m"),
        delay=Duration.parse("2m"),
    )
    counter = Counter(one, None, NOW)
    begin = NOW // 300_000 * 300_000
    due = begin + 7 * MINUTE
    assert not counter.due(due - 1)
    assert counter.due(due)
    counter.read(due)
    assert [(begin + 1, begin + 300_001)] == records.asked  # whole slots, as that source has it
    assert not counter.due(due + MINUTE)
    assert begin + 300_000 == counter.tally.position


class Clock:
    def __init__(self) -> None:
        self.ms = NOW

    def __call__(self) -> int:
        return self.ms * 1_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


def counters(path: Path, source: Records, clock: Clock, telemetry: Telemetry) -> Counters:
    return Counters(
        [watched(source)],
        StateFile(path / "counters.json", holds="counters"),
        clock=clock,
        telemetry=telemetry,
        interval=Duration(milliseconds=10),
    )


LINE = 'slo_events_total{app="ticketing",env="prod",slo="checkout"} '


def test_what_is_shown_is_on_disk(tmp_path: Path, clock: Clock) -> None:
    """And a process that begins anew begins with it, at once."""
    records = Records(*[NOW + 5] * 10)
    telemetry = Telemetry()
    running = counters(tmp_path, records, clock, telemetry)
    running.begin()
    wait_until(lambda: f"{LINE}0" in telemetry.exposition(), what="zero")
    clock.ms += 2 * MINUTE
    wait_until(lambda: f"{LINE}10" in telemetry.exposition(), what="ten")
    (saved,) = json.loads((tmp_path / "counters.json").read_text())["counters"]
    assert 10 == int(saved["total"]) + sum(int(total) for _, total, _ in saved["open"])
    running.close()

    again = counters(tmp_path, records, clock, Telemetry())
    assert {LEVEL.key: TEN} == again.shown()


def test_numbers_that_cannot_be_kept_are_not_shown(tmp_path: Path, clock: Clock) -> None:
    """A full disk stops the counters, and they go on when it has room."""
    records = Records(*[NOW + 5] * 10)
    telemetry = Telemetry()
    running = counters(tmp_path, records, clock, telemetry)
    running.begin()
    wait_until(lambda: f"{LINE}0" in telemetry.exposition(), what="zero")
    # A folder in the place of the file that is written beside it.
    (tmp_path / "counters.json.tmp").mkdir()
    clock.ms += 2 * MINUTE
    wait_until(
        lambda: "headroom_counters_failures_total 0" not in telemetry.exposition(), what="a failure"
    )
    assert f"{LINE}0" in telemetry.exposition()
    (tmp_path / "counters.json.tmp").rmdir()
    wait_until(lambda: f"{LINE}10" in telemetry.exposition(), what="ten")
    running.close()


def test_a_source_that_fails_is_asked_again(tmp_path: Path, clock: Clock) -> None:
    """The trouble is told, and what came in the meantime is counted."""
    records = Records(*[NOW + 5] * 10)
    records.down = True
    telemetry = Telemetry()
    running = counters(tmp_path, records, clock, telemetry)
    running.begin()
    clock.ms += 1000
    wait_until(lambda: bool(running.troubles), what="a trouble")
    assert {LEVEL.key: "it is down"} == running.troubles
    records.down = False
    clock.ms += 6 * MINUTE
    wait_until(lambda: f"{LINE}10" in telemetry.exposition(), what="ten")
    assert {} == running.troubles
    running.close()


def test_a_file_that_holds_something_else_is_set_aside(tmp_path: Path, clock: Clock) -> None:
    """Counting begins anew, which Prometheus takes for a reset."""
    (tmp_path / "counters.json").write_text('{"version": 1, "counters": [{"app": "x"}]}')
    running = counters(tmp_path, Records(), clock, Telemetry())
    assert {LEVEL.key: NONE} == running.shown()
    assert (tmp_path / "counters.json.unreadable").exists()


def test_an_slo_that_is_gone_for_a_while_goes_on(tmp_path: Path, clock: Clock) -> None:
    """An app file with an error, say, takes its counters with it and brings them back."""
    records = Records(*[NOW + 5] * 10)
    running = counters(tmp_path, records, clock, Telemetry())
    running.begin()
    clock.ms += 2 * MINUTE
    wait_until(lambda: running.shown()[LEVEL.key] == TEN, what="ten")
    running.close()
    without = Counters(
        [],
        StateFile(tmp_path / "counters.json"),
        clock=clock,
        telemetry=Telemetry(),
        interval=Duration(milliseconds=10),
    )
    without.begin()
    without.close()
    assert {} == without.shown()
    assert {LEVEL.key: TEN} == counters(tmp_path, records, clock, Telemetry()).shown()
