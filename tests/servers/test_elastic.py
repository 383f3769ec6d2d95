"""The search nodes answer as real ones: templates, streams, pipelines, and who they are."""

from typing import Any

import httpx
import pytest

from tests.servers.elastic import Elasticsearch, Opensearch, SearchNode
from tests.servers.server import ServerError

WHEN = "2026-03-01T12:00:00Z"


def stream_of(node: SearchNode, stream: str) -> None:
    """Put a template whose name and pattern are a data stream's."""
    fields = {"@timestamp": {"type": "date"}, "labels.app": {"type": "keyword"}}
    node.call(
        "PUT",
        f"/_index_template/{stream}",
        {
            "index_patterns": [stream],
            "data_stream": {},
            "template": {
                "settings": {"number_of_replicas": 0},
                "mappings": {"dynamic": "strict", "properties": fields},
            },
        },
    )


def test_a_node_says_which_server_and_version_it_is(
    elasticsearch: Elasticsearch, opensearch: Opensearch
) -> None:
    """The recipes promise Elasticsearch 8.15 and OpenSearch 2.19."""
    versions = [
        each["version"].rpartition(".")[0]
        for node in (elasticsearch, opensearch)
        for each in node.call("GET", "/_nodes")["nodes"].values()
    ]

    assert ["8.15", "2.19"] == versions


def test_a_document_of_a_template_s_pattern_makes_a_data_stream(search_node: SearchNode) -> None:
    """The stream is made by the first document, and finds it again."""
    stream_of(search_node, "logs-made-by-indexing")
    document = {"@timestamp": WHEN, "labels": {"app": "booking"}}

    fates = search_node.bulk("logs-made-by-indexing", [document])

    assert [201] == [fate["status"] for fate in fates]
    assert [document] == search_node.documents(
        "logs-made-by-indexing", {"term": {"labels.app": "booking"}}
    )
    streams = search_node.call("GET", "/_resolve/index/logs-made-by-*")["data_streams"]
    assert ["logs-made-by-indexing"] == [stream["name"] for stream in streams]


def test_each_item_of_a_bulk_request_has_a_fate_of_its_own(search_node: SearchNode) -> None:
    """A field that the mapping does not know refuses its document and no other."""
    stream_of(search_node, "logs-of-two-fates")

    fates = search_node.bulk(
        "logs-of-two-fates", [{"@timestamp": WHEN, "surprise": 1}, {"@timestamp": WHEN}]
    )

    assert [400, 201] == [fate["status"] for fate in fates]
    assert "surprise" in fates[0]["error"]["reason"]


def test_counts_are_aggregated_by_time(search_node: SearchNode) -> None:
    """A histogram of one minute has a bucket for the document."""
    stream_of(search_node, "logs-counted")
    search_node.bulk("logs-counted", [{"@timestamp": WHEN}, {"@timestamp": WHEN}])

    found = search_node.call(
        "POST",
        "/logs-counted/_search",
        {
            "size": 0,
            "aggs": {
                "minutes": {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m"}}
            },
        },
    )

    assert [2] == [each["doc_count"] for each in found["aggregations"]["minutes"]["buckets"]]


def test_elasticsearch_names_its_product(elasticsearch: Elasticsearch) -> None:
    """The official client refuses a server without this header."""
    answer = httpx.get(f"{elasticsearch.url}/_cluster/health", trust_env=False)

    assert "Elasticsearch" == answer.headers["X-elastic-product"]


def test_opensearch_runs_ingest_pipelines_and_scripts(opensearch: Opensearch) -> None:
    """What Elasticsearch's core lacks is proven here."""
    processors: list[dict[str, Any]] = [
        {"grok": {"field": "line", "patterns": ["%{WORD:app} %{GREEDYDATA:message}"]}},
        {"set": {"field": "seen", "value": True}},
        {"script": {"source": "ctx.length = ctx.message.length()"}},
    ]
    simulated = opensearch.call(
        "POST",
        "/_ingest/pipeline/_simulate",
        {"pipeline": {"processors": processors}, "docs": [{"_source": {"line": "air took off"}}]},
    )

    document = simulated["docs"][0]["doc"]["_source"]
    assert {
        "line": "air took off",
        "app": "air",
        "message": "took off",
        "seen": True,
        "length": 8,
    } == document


def test_opensearch_rejects_another_app_s_document_from_a_constant_field(
    opensearch: Opensearch,
) -> None:
    """``constant_keyword`` takes its one value and no other."""
    fields = {"app": {"type": "constant_keyword", "value": "air"}}
    opensearch.call("PUT", "/of-one-app", {"mappings": {"properties": fields}})

    fates = opensearch.bulk("of-one-app", [{"app": "air"}, {"app": "cargo"}])

    assert [201, 400] == [fate["status"] for fate in fates]


def test_a_refusal_says_what_the_node_said(search_node: SearchNode) -> None:
    """A test that fails shows the server's own words."""
    with pytest.raises(ServerError, match="no-such-index"):
        search_node.call("GET", "/no-such-index/_search")
