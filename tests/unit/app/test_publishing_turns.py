"""How long publishing waits for the first evaluation of what was loaded, and what it says of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from app.publishing import Wait
from app.publishing.loaded import Expected, Seen, UnhealthyError, look, notes, wait_until_healthy
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.metadata import RuleGroup, RuleState
from slo.units import Duration


@dataclass(kw_only=True)
class Ruler:
    """A server whose groups are loaded after a while and have their turn an interval later."""

    intervals: Sequence[int]
    loads_after: float = 0.0
    failing: str = ""
    now: float = 1000.0
    began: float = 1000.0
    said: list[str] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def ask(self) -> Seen:
        """Compare what it lists by now to what it should."""
        since = self.now - self.began - self.loads_after
        listed = [self._group(interval, since) for interval in self.intervals] if since >= 0 else []
        expected = [
            Expected(file="f", name=f"g{each}", rules=(("recording", "r"),), changed=True)
            for each in self.intervals
        ]
        return look(expected, (), listed, str)

    def _group(self, interval: int, since: float) -> RuleGroup:
        name = f"g{interval}"
        health = "unknown" if since < interval else "err" if name == self.failing else "ok"
        rule = RuleState(
            name="r",
            kind="recording",
            health=health,
            last_error="",
            last_evaluation=None,
            labels={},
        )
        return RuleGroup(
            name=name,
            file="f",
            interval=Decimal(interval),
            duration=Decimal(0),
            last_evaluation=None,
            rules=(rule,),
        )

    def waited(self, timeout: str = "60s") -> tuple[float, tuple[str, ...]]:
        """Wait for it; return how long that took, and what remains to be said."""
        clock = Clock(monotonic=lambda: self.now, sleep=self.sleep)
        wait = Wait(timeout=Duration.parse(timeout), clock=clock, told=self.said.append)
        remaining = wait_until_healthy(self.ask, wait, patience=30)
        return self.now - self.began, remaining


def test_a_group_of_half_a_minute_is_waited_for() -> None:
    """Whether its rules work is known by then, and that is said up front."""
    ruler = Ruler(intervals=[30])
    seconds, remaining = ruler.waited()

    assert 30 == pytest.approx(seconds, abs=1)
    assert () == remaining
    assert ["waiting up to 60 s for the first evaluation of f: group g30"] == ruler.said


def test_a_group_of_five_minutes_is_told_with_the_time_of_its_first_evaluation() -> None:
    """Waiting for it would double a pipeline's time; it is loaded, which is what is required."""
    ruler = Ruler(intervals=[300])
    seconds, remaining = ruler.waited()

    assert 1 > seconds
    assert ("f: group g300: loaded, first evaluation due in at most 300 s",) == remaining
    assert [] == ruler.said


def test_a_long_timeout_is_not_waited_out_for_a_group_of_five_minutes() -> None:
    """It is for servers that load slowly. The time already waited counts."""
    ruler = Ruler(intervals=[30, 300])
    seconds, remaining = ruler.waited("10m")

    assert 30 == pytest.approx(seconds, abs=1)
    assert ("f: group g300: loaded, first evaluation due in at most 270 s",) == remaining
    (said,) = ruler.said
    assert said.startswith("waiting up to 60 s for the first evaluation of f: group g30; ")
    assert said.endswith("f: group g300 follows later (every 300 s)")


def test_a_turn_that_does_not_come_in_a_minute_is_no_failure() -> None:
    """A server under load is late; the rules are loaded without an error."""
    ruler = Ruler(intervals=[59], loads_after=5)
    seconds, remaining = ruler.waited()

    assert 60 == pytest.approx(seconds, abs=1)
    assert ("f: group g59: loaded, first evaluation due in at most 4 s",) == remaining


def test_the_wait_for_a_turn_begins_when_the_group_is_loaded() -> None:
    """A ruler that looks for changes at intervals is given its time."""
    ruler = Ruler(intervals=[60], loads_after=20)
    seconds, remaining = ruler.waited("5m")

    assert 80 == pytest.approx(seconds, abs=1)
    assert () == remaining


def test_a_rule_that_fails_at_its_first_turn_is_noticed() -> None:
    """That is what the wait is for."""
    with pytest.raises(UnhealthyError, match="f: group g45 cannot be evaluated"):
        Ruler(intervals=[30, 45, 300], failing="g45").waited()


def test_many_groups_are_told_in_one_line_for_each_interval() -> None:
    """A workspace of a thousand SLOs fills no screen."""
    seen = Seen(
        missing=(),
        left=(),
        failing=(),
        unknown=tuple(
            (Expected(file="f", name=f"g{n}", rules=(), changed=True), 300.0 if n else 60.0)
            for n in range(5)
        ),
        healthy=0,
    )

    assert (
        "f: group g0: loaded, first evaluation due now",
        "f: group g1 and 3 more: loaded, first evaluation due in at most 200 s",
    ) == notes(seen, since=100)
