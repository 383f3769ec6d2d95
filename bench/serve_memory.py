"""What memory `headroom serve` takes over an hour of ingest."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import linear_regression, median

from bench.model import Bench, Result, Row, Run, UnavailableError
from bench.serving import BATCH, Client, Headroom, batches, resident

RATE = 5_000
"""Records per second."""

_FLAT = 1.1
_MIB = 2**20
_SAMPLED_EVERY = 2


def run(bench: Run) -> Result:
    """Send at a steady rate, and look at the process every other second."""
    if sys.platform != "linux":
        raise UnavailableError("the memory of a running process is read from /proc")
    seconds = 180 if bench.quick else 3600
    with Headroom("--no-console") as server:
        began = time.monotonic()
        idle = resident(server.pid)
        client, samples, late, sent, minutes = Client.to(server), [], 0.0, 0, 0
        with ThreadPoolExecutor(1) as sending:
            while (now := time.monotonic() - began) < seconds:
                due = int((now + _SAMPLED_EVERY) * RATE) // BATCH - sent
                bodies = list(batches(due, now_ns=time.time_ns())) if due > 0 else []
                going = sending.submit(client.send, bodies)
                going.result()
                sent += len(bodies)
                samples.append((now, resident(server.pid)))
                late = max(late, time.monotonic() - began - sent * BATCH / RATE)
                if now >= (minutes + 1) * 60:
                    minutes = int(now // 60)
                    bench.tell(f"{minutes} min, {samples[-1][1] / _MIB:.0f} MiB")
                time.sleep(max(0.0, sent * BATCH / RATE - (time.monotonic() - began)))
        rate = sent * BATCH / (time.monotonic() - began)
    return Result(rows=_rows(samples, idle, rate, late))


def _rows(samples: Sequence[tuple[float, int]], idle: int, rate: float, late: float) -> list[Row]:
    """Growth is from the second sixth, when caches have filled, to the last one."""
    sizes = [size / _MIB for _, size in samples]
    sixth = max(1, len(samples) // 6)
    early, end = median(sizes[sixth : 2 * sixth]), median(sizes[-sixth:])
    second_half = samples[len(samples) // 2 :]
    slope = linear_regression(
        [at / 3600 for at, _ in second_half], [size / _MIB for _, size in second_half]
    ).slope
    minutes = samples[-1][0] / 60
    figures = (
        f"idle {idle / _MIB:.0f} MiB, first {sizes[0]:.0f}, last {sizes[-1]:.0f}, "
        f"max {max(sizes):.0f}; slope of the second half {slope:+.0f} MiB/h; "
        f"{rate:,.0f} records/s, at most {late:.1f} s late"
    )
    what = f"memory over {minutes:.0f} minutes at {RATE:,} records/s"
    return [
        Row(
            bench="serve_memory",
            what=f"{what}: last sixth ÷ second",
            value=end / early,
            target=_FLAT,
            figures=figures,
        ),
        Row(bench="serve_memory", what=f"{what}: most", value=max(sizes), unit="MiB"),
    ]


BENCH = Bench(
    name="serve_memory",
    about="memory of `headroom serve` over an hour of ingest at 5,000 records/s",
    run=run,
)
