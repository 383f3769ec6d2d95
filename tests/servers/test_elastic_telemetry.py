"""Elasticsearch and OpenSearch answer what the embedded store answers over the same rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.readers.elasticsearch import ElasticsearchTelemetry
from collectors.readers.store import StoreTelemetry
from collectors.readers.telemetry import LogQuery, TelemetryReader
from tests.contract.telemetry_reader import TelemetryReaderContract, lines, spans
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import cluster_of, telemetry_of
from tests.stored_rows import asking, log, opened


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TelemetryReader]:
    """The store that tells what is right."""
    folder: Path = tmp_path_factory.mktemp("telemetry")
    reader = opened(folder, logs=lines(), spans=spans())
    yield StoreTelemetry(reader)
    reader.close()


@pytest.fixture(scope="module")
def held() -> dict[str, ElasticsearchTelemetry]:
    """Readers by node, so that each is filled once."""
    return {}


class TestElasticsearchTelemetry(TelemetryReaderContract):
    """The contract, on each kind of node."""

    @pytest.fixture
    def reader(
        self, search_node: SearchNode, held: dict[str, ElasticsearchTelemetry]
    ) -> TelemetryReader:
        """A reader of a node with the same rows."""
        if search_node.name not in held:
            held[search_node.name] = telemetry_of(search_node, logs=lines(), spans=spans())
        return held[search_node.name]


def test_more_than_a_page_is_read_through_one_view(search_node: SearchNode) -> None:
    """Every record once, the newest first, although many share a millisecond."""
    rows = [log(f"line {n}", at=n // 50, trace_id=f"{n:032x}") for n in range(12_000)]
    reader = telemetry_of(search_node, logs=rows)
    found = reader.logs(LogQuery(where=asking(), limit=11_500)).value
    assert 11_500 == len(found)
    assert 11_500 == found["trace_id"].nunique()
    assert found["time"].is_monotonic_decreasing


def test_of_too_many_spans_whole_traces_are_drawn(search_node: SearchNode) -> None:
    """The sums are near, no trace is cut, and the answer says what it is."""
    rows = spans()
    exact = telemetry_of(search_node, spans=rows).red(asking(), None, 1)
    drawn = ElasticsearchTelemetry(cluster_of(search_node, spans=rows), most_spans=500)
    found = drawn.red(asking(), None, 1)
    assert () == exact.notes
    assert any("estimated from one trace in" in note for note in found.notes)
    assert found.value["count"].sum() == pytest.approx(exact.value["count"].sum(), rel=0.3)
    assert found.value["p50"][0] == pytest.approx(exact.value["p50"][0], rel=0.3)
