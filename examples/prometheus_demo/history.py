"""The day before the demo: raw samples, and what the rules would have recorded of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from tests.servers.processes import Prometheus, create_blocks
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
    start = worlds[0].start + 1200
    for number, level in enumerate(_levels(rules), start=1):
        say(f"recording the rules' history, step {number}")
        recorded = data.parent / "recorded.txt"
        with Prometheus(binaries, data=data) as server:
            recorded.write_text(
                "".join(_openmetrics(server, level, start, now)) + "# EOF\n", encoding="utf-8"
            )
        create_blocks(binaries, recorded, data)
        recorded.unlink()


def _cut(samples: Path, now: int) -> None:
    """Leave out what has not happened yet."""
    kept = samples.with_suffix(".cut")
    with samples.open(encoding="utf-8") as source, kept.open("w", encoding="utf-8") as target:
        target.writelines(
            line for line in source if line.startswith("#") or float(line.rsplit(" ", 1)[1]) <= now
        )
    kept.replace(samples)


def _levels(files: Sequence[Path]) -> Iterator[list[tuple[dict[str, object], int]]]:
    """Recording rules in steps: each reads only what the steps before it have recorded."""
    waiting = [
        (rule, _seconds(group["interval"]))
        for file in files
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
        if "record" in rule
    ]
    while waiting:
        names = {str(rule["record"]) for rule, _ in waiting}
        ready = [
            (rule, interval)
            for rule, interval in waiting
            if not any(name in str(rule["expr"]) for name in names - {str(rule["record"])})
        ]
        yield ready
        waiting = [each for each in waiting if each not in ready]


def _seconds(interval: str) -> int:
    return int(interval[:-1]) * {"s": 1, "m": 60}[interval[-1]]


def _openmetrics(
    server: Prometheus, rules: Sequence[tuple[dict[str, object], int]], start: int, now: int
) -> Iterator[str]:
    """The samples that the rules would have written; series of one name stand together."""
    found: dict[str, list[str]] = {}
    for rule, interval in rules:
        labels = rule["labels"]
        assert isinstance(labels, Mapping)
        name, first = str(rule["record"]), start - start % interval
        for series in server.query_range(str(rule["expr"]), start=first, end=now, step=interval):
            text = ",".join(f'{key}="{value}"' for key, value in labels.items())
            found.setdefault(name, []).extend(
                f"{name}{{{text}}} {value} {at}\n" for at, value in series.points
            )
    for name, lines in found.items():
        yield f"# TYPE {name} gauge\n"
        yield from lines
