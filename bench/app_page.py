"""What the App page shows first on each of its tabs, beside its SQL asked of DuckDB directly."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles
from unittest.mock import patch

import duckdb

from app.access import OPEN
from app.services import attribution, deploys, logs, metrics, overview, traces
from app.services.opening import open_world
from app.services.world import World
from bench.model import Bench, Result, Row, Run
from bench.stored import AT, DAY, SECOND, Size, Stored, stored
from collectors.readers.telemetry import LogQuery, TimeRange, TraceQuery, Where
from collectors.store import engine, reader
from slo.units import Duration

_RATIO, _SECONDS = 1.25, 1.0
_PATIENCE = Duration.parse("5m")
_ENV = "prod"

Questions = Mapping[str, Callable[[], object]]
Statement = tuple[str, object]
"""SQL and what its parameters stand for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Wall and processor seconds; the latter count all threads."""

    wall: float
    work: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What each tab took in each round, ours and its SQL alone, and its number of statements."""

    ours: Mapping[str, Sequence[Spent]]
    direct: Mapping[str, Sequence[Spent]]
    statements: Mapping[str, int]


def run(bench: Run) -> Result:
    """Ask for the largest app's page in turns with its SQL alone, then for pages of many apps."""
    size = (
        Size(logs=200_000, spans=40_000, apps=10, days=7)
        if bench.quick
        else Size(logs=10_000_000, spans=1_000_000, apps=100, days=7)
    )
    data = stored(size, bench.tell)
    bench.tell("the largest app, in turns")
    found = _in_turns(data, 3 if bench.quick else 5)
    tabs = list(found.direct)
    rows = [
        _ratio("all tabs of the largest app, wall", found, tabs, lambda each: each.wall, _RATIO),
        _ratio("all tabs, processor time", found, tabs, lambda each: each.work, None),
        *(
            _ratio(f"{tab}, processor time", found, [tab], lambda each: each.work, None)
            for tab in tabs
        ),
    ]
    names = size.names[:: max(1, size.apps // 20)]
    bench.tell(f"pages of {len(names)} apps")
    world = open_world(data.project(), environ={}, deadline=_PATIENCE)
    pages = [
        _spent(partial(_page, world, name))
        for name in names
        for _ in range(1 if bench.quick else 2)
    ]
    return Result(
        rows=[
            *rows,
            _slowest("wall", [each.wall for each in pages], _SECONDS),
            _slowest("processor time", [each.work for each in pages], None),
        ]
    )


def questions(world: World, app: str) -> Questions:
    """What each tab asks for when it is opened with the page's usual range, a day."""
    end = round(AT.timestamp()) * SECOND
    span = TimeRange(start=end - DAY, end=end)
    where = Where(app=app, env=_ENV, range=span)
    log_query, trace_query = LogQuery(where=where), TraceQuery(where=where)

    def first() -> None:
        cards = overview.cards(world, OPEN, app, _ENV, AT)
        judged = [card.evaluation for card in cards]
        overview.timeline(world, OPEN, app, _ENV, span, judged=judged)

    def of_traces() -> None:
        traces.traces(world, OPEN, trace_query)
        traces.heatmap(world, OPEN, trace_query)

    def of_logs() -> None:
        logs.search(world, OPEN, log_query)
        logs.histogram(world, OPEN, log_query)
        logs.patterns(world, OPEN, where)

    return {
        "Overview": first,
        "Why": lambda: attribution.attribution(world, OPEN, app, _ENV, at=AT),
        "Metrics": lambda: metrics.red(world, OPEN, app, _ENV, span),
        "Traces": of_traces,
        "Logs": of_logs,
        "Deploys": lambda: deploys.deploys(world, OPEN, app, _ENV, span),
    }


def _page(world: World, app: str) -> None:
    for ask in questions(world, app).values():
        ask()


def _in_turns(data: Stored, rounds: int) -> Compared:
    app = data.size.names[0]
    asked: dict[str, list[list[Statement]]] = {}
    with recording() as said:
        world = open_world(data.project(), environ={}, deadline=_PATIENCE)
        for tab, ask in questions(world, app).items():
            ask()
            asked[tab] = said.copy()
            said.clear()
    world = open_world(data.project(), environ={}, deadline=_PATIENCE)
    connection = duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "512MB"})
    ours: dict[str, list[Spent]] = defaultdict(list)
    direct: dict[str, list[Spent]] = defaultdict(list)
    for turn in range(rounds + 1):
        for tab, ask in questions(world, app).items():
            both = _spent(ask), _spent(partial(_replay, connection, asked[tab]))
            # The first round reads the files from the disk and imports what is missing.
            if turn:
                ours[tab].append(both[0])
                direct[tab].append(both[1])
    connection.close()
    counts = {tab: len(each) for tab, each in asked.items()}
    return Compared(ours=ours, direct=direct, statements=counts)


def _spent(work: Callable[[], object]) -> Spent:
    began, used = time.perf_counter(), time.process_time()
    work()
    return Spent(wall=time.perf_counter() - began, work=time.process_time() - used)


def _replay(connection: duckdb.DuckDBPyConnection, asked: Sequence[Sequence[Statement]]) -> None:
    for statements in asked:
        cursor = connection.cursor()
        *settings, (sql, parameters) = statements
        for setting, value in settings:
            cursor.execute(setting, value)
        cursor.sql(sql, params=parameters).to_arrow_table()
        cursor.close()


@contextmanager
def recording() -> Iterator[list[list[Statement]]]:
    """Give what store readers that are opened here ask DuckDB, question by question."""
    said: list[list[Statement]] = []
    connect = engine.connect

    def connected(*args: object, **options: object) -> _Recording:
        return _Recording(connect(*args, **options), said)  # type: ignore[arg-type]  # as given

    with patch.object(reader, "connect", connected):
        yield said


class _Recording:
    """A connection or cursor that writes down what it is asked."""

    def __init__(
        self,
        real: duckdb.DuckDBPyConnection,
        said: list[list[Statement]],
        mine: list[Statement] | None = None,
    ) -> None:
        self._real, self._said = real, said
        self._mine = [] if mine is None else mine

    def cursor(self) -> _Recording:
        return _Recording(self._real.cursor(), self._said)

    def execute(self, sql: str, parameters: object = None) -> object:
        self._mine.append((sql, parameters))
        return self._real.execute(sql, parameters)

    def sql(self, sql: str, *, params: object = None) -> object:
        self._mine.append((sql, params))
        self._said.append(self._mine)
        return self._real.sql(sql, params=params)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def _ratio(
    what: str,
    found: Compared,
    tabs: Sequence[str],
    of: Callable[[Spent], float],
    target: float | None,
) -> Row:
    def middle(by_tab: Mapping[str, Sequence[Spent]]) -> float:
        rounds = zip(*(by_tab[tab] for tab in tabs), strict=True)
        return median(sum(map(of, each)) for each in rounds)

    ours, direct = middle(found.ours), middle(found.direct)
    count = sum(found.statements[tab] for tab in tabs)
    figures = f"ours {ours:.2f} s, {count} statements directly {direct:.2f} s"
    return _row(f"{what} ÷ DuckDB", ours / direct, target, "", figures)


def _slowest(what: str, seconds: Sequence[float], target: float | None) -> Row:
    figures = f"median {median(seconds):.2f} s, longest {max(seconds):.2f} s, {len(seconds)} pages"
    return _row(
        f"95 of 100 pages within, {what}", quantiles(seconds, n=20)[-1], target, "s", figures
    )


def _row(what: str, value: float, target: float | None, unit: str, figures: str) -> Row:
    return Row(bench="app_page", what=what, value=value, target=target, unit=unit, figures=figures)


BENCH = Bench(
    name="app_page",
    about="data of the App page, 10 M log lines, 100 apps ÷ the same SQL asked of DuckDB directly",
    run=run,
)
