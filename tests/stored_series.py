"""Samples that a Prometheus would have stored, put into an embedded store as a remote write is."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from collectors.signals import Signal, table
from collectors.store import StoreWriter
from tests.stored_rows import digest

_LINE = re.compile(
    r"(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+) (?P<at>\S+)"
)
_PAIR = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_CHUNK = 200_000
_COUNTERS = ("_total", "_bucket", "_count", "_sum")

Sample = tuple[str, str, int, float]
"""Name, labels as JSON, Unix nanoseconds, value."""


def load(path: Path, store: Path, *, app: str = "ticketing", env: str = "prod") -> None:
    """Store every sample of an OpenMetrics file."""
    with StoreWriter(store) as writer, path.open(encoding="utf-8") as lines:
        samples = _samples(lines)
        while chunk := list(islice(samples, _CHUNK)):
            writer.append(Signal.METRICS, table(Signal.METRICS, _columns(chunk, app, env)))
        writer.compact(2_000_000_000_000_000_000)


def _samples(lines: Iterable[str]) -> Iterator[Sample]:
    known: dict[str, str] = {}
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            assert line.startswith("#"), line
            continue
        text = found["labels"] or ""
        if text not in known:
            known[text] = json.dumps(dict(_PAIR.findall(text)), sort_keys=True)
        seconds, _, rest = found["at"].partition(".")
        time = int(seconds) * 1_000_000_000 + int(rest.ljust(9, "0") if rest else 0)
        yield found["name"], known[text], time, float(found["value"])


def _columns(chunk: Sequence[Sample], app: str, env: str) -> Mapping[str, Sequence[Any]]:
    many = len(chunk)
    digests = {key: digest(*key) for key in {(name, labels) for name, labels, _, _ in chunk}}
    return {
        "time": [time for _, _, time, _ in chunk],
        "app": [app] * many,
        "env": [env] * many,
        "name": [name for name, _, _, _ in chunk],
        "kind": ["counter" if name.endswith(_COUNTERS) else "gauge" for name, _, _, _ in chunk],
        "delta": [False] * many,
        "series": [digests[name, labels] for name, labels, _, _ in chunk],
        "labels": [labels for _, labels, _, _ in chunk],
        "value": [value for _, _, _, value in chunk],
    }
