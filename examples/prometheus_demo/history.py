"""The day before the demo: raw samples, and what the rules would have recorded of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tests.servers.backfill import backfill
from tests.servers.processes import create_blocks
from tests.servers.traffic import World, write_openmetrics

Progress = Callable[[str], None]


def load(
    binaries: Path,
    data: Path,
    worlds: Sequence[World],
    rules: Sequence[Path],
    now: int,
    say: Progress,
) -> None:
    """Fill a data folder with the raw samples up to now and the series recorded from them."""
    say("writing a day of samples")
    samples = data.parent / "samples.txt"
    write_openmetrics(samples, worlds)
    _cut(samples, now)
    create_blocks(binaries, samples, data)
    samples.unlink()
    backfill(binaries, data, rules, (worlds[0].start + 1200, now), say=say)


def _cut(samples: Path, now: int) -> None:
    """Leave out what has not happened yet."""
    kept = samples.with_suffix(".cut")
    with samples.open(encoding="utf-8") as source, kept.open("w", encoding="utf-8") as target:
        target.writelines(
            line for line in source if line.startswith("#") or float(line.rsplit(" ", 1)[1]) <= now
        )
    kept.replace(samples)
