"""What is published to real search nodes holds the telemetry of each app in streams of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.servers.elastic import Elasticsearch, Opensearch, SearchNode
from tests.servers.elastic_publishing import prepared, publish, workspace

WHEN = "2026-03-01T12:00:00Z"
APPS = ("pub-air", "pub-sea")


def field(node: SearchNode, stream: str, *path: str) -> Any:
    """The mapping of a field in a stream's only index."""
    (index,) = node.call("GET", f"/{stream}/_mapping").values()
    found: Any = index["mappings"]
    for name in path:
        found = found["properties"][name]
    return found


def fields(mapping: Any) -> int:
    """How many fields a mapping has, objects included, as the limit counts them."""
    inner = mapping.get("properties", {})
    return len(inner) + sum(fields(each) for each in inner.values())


def test_publishing_twice_finds_nothing_to_do(search_node: SearchNode, tmp_path: Path) -> None:
    """The first run puts what the second one only compares; neither has a difference left."""
    folder = prepared(tmp_path, search_node, "pub-once")

    would = publish(folder, "--dry-run", "--skip-unsupported")
    first = publish(folder, "--skip-unsupported")
    second = publish(folder, "--skip-unsupported")

    assert (0, 0, 0) == (would.code, first.code, second.code), first.stderr + second.stderr
    assert "would be published: index-templates/headroom-logs-pub_once-pub\n" in would.stdout
    assert "\npublished: index-templates/headroom-logs-pub_once-pub\n" in first.stdout
    assert "+++ index-templates/headroom-logs-pub_once-pub (generated)\n" in first.stdout
    lines = second.stdout.splitlines()
    assert [] == [line for line in lines if not line.startswith("skipped: ")]
    assert " unchanged, " in second.stderr


def test_what_a_cluster_lacks_is_named_and_is_no_success(
    search_node: SearchNode, tmp_path: Path
) -> None:
    """Neither node has the security API; the names and the reason are told."""
    folder = prepared(tmp_path, search_node, "pub-lack")

    ending = publish(folder)

    assert 1 == ending.code
    assert "skipped: roles/headroom-pub-lack-reader: this cluster has no security" in ending.stdout
    assert "--skip-unsupported" in ending.stderr


def test_elasticsearch_s_core_is_told_apart_from_the_whole(
    elasticsearch: Elasticsearch, tmp_path: Path
) -> None:
    """Without substitutes it lacks types of fields and processors, and nothing stands for them."""
    folder = workspace(tmp_path / "space", elasticsearch.url, "elasticsearch", "pub-bare")

    ending = publish(folder, "--skip-unsupported")

    assert 0 == ending.code
    component, template = (
        "component-templates/headroom-pub_bare@owner",
        "index-templates/headroom-logs-pub_bare-pub",
    )
    assert (
        f"skipped: {component}: this cluster has no fields of type constant_keyword"
        in ending.stdout
    )
    assert f"skipped: {template}: it needs component-templates/" in ending.stdout
    assert "skipped: pipelines/headroom-logs: this cluster has no ingest processor" in ending.stdout


def test_documents_make_the_streams_that_the_templates_are_for(
    search_node: SearchNode, tmp_path: Path
) -> None:
    """With the mapping that was generated, for every signal."""
    folder = prepared(tmp_path, search_node, *APPS)
    assert 0 == publish(folder, "--skip-unsupported").code
    streams = [
        *("logs-pub_air.api-pub", "traces-pub_air.api-pub", "metrics-pub_air.api-pub"),
        *("logs-pub_air-pub", "logs-unattributed-pub", "logs-security.falco-pub"),
    ]

    for stream in streams:
        fates = search_node.bulk(stream, [{"@timestamp": WHEN, "trace": {"id": "a" * 32}}])
        assert [201] == [fate["status"] for fate in fates], fates

    found = search_node.call("GET", "/_resolve/index/*pub_air*,*-pub")["data_streams"]
    assert set(streams) <= {each["name"] for each in found}
    for stream in streams:
        assert "date" == field(search_node, stream, "@timestamp")["type"]
        assert "keyword" == field(search_node, stream, "trace", "id")["type"]
    own = "flat_object" if isinstance(search_node, Opensearch) else "flattened"
    assert own == field(search_node, "logs-pub_air.api-pub", "kubernetes", "labels")["type"]
    assert "long" == field(search_node, "traces-pub_air.api-pub", "duration")["type"]


def test_two_thousand_fields_in_a_document_do_not_exceed_the_limit(
    search_node: SearchNode, tmp_path: Path
) -> None:
    """The document is kept whole, and the mapping stays within its bound."""
    folder = prepared(tmp_path, search_node, "pub-many")
    assert 0 == publish(folder, "--skip-unsupported").code
    document = {f"invented-{number}": f"v{number}" for number in range(2000)}

    fates = search_node.bulk(
        "logs-pub_many.api-pub",
        [{"@timestamp": WHEN, "message": "m", **document, "own": document}],
    )

    assert [201] == [fate["status"] for fate in fates], fates
    assert fields(field(search_node, "logs-pub_many.api-pub")) <= 1000
    (kept,) = search_node.documents("logs-pub_many.api-pub")
    assert "v1999" in json.dumps(kept)
    assert 4000 <= json.dumps(kept).count("invented-")


def test_what_somebody_else_made_under_our_name_is_not_touched(
    search_node: SearchNode, tmp_path: Path
) -> None:
    """Nothing at all is put then."""
    folder = prepared(tmp_path, search_node, "pub-taken")
    theirs = {"template": {"mappings": {"properties": {"mine": {"type": "keyword"}}}}}
    name = "/_component_template/headroom-pub_taken@owner"
    search_node.call("PUT", name, theirs)

    ending = publish(folder, "--skip-unsupported")

    assert 1 == ending.code
    assert "not made by Headroom: component-templates/headroom-pub_taken@owner" in ending.stderr
    assert "rename or remove it there" in ending.stderr
    (kept,) = search_node.call("GET", name)["component_templates"]
    assert theirs["template"] == kept["component_template"]["template"]
    templates = search_node.call("GET", "/_index_template")["index_templates"]
    assert [] == [each["name"] for each in templates if "pub_taken" in each["name"]]


def test_templates_of_others_for_the_same_streams_stop_it(
    search_node: SearchNode, tmp_path: Path
) -> None:
    """At the same priority; one below is no matter, one above is told."""
    folder = prepared(tmp_path, search_node, "pub-same")
    other = {"index_patterns": ["logs-pub_same.a*"], "data_stream": {}}
    search_node.call("PUT", "/_index_template/pub-below", {**other, "priority": 499})
    search_node.call("PUT", "/_index_template/pub-above", {**other, "priority": 501})
    search_node.call("PUT", "/_index_template/pub-equal", {**other, "priority": 500})

    refused = publish(folder, "--skip-unsupported")
    search_node.call("DELETE", "/_index_template/pub-equal")
    taken = publish(folder, "--skip-unsupported")

    assert 1 == refused.code
    assert "pub-equal (logs-pub_same.a*) and headroom-logs-pub_same-pub" in refused.stderr
    assert "pub-below" not in refused.stderr + taken.stderr
    assert 0 == taken.code
    assert "index template pub-above of others" in taken.stderr
    search_node.call("DELETE", "/_index_template/pub-above")


def test_a_change_by_hand_is_shown_and_put_right(search_node: SearchNode, tmp_path: Path) -> None:
    """The diff goes from what the cluster has to what was generated."""
    folder = prepared(tmp_path, search_node, "pub-hand")
    assert 0 == publish(folder, "--skip-unsupported").code
    name = "/_index_template/headroom-logs-pub_hand-pub"
    (there,) = search_node.call("GET", name)["index_templates"]
    body = there["index_template"]
    body["index_patterns"].append("logs-pub_hand_more.*-pub")
    body.pop("ignore_missing_component_templates", None)
    search_node.call("PUT", name, body)

    ending = publish(folder, "--skip-unsupported")

    assert 0 == ending.code
    assert '-    "logs-pub_hand_more.*-pub"' in ending.stdout
    assert ["published: index-templates/headroom-logs-pub_hand-pub"] == [
        line for line in ending.stdout.splitlines() if line.startswith("published")
    ]


def test_another_app_s_document_is_refused(opensearch: Opensearch, tmp_path: Path) -> None:
    """By the stream itself, whoever wrote it; Elasticsearch's core has no such type of field."""
    folder = prepared(tmp_path, opensearch, *APPS)
    assert 0 == publish(folder, "--skip-unsupported").code

    fates = opensearch.bulk(
        "logs-pub_air.api-pub",
        [
            {"@timestamp": WHEN, "message": "mine", "labels": {"app": "pub-air"}},
            {"@timestamp": WHEN, "message": "untagged"},
            {"@timestamp": WHEN, "message": "theirs", "labels": {"app": "pub-sea"}},
        ],
    )

    assert [201, 201, 400] == [fate["status"] for fate in fates]
    assert "labels.app" in json.dumps(fates[2])


@pytest.mark.parametrize(
    ("origin", "stream"),
    [
        (
            {"kubernetes": {"namespace": "pub-air", "pod": {"name": "api-0123456789-abcde"}}},
            "logs-pub_air.api-pub",
        ),
        (
            {"kubernetes": {"namespace": "pub-air", "pod": {"name": "other-0"}}},
            "logs-pub_air-pub",
        ),
        (
            {"log": {"file": {"path": "/var/log/pub-sea/x.log"}}, "host": {"name": "pub-sea-host"}},
            "logs-pub_sea.batch-pub",
        ),
        ({"host": {"name": "pub-sea-host"}}, "logs-pub_sea.batch-pub"),
        ({"service": {"name": "pub-sea-api"}}, "logs-pub_sea.api-pub"),
        ({"kubernetes": {"namespace": "pub-else"}}, "logs-unattributed-pub"),
        ({"labels": {"app": "pub-air"}}, "logs-unattributed-pub"),
    ],
)
def test_the_untagged_go_to_the_app_that_their_origin_belongs_to(
    opensearch: Opensearch, tmp_path: Path, origin: dict[str, Any], stream: str
) -> None:
    """By namespace, path, host and service; what only claims an owner stays where it is."""
    folder = prepared(tmp_path, opensearch, *APPS)
    assert 0 == publish(folder, "--skip-unsupported").code

    (fate,) = opensearch.bulk("logs-unattributed-pub", [{"message": "routed", **origin}])

    assert 201 == fate["status"], fate
    assert stream in fate["_index"]
    (found,) = (opensearch.call("GET", f"/{fate['_index']}/_doc/{fate['_id']}"),)
    assert stream.split("-")[1] == found["_source"]["data_stream"]["dataset"]


def test_a_json_message_becomes_fields_and_claims_no_owner(
    opensearch: Opensearch, tmp_path: Path
) -> None:
    """Time, level and identifiers go to their places, and the rest can be searched."""
    folder = prepared(tmp_path, opensearch, *APPS)
    assert 0 == publish(folder, "--skip-unsupported").code
    line = {
        "ts": 1772366400.25,
        "severity": "Warning",
        "msg": "sold out",
        "ctx": {"trace": "A" * 32},
        "event.action": "sell",
        "labels": {"app": "pub-sea"},
        "service.name": "other",
        "cart": {"items": 3},
    }

    (fate,) = opensearch.bulk("logs-pub_air.api-pub", [{"message": json.dumps(line)}])

    assert 201 == fate["status"], fate
    found = opensearch.call("GET", f"/{fate['_index']}/_doc/{fate['_id']}")["_source"]
    assert "2026-03-01T12:00:00.250Z" == found["@timestamp"]
    assert "warn" == found["log"]["level"]
    assert "sold out" == found["message"]
    assert "a" * 32 == found["trace"]["id"]
    assert "sell" == found["event"]["action"]
    assert "app" not in found.get("labels", {})
    assert "service" not in found
    assert 1 == len(
        opensearch.documents("logs-pub_air.api-pub", {"term": {"attributes.cart.items": "3"}})
    )


def test_what_was_and_was_not_put_is_listed_when_a_cluster_refuses(
    search_node: SearchNode, tmp_path: Path
) -> None:
    """The run ends there; the next one goes on from where it was."""
    folder = prepared(tmp_path, search_node, "pub-part")
    file = next(folder.rglob("index-templates/headroom-metrics-pub_part-pub.json"))
    right = file.read_text()
    file.write_text(json.dumps({**json.loads(right), "index_patterns": []}))

    broken = publish(folder, "--skip-unsupported")
    file.write_text(right)
    mended = publish(folder, "--skip-unsupported")

    assert (1, 0) == (broken.code, mended.code)
    assert "\npublished: index-templates/headroom-logs-pub_part-pub\n" in broken.stdout
    assert "not published: index-templates/headroom-metrics-pub_part-pub\n" in broken.stdout
    assert "not published: index-templates/headroom-traces-pub_part-pub\n" in broken.stdout
    assert "index-templates/headroom-metrics-pub_part-pub: elasticsearch/here: " in broken.stderr
    put = [line for line in mended.stdout.splitlines() if line.startswith("published: ")]
    assert "published: index-templates/headroom-metrics-pub_part-pub" == put[0]
