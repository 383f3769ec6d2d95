"""Spans of OTLP: names for kinds and statuses, routes, peers, and what a sampled span weighs."""

import json
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collectors.signals import SCHEMAS, Signal
from tests.unit.collectors.receive.requests import (
    AT,
    attributes,
    decoded,
    refused_reason,
    rows,
    span,
    spans,
)


def row_of(**fields: Any) -> dict[str, Any]:
    (row,) = rows(spans(span(**fields)))
    return row


def test_every_field_has_its_column() -> None:
    row = row_of(
        kind=Span.SPAN_KIND_SERVER,
        parent_span_id=bytes(range(1, 9)),
        trace_state="vendor=1",
        status=Status(code=Status.STATUS_CODE_ERROR, message="boom"),
        attributes={
            "http.route": "/bookings/{id}",
            "http.request.method": "GET",
            "http.response.status_code": 503,
        },
    )
    assert SCHEMAS[Signal.SPANS].names == list(row)
    expected = {
        "time": AT,
        "end": AT + 5_000_000,
        "duration": 5_000_000,
        "trace_id": "000102030405060708090a0b0c0d0e0f",
        "span_id": "0001020304050607",
        "parent_id": "0102030405060708",
        "name": "GET /bookings",
        "kind": "server",
        "status": "error",
        "status_message": "boom",
        "route": "/bookings/{id}",
        "method": "GET",
        "http_status": 503,
        "peer": None,
        "peer_kind": None,
        "weight": 1.0,
        "events": None,
        "links": None,
        "trace_state": "vendor=1",
        "app": "ticketing",
        "component": "api",
    }
    assert expected == {key: row[key] for key in expected}


@pytest.mark.parametrize(
    ("values", "peer", "kind"),
    [
        ({"peer.service": "payments"}, "payments", "service"),
        ({"server.address": "api.example.com"}, "api.example.com", "external"),
        (
            {"db.system.name": "postgresql", "db.namespace": "orders", "server.address": "pg"},
            "postgresql/pg",
            "database",
        ),
        ({"db.system": "redis", "server.address": "cache"}, "redis/cache", "database"),
        ({"db.system": "sqlite"}, "sqlite", "database"),
        ({"db.system": "h2", "db.namespace": "orders"}, "h2/orders", "database"),
        (
            {"messaging.system": "kafka", "messaging.destination.name": "bookings"},
            "kafka/bookings",
            "messaging",
        ),
        ({}, None, None),
    ],
)
def test_a_client_says_what_it_talks_to(
    values: dict[str, object], peer: str | None, kind: str | None
) -> None:
    row = row_of(kind=Span.SPAN_KIND_CLIENT, attributes=values)
    assert (peer, kind) == (row["peer"], row["peer_kind"])


def test_a_server_has_no_peer() -> None:
    """The address on a server's span is its own."""
    row = row_of(kind=Span.SPAN_KIND_SERVER, attributes={"server.address": "me"})
    assert (None, None) == (row["peer"], row["peer_kind"])


@pytest.mark.parametrize(
    ("state", "values", "weight"),
    [
        ("", {}, 1.0),
        ("ot=th:0", {}, 1.0),
        ("ot=th:8", {}, 2.0),
        ("ot=th:c", {}, 4.0),
        ("ot=th:e66666", {}, 9.99999761581478),
        ("vendor=x,ot=rv:abc;th:fd", {}, 85.33333333333333),
        ("ot=p:3", {}, 8.0),
        ("ot=p:63", {}, 1.0),
        ("ot=th:zz", {}, 1.0),
        ("ot=th:ffffffffffffff", {}, 1.0),
        ("ot=th:8", {"SampleRate": 10}, 2.0),
        ("", {"SampleRate": 10}, 10.0),
        ("", {"SampleRate": "20"}, 20.0),
        ("", {"sampling.probability": 0.25}, 4.0),
        ("", {"sampling.threshold": "c"}, 4.0),
        ("", {"SampleRate": 0}, 1.0),
        ("", {"SampleRate": float("inf")}, 1.0),
        ("", {"sampling.probability": 1e-300}, 1.0),
    ],
)
def test_a_sampled_span_stands_for_more(
    state: str, values: dict[str, object], weight: float
) -> None:
    """What claims to stand for more than 10^9 requests is not believed."""
    assert pytest.approx(weight) == row_of(trace_state=state, attributes=values)["weight"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b""}, "the trace id is missing"),
        ({"trace_id": bytes(16)}, "the trace id is missing"),
        ({"trace_id": b"\x01" * 8}, "the trace id has 8 bytes, not 16"),
        ({"span_id": b"\x01" * 4}, "the span id has 4 bytes, not 8"),
        ({"start_time_unix_nano": 0}, "the start is missing"),
        ({"end_time_unix_nano": 0}, "the end is missing"),
        ({"end_time_unix_nano": AT - 1}, "the span ends before it starts"),
        ({"start_time_unix_nano": AT // 10**6}, "looks like milliseconds"),
        ({"end_time_unix_nano": 2**64 - 1}, "after April 2262"),
    ],
)
def test_a_span_that_cannot_be_one_is_rejected_alone(fields: dict[str, Any], reason: str) -> None:
    count, rejected, said = refused_reason(decoded(spans(span(**fields), span())))
    assert (1, 1) == (count, rejected)
    assert reason in said


def test_events_and_links_are_json_lists() -> None:
    made = span(
        events=[Span.Event(time_unix_nano=AT, name="exception", attributes=attributes({"a": 1}))],
        links=[Span.Link(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, trace_state="a=b")],
    )
    (row,) = rows(spans(made))
    events = [{"time": AT, "name": "exception", "attributes": {"a": 1}}]
    links = [{"traceId": "01" * 16, "spanId": "02" * 8, "traceState": "a=b"}]
    assert (events, links) == (json.loads(row["events"]), json.loads(row["links"]))


def test_of_many_events_the_first_are_kept_and_the_rest_counted() -> None:
    made = span(events=[Span.Event(time_unix_nano=AT, name=str(each)) for each in range(300)])
    (row,) = rows(spans(made))
    events = json.loads(row["events"])
    assert [{"time": AT, "name": "255"}, {"leftOut": 44}] == events[-2:]
    assert 257 == len(events)


@pytest.mark.parametrize(("status", "kept"), [(99, None), (600, None), ("404", 404), (True, None)])
def test_a_status_is_one_of_http(status: object, kept: int | None) -> None:
    assert kept == row_of(attributes={"http.status_code": status})["http_status"]


def test_a_kind_of_the_future_is_unknown() -> None:
    made = span()
    made.kind = 9  # type: ignore[assignment]  # an open enumeration
    (row,) = rows(spans(made))
    assert row["kind"] is None
    assert "internal" == row_of()["kind"]


def test_a_long_name_is_cut() -> None:
    """Ten kilobytes of name are no name."""
    name = row_of(name="x" * 10_240)["name"]
    assert (1024, True) == (len(name), name.endswith("[cut]"))
