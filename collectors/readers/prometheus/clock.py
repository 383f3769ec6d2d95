"""The time that requests live in: deadlines, pauses, signatures. Never the time asked about."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime
from threading import Thread
from typing import TypeVar

from slo.records import dataclass
from slo.units import Duration

T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What a client takes its own time and its chance from; tests give their own.

    ``jitter`` yields numbers from 0 to 1.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now
    jitter: Callable[[], float] = random.random


class Deadline:
    """The end of the time that a piece of work may take; ``None`` never ends."""

    def __init__(self, clock: Clock, length: Duration | None) -> None:
        self._clock = clock
        self._end = math.inf if length is None else clock.monotonic() + float(length.seconds)

    def remaining(self) -> float:
        """Return the seconds that are left, 0 when none are."""
        return max(0.0, self._end - self._clock.monotonic())


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return the work's result, or raise TimeoutError when it takes longer.

    A socket's own timeout knows neither name resolution nor a body that trickles, so the work
    runs in a thread that is left behind when its time is over.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the caller's thread
            outcome.set_exception(error)

    Thread(target=run, daemon=True, name="headroom-request").start()
    return outcome.result(None if seconds == math.inf else seconds)
