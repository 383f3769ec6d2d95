"""Elasticsearch's ``_bulk``: an item for each action, a log for each document that can be read."""

import json
from typing import Any

import pytest

from collectors.joining import Joiner
from collectors.receive import Bulk, BulkDecoder, Limits, Refused, bulk_answer, bulk_refusal
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import AT

TAGS = {
    "labels": {"app": "ticketing"},
    "service": {"name": "ticketing-api", "environment": "prod", "version": "1.4.2"},
}
DOTTED = {
    "labels.app": "ticketing",
    "service.name": "ticketing-api",
    "service.environment": "prod",
    "service.version": "1.4.2",
}
LOGS = {"create": {"_index": "logs-ticketing.api-prod"}}


def decoded(*lines: object, index: str | None = None, limits: Limits | None = None) -> Bulk:
    """Decode lines; those that are bytes go as they are."""
    written = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines]
    decoder = BulkDecoder(Joiner(AIRLINE), limits=limits)
    return decoder.decode(b"\n".join([*written, b""]), at=AT, index=index)


def rows(found: Bulk) -> list[dict[str, Any]]:
    found_rows: list[dict[str, Any]] = found.table.to_pylist()
    return found_rows


def bodies(found: Bulk) -> list[str]:
    return [row["body"] for row in rows(found)]


def statuses(found: Bulk) -> list[int]:
    return [each.status for each in found.items]


def reasons(found: Bulk) -> list[str]:
    return [each.reason for each in found.items if each.reason]


@pytest.mark.parametrize("tags", [TAGS, DOTTED], ids=["nested", "dotted"])
def test_a_document_in_ecs_is_a_log_of_its_application(tags: dict[str, Any]) -> None:
    """Tags, level, trace and time stand where ECS has them, nested or with dots."""
    document = {
        **tags,
        "@timestamp": "2026-03-01T12:00:00.5Z",
        "message": "no seat",
        "log.level": "error",
        "trace": {"id": "0af7651916cd43dd8448eb211c80319c"},
        "event": {"action": "booking"},
        "seat": "12A",
    }

    (row,) = rows(decoded(LOGS, document))

    assert {
        "time": 1_772_366_400_500_000_000,
        "app": "ticketing",
        "env": "prod",
        "component": "api",
        "version": "1.4.2",
        "body": "no seat",
        "severity": 17,
        "trace_id": "0af7651916cd43dd8448eb211c80319c",
        "event": "booking",
        "attributes": '{"seat":"12A"}',
    } == {
        key: row[key]
        for key in (
            *("time", "app", "env", "component", "version", "body", "severity", "trace_id"),
            *("event", "attributes"),
        )
    }


def test_each_action_has_an_item_in_its_place() -> None:
    """What is refused says why in Elasticsearch's form, and the answer says that there are some."""
    found = decoded(
        {"index": {"_index": "a", "_id": "7"}},
        {"message": "one"},
        {"update": {"_index": "a", "_id": "7"}},
        {"doc": {"message": "two"}},
        {"delete": {"_index": "a", "_id": "7"}},
        {"create": {"_index": "a"}},
        {"message": "three"},
    )

    assert ["one", "three"] == bodies(found)
    answer = json.loads(bulk_answer(found, 5))
    assert (True, 5) == (answer["errors"], answer["took"])
    assert [("index", 201), ("update", 400), ("delete", 400), ("create", 201)] == [
        (verb, said["status"]) for item in answer["items"] for verb, said in item.items()
    ]
    first, second = answer["items"][0]["index"], answer["items"][1]["update"]
    assert ("a", "7", "created") == (first["_index"], first["_id"], first["result"])
    assert "illegal_argument_exception" == second["error"]["type"]
    assert 2 == found.rejected


def test_the_index_of_the_path_is_for_actions_that_name_none() -> None:
    """The same body is answered with the same identifiers, another one with others."""
    found = decoded({"create": {}}, {"message": "one"}, index="logs-a-prod")
    again = decoded({"create": {}}, {"message": "one"}, index="logs-a-prod")
    other = decoded({"create": {}}, {"message": "two"}, index="logs-a-prod")

    assert ["logs-a-prod"] == [each.index for each in found.items]
    assert found.items == again.items
    assert found.items[0].id != other.items[0].id


@pytest.mark.parametrize(
    ("index", "more", "way"),
    [
        ("traces-apm-prod", {}, "/v1/traces"),
        ("metrics-a-prod", {}, "/v1/metrics"),
        ("any", {"data_stream": {"type": "traces"}}, "/v1/traces"),
        ("any", {"data_stream.type": "metrics"}, "/v1/metrics"),
    ],
)
def test_spans_and_metrics_are_refused_with_the_way_they_take(
    index: str, more: dict[str, object], way: str
) -> None:
    """Only their own items fail."""
    found = decoded(
        {"create": {"_index": index}}, {"message": "x", **more}, LOGS, {"message": "kept"}
    )

    assert [400, 201] == statuses(found)
    assert way in reasons(found)[0]
    assert ["kept"] == bodies(found)


def test_a_stream_of_logs_and_any_other_index_hold_logs() -> None:
    """Collectors of long ago have names of their own for indices."""
    names = ("logs-a-prod", "filebeat-7.17.0-2026.03.01", "tracesque", "syslog")
    lines: list[object] = []
    for name in names:
        lines += [{"index": {"_index": name}}, {"message": name, "data_stream": {"type": "logs"}}]

    assert list(names) == bodies(decoded(*lines))


class TestTornLines:
    """A line that cannot be read costs itself, and the next action begins anew."""

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b'{"message": "to', "the document is no JSON"),
            (b"\xff\xfe", "the document is not UTF-8"),
            (b'{"message": "\xff"}', "the document is not UTF-8"),
            (b"[1]", "no JSON object"),
            (b"", "the document is no JSON"),
            (b'{"@timestamp": "yesterday"}', "is no time"),
            (b'{"a":' * 200 + b"1" + b"}" * 200, "nests deeper"),
            (b'{"n": 1e999}', "out of range"),
        ],
    )
    def test_a_bad_document(self, line: bytes, reason: str) -> None:
        """Its neighbours are stored."""
        found = decoded(LOGS, {"message": "a"}, LOGS, line, LOGS, {"message": "b"})

        assert [201, 400, 201] == statuses(found)
        assert reason in reasons(found)[0]
        assert "document_parsing_exception" == found.items[1].kind
        assert ["a", "b"] == bodies(found)

    @pytest.mark.parametrize(
        "line",
        [
            b'{"create": {"_index"',
            b"nonsense",
            b'{"message": "no action"}',
            b'{"create": {"_index": "a"}, "index": {}}',
            b'{"create": []}',
            b'{"create": {"_unknown": 1}}',
            b"\xff",
        ],
    )
    def test_a_bad_action(self, line: bytes) -> None:
        """It takes the document after it along."""
        found = decoded(LOGS, {"message": "a"}, line, {"message": "lost"}, LOGS, {"message": "b"})

        assert [201, 400, 201] == statuses(found)
        assert ["a", "b"] == bodies(found)

    def test_an_action_without_a_document(self) -> None:
        """The next action is not taken for its document, and the end is one too."""
        found = decoded(LOGS, LOGS, {"message": "a"}, {"delete": {"_id": "1"}}, LOGS)

        assert [400, 201, 400, 400] == statuses(found)
        assert ["a"] == bodies(found)

    def test_a_body_that_ends_in_the_middle(self) -> None:
        """Everything before the cut is stored."""
        body = b'{"create":{}}\n{"message":"a"}\n{"create":{}}\n{"message":"b'

        found = BulkDecoder(Joiner(AIRLINE)).decode(body, at=AT)

        assert [201, 400] == statuses(found)
        assert ["a"] == bodies(found)

    def test_a_name_that_is_none(self) -> None:
        """Indices and identifiers are texts."""
        found = decoded({"create": {"_index": 5}}, {"message": "x"}, {"create": {"_id": ""}}, {})

        assert [400, 400] == statuses(found)
        assert ["_index", "_id"] == [each.split()[0] for each in reasons(found)]

    def test_windows_line_ends_and_empty_lines_between(self) -> None:
        """Neither is Elasticsearch's own strictness."""
        body = b'\r\n{"create":{}}\r\n{"message":"a"}\r\n\r\n{"create":{}}\r\n{"message":"b"}\r\n'

        assert ["a", "b"] == bodies(BulkDecoder(Joiner(AIRLINE)).decode(body, at=AT))


def test_half_a_character_is_replaced() -> None:
    """JSON can escape what UTF-8 cannot hold."""
    assert ["\ufffd!"] == bodies(decoded(LOGS, b'{"message": "\\ud800!"}'))


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\n"])
def test_a_body_without_actions_is_refused(body: bytes) -> None:
    """As Elasticsearch refuses it."""
    with pytest.raises(Refused, match="no actions") as raised:
        BulkDecoder(Joiner(AIRLINE)).decode(body, at=AT)
    assert 400 == raised.value.status


@pytest.mark.parametrize("line", [b'{"create":{}}\n{}\n', b'{"delete":{}}\n'])
def test_more_actions_than_a_request_may_have_are_refused(line: bytes) -> None:
    """Whole: the sender cuts its batch."""
    with pytest.raises(Refused, match="3 actions") as raised:
        BulkDecoder(Joiner(AIRLINE), limits=Limits(records=3)).decode(line * 4, at=AT)
    assert 413 == raised.value.status
    assert 3 == len(
        BulkDecoder(Joiner(AIRLINE), limits=Limits(records=3)).decode(line * 3, at=AT).items
    )


def test_items_whose_rows_were_taken_away_are_refused() -> None:
    """Rows are the items that were created, in order."""
    found = decoded(LOGS, {"message": "a"}, LOGS, b"{", LOGS, {"message": "b"})

    kept = found.keeping([False, True], "not yours")

    assert [(403, "not yours"), (400, found.items[1].reason), (201, "")] == [
        (each.status, each.reason) for each in kept.items
    ]


def test_a_refusal_is_in_the_form_of_elasticsearch() -> None:
    """Clients look for the root cause."""
    said = json.loads(bulk_refusal(429, "es_rejected_execution_exception", "later"))

    cause = {"type": "es_rejected_execution_exception", "reason": "later"}
    assert {"error": {"root_cause": [cause], **cause}, "status": 429} == said
