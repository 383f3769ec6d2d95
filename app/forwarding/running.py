"""Forwarding beside whatever writes to the store: one thread keeps commits, one sends them."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock, Thread

from app.forwarding.dead_letters import DeadLetters
from app.forwarding.documents import Document, documents
from app.forwarding.sending import Bulk, batches, send
from app.telemetry import Telemetry
from collectors.signals import Signal
from collectors.store import Follower, Kept, rfc3339
from slo.errors import StoreError, UsageError
from slo.records import dataclass
from slo.workspace import Workspace

_LOG = logging.getLogger("headroom.forward")
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often things are looked at and tried again, in seconds.

    ``first`` doubles to ``longest``, and chance makes each pause half as long to as long again.
    """

    every: float = 1.0
    first: float = 0.5
    longest: float = 60.0
    last_answers: float = 10.0


class Forwarding:
    """Sends what a store's follower keeps. ``clock`` tells Unix nanoseconds."""

    def __init__(
        self,
        follower: Follower,
        cluster: Bulk,
        signals: Sequence[Signal],
        *,
        telemetry: Telemetry,
        clock: Callable[[], int] = time.time_ns,
        pace: Pace | None = None,
    ) -> None:
        self._follower = follower
        self._cluster = cluster
        self._signals = signals
        self._telemetry = telemetry
        self._clock = clock
        self._pace = Pace() if pace is None else pace
        self._dead = DeadLetters(follower.folder)
        self._ending = Event()
        self._guard = Lock()
        self._threads: list[Thread] = []
        self._told_dead = False
        self.trouble: str | None = None
        """Why nothing is sent at the moment, ``None`` while all is well."""
        for signal in signals:
            telemetry.count("headroom_forward_records_total", 0, signal=signal.value)
            telemetry.count("headroom_forward_dead_letters_total", 0, signal=signal.value)
        telemetry.count("headroom_forward_retries_total", 0)
        telemetry.watch("headroom_forward_lag_seconds", lambda: self.lag)
        telemetry.watch("headroom_forward_waiting_commits", lambda: len(self._waiting()))
        telemetry.watch(
            "headroom_forward_waiting_bytes", lambda: sum(each.bytes for each in self._waiting())
        )
        telemetry.watch("headroom_forward_missed_commits", lambda: follower.missed)

    @property
    def lag(self) -> float:
        """For how many seconds the oldest record that waits has done so; 0 when none does."""
        oldest = min((each.since for each in self._waiting()), default=None)
        return 0.0 if oldest is None else max(0.0, (self._clock() - oldest) / _SECOND)

    def start(self) -> None:
        """Begin; returns at once."""
        for name, work in (("keep", self._keep), ("send", self._send)):
            thread = Thread(target=work, name=f"forward-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def drain(self, seconds: float) -> bool:
        """Wait until everything is sent, so many seconds at most; tell whether it is."""
        until = time.monotonic() + seconds
        self._keep_once()
        while self._waiting() and time.monotonic() < until:
            self._ending.wait(0.05)
        return not self._waiting()

    def close(self) -> None:
        """Keep what came last, and end; what is not sent is sent by the next process."""
        self._ending.set()
        for each in self._threads:
            each.join(self._pace.last_answers)
        self._keep_once()

    def _waiting(self) -> list[Kept]:
        return [each for signal in self._signals for each in self._follower.waiting(signal)]

    def _keep(self) -> None:
        while not self._ending.wait(self._pace.every):
            self._keep_once()

    def _keep_once(self) -> None:
        try:
            with self._guard:
                self._follower.keep()
        except StoreError as error:
            self._tell(str(error))

    def _send(self) -> None:
        tries = 0
        while not self._ending.is_set():
            try:
                sent = self._send_waiting()
            except Exception as error:  # noqa: BLE001 - a full disk, say; it must try again
                self._tell(f"{type(error).__name__}: {error}")
                tries += 1
                self._pause(tries)
                continue
            tries = 0
            if not sent:
                self._ending.wait(self._pace.every)

    def _send_waiting(self) -> int:
        """Send all that waits, and return how many commits that was."""
        sent = 0
        for signal in self._signals:
            for commit in self._follower.waiting(signal):
                if not self._send_commit(commit):
                    return sent
                sent += 1
        return sent

    def _send_commit(self, commit: Kept) -> bool:
        """Send a commit; tell whether it is done, which it is not when the process ends."""
        try:
            rows = self._follower.rows(commit)
        except StoreError as error:
            _LOG.error("%s, and is not forwarded", error)
            self._follower.done(commit)
            return True
        for batch in batches(documents(commit, rows)):
            if not self._send_batch(commit.signal, batch):
                return False
        self._follower.done(commit)
        return True

    def _send_batch(self, signal: Signal, batch: Sequence[Document]) -> bool:
        left, tries = tuple(batch), 0
        while left:
            if self._ending.is_set():
                return False
            fates = send(self._cluster, left)
            name = signal.value
            self._telemetry.count("headroom_forward_records_total", fates.taken, signal=name)
            if fates.refused:
                # Before the commit is done: whoever looks for a record finds it somewhere.
                self._dead.add(fates.refused, rfc3339(self._clock()))
                count = len(fates.refused)
                self._telemetry.count("headroom_forward_dead_letters_total", count, signal=name)
                self._tell_dead(fates.refused[0].reason)
            left = fates.again
            if left:
                self._telemetry.count("headroom_forward_retries_total")
                self._tell(fates.trouble)
                tries = 1 if fates.taken else tries + 1
                self._pause(tries)
        if self.trouble is not None:
            _LOG.warning("forwarding goes on")
            self.trouble = None
        return True

    def _pause(self, tries: int) -> None:
        pause = min(self._pace.longest, self._pace.first * 2 ** min(tries - 1, 30))
        self._ending.wait(pause * (0.5 + random.random()))  # noqa: S311 - no secret

    def _tell(self, trouble: str) -> None:
        if self.trouble is None:
            _LOG.warning("forwarding waits, and tries again: %s", trouble)
        self.trouble = trouble

    def _tell_dead(self, reason: str) -> None:
        if not self._told_dead:
            _LOG.warning("a record was refused for good: %s; see %s", reason, self._dead.path)
            self._told_dead = True


def open_forwarding(
    workspace: Workspace, store: Path, *, environ: Mapping[str, str], telemetry: Telemetry
) -> Forwarding | None:
    """Make what forwards a workspace's telemetry, ``None`` where it says nothing of that.

    Must be called before the store is compacted. Raises ``UsageError`` for a cluster that the
    workspace does not have, and ``StoreError``.
    """
    wanted = workspace.serving.forward
    if wanted is None:
        return None
    source = workspace.elasticsearch.get(wanted.elasticsearch)
    if source is None:
        raise UsageError(
            f'serve.forward names "{wanted.elasticsearch}", which is no Elasticsearch source',
            hint="define it under sources.elasticsearch in headroom.yaml",
        )
    from collectors.elastic.client import Cluster  # noqa: PLC0415 - loads the client

    signals = tuple(Signal(each) for each in wanted.signals)
    return Forwarding(
        Follower(store, f"forward/{source.name}", signals),
        Cluster(source, environ=environ),
        signals,
        telemetry=telemetry,
    )
