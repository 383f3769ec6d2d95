"""Getting a world into a store, through the doors that any sender's telemetry goes through."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path as Folder

import requests

from app.demo.generating import DemoError, generated
from app.demo.world import Batch, Path, World
from collectors.joining import Joiner
from collectors.receive import OtlpDecoder, digest
from collectors.signals import Signal
from collectors.store import Commit, StoreWriter
from slo.model import Catalog

SIGNALS: Mapping[Path, Signal] = {
    Path.METRICS: Signal.METRICS,
    Path.TRACES: Signal.SPANS,
    Path.LOGS: Signal.LOGS,
}

Advance = Callable[[], None]
"""Called once a chunk is stored."""

_AHEAD = 6
"""How many batches may wait for the disk."""

_COMPACT_EVERY = 30
"""After so many chunks what was written is put in order, so that it is never much at once."""

_TYPE = {"Content-Type": "application/x-protobuf"}
_SECONDS = 60
_PATIENCE = 30
_TOO_BUSY = frozenset({429, 503})
_OK = 200


def fill_store(world: World, catalog: Catalog, folder: Folder, advance: Advance) -> int:
    """Put a world into a store in this process; return the number of records.

    The store is compacted when this returns. Raises ``StoreBusy`` while somebody else writes.
    """
    decoder = OtlpDecoder(Joiner(catalog))
    stored = 0
    with StoreWriter(folder, memory="512MB") as writer, ThreadPoolExecutor(1) as storing:
        # Three things at once: another process makes requests, this one decodes, a thread writes.
        waiting: deque[Future[Commit]] = deque()
        compacting = storing.submit(lambda: None)
        for number, batches in enumerate(generated(world), 1):
            for batch in batches:
                kind = SIGNALS[batch.path]
                decoded = decoder.decode(kind, batch.body, at=batch.at)
                if decoded.rejected:
                    raise DemoError(f"{decoded.rejected} records were rejected: {decoded.reason}")
                append = partial(writer.append, kind, decoded.table, batch=digest(batch.body))
                waiting.append(storing.submit(append))
            if number % _COMPACT_EVERY == 0:
                compacting = storing.submit(writer.compact, world.now_ns)
            while len(waiting) > _AHEAD:
                stored += waiting.popleft().result().rows
            advance()
        stored += sum(each.result().rows for each in waiting)
        compacting.result()
        writer.compact(world.now_ns)
    return stored


def send(world: World, url: str, clock: Callable[[], int], advance: Advance) -> int:
    """Send a world to a server as OTLP over HTTP, up to the present; return how many records.

    ``clock`` tells Unix nanoseconds.
    """
    sent = 0
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no business between this machine and itself
        for batches in world.chunks(clock):
            for batch in batches:
                _post(session, url, batch)
                sent += batch.records
            advance()
    return sent


def _post(session: requests.Session, url: str, batch: Batch) -> None:
    """Send one request, again while the server says that it is too busy."""
    for _ in range(_PATIENCE):
        try:
            answer = session.post(
                f"{url}/v1/{batch.path}", data=batch.body, headers=_TYPE, timeout=_SECONDS
            )
        except requests.RequestException as cause:
            raise DemoError(f"{url} does not take telemetry: {cause}") from cause
        if answer.status_code == _OK:
            return
        if answer.status_code not in _TOO_BUSY:
            raise DemoError(f"{url} refused {batch.path} with status {answer.status_code}")
        time.sleep(_wait(answer))
    raise DemoError(f"{url} was too busy for too long")


def _wait(answer: requests.Response) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(5.0, float(asked)) if asked.isascii() and asked.isdigit() else 0.5
