"""How far the evaluator has come with the past, told by it and shown by pages."""

from __future__ import annotations

from collections.abc import Collection
from threading import Event, Lock

from slo.model import SloKey


class History:
    """Which service levels have no recorded history yet, and how much of it is computed.

    Threads share it. Before the evaluator has looked nothing is known; ``wait`` waits for that.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._looked = Event()
        self._missing: frozenset[SloKey] = frozenset()
        self._slots = (0, 0)

    def tell(self, missing: Collection[SloKey], done: int, total: int) -> None:
        """Say whose history is being computed, and how many slots of how many are."""
        with self._lock:
            self._missing = frozenset(missing)
            self._slots = (done, total)
        self._looked.set()

    def wait(self, seconds: float) -> None:
        """Wait until the evaluator has looked, so many seconds at most."""
        self._looked.wait(seconds)

    @property
    def missing(self) -> frozenset[SloKey]:
        """The service levels whose history is still being computed."""
        with self._lock:
            return self._missing

    @property
    def note(self) -> str | None:
        """What to tell people; ``None`` when nothing is missing."""
        with self._lock:
            done, total = self._slots
            if not self._missing:
                return None
        return f"computing history: {100 * done // total if total else 0} %"
