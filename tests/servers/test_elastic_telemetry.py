"""Elasticsearch and OpenSearch answer what the embedded store answers over the same rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.readers.elasticsearch import ElasticsearchTelemetry
from collectors.readers.store import StoreTelemetry
from collectors.readers.telemetry import TelemetryReader
from tests.contract.telemetry_reader import TelemetryReaderContract, lines, spans
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import telemetry_of
from tests.stored_rows import opened


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
