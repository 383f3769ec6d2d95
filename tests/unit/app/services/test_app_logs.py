"""Log search and histogram for those who may see them."""

from pathlib import Path

import pytest

from app.access import OPEN, Forbidden, Scope
from app.services import logs
from app.services.world import World
from collectors.readers.telemetry import LogQuery, TimeRange, Where
from collectors.signals import Signal
from collectors.store import StoreWriter
from slo.errors import UsageError
from tests.stored_rows import CARGO, hours, log, rows_of
from tests.unit.app.services import airline
from tests.unit.app.services.airline import TIA


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Five lines of ticketing in two environments, one of cargo, one of nobody."""
    world = airline.opened(tmp_path)
    rows = [log(f"line {n}", n) for n in range(4)]
    rows += [log("staged", 4, env="staging"), log("freight", 5, **CARGO), log("?", 6, app=None)]
    assert world.store is not None
    with StoreWriter(world.store) as writer:
        writer.append(Signal.LOGS, rows_of(Signal.LOGS, rows))
    return world


def _query(app: str | None = "ticketing", env: str | None = "prod", **more: object) -> LogQuery:
    where = Where(app=app, env=env, range=hours())
    return LogQuery(where=where, **more)  # type: ignore[arg-type] # passed on


def test_the_answer_carries_its_origin(world: World) -> None:
    """Source, question, range, freshness."""
    found = logs.search(world, TIA, _query(text="line"))
    assert 4 == len(found.value)
    assert ("store", hours()) == (found.source, found.range)
    assert found.observed_at is not None
    assert () == found.partial


def test_only_ones_own_app_and_environment(world: World) -> None:
    """Forbidden is told before anything is read, whatever is there."""
    prod = Scope(apps=frozenset({"ticketing"}), environments=frozenset({"prod"}))
    for ask in (logs.search, logs.histogram):
        for query in (_query("cargo"), _query("nonsense"), _query(None, None)):
            with pytest.raises(Forbidden):
                ask(world, TIA, query)
        with pytest.raises(Forbidden):
            ask(world, prod, _query(env="staging"))
    assert 4 == len(logs.search(world, prod, _query(env=None)).value)
    assert 5 == len(logs.search(world, TIA, _query(env=None)).value)
    assert ["?"] == logs.search(world, OPEN, _query(None, None)).value["body"].tolist()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (_query("tiketing"), 'did you mean "ticketing"'),
        (_query(env="prd"), 'did you mean "prod"'),
        (_query(text="(open"), "the query cannot be read"),
    ],
)
def test_mistakes_are_the_askers(world: World, query: LogQuery, message: str) -> None:
    """With what was probably meant."""
    with pytest.raises(UsageError, match=message):
        logs.search(world, OPEN, query)


def test_a_histogram_needs_a_bucket_and_has_no_rows_for_silence(world: World) -> None:
    """No lines are no rows, and not zeros."""
    with pytest.raises(UsageError):
        logs.histogram(world, OPEN, _query(), 0)
    assert 4 == logs.histogram(world, OPEN, _query()).value["count"].sum()
    where = Where(app="ticketing", env="prod", range=TimeRange(start=1, end=2))
    assert logs.histogram(world, OPEN, LogQuery(where=where)).value.empty


def test_no_answer_is_longer_than_a_page_can_hold(world: World) -> None:
    """Limits have a limit, and a nonsense one is one."""
    assert 1 == len(logs.search(world, OPEN, _query(limit=-3)).value)
    assert 4 == len(logs.search(world, OPEN, _query(limit=10**9)).value)


def test_a_damaged_file_is_said_to_be_missing(world: World) -> None:
    """Partial data is not called complete."""
    assert world.store is not None
    with StoreWriter(world.store) as writer:
        writer.append(Signal.LOGS, rows_of(Signal.LOGS, [log("lost", 7)]))
    newest = max((world.store / "fresh" / "logs").iterdir())
    content = bytearray(newest.read_bytes())
    content[4 : len(content) // 2] = bytes(len(content) // 2 - 4)
    newest.write_bytes(bytes(content))
    found = logs.search(world, OPEN, _query())
    assert 4 == len(found.value)
    assert ("store: 1 unreadable files",) == found.partial
