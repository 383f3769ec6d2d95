"""A process that writes to a store until it is killed, at a moment or at a step of its own.

Imports take a second and a hundred victims are wanted, so that each is a fork of one process. For
each line ``first seed moment step`` on standard input it forks one. The victim says ``open``,
``ack N`` after each batch, and the phase it enters; when it has died, ``dead`` follows.
"""

import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

import duckdb

from collectors.signals import Signal
from collectors.store import Limit, Retention, Sizing, StoreWriter
from collectors.store.fresh import encode
from tests.unit.collectors.store.telemetry import NOON, SECOND, logs, spans

LINES = 5
LOGS_PER_BATCH = LINES
MINUTE = 60 * SECOND
KEPT = 3_600 * SECOND
SIZING = Sizing(segment_rows=400, partition_rows=20, mixed_files=3, merged_files=3, small_rows=16)


def clock_of(batch: int) -> int:
    """The time at which a batch is sent: a minute after the one before."""
    return NOON + batch * MINUTE


def say(word: str) -> None:
    """Write a line at once."""
    os.write(1, f"{word}\n".encode())


def ingest(folder: Path, first: int, seed: int) -> None:
    """Send batches from the first on; between them compact, and drop what is older than an hour."""
    chance = random.Random(seed)
    with StoreWriter(folder, sizing=SIZING) as store:
        say("open")
        for batch in range(first, sys.maxsize):
            say("phase ingest")
            now = clock_of(batch)
            one = logs(*[f"{batch}:{line}" for line in range(LINES)], at=now, step=SECOND)
            helper = threading.Thread(
                target=store.append,
                args=(Signal.SPANS, spans(batch - 1, batch, at=NOON)),
                kwargs={"batch": b"%d" % batch},
            )
            helper.start()
            store.append(Signal.LOGS, one, batch=b"%d" % batch)
            helper.join()
            say(f"ack {batch}")
            if chance.random() < 0.5:
                say("phase compact")
                store.compact(now)
            if chance.random() < 0.3:
                say("phase retain")
                store.retain(now, Retention(limits={Signal.LOGS: Limit(age=KEPT)}))


def victim(folder: Path, first: int, seed: int, step: int) -> None:
    """Ingest; with a ``step`` this process kills itself when it touches files for that time."""
    seen = 0

    def touch(event: str, _: tuple[object, ...]) -> None:
        nonlocal seen
        if event in {"open", "os.rename", "os.remove", "os.link", "os.truncate", "os.listdir"}:
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    if step:
        sys.addaudithook(touch)
    ingest(folder, first, seed)


def main() -> None:
    """Fork a victim for each line."""
    folder = Path(sys.argv[1])
    # What is imported at its first use is there before the first fork.
    encode(logs("warm"), ())
    duckdb.connect(":memory:").close()
    for line in sys.stdin:
        first, seed, moment, step = map(int, line.split())
        child = os.fork()
        if not child:
            try:
                victim(folder, first, seed, step)
            finally:
                os._exit(1)
        if step:
            os.waitpid(child, 0)
        else:
            time.sleep(moment / 1000)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
