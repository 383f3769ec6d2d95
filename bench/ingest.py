"""How many log records a core takes in over OTLP, beside the Collector writing them to a file."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from statistics import median

from bench.model import Bench, Result, Row, Run, UnavailableError, binaries, expect
from bench.serving import BATCH, Client, Collector, Headroom, batches, processor_seconds
from collectors.signals import Signal
from collectors.store import StoreReader
from tests.servers.server import Server, wait_until

_TARGET = 1 / 0.3


def run(bench: Run) -> Result:
    """Send the same requests to both in turns, each time to a new process."""
    if sys.platform != "linux":
        raise UnavailableError("processor time of a running process is read from /proc")
    peer = binaries("otelcol-0.159")
    count = 60 if bench.quick else 500
    records = count * BATCH
    bodies = list(batches(count, now_ns=time.time_ns()))
    size = sum(map(len, bodies)) / 2**20
    bench.tell(f"{records:,} records in {count} requests, {size:.0f} MiB")
    ours, stored, theirs = [], [], []
    for turn in range(1 if bench.quick else 3):
        bench.tell(f"round {turn + 1}")
        acknowledged, compacted = _ours(bodies)
        ours.append(acknowledged)
        stored.append(compacted)
        with Collector(peer) as collector:
            theirs.append(_taken(collector, bodies))
            lines = sum(1 for _ in (collector.folder / "logs.json").open("rb"))
            expect(count, lines, "requests in the Collector's file")
    return Result(
        rows=[
            _row("acknowledged, on disk", ours, theirs, records, _TARGET),
            _row("sorted into segments as well", stored, theirs, records, None),
        ]
    )


def _ours(bodies: Sequence[bytes]) -> tuple[float, float]:
    """Processor seconds until all is acknowledged, and until nothing is left to absorb."""
    with Headroom("--no-console") as server:
        idle = processor_seconds(server.pid)
        taken = _taken(server, bodies)
        fresh = server.folder / "store" / "fresh" / "logs"
        wait_until(lambda: not _waiting(server), timeout=180, what=f"{fresh} is absorbed")
        whole = processor_seconds(server.pid) - idle
        store = StoreReader(server.folder / "store")
        found = store.query(Signal.LOGS, "SELECT count(*) AS n FROM records")
        expect(len(bodies) * BATCH, found.column("n")[0].as_py(), "records in the store")
        store.close()
        shutil.rmtree(server.folder / "store", ignore_errors=True)
    return taken, whole


def _waiting(server: Server) -> bool:
    store = StoreReader(server.folder / "store")
    try:
        return bool(store.snapshot().commits(Signal.LOGS))
    finally:
        store.close()


def _taken(server: Server, bodies: Sequence[bytes]) -> float:
    began = processor_seconds(server.pid)
    Client.to(server).send(bodies)
    return processor_seconds(server.pid) - began


def _row(
    what: str, ours: Sequence[float], theirs: Sequence[float], records: int, target: float | None
) -> Row:
    rates = records / median(ours), records / median(theirs)
    return Row(
        bench="ingest",
        what=f"processor time per OTLP log record, {what}",
        value=median(ours) / median(theirs),
        target=target,
        figures=f"records/s per core: ours {rates[0]:,.0f}, Collector {rates[1]:,.0f} "
        f"({rates[0] / rates[1]:.2f} of it)",
    )


BENCH = Bench(
    name="ingest",
    about="processor time per OTLP log record ÷ the Collector's from OTLP to a file",
    run=run,
)
