"""What adapters that fit a query to its steps have in common: the step's name, gaps in answers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from threading import Lock

from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.transient import timed_out
from slo.errors import SourceTimeout
from slo.units import Duration

STEP = "$step"
"""Stands in a query for the length of a step."""

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def in_one_unit(step: Duration) -> str:
    """Return a whole number of seconds in its largest unit that fits: ``90m``, never ``1h30m``."""
    unit, size = next(each for each in _UNITS if step.milliseconds % each[1] == 0)
    return f"{step.milliseconds // size}{unit}"


def coarser(moments_ms: Iterable[int], step: Duration, *, fewest: int = 3) -> Duration | None:
    """Return the smallest distance of ``fewest`` moments or more, if it is more than a step."""
    ordered = sorted(set(moments_ms))
    if len(ordered) < fewest:
        return None
    smallest = min(after - at for at, after in pairwise(ordered))
    return Duration(milliseconds=smallest) if smallest > step.milliseconds else None


class Remaining:
    """The seconds that are left of those a question may take, however many requests it makes."""

    def __init__(self, clock: Clock, within: float, source: str) -> None:
        self._clock = clock
        self._within = within
        self._source = source
        self._end = clock.monotonic() + within

    def seconds(self) -> float:
        """Return the seconds that are left; raises ``SourceTimeout`` when none are."""
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> SourceTimeout:
        """Return the error for an answer that did not come in all of the time."""
        return timed_out(self._source, self._within)


class Turns:
    """Spreads requests over time for products that allow few in a second; for many threads."""

    def __init__(self, clock: Clock, *, apart: float) -> None:
        self._clock = clock
        self._apart = apart
        self._next = clock.monotonic()
        self._lock = Lock()

    def take(self) -> None:
        """Wait until the next request may be sent."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._apart
        if turn > now:
            self._clock.sleep(turn - now)
