"""Files of JSON lines: requests as the Collector writes them, and plain logs of many shapes."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from collectors.joining import Joiner
from collectors.receive import Decoded, FieldMap, LineDecoder
from collectors.receive.plain_times import nanoseconds
from collectors.signals import Signal
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import (
    AT,
    as_json,
    log,
    logs,
    rows,
    span,
    spans,
)

TIME = "2026-11-21T12:00:00.123456789Z"
TIME_NS = 1_795_262_400_123_456_789


def read(*lines: object, **settings: Any) -> list[Decoded]:
    """Decode lines; those that are no bytes are written as JSON."""
    written: Iterable[bytes] = (
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )
    return list(LineDecoder(Joiner(AIRLINE), **settings).decode(written, at=AT))


def one(line: object, **settings: Any) -> dict[str, Any]:
    (found,) = read(line, **settings)
    assert "" == found.reason
    (row,) = found.table.to_pylist()
    return row


def test_lines_of_the_collector_are_requests_of_every_signal() -> None:
    requests = [
        as_json(logs(log(body="a"))),
        as_json(spans(span())),
        as_json(logs(log(body="b"))),
    ]
    found = {each.signal: each.table for each in read(*requests)}
    assert {Signal.LOGS, Signal.SPANS} == set(found)
    assert ["a", "b"] == found[Signal.LOGS]["body"].to_pylist()
    assert rows(spans(span())) == found[Signal.SPANS].to_pylist()


def test_tables_are_as_long_as_asked() -> None:
    found = read(*({"msg": str(n)} for n in range(25)), rows=10)
    assert [10, 10, 5] == [each.table.num_rows for each in found]


def test_an_ecs_line_nested_or_dotted() -> None:
    """Filebeat nests; application loggers write dots."""
    nested = {
        "@timestamp": TIME,
        "log": {"level": "warn", "logger": "bookings"},
        "message": "seat taken",
        "service": {"name": "ticketing-api", "environment": "prod", "version": "1.2"},
        "labels": {"app": "ticketing", "team": "bookings"},
        "trace": {"id": "AB" * 16},
        "span": {"id": "cd" * 8},
        "event": {"action": "seat.taken"},
        "host": {"name": "tick-host-1"},
        "http": {"response": {"status_code": 409}},
        "tags": ["a", "b"],
    }
    dotted = {
        "@timestamp": TIME,
        "log.level": "warn",
        "log.logger": "bookings",
        "message": "seat taken",
        "service.name": "ticketing-api",
        "service.environment": "prod",
        "service.version": "1.2",
        "labels.app": "ticketing",
        "labels.team": "bookings",
        "trace.id": "ab" * 16,
        "span.id": "cd" * 8,
        "event.action": "seat.taken",
        "host.name": "tick-host-1",
        "http.response.status_code": 409,
        "tags": ["a", "b"],
    }
    row = one(nested)
    assert row == one(dotted)
    expected = {
        "time": TIME_NS,
        "severity": 13,
        "severity_text": "warn",
        "body": "seat taken",
        "app": "ticketing",
        "env": "prod",
        "component": "api",
        "rung": 1,
        "team": "bookings",
        "version": "1.2",
        "host": "tick-host-1",
        "trace_id": "ab" * 16,
        "span_id": "cd" * 8,
        "event": "seat.taken",
        "attributes": '{"log.logger":"bookings","http.response.status_code":409,"tags":["a","b"]}',
    }
    assert expected == {key: row[key] for key in expected}


@pytest.mark.parametrize(
    ("line", "severity", "text", "body"),
    [
        ({"level": 30, "msg": "pino"}, 9, "30", "pino"),
        ({"level": "50", "msg": "text"}, 17, "50", "text"),
        ({"level": "info", "event": "structlog"}, 9, "info", "structlog"),
        ({"severity": "NOTICE", "message": "cloud"}, 10, "NOTICE", "cloud"),
        ({"levelname": "CRITICAL", "message": "python"}, 18, "CRITICAL", "python"),
        ({"severity": 99, "message": "x"}, None, "99", "x"),
        ({"severity": -1, "message": "x"}, None, "-1", "x"),
        ({"severity_number": 21, "severity_text": "ouch"}, 21, "ouch", None),
        ({"msg": {"a": 1}}, None, None, None),
        ({"message": ["a", 1]}, None, None, '["a",1]'),
    ],
)
def test_levels_and_messages_of_known_loggers(
    line: dict[str, object], severity: int | None, text: str | None, body: str | None
) -> None:
    row = one(line)
    assert (severity, text, body) == (row["severity"], row["severity_text"], row["body"])


def test_kubernetes_fields_of_shippers_join() -> None:
    """Fluent Bit's names, and Filebeat's."""
    bit = {"log": "x", "kubernetes": {"namespace_name": "cargo", "pod_name": "store-2"}}
    beat = {
        "message": "x",
        "kubernetes": {"namespace": "cargo", "deployment": {"name": "api"}, "pod": {"name": "p"}},
    }
    assert ("cargo", "store", 3) == tuple(one(bit)[key] for key in ("app", "component", "rung"))
    assert ("cargo", "api", "p") == tuple(one(beat)[key] for key in ("app", "component", "pod"))


def test_a_mapping_names_the_fields_of_a_house() -> None:
    fields = FieldMap(
        time=("when",),
        severity=("sev",),
        message=("what",),
        app=("product",),
        service=("part",),
        env=("stage",),
        resource={"host.name": "batch-1", "service.namespace": "cargo"},
    )
    line = {"when": 1_800_000_000, "sev": "err", "what": "x", "product": "ticketing"}
    row = one({**line, "part": "ticketing-api", "stage": "prod"}, fields=fields)
    expected = (AT, 17, "x", "ticketing", "prod", "batch-1")
    names = ("time", "severity", "body", "app", "env", "host")
    assert expected == tuple(row[name] for name in names)
    assert "cargo" == one({"what": "x"}, fields=fields)["app"]


def test_a_line_without_a_time_has_the_files() -> None:
    assert AT == one({"msg": "x"})["time"]


def test_an_identifier_that_is_none_stays_an_attribute() -> None:
    row = one({"msg": "x", "trace_id": "7f3c-12", "span_id": "xyz"})
    assert (None, None) == (row["trace_id"], row["span_id"])
    assert {"trace_id": "7f3c-12", "span_id": "xyz"} == json.loads(row["attributes"])


def test_bad_lines_are_counted_with_their_number() -> None:
    (found,) = read(
        b"not json",
        {"msg": "fine"},
        b"",
        b"[1]",
        {"msg": "x", "time": "yesterday"},
        {"msg": "x", "time": "9999-12-31T23:59:59Z"},
        b'{"msg": NaN}',
    )
    assert (1, 5) == (found.table.num_rows, found.rejected)
    assert found.reason.startswith("line 1: ")
    assert "line 4: no JSON object" in found.reason
    assert "other reasons (2)" in found.reason


def test_half_a_character_is_replaced() -> None:
    """A log line is not worth losing for it."""
    row = one(b'{"msg": "seat \\ud83d lost", "\\udc00": "\\ud83d\\ude00"}')
    assert "seat � lost" == row["body"]
    assert {"�": "😀"} == json.loads(row["attributes"])


SECOND = 1_800_000_000


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (SECOND, AT),
        (SECOND * 1000, AT),
        (SECOND * 10**6, AT),
        (SECOND * 10**9, AT),
        (str(SECOND), AT),
        (f"{SECOND}.5", AT + 500_000_000),
        (1800000000.123456, AT + 123_456_000),
        (1.8e9, AT),
        ("2027-01-15T08:00:00Z", AT),
        ("2027-01-15 08:00:00", AT),
        ("2027-01-15 08:00:00,250", AT + 250_000_000),
        ("2027-01-15T10:00:00.000000001+02:00", AT + 1),
        ("20270115T080000Z", AT),
        (0, 0),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_times_are_told_by_their_form_and_size(value: object, time: int) -> None:
    assert time == nanoseconds(value)


@pytest.mark.parametrize(
    "value",
    [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "now",
        "",
        "1e999",
        float("inf"),
        float("nan"),
        10**400,
        "1" * 5000,
        True,
        None,
        [1],
        {"a": 1},
        "12:30:00",
        "٣",
    ],
)
def test_what_is_no_time_is_said_to_be_none(value: object) -> None:
    with pytest.raises(ValueError, match="time"):
        nanoseconds(value)
