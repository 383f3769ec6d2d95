"""What others write into Elasticsearch and OpenSearch reads as our own records do."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.elastic.client import Cluster
from collectors.elastic.flavors import Flavor
from collectors.readers.elasticsearch import ElasticsearchCounts, ElasticsearchTelemetry
from collectors.readers.store import StoreCounts, StoreTelemetry
from collectors.readers.telemetry import Badness, LogQuery, TraceOrder, TraceQuery
from collectors.signals import Signal
from collectors.store import StoreReader
from slo.model import Logs, ServiceLevel, Spans
from slo.units import Duration
from tests.contract.levels import level
from tests.contract.telemetry_reader import assert_same
from tests.servers.elastic import Elasticsearch, Opensearch, SearchNode
from tests.servers.elastic_layouts import MAPPINGS, document_of
from tests.servers.elastic_records import mapping, source_of, unused, write
from tests.stored_rows import CARGO, HOUR, MS, NOON, SECOND, Row, asking, hours, log, opened, span

AT = datetime.fromtimestamp((NOON + HOUR) // SECOND, UTC)
LAYOUTS = ("otel", "apm", "jaeger")


def _lines() -> list[Row]:
    found = [
        log(
            f"seat {n} booked",
            n * 10,
            event="booking",
            severity=17 if n % 10 == 0 else 9,
            trace_id=f"{n:032x}",
            component="ticketing-api",
        )
        for n in range(300)
    ]
    return [*found, *(log("cargo", n, **CARGO) for n in range(20))]


def _spans() -> list[Row]:
    found: list[Row] = []
    for n in range(200):
        status = "error" if n % 8 == 0 else "ok" if n % 2 else "unset"
        base, at = 10 * n + 1, n * 15
        weight = 4 if n % 4 == 0 else 1
        more: Row = {"status": status, "weight": weight, "component": "ticketing-api"}
        route = "/pay" if n % 2 else "/seats"
        found.append(span(base, at, 40 + n, trace=n, route=route, version="1.0", **more))
        database: Row = {"kind": "client", "peer": "postgresql/orders", "peer_kind": "database"}
        told = '{"db.system.name":"postgresql","server.address":"orders"}'
        found.append(
            span(base + 1, at, 30, trace=n, parent=base, attributes=told, **{**more, **database})
        )
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReader]:
    """The store that tells what is right."""
    folder: Path = tmp_path_factory.mktemp("layouts")
    reader = opened(folder, logs=_lines(), spans=_spans())
    yield reader
    reader.close()


@pytest.fixture(scope="module")
def held() -> dict[tuple[str, str], Cluster]:
    """Clusters by node and layout, so that each is filled once."""
    return {}


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    """How the documents are written."""
    return str(request.param)


@pytest.fixture
def cluster(search_node: SearchNode, layout: str, held: dict[tuple[str, str], Cluster]) -> Cluster:
    """A node with the records in a layout that the reader has to find out."""
    key = (search_node.name, layout)
    if key not in held:
        prefix = unused(f"layouts-{layout}")
        rows = {Signal.SPANS: _spans()}
        if layout != "jaeger":
            rows[Signal.LOGS] = _lines()
        for signal, all_of in rows.items():
            documents = [document_of(layout, signal, row) for row in all_of]
            write(search_node, f"{prefix}-{signal}", documents, MAPPINGS[layout])
        patterns = {"logs_indices": (f"{prefix}-logs*",), "traces_indices": (f"{prefix}-spans*",)}
        held[key] = Cluster(source_of(search_node, **patterns))
    return held[key]


def test_log_records_are_the_same(cluster: Cluster, stored: StoreReader, layout: str) -> None:
    """Search, levels, and what one trace logged."""
    store, reader = StoreTelemetry(stored), ElasticsearchTelemetry(cluster)
    if layout == "jaeger":  # which keeps no logs
        assert reader.logs(LogQuery(where=asking(), limit=10)).value.empty
        return
    names = ["time", "body", "severity", "service", "trace_id", "event"]
    for query in (
        LogQuery(where=asking(), limit=1000),
        LogQuery(where=asking(), text="booked and level: error", limit=1000),
        LogQuery(where=asking(), text="event: booking and not 17", limit=1000),
        LogQuery(where=asking(), trace_id=f"{5:032x}"),
        LogQuery(where=asking(), min_severity=13, limit=1000),
        LogQuery(where=asking(app="cargo"), limit=1000, text="cargo"),
    ):
        expected, found = store.logs(query).value[names], reader.logs(query).value[names]
        assert_same(expected, found)
        assert_same(store.log_histogram(query, 6).value, reader.log_histogram(query, 6).value)


def test_traces_are_the_same(cluster: Cluster, stored: StoreReader) -> None:
    """Lists, one trace, pictures, dependencies."""
    store, reader = StoreTelemetry(stored), ElasticsearchTelemetry(cluster)
    names = ["trace_id", "span_id", "time", "duration", "name", "service", "route", "status"]
    for query in (
        TraceQuery(where=asking(), limit=1000),
        TraceQuery(where=asking(), failed=True, order=TraceOrder.SLOWEST, limit=10),
        TraceQuery(where=asking(), at_least=100 * MS),
    ):
        expected, found = store.traces(query).value[names], reader.traces(query).value[names]
        assert len(expected)
        assert_same(expected, found)
    whole = ["span_id", "parent_id", "time", "duration", "kind", "status", "app", "env", "peer"]
    expected, found = (
        each.trace(f"{9:032x}", None).value[[*whole, "peer_kind"]] for each in (store, reader)
    )
    assert_same(expected, found)
    for one, other in (
        (store.red(asking(), "route", 4), reader.red(asking(), "route", 4)),
        (
            store.breakdown(asking(), Badness(), ["route", "dependency"]),
            reader.breakdown(asking(), Badness(), ["route", "dependency"]),
        ),
        (store.edges(asking(), hours()), reader.edges(asking(), hours())),
    ):
        assert len(one.value)
        assert_same(one.value, other.value)


def test_spans_of_the_collector_read_the_same_in_our_own_streams(
    elasticsearch: Elasticsearch, stored: StoreReader
) -> None:
    """The gateway writes them in the mode `otel`, and our templates are for their streams too."""
    documents = [document_of("otel", Signal.SPANS, row) for row in _spans()]
    index = f"traces-{unused('ticketing.api')}.otel-prod"
    write(elasticsearch, index, documents, mapping(Signal.SPANS, Flavor.ELASTICSEARCH))
    source = source_of(elasticsearch, layout="otel")
    store, reader = StoreTelemetry(stored), ElasticsearchTelemetry(Cluster(source))
    names = ["trace_id", "span_id", "time", "duration", "name", "service", "route", "status"]

    for query in (
        TraceQuery(where=asking(), limit=1000),
        TraceQuery(where=asking(), at_least=100 * MS),
    ):
        expected, found = store.traces(query).value[names], reader.traces(query).value[names]
        assert len(expected)
        assert_same(expected, found)
    assert_same(store.red(asking(), "route", 4).value, reader.red(asking(), "route", 4).value)


def _levels(layout: str) -> list[ServiceLevel]:
    measures: list[Logs | Spans] = [
        Spans(service="ticketing-api", bad_error=True),
        Spans(service="ticketing-api", slower_than=Duration.parse("100ms")),
        Spans(service="ticketing-api", operation="GET /seats", bad_error=True),
    ]
    if layout != "jaeger":
        measures.append(Logs(query="event: booking", bad="level: error"))
    return [level(f"s{n}", window="1d", measure=each) for n, each in enumerate(measures)]


def test_counts_are_the_same(cluster: Cluster, stored: StoreReader, layout: str) -> None:
    """Sampled spans too, except where a sampling factor cannot be told, which is said."""
    windows = (Duration.parse("5m"), Duration.parse("30m"))
    levels = _levels(layout)
    expected = StoreCounts(stored, default_source=None).read(levels, windows, AT)
    found = ElasticsearchCounts(cluster).read(levels, windows, AT)
    for each in levels:
        if layout == "jaeger":
            assert "sampled spans count as one" in found[each.key].warnings[0]
            assert ("elasticsearch/here",) == found[each.key].partial
            continue
        assert () == found[each.key].partial
        assert expected[each.key].period == found[each.key].period, each.key
        assert dict(expected[each.key].windows) == dict(found[each.key].windows)
        assert expected[each.key].coverage == found[each.key].coverage


def test_what_an_index_states_of_all_its_documents_is_theirs(opensearch: Opensearch) -> None:
    """A document of an app's own stream need not repeat whose it is."""
    index = unused("stated")
    constant = {"type": "constant_keyword", "value": "ticketing"}
    keyword = {"type": "keyword"}
    properties = {
        "@timestamp": {"type": "date"},
        "labels": {"properties": {"app": constant}},
        "trace": {"properties": {"id": keyword}},
        "span": {"properties": {"id": keyword}},
    }
    document = {
        "@timestamp": "2025-10-09T12:00:01Z",
        "message": "seat",
        "trace": {"id": "a"},
        "span": {"id": "b", "kind": "SERVER"},
        "event": {"duration": 5},
    }
    write(opensearch, index, [document], {"properties": properties})
    patterns = {"logs_indices": (index,), "traces_indices": (index,)}
    reader = ElasticsearchTelemetry(Cluster(source_of(opensearch, **patterns)))
    assert [1] == reader.logs(LogQuery(where=asking(env=None))).value["rung"].tolist()
    assert ["ticketing"] == reader.trace("a", None).value["app"].tolist()
    assert reader.logs(LogQuery(where=asking(app=None, env=None))).value.empty
    assert ["ticketing", "ticketing"] == reader.inventory(hours()).value["app"].tolist()
