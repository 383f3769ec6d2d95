"""From a body to the disk: a bounded queue, decoders in threads, one writer that commits groups.

A batch holds its place and its bytes from the moment its body is read until it is on disk. Where
there is no room, the sender is told to come again: nothing is dropped, and memory is bounded by
``Sizing`` however many senders there are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Condition, Thread
from time import perf_counter

from app.api.problems import HttpProblem
from app.ingest.binding import BoundJoiner, only_of
from app.telemetry import Telemetry
from collectors.joining import Joiner
from collectors.receive import (
    BulkDecoder,
    Content,
    Decoded,
    OtlpDecoder,
    Refused,
    RemoteWriteDecoder,
    digest,
    inflate,
)
from collectors.signals import Signal
from collectors.store import StoreWriter
from slo.model import Catalog
from slo.records import dataclass

_LOG = logging.getLogger("headroom.intake")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How much is held at once; sizes in bytes.

    ``body`` bounds one body as sent, ``content`` one as decompressed, ``waiting`` all bodies
    together, ``tables`` what is decoded and not yet on disk. ``committing`` batches share a
    commit at most; a body may take ``patience`` seconds to arrive.
    """

    body: int = 20 * 2**20
    content: int = 20 * 2**20
    waiting: int = 64 * 2**20
    tables: int = 128 * 2**20
    requests: int = 256
    decoders: int = 2
    committing: int = 32
    retry_after: int = 1
    patience: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """The format of Elasticsearch's ``_bulk``; ``index`` is that of the path."""

    index: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One body to be stored; ``content`` is ``None`` for Prometheus remote write.

    ``app`` is the application that the sender's token is bound to.
    """

    signal: Signal
    body: bytes
    encoding: str | None
    content: Content | Actions | None
    at: int
    app: str | None = None


class Room:
    """The bytes that one request holds; ``Intake.room`` makes them."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.bytes = 0

    def take(self, size: int) -> None:
        """Hold more bytes; raises ``HttpProblem`` (429) where there is no room."""
        self._intake.hold(size)
        self.bytes += size


class Intake:
    """Takes batches for one store. Threads and event loops may share it."""

    def __init__(
        self,
        writer: StoreWriter,
        catalog: Catalog,
        telemetry: Telemetry,
        *,
        sizing: Sizing | None = None,
    ) -> None:
        self.sizing = Sizing() if sizing is None else sizing
        self.writer = writer
        self._catalog = catalog
        self._joiner = Joiner(catalog)
        self._telemetry = telemetry
        self._changed = Condition()
        self._requests = 0
        self._bytes = 0
        self._tables = 0
        self._draining = False
        self._queue: SimpleQueue[tuple[Parcel, Future[Decoded]] | None] = SimpleQueue()
        self._committers = ThreadPoolExecutor(self.sizing.committing, "intake-commit")
        self._threads = [
            Thread(target=self._decode, name=f"intake-{number}", daemon=True)
            for number in range(self.sizing.decoders)
        ]
        for each in self._threads:
            each.start()
        telemetry.watch("headroom_ingest_waiting_requests", lambda: self._requests)
        telemetry.watch("headroom_ingest_waiting_bytes", lambda: self._bytes)
        telemetry.watch("headroom_store_trouble", lambda: int(writer.trouble is not None))

    @contextmanager
    def room(self) -> Iterator[Room]:
        """Hold the place of one request.

        Raises ``HttpProblem``: 429 where there is no room, 503 once the server is about to end.
        """
        with self._changed:
            if self._draining:
                raise HttpProblem(503, "the server is ending", headers={"Retry-After": "5"})
            if self._requests >= self.sizing.requests:
                raise self._busy()
            self._requests += 1
        room = Room(self)
        try:
            yield room
        finally:
            with self._changed:
                self._requests -= 1
                self._bytes -= room.bytes
                self._changed.notify_all()

    def hold(self, size: int) -> None:
        """Count bytes of a body; raises ``HttpProblem`` (429) where there is no room."""
        with self._changed:
            if self._bytes + size > self.sizing.waiting:
                raise self._busy()
            self._bytes += size

    def submit(self, parcel: Parcel) -> Future[Decoded]:
        """Have a batch decoded and stored; the result comes once it is on disk.

        The result raises ``Refused`` or ``StoreError``.
        """
        done: Future[Decoded] = Future()
        self._queue.put((parcel, done))
        return done

    def drain(self) -> None:
        """Take no more requests; those that have a place are finished."""
        with self._changed:
            self._draining = True

    def close(self) -> None:
        """Finish what was accepted, and end the threads. The writer stays open."""
        self.drain()
        for _ in self._threads:
            self._queue.put(None)
        for each in self._threads:
            each.join()
        self._committers.shutdown(wait=True)

    def _busy(self) -> HttpProblem:
        return HttpProblem(
            429,
            "more arrives than can be stored; nothing of this request was taken",
            hint="send it again after a moment",
            headers={"Retry-After": str(self.sizing.retry_after)},
        )

    def _decode(self) -> None:
        bench = _Bench(self._catalog, self._joiner, self.sizing.content)
        while (work := self._queue.get()) is not None:
            parcel, done = work
            began = perf_counter()
            try:
                batch, decoded = bench.decode(parcel)
            except Refused as error:
                self._told(parcel, "refused")
                done.set_exception(error)
                continue
            except Exception as error:  # noqa: BLE001 - a bad batch must not end the thread
                _LOG.exception("a batch of %s broke its decoder", parcel.signal)
                self._told(parcel, "failed")
                done.set_exception(error)
                continue
            self._commit(parcel, batch, decoded, done, began)

    def _commit(
        self,
        parcel: Parcel,
        batch: bytes,
        decoded: Decoded,
        done: Future[Decoded],
        began: float,
    ) -> None:
        size = decoded.table.nbytes
        with self._changed:
            # A table larger than the bound passes alone: waiting for room would never end.
            self._changed.wait_for(
                lambda: not self._tables or self._tables + size <= self.sizing.tables
            )
            self._tables += size

        def store() -> None:
            try:
                commit = self.writer.append(parcel.signal, decoded.table, batch=batch)
            except Exception as error:  # noqa: BLE001 - the sender hears of it
                self._told(parcel, "failed")
                done.set_exception(error)
            else:
                self._told(parcel, "duplicate" if commit.duplicate else "stored")
                self._count(parcel, decoded, commit.rows, perf_counter() - began)
                done.set_result(decoded)
            finally:
                with self._changed:
                    self._tables -= size
                    self._changed.notify_all()

        self._committers.submit(store)

    def _told(self, parcel: Parcel, outcome: str) -> None:
        signal = parcel.signal.value
        self._telemetry.count("headroom_ingest_requests_total", signal=signal, outcome=outcome)
        self._telemetry.count("headroom_ingest_bytes_total", len(parcel.body), signal=signal)

    def _count(self, parcel: Parcel, decoded: Decoded, rows: int, seconds: float) -> None:
        signal = parcel.signal.value
        self._telemetry.count("headroom_ingest_records_total", rows, signal=signal)
        if decoded.rejected:
            self._telemetry.count("headroom_ingest_rejected_total", decoded.rejected, signal=signal)
        self._telemetry.observe("headroom_ingest_duration_seconds", seconds, signal=signal)


class _Bench:
    """The decoders of one thread, a set for each application that tokens are bound to."""

    def __init__(self, catalog: Catalog, joiner: Joiner, limit: int) -> None:
        self._catalog = catalog
        self._joiner = joiner
        self._limit = limit
        self._decoders: dict[str | None, _Decoders] = {}

    def decode(self, parcel: Parcel) -> tuple[bytes, Decoded]:
        """Return a batch's digest and its records."""
        body = inflate(parcel.body, parcel.encoding, self._limit)
        decoders = self._of(parcel.app)
        name = b""
        if parcel.content is None:
            decoded = decoders.prometheus.decode(body)
        elif isinstance(parcel.content, Actions):
            index = parcel.content.index
            decoded = decoders.bulk.decode(body, at=parcel.at, index=index)
            # The same lines for another index are another batch.
            name = b"_bulk\0" + (index or "").encode() + b"\0"
        else:
            decoded = decoders.otlp.decode(
                parcel.signal, body, at=parcel.at, content=parcel.content
            )
        if parcel.app is None:
            return digest(name + body), decoded
        # The same bytes may be sent with two tokens, and are two batches then.
        return digest(parcel.app.encode() + b"\0" + name + body), only_of(parcel.app, decoded)

    def _of(self, app: str | None) -> _Decoders:
        found = self._decoders.get(app)
        if found is None:
            joiner = self._joiner
            if app is not None:
                joiner = BoundJoiner(self._catalog, app, learned=joiner.learned)
            found = self._decoders[app] = _Decoders(
                otlp=OtlpDecoder(joiner),
                prometheus=RemoteWriteDecoder(joiner),
                bulk=BulkDecoder(joiner),
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoders:
    """What reads the batches of senders who are known to be of one application, or of none."""

    otlp: OtlpDecoder
    prometheus: RemoteWriteDecoder
    bulk: BulkDecoder
