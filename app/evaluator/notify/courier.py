"""Delivery in the background: a bounded queue and a thread for each receiver, with retries."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Event, Thread

from app.evaluator.notify.senders import DeliveryError
from slo.records import dataclass

_LOG = logging.getLogger("headroom.notify")

TOLD_AGAIN = 3600.0
"""Seconds between two lines of the log about one outage."""

Outcome = Callable[[bool], None]
"""Is told whether a delivery arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a delivery is tried, with pauses that double from ``pause`` to ``longest``.

    Whoever ordered it may order it again afterwards. ``waiting`` deliveries are held at most.
    """

    attempts: int = 6
    pause: float = 1.0
    longest: float = 16.0
    waiting: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something to be done, and who wants to know how it went."""

    work: Callable[[], None]
    outcome: Outcome


class Courier:
    """Delivers to one receiver, one after the other.

    The log hears of an outage when it begins, once an hour while it lasts, and when it ends.
    ``ticks`` are seconds.
    """

    def __init__(
        self,
        name: str,
        patience: Patience | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.failure: str | None = None
        self._told: float | None = None
        self._lost = 0
        self._ticks = ticks
        self._patience = patience or Patience()
        self._queue: Queue[Delivery | None] = Queue(self._patience.waiting)
        self._ended = Event()
        self._thread = Thread(target=self._run, name=f"notify-{name}", daemon=True)
        self._thread.start()

    def take(self, delivery: Delivery) -> bool:
        """Accept a delivery; false when too many are waiting, and then it is not made."""
        try:
            self._queue.put_nowait(delivery)
        except Full:
            return False
        return True

    def close(self, patience: float) -> None:
        """Finish what is under way, within so many seconds; what waits is left."""
        self._ended.set()
        # With a full queue the thread sees the event once its present delivery has ended.
        with suppress(Full):
            self._queue.put_nowait(None)
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                delivery = self._queue.get(timeout=1.0)
            except Empty:
                continue
            if delivery is not None:
                delivery.outcome(self._deliver(delivery))

    def _deliver(self, delivery: Delivery) -> bool:
        pause = self._patience.pause
        self._lost += 1
        for attempt in range(1, self._patience.attempts + 1):
            try:
                delivery.work()
            except DeliveryError as error:
                self._failed(str(error))
                if error.lasting:
                    return False
            except Exception as error:  # noqa: BLE001 - a receiver must not end its own thread
                self._failed(type(error).__name__)
                return False
            else:
                self._arrived()
                return True
            if attempt == self._patience.attempts or self._ended.wait(pause):
                return False
            pause = min(2 * pause, self._patience.longest)
        return False

    def _failed(self, why: str) -> None:
        now = self._ticks()
        if self._told is None:
            _LOG.warning("%s does not get notifications: %s", self.name, why)
            self._told = now
        elif now - self._told >= TOLD_AGAIN:
            _LOG.warning("%s still misses %d notifications: %s", self.name, self._lost, why)
            self._told = now
        self.failure = why

    def _arrived(self) -> None:
        if self._told is not None:
            _LOG.warning("%s gets notifications again", self.name)
        self.failure, self._told, self._lost = None, None, 0
