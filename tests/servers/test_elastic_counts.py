"""Elasticsearch and OpenSearch count what the embedded store counts over the same rows."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.clusters import MultiSourceReader
from collectors.readers.elasticsearch import ElasticsearchCounts
from collectors.readers.store import StoreCounts
from collectors.store import StoreReader
from slo.model import Logs, ServiceLevel, Spans
from slo.ports import CountReader, Counts, NoData, NoDataReason, Reading
from slo.units import Duration
from tests.contract.count_reader import CountReaderContract
from tests.contract.levels import level
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import cluster_of
from tests.stored_rows import NOON, SECOND, Row, log, opened, span

END = NOON // SECOND
AT = datetime.fromtimestamp(END, UTC)
STEP = 60
DAYS = 2
WINDOWS = CountReaderContract.WINDOWS


def lines() -> list[Row]:
    """Two days of a line a minute, one in a hundred bad; none for three hours yesterday."""
    gap = range(20 * 60, 23 * 60)
    return [
        log("x", -STEP * n, event="busy", severity=9 if n % 100 else 17)
        for n in range(DAYS * 86_400 // STEP)
        if n not in gap
    ] + [log("old", -40 * 86_400, app="sleepy", event="busy")]


def spans() -> list[Row]:
    """Two days of requests, some sampled in each of the ways that there are."""
    return [
        span(
            n,
            -STEP * n,
            20 if n % 50 else 2500,
            service="busy",
            status="unset" if n % 100 else "error",
            weight=(1.0, 4.0, 10.5)[n % 3],
            kind="server" if n % 5 else "internal",
            parent=n + 1 if n % 5 == 0 else None,
            env="prod" if n % 2 else None,
        )
        for n in range(DAYS * 86_400 // STEP)
    ]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    """The store that tells what is right."""
    folder: Path = tmp_path_factory.mktemp("counts")
    reader = opened(folder, logs=lines(), spans=spans())
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def held() -> dict[str, ElasticsearchCounts]:
    """Readers by node, so that each is filled once."""
    return {}


@pytest.fixture
def counts(search_node: SearchNode, held: dict[str, ElasticsearchCounts]) -> ElasticsearchCounts:
    """A reader of a node with the same rows."""
    if search_node.name not in held:
        cluster = cluster_of(search_node, logs=lines(), spans=spans())
        held[search_node.name] = ElasticsearchCounts(cluster)
    return held[search_node.name]


def _level(kind: str, name: str, **more: Any) -> ServiceLevel:
    app = "nobody" if name == "unknown" else "ticketing"
    given: dict[str, Any] = {"app": app, "window": "1d", **more}
    if kind == "logs":
        return level(name, measure=Logs(query=f"event: {name}", bad="level: error"), **given)
    return level(name, measure=Spans(service=name, bad_error=True), **given)


class TestElasticsearchCounts(CountReaderContract):
    """The contract, for logs and spans, on each kind of node, alone and as one of several."""

    @pytest.fixture(params=["logs", "spans"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        """What is counted."""
        return str(request.param)

    @pytest.fixture(params=[False, True], ids=["alone", "summed"])
    def reader(self, request: pytest.FixtureRequest, counts: ElasticsearchCounts) -> CountReader:
        """A reader of a node."""
        if request.param:
            name = "elasticsearch/here"
            return MultiSourceReader({name: counts}, default=name)
        return counts

    @pytest.fixture
    def at(self) -> datetime:
        """The end of what is held."""
        return AT

    @pytest.fixture
    def busy(self, kind: str) -> ServiceLevel:
        """Traffic."""
        return _level(kind, "busy")

    @pytest.fixture
    def idle(self, kind: str) -> ServiceLevel:
        """Nothing but the knowledge that there was nothing."""
        return _level(kind, "idle")

    @pytest.fixture
    def unknown(self, kind: str) -> ServiceLevel:
        """Nothing at all."""
        return _level(kind, "unknown")


def _levels() -> Sequence[ServiceLevel]:
    one = Spans(service="busy", operation="GET /seats", bad_error=True)
    slow = Spans(service="busy", slower_than=Duration.parse("1s"))
    either = Spans(service="busy", bad_error=True, slower_than=Duration.parse("1s"))
    return (
        *(
            _level(kind, name, window=w)
            for kind in ("logs", "spans")
            for name, w in (("busy", "1d"), ("busy", "30d"), ("idle", "1d"), ("unknown", "1d"))
        ),
        level("words", window="1d", measure=Logs(query="x", bad="not event: busy")),
        level("slow", window="1d", measure=slow),
        level("either", window="7d", measure=either),
        level(
            "one",
            window="1d",
            measure=one,
        ),
        level(
            "shifted",
            window="1d",
            measure=Logs(query="event: busy", bad="level: error"),
            offset=Duration.parse("3h"),
        ),
        level("asleep", app="sleepy", window="1d", measure=Logs(query="x", bad="x")),
    )


@pytest.mark.parametrize("asked", _levels(), ids=lambda each: f"{each.slo.name}-{each.slo.window}")
def test_the_same_is_read_as_from_the_store(
    counts: ElasticsearchCounts, stored: StoreReader, asked: ServiceLevel
) -> None:
    """Every window, exactly; coverage, history, freshness and reasons as well."""
    store = StoreCounts(stored, default_source=None)
    expected = store.read([asked], WINDOWS, AT)[asked.key]
    found = counts.read([asked], WINDOWS, AT)[asked.key]
    assert expected.period == found.period
    assert dict(expected.windows) == dict(found.windows)
    assert _besides(expected) == _besides(found)


def _besides(reading: Reading) -> tuple[object, ...]:
    return (
        reading.coverage,
        reading.observed_at,
        reading.since,
        reading.unproven,
        reading.partial,
        reading.warnings,
        reading.notes,
    )


def test_many_levels_are_counted_in_few_requests(
    counts: ElasticsearchCounts, search_node: SearchNode
) -> None:
    """A hundred levels are answered together, each as it is alone."""
    measure = Logs(query="event: busy", bad="level: error")
    levels = [level(f"s{n}", window="1d", measure=measure) for n in range(100)]
    found = counts.read(levels, WINDOWS, AT)
    alone = counts.read(levels[:1], WINDOWS, AT)[levels[0].key]
    assert isinstance(alone.period, Counts), search_node.name
    assert {alone.period} == {each.period for each in found.values()}


def test_steps_are_those_of_the_store(counts: ElasticsearchCounts, stored: StoreReader) -> None:
    """The picture of a budget is the same, with its gaps."""
    store = StoreCounts(stored, default_source=None)
    for asked in (_level("logs", "busy"), _level("spans", "busy")):
        for span_, step in (("1d", "1h"), ("2h", "5m"), ("1d", "7m")):
            whole, part = Duration.parse(span_), Duration.parse(step)
            expected_steps = store.series(asked, AT, span=whole, step=part)
            assert expected_steps == counts.series(asked, AT, span=whole, step=part)
        readings = store.read([asked], (), AT)
        expected = store.profiles([asked], readings, AT, steps=10)
        assert expected == counts.profiles([asked], readings, AT, steps=10)


def test_a_question_that_cannot_be_asked_fails_alone(counts: ElasticsearchCounts) -> None:
    """What is not mapped as a number cannot be compared; others are read."""
    broken = level("broken", window="1d", measure=Logs(query="host.name > 3", bad="x"))
    busy = _level("logs", "busy")
    found = counts.read([broken, busy], WINDOWS, AT)
    period = found[broken.key].period
    assert isinstance(period, NoData)
    assert NoDataReason.SOURCE_FAILED is period.reason
    assert "not mapped as a number" in period.detail
    assert isinstance(found[busy.key].period, Counts)


def test_metrics_are_not_counted_here(counts: ElasticsearchCounts) -> None:
    """An indicator over metrics is refused with a reason."""
    period = counts.read([level()], WINDOWS, AT)[level().key].period
    assert isinstance(period, NoData)
    assert NoDataReason.UNSUPPORTED is period.reason


def test_an_index_that_is_missing_never_had_anything(search_node: SearchNode) -> None:
    """No index is no error."""
    counts = ElasticsearchCounts(cluster_of(search_node))
    period = counts.read([_level("logs", "busy")], WINDOWS, AT)
    found = next(iter(period.values()))
    assert isinstance(found.period, NoData)
    assert NoDataReason.NEVER is found.period.reason


def test_what_arrives_twice_late_and_out_of_order(search_node: SearchNode) -> None:
    """Spans under one identifier count once, and the order of arrival is of no matter."""
    rows = [log(f"{n}", -n, event="busy", severity=9 if n % 10 else 17) for n in range(600)]
    late = [*rows[300:], *reversed(rows[:300])]
    counts = ElasticsearchCounts(cluster_of(search_node, logs=late))
    found = counts.read([_level("logs", "busy")], WINDOWS, AT)
    reading = next(iter(found.values()))
    assert Counts(total=Fraction(600), bad=Fraction(60)) == reading.period
