"""Noticing that telemetry of long ago has arrived, so that its slots can be computed."""

from __future__ import annotations

from collectors.signals import Signal
from collectors.store import StoreReader
from collectors.store.fresh import Fresh
from collectors.store.manifest import Segment

_MS = 1_000_000
_QUIET = 3
"""How often in a row nothing more may be seen to have arrived before that was all."""
_SIGNALS = (Signal.METRICS, Signal.LOGS, Signal.SPANS)


class Backfill:
    """Watches how many rows the store has from before it began to watch; asked every few seconds.

    Nothing is missing of the time since: every slot of it was evaluated when it ended.
    """

    def __init__(self, store: StoreReader) -> None:
        self._store = store
        self._began: int | None = None
        self._rows: int | None = None
        self._quiet: int | None = None

    @property
    def is_arriving(self) -> bool:
        """Whether old rows have become more and nobody was told that they are complete."""
        return self._quiet is not None

    def is_complete(self, now_ms: int) -> bool:
        """Tell whether old rows had become more and are not becoming more any longer.

        What was recorded by catching up grows old files too; nothing is missing then.
        """
        self._began = now_ms * _MS if self._began is None else self._began
        before, self._rows = self._rows, self._count(self._began)
        grew = before is not None and self._rows > before
        if grew:
            self._quiet = 0
        elif self._quiet is not None:
            self._quiet += 1
            if self._quiet >= _QUIET:
                self._quiet = None
                return True
        return False

    def _count(self, before_ns: int) -> int:
        snapshot = self._store.snapshot()
        rows = 0
        for signal in _SIGNALS:
            files: tuple[Segment | Fresh, ...] = (
                *snapshot.segments(signal),
                *snapshot.commits(signal),
            )
            rows += sum(each.rows for each in files if each.end < before_ns)
        return rows


def oldest_record(store: StoreReader) -> int | None:
    """Return when the oldest record of any signal is from, in milliseconds; ``None`` without any.

    What was recorded of it is never older.
    """
    snapshot = store.snapshot()
    found = [bounds[0] for each in _SIGNALS if (bounds := snapshot.bounds(each)) is not None]
    return min(found) // _MS if found else None
