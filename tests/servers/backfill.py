"""What recording rules would have written in the past: evaluated by a real server, loaded back."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.servers.processes import Prometheus, create_blocks

Keep = Callable[[Mapping[str, str], float], bool]
Rule = Mapping[str, Any]


def backfill(
    binaries: Path,
    data: Path,
    rules: Sequence[Path],
    span: tuple[int, int],
    *,
    keep: Keep = lambda _labels, _at: True,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Load the series that the rules would have recorded in a span into a folder of blocks.

    Rules that read what others record come in a later step than those. ``keep`` says of a sample
    by its labels and time whether it is stored: what it refuses is a gap in the evaluation.
    """
    text = data.parent / "recorded.txt"
    for number, step in enumerate(_steps(rules), start=1):
        say(f"recording the rules' history, step {number}")
        with Prometheus(binaries, data=data) as server:
            lines = "".join(_openmetrics(server, step, span, keep))
        text.write_text(f"{lines}# EOF\n", encoding="utf-8")
        create_blocks(binaries, text, data)
    text.unlink(missing_ok=True)


def _steps(files: Sequence[Path]) -> Iterator[list[tuple[Rule, int]]]:
    """Yield recording rules with their intervals; each reads only what earlier steps hold."""
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
        assert ready, f"rules that read each other: {names}"
        yield ready
        waiting = [each for each in waiting if each not in ready]


def _seconds(interval: str) -> int:
    return int(interval[:-1]) * {"s": 1, "m": 60}[interval[-1]]


def _openmetrics(
    server: Prometheus, rules: Sequence[tuple[Rule, int]], span: tuple[int, int], keep: Keep
) -> Iterator[str]:
    """Yield the samples of the rules as text; series of one name stand together."""
    found: dict[str, list[str]] = {}
    for rule, interval in rules:
        labels, name = rule["labels"], str(rule["record"])
        start = span[0] + -span[0] % interval
        answer = server.query_range(str(rule["expr"]), start=start, end=span[1], step=interval)
        for series in answer:
            text = ",".join(f'{key}="{value}"' for key, value in labels.items())
            found.setdefault(name, []).extend(
                f"{name}{{{text}}} {value} {at}\n"
                for at, value in series.points
                if keep(labels, at)
            )
    for name, lines in found.items():
        yield f"# TYPE {name} gauge\n"
        yield from lines
