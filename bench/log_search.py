"""Searching a rare word in many log lines, beside ripgrep over the same lines as text."""

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from app.access import OPEN
from app.services import logs
from app.services.opening import open_world
from app.services.world import World
from bench.generate import in_figures
from bench.model import Bench, Result, Row, Run, binaries, expect
from bench.processes import Command, measure
from bench.stored import AT, DAY, RARE, RARE_LINES, SECOND, Size, stored
from bench.table import quotient
from collectors.readers.telemetry import LogQuery, TimeRange, Where
from collectors.store import StoreWriter
from slo.units import Duration

_TARGET = 3.0
_PATIENCE = Duration.parse("5m")


def run(bench: Run) -> Result:
    """Search in turns; every line that has the word must be found by both."""
    peer = binaries("ripgrep-13.0") / "rg"
    size = Size(logs=400_000 if bench.quick else 10_000_000, spans=0, apps=1, days=7)
    data = stored(size, bench.tell)
    with StoreWriter(data.folder / "store") as writer:
        # A store that was kept from before may lack what compaction makes today.
        writer.compact(round(AT.timestamp()) * SECOND + size.days * DAY)
    world = open_world(data.project(), environ={}, deadline=_PATIENCE)
    walls: dict[str, list[float]] = {"ours": [], "ripgrep": []}
    work: dict[str, list[float]] = {"ours": [], "ripgrep": []}
    bench.tell(f"searching {size.logs:,} lines in turns")
    for turn in range(4 if bench.quick else 8):
        ours, theirs = _ours(world, size), _theirs(peer, data.text)
        # The first round reads the files from the disk.
        for name, (wall, used) in (("ours", ours), ("ripgrep", theirs)) if turn else ():
            walls[name].append(wall)
            work[name].append(used)
    what = f"a rare word in {size.logs:,} lines"
    return Result(
        rows=[
            _row(f"{what}, wall", walls, _TARGET),
            _row(f"{what}, processor time", work, None),
            Row(
                bench="log_search",
                what=f"{what}, seconds",
                value=median(walls["ours"]),
                unit="s",
                figures=f"{size.logs / median(walls['ours']):,.0f} lines/s",
            ),
        ]
    )


def _ours(world: World, size: Size) -> tuple[float, float]:
    """Wall and processor seconds of the logs service, over everything there is."""
    end = round(AT.timestamp()) * SECOND
    span = TimeRange(start=end - size.days * DAY, end=end)
    query = LogQuery(where=Where(app=size.names[0], range=span), text=RARE)
    began, used = time.perf_counter(), time.process_time()
    found = logs.search(world, OPEN, query).value
    seconds = time.perf_counter() - began, time.process_time() - used
    expect(RARE_LINES, len(found), "lines that we find")
    return seconds


def _theirs(peer: Path, folder: Path) -> tuple[float, float]:
    command: Sequence[str | Path] = [peer, "--ignore-case", "--fixed-strings", RARE, folder]
    found = measure(Command(arguments=command))
    expect(RARE_LINES, len(found.output.splitlines()), "lines that ripgrep finds")
    return found.seconds, found.cpu


def _row(what: str, seconds: dict[str, list[float]], target: float | None) -> Row:
    return Row(
        bench="log_search",
        what=what,
        value=quotient(seconds["ours"], seconds["ripgrep"]),
        target=target,
        figures=in_figures(seconds),
    )


BENCH = Bench(
    name="log_search",
    about="a rare word in 10 M log lines ÷ ripgrep 13 over the same lines as text",
    run=run,
)
