"""Writing to a store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, RLock, Thread
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from collectors.signals import Signal
from collectors.store.choices import Sizing
from collectors.store.committer import Commit, Committer
from collectors.store.compaction import Compactor
from collectors.store.durable import make_folder, writing
from collectors.store.layout import Layout
from collectors.store.lock import Lock
from collectors.store.receipts import Receipt
from collectors.store.retention import Retention
from collectors.store.schemas import conform
from collectors.store.state import State
from slo.errors import StoreError

_PRESSING = 64


class StoreWriter:
    """The one process that writes to a store; makes the store if there is none.

    ``memory`` is the most that compaction may use. Threads may share it. Raises ``StoreBusy``
    while another process writes, and ``StoreError`` for a folder that cannot be written.
    """

    def __init__(
        self, path: Path, *, memory: str = "512MB", threads: int = 1, sizing: Sizing | None = None
    ) -> None:
        layout = Layout(root=path.absolute())
        with writing(f"the store in {path}"):
            make_folder(layout.root)
            self._lock = Lock(layout.lock)
            try:
                self._state = State(layout)
            except BaseException:
                self._lock.release()
                raise
        self._compactor = Compactor(self._state, sizing or Sizing(), memory=memory, threads=threads)
        self._committers: dict[Signal, Committer] = {}
        self._guard = RLock()
        self._closing = Event()
        self._wake = Event()
        self._thread: Thread | None = None
        self._trouble: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def trouble(self) -> Exception | None:
        """Why compaction in the background failed the last time, or None when it did not."""
        return self._trouble

    def append(
        self,
        signal: Signal,
        table: pa.Table,
        *,
        batch: bytes | None = None,
        keep_receipt: bool = False,
    ) -> Commit:
        """Store rows; they are on disk when this returns.

        ``batch`` is a digest of what the sender sent: the same one is stored once among the last
        hundred thousand, or for ever with ``keep_receipt``. Raises ``StoreError`` when the disk is
        full or cannot be written (nothing is stored then, and later appends may work), and
        ``ValueError`` for a table that is not as `collectors.signals.SCHEMAS` says.
        """
        rows = conform(signal, table)
        if not rows.num_rows:
            return Commit(number=None, rows=0)
        receipt = None if batch is None else Receipt.of(signal, batch, kept=keep_receipt)
        commit = self._committer(signal).append(rows, receipt)
        if len(self._state.fresh[signal]) >= _PRESSING:
            self._wake.set()
        return commit

    def compact(self, now_ns: int) -> None:
        """Absorb what is fresh into sorted segments, merge small ones, and delete what is done.

        Raises ``StoreError`` when the disk is full or cannot be written; the store is as before.
        """
        self._compact(now_ns, stop=lambda: False)

    def retain(self, now_ns: int, policy: Retention) -> int:
        """Drop what is past its limit; return the number of segments dropped."""
        self._require_open()
        with writing("the store's manifest"):
            return self._compactor.retain(now_ns, policy)

    def scrub(self) -> int:
        """Read every segment and set aside those that are damaged; return their number."""
        self._require_open()
        with writing("the store's quarantine"):
            return self._compactor.scrub()

    def start_background(
        self, clock: Callable[[], int], policy: Retention | None = None, *, every: float = 10.0
    ) -> None:
        """Compact and retain in a thread, every few seconds, until the writer is closed.

        ``clock`` tells the time in Unix nanoseconds.
        """
        self._require_open()
        if self._thread is not None:
            raise StoreError("the store is compacted in the background already")
        self._thread = Thread(
            target=self._tend, args=(clock, policy, every), name="store-compaction", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Finish what is being appended, stop the background thread and give up the lock."""
        with self._guard:
            self._closing.set()
            committers = tuple(self._committers.values())
        self._wake.set()
        for each in committers:
            each.close()
        if self._thread is not None:
            self._thread.join()
        self._compactor.close()
        self._lock.release()

    def _committer(self, signal: Signal) -> Committer:
        with self._guard:
            self._require_open()
            if signal not in self._committers:
                self._committers[signal] = Committer(self._state, signal)
            return self._committers[signal]

    def _require_open(self) -> None:
        if self._closing.is_set():
            raise StoreError("the store is closed")

    def _compact(self, now_ns: int, *, stop: Callable[[], bool]) -> None:
        self._require_open()
        try:
            with writing("a segment of the store"):
                self._compactor.compact(now_ns, stop=stop)
        except (duckdb.Error, pa.ArrowException) as cause:
            raise StoreError(f"the store cannot be compacted: {cause}") from cause

    def _tend(self, clock: Callable[[], int], policy: Retention | None, every: float) -> None:
        while not self._closing.is_set():
            try:
                self._compact(clock(), stop=self._closing.is_set)
                if policy is not None:
                    self.retain(clock(), policy)
                self._trouble = None
            except Exception as cause:  # noqa: BLE001 - kept for whoever asks; the next try may work
                self._trouble = cause
            self._wake.wait(every)
            self._wake.clear()
