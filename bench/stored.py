"""A store of made-up logs, spans and metrics of many apps, kept in the cache between runs.

What is in it depends on its size alone. Apps have very different sizes, the first is the largest.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.project import Project, open_project
from collectors.signals import SCHEMAS, Signal
from collectors.store import StoreWriter
from tests.servers.provision.cache import default_cache

AT = datetime(2026, 11, 1, tzinfo=UTC)
"""The end of what is stored."""

RARE = "kestrel"
"""A word that stands in ``RARE_LINES`` lines of a store, whatever its size."""

RARE_LINES = 12
SECOND = 1_000_000_000
DAY = 86_400 * SECOND

Column: TypeAlias = "pa.Array[Any]"

_VERSION = 1
_MEMORY = "1GB"
_TRACE_SPANS = 4
_TEMPLATES = (
    ("INFO", "GET /bookings/", " answered with 200 in ", " ms"),
    ("INFO", "POST /bookings of customer ", " accepted after ", " ms"),
    ("INFO", "cache miss for fare ", ", loaded from orders-db in ", " ms"),
    ("INFO", "message ", " of topic bookings was handled in ", " ms"),
    ("DEBUG", "connection ", " of the pool was idle for ", " s"),
    ("WARN", "slow query of session ", " took ", " ms on orders-db"),
    ("ERROR", "booking ", " failed: timeout of payments after ", " ms"),
    ("INFO", "job ", " wrote ", " rows to the ledger"),
)
_SEVERITIES = {"DEBUG": 5, "INFO": 9, "WARN": 13, "ERROR": 17}
_ROUTES = ("/bookings", "/bookings/{id}", "/fares", "/search", "/tickets", "/refunds")

_WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: bench}
spec:
  apps: [apps]
  state: state
  defaults: {window: 7d, scrapeInterval: 1m}
  sources: {store: {path: store}, metrics: store}
"""
_APP = """\
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: team}}
spec:
  environments: [{{name: prod}}]
  components: [{{name: api, kind: service, service: {name}-api}}]
  slos:
    - name: requests
      objective: 99
      indicator:
        events:
          total: http_requests_total{{job="{name}"}}
          bad: http_requests_total{{job="{name}",code="500"}}
    - name: spans
      objective: 99
      indicator: {{spans: {{service: {name}-api, bad: error}}}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is; spans come in traces of four."""

    logs: int
    spans: int
    apps: int
    days: int

    @property
    def name(self) -> str:
        """A folder name that tells sizes apart."""
        return f"{self.logs}-{self.spans}-{self.apps}-{self.days}"

    @property
    def names(self) -> list[str]:
        """The apps, the largest first."""
        return [f"app-{number:03d}" for number in range(self.apps)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A store with the workspace of its apps, and the log lines as text, a file for each day."""

    folder: Path
    size: Size

    @property
    def text(self) -> Path:
        """The folder of the log lines."""
        return self.folder / "text"

    def project(self) -> Project:
        """Open the workspace."""
        file = self.folder / "headroom.yaml"
        return open_project([], environment={}, workspace=str(file))


def stored(size: Size, tell: Callable[[str], None]) -> Stored:
    """Return a store of a size; makes it unless it is in the cache."""
    cache = default_cache().parent / "bench"
    folder = cache / f"store-{_VERSION}-{size.name}"
    if not folder.is_dir():
        tell(f"making a store of {size.logs:,} log lines, {size.spans:,} spans, {size.apps} apps")
        making = cache / f".making-{folder.name}"
        shutil.rmtree(making, ignore_errors=True)
        _make(making, size, tell)
        making.rename(folder)
    return Stored(folder=folder, size=size)


def _make(folder: Path, size: Size, tell: Callable[[str], None]) -> None:
    (folder / "apps").mkdir(parents=True)
    (folder / "text").mkdir()
    (folder / "headroom.yaml").write_text(_WORKSPACE, encoding="utf-8")
    for name in size.names:
        (folder / "apps" / f"{name}.yaml").write_text(_APP.format(name=name), encoding="utf-8")
    making = _Making(size)
    with StoreWriter(folder / "store", memory=_MEMORY, threads=2) as writer:
        for day in range(size.days):
            tell(f"day {day + 1} of {size.days}")
            for signal, table in making.day(day):
                writer.append(signal, table)
                if signal is Signal.LOGS:
                    lines = "\n".join(map(str, table.column("body").to_pylist()))
                    file = folder / "text" / f"day-{day}.log"
                    file.write_text(f"{lines}\n", encoding="utf-8")
            # Each at a later time, so that what the one before has replaced is deleted.
            writer.compact(round(AT.timestamp()) * SECOND + day * DAY)
        writer.compact(round(AT.timestamp()) * SECOND + size.days * DAY)


class _Making:
    """Makes the rows of one day after the other; the same size gives the same rows."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._random = np.random.default_rng(20261101)
        weights = 1 / (np.arange(size.apps) + 5)
        self._weights = weights / weights.sum()
        self._begin = round(AT.timestamp()) * SECOND - size.days * DAY

    def day(self, day: int) -> Iterator[tuple[Signal, pa.Table]]:
        """Give the rows of one day."""
        begin = self._begin + day * DAY
        if traces := self._size.spans // _TRACE_SPANS // self._size.days:
            yield Signal.SPANS, self._spans(begin, day, traces)
            yield Signal.METRICS, self._metrics(begin)
        yield Signal.LOGS, self._logs(begin, day, self._size.logs // self._size.days)

    def _logs(self, begin: int, day: int, rows: int) -> pa.Table:
        random = self._random
        kinds = random.choice(len(_TEMPLATES), rows, p=[0.3, 0.2, 0.2, 0.13, 0.1, 0.03, 0.01, 0.03])
        pieces = [[each[place] for each in _TEMPLATES] for place in range(4)]
        body = _joined(
            _taken(pieces[1], kinds),
            pa.array(random.integers(10**6, 10**9, rows)).cast(pa.string()),
            _taken(pieces[2], kinds),
            pa.array(random.integers(1, 2000, rows)).cast(pa.string()),
            _taken(pieces[3], kinds),
        )
        times = begin + np.sort(random.integers(0, DAY, rows))
        levels = [_SEVERITIES[text] for text in pieces[0]]
        traces = max(1, self._size.spans // _TRACE_SPANS // self._size.days)
        return self._table(
            Signal.LOGS,
            random.choice(self._size.apps, rows, p=self._weights),
            times,
            {
                "observed": times + SECOND,
                "severity": np.array(levels)[kinds],
                "severity_text": _taken(pieces[0], kinds),
                "body": _with_rare(body, day, self._size.days),
                "trace_id": _identifiers(day * traces + random.integers(0, traces, rows), 32),
            },
            day,
        )

    def _spans(self, begin: int, day: int, traces: int) -> pa.Table:
        random = self._random
        rows = traces * _TRACE_SPANS
        place = np.arange(rows)
        part, trace = place % _TRACE_SPANS, place // _TRACE_SPANS
        total = random.lognormal(np.log(60e6), 0.8, traces).astype(np.int64)
        starts = begin + np.sort(random.integers(0, DAY - 3600 * SECOND, traces))
        duration = np.where(part == 0, total[trace], total[trace] // 4)
        times = starts[trace] + part * (total[trace] // 5)
        failed = random.random(traces)[trace] < 0.004
        route = random.integers(0, len(_ROUTES), traces)[trace]
        first = day * rows
        own, parent = first + place, first + trace * _TRACE_SPANS
        root = pa.array(part != 0)
        return self._table(
            Signal.SPANS,
            random.choice(self._size.apps, traces, p=self._weights)[trace],
            times,
            {
                "end": times + duration,
                "duration": duration,
                "trace_id": _identifiers(day * traces + trace, 32),
                "span_id": _identifiers(own, 16),
                "parent_id": pc.if_else(root, _identifiers(parent, 16), None),
                "name": _taken(["POST", "SELECT", "GET", "work"], part),
                "kind": _taken(["server", "client", "client", "internal"], part),
                "status": _taken(["unset", "error"], (failed & (part < 2)).astype(int)),
                "route": pc.if_else(root, None, _taken(_ROUTES, route)),
                "method": pc.if_else(root, None, "POST"),
                "peer": _taken(["", "orders-db", "payments", ""], part),
                "peer_kind": _taken(["", "database", "service", ""], part),
                "weight": np.ones(rows),
            },
            day,
        )

    def _metrics(self, begin: int) -> pa.Table:
        apps = self._size.apps
        series = np.arange(2 * apps)
        steps = begin + np.arange(0, DAY, 60 * SECOND)
        grown = (begin - self._begin) // (60 * SECOND) + np.arange(1, len(steps) + 1)
        rows = len(series) * len(steps)
        of = np.repeat(series, len(steps))
        names = [
            json.dumps({"code": code, "job": name}, separators=(",", ":"))
            for name in self._size.names
            for code in ("200", "500")
        ]
        return self._table(
            Signal.METRICS,
            of // 2,
            np.tile(steps, len(series)),
            {
                "name": pa.repeat("http_requests_total", rows),
                "kind": pa.repeat("counter", rows),
                "delta": pa.repeat(pa.scalar(False), rows),  # noqa: FBT003 - a value
                "series": (of + 1).astype(np.uint64),
                "labels": _taken(names, of),
                "value": (np.tile(grown, len(series)) * np.where(of % 2, 1, 400)).astype(float),
            },
            None,
        )

    def _table(
        self,
        signal: Signal,
        of: np.ndarray,
        times: np.ndarray,
        columns: Mapping[str, object],
        day: int | None,
    ) -> pa.Table:
        """A table with the columns that every signal has; the last day has a new version."""
        rows, names = len(times), self._size.names
        pods = self._random.integers(0, 3, rows)
        version = "1.5.0" if day == self._size.days - 1 else "1.4.2"
        made = {
            "time": times,
            "app": _taken(names, of),
            "env": pa.repeat("prod", rows),
            "component": pa.repeat("api", rows),
            "rung": pa.repeat(2, rows),
            "service": _taken([f"{name}-api" for name in names], of),
            "version": pa.repeat(version, rows),
            "pod": _taken(
                [f"{name}-api-{pod}" for name in names for pod in range(3)], of * 3 + pods
            ),
            "resource": _taken([json.dumps({"service.name": f"{name}-api"}) for name in names], of),
            **columns,
        }
        schema = SCHEMAS[signal]
        return pa.table(
            [
                _filled(made[field.name], field.type)
                if field.name in made
                else pa.nulls(rows, field.type)
                for field in schema
            ],
            schema=schema,
        )


def _filled(values: object, kind: pa.DataType) -> Column:
    made = pa.array(values) if isinstance(values, np.ndarray) else cast("Column", values)
    return cast("Column", made.cast(kind))


def _joined(*pieces: Column | str, separator: str = "") -> Column:
    made = pc.binary_join_element_wise(*pieces, separator)  # type: ignore[call-overload]  # text is not in the stubs
    return cast("Column", made)


def _taken(values: Sequence[str], places: np.ndarray) -> Column:
    """The value at each place; an empty text is none."""
    return pa.array([value or None for value in values]).take(pa.array(places))


def _identifiers(numbers: np.ndarray, digits: int) -> Column:
    """Numbers as hexadecimal text of so many digits, spread so that neighbours look unlike."""
    spread = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    half = np.frombuffer(spread.astype(">u8").tobytes().hex().encode(), dtype="S16")
    whole = half if digits == 16 else np.char.add(half, half)
    return cast("Column", pa.array(whole.astype(f"S{digits}")).cast(pa.string()))


def _with_rare(body: Column, day: int, days: int) -> Column:
    """Put the rare word at the end of some lines, spread over all days."""
    mine = [number for number in range(RARE_LINES) if number % days == day]
    mask = np.zeros(len(body), bool)
    mask[[(number + 1) * len(body) // (RARE_LINES + 2) for number in mine]] = True
    if not mask.any():
        return body
    with_word = _joined(body, RARE, separator=" ")
    return cast("Column", pc.if_else(pa.array(mask), with_word, body))
