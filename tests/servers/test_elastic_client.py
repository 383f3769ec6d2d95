"""The client reads and writes both flavours for real."""

from typing import Any

import pytest

from collectors.elastic.client import Cluster
from collectors.elastic.refusal import Refusal
from slo.errors import SourceUnavailable
from slo.units import Duration
from slo.workspace import ElasticsearchSource
from tests.servers.elastic import Elasticsearch, Opensearch, SearchNode
from tests.servers.elastic_publishing import flavor_of

Lines = list[dict[str, Any]]

MINUTE = Duration.of(minutes=1)


def cluster(node: SearchNode, flavor: str | None = None) -> Cluster:
    """The node as a source of a workspace."""
    own = flavor or flavor_of(node)
    return Cluster(ElasticsearchSource(name="here", url=node.url, timeout=MINUTE, flavor=own))


def test_a_cluster_says_its_version(elasticsearch: Elasticsearch, opensearch: Opensearch) -> None:
    """Also one that does not answer GET /."""
    assert [(8, 15), (2, 19)] == [cluster(node).version[:2] for node in (elasticsearch, opensearch)]


def test_what_is_written_in_bulk_is_found(search_node: SearchNode) -> None:
    """Each item has its own fate; patterns that meet nothing find nothing."""
    here = cluster(search_node)
    lines: Lines = [{"create": {"_index": "client-bulk", "_id": "1"}}, {"n": 1}] * 2

    answer = here.bulk(lines, params={"refresh": "true"})

    assert [201, 409] == [item["create"]["status"] for item in answer["items"]]
    assert 1 == len(here.search("client-bulk,client-none,client-no*", {})["hits"]["hits"])
    assert [] == here.search("client-none", {})["hits"]["hits"]


def test_a_point_in_time_holds_still_while_it_is_paged_through(search_node: SearchNode) -> None:
    """What is written meanwhile is not seen; a view of no index is empty."""
    here = cluster(search_node)
    lines: Lines = []
    for n in range(5):
        lines += [{"create": {"_index": "client-pit"}}, {"n": n}]
    here.bulk(lines, params={"refresh": "true"})
    body = {"size": 2, "sort": [{"n": "asc"}]}

    with here.point_in_time("client-pit", keep_alive=MINUTE) as point:
        hits = point.search(body)["hits"]["hits"]
        here.bulk(lines, params={"refresh": "true"})
        while more := point.search({**body, "search_after": hits[-1]["sort"]})["hits"]["hits"]:
            hits += more
    with here.point_in_time("client-no*", keep_alive=MINUTE) as point:
        none = point.search({})["hits"]["hits"]
    with here.point_in_time("client-none", keep_alive=MINUTE) as point:
        none += point.search({})["hits"]["hits"]

    assert [0, 1, 2, 3, 4] == [hit["_source"]["n"] for hit in hits]
    assert [] == none


def test_a_refused_query_is_told_in_the_cluster_s_words(search_node: SearchNode) -> None:
    """With its kind; what is not there is None."""
    here = cluster(search_node)

    with pytest.raises(Refusal, match=r"unknown query \[nope\]") as caught:
        here.search("client-*", {"query": {"nope": {}}})

    assert (400, "parsing_exception") == (caught.value.status, caught.value.kind)
    assert here.get("/_index_template/client-none") is None


def test_opensearch_that_is_called_elasticsearch_is_found_out(opensearch: Opensearch) -> None:
    """By the product that it does not name or the media type that it refuses."""
    with pytest.raises(SourceUnavailable) as caught:
        cluster(opensearch, "elasticsearch").search("x", {"size": 0})

    assert "flavor: opensearch" in (caught.value.hint or "")
