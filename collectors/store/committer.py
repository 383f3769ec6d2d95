"""Group commit: those who append at the same time share one file and one wait for the disk."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from threading import Condition, Thread

import pyarrow as pa

from collectors.signals import Signal
from collectors.store import fresh
from collectors.store.durable import put, writing
from collectors.store.fresh import Fresh
from collectors.store.receipts import Receipt
from collectors.store.schemas import apps_of, fingerprint, time_range
from collectors.store.state import State
from slo.errors import StoreError
from slo.records import dataclass

_LINGER = 0.02
"""Seconds for which a commit waits for as many appends as the last one had."""

_LARGEST_ROWS = 200_000
_LARGEST_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What an append did; ``duplicate`` when the batch was in the store already."""

    number: int | None
    rows: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    table: pa.Table
    receipt: Receipt | None
    done: Future[Commit]


class Committer:
    """Commits the appends of one signal, in a thread of its own."""

    def __init__(self, state: State, signal: Signal) -> None:
        self._state = state
        self._signal = signal
        self._waiting: deque[_Request] = deque()
        self._pending: dict[bytes, Future[Commit]] = {}
        self._changed = Condition()
        self._closed = False
        self._usual = 1
        self._thread = Thread(target=self._run, name=f"store-{signal.value}", daemon=True)
        self._thread.start()

    def append(self, table: pa.Table, receipt: Receipt | None) -> Commit:
        """Have rows committed, and wait for it; raises ``StoreError``."""
        while True:
            with self._changed:
                if self._closed:
                    raise StoreError("the store is closed")
                first = None if receipt is None else self._pending.get(receipt.key)
                if receipt is not None and first is None and self._is_stored(receipt):
                    return Commit(number=None, rows=0, duplicate=True)
                if first is None:
                    request = _Request(table=table, receipt=receipt, done=Future())
                    if receipt is not None:
                        self._pending[receipt.key] = request.done
                    self._waiting.append(request)
                    self._changed.notify()
            if first is None:
                return request.done.result()
            # Somebody is storing this batch right now. If that fails, it is this one's turn.
            if first.exception() is None:
                return Commit(number=None, rows=0, duplicate=True)

    def close(self) -> None:
        """Commit what is waiting and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _is_stored(self, receipt: Receipt) -> bool:
        with self._state.lock:
            return receipt.key in self._state.receipts

    def _run(self) -> None:
        number = self._state.last_number(self._signal)
        while group := self._next_group():
            number += 1
            error: Exception | None = None
            try:
                self._commit(number, group)
            except Exception as cause:  # noqa: BLE001 - each of them belongs to those who wait
                error = cause
            with self._changed:
                for each in group:
                    if each.receipt is not None:
                        del self._pending[each.receipt.key]
            for each in group:
                if error is None:
                    each.done.set_result(Commit(number=number, rows=each.table.num_rows))
                else:
                    each.done.set_exception(error)

    def _next_group(self) -> list[_Request]:
        """What is waiting, as much as one file should hold; nothing once the store is closed.

        Those who appended together will do so again, and one file costs less than several. One
        that appends alone does not wait.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._changed.wait_for(
                lambda: len(self._waiting) >= self._usual or self._closed, timeout=_LINGER
            )
            group: list[_Request] = []
            rows = size = 0
            while self._waiting:
                table = self._waiting[0].table
                rows += table.num_rows
                size += table.nbytes
                if group and (rows > _LARGEST_ROWS or size > _LARGEST_BYTES):
                    break
                group.append(self._waiting.popleft())
            self._usual = len(group) + len(self._waiting)
            return group

    def _commit(self, number: int, group: list[_Request]) -> None:
        table = pa.concat_tables(each.table for each in group)
        receipts = tuple(each.receipt for each in group if each.receipt is not None)
        content = fresh.encode(table, receipts)
        name = fresh.name_of(number, content)
        with writing(f"the store's {self._signal.value}"):
            put(self._state.layout.fresh(self._signal) / name, content)
        start, end = time_range(table)
        self._state.committed(
            self._signal,
            Fresh(
                name=name,
                number=number,
                apps=apps_of(table),
                start=start,
                end=end,
                rows=table.num_rows,
                bytes=len(content),
                plain_bytes=table.nbytes,
                columns=fingerprint(table.schema),
                receipts=receipts,
            ),
        )
