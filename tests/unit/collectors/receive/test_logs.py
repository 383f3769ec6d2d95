"""Log records of OTLP: every field in its column, bad ones rejected one by one."""

import json

import pytest
from google.protobuf.message import Message

from collectors.joining import Joiner
from collectors.receive import Limits, OtlpDecoder
from collectors.receive.limits import LEFT_OUT, MARK
from collectors.signals import SCHEMAS, Signal
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import (
    AT,
    TICKETING,
    decoded,
    log,
    logs,
    refused_reason,
    rows,
)

YEAR = 365 * 86_400 * 10**9


def test_every_field_has_its_column() -> None:
    record = log(
        time_unix_nano=AT,
        observed_time_unix_nano=AT + 1,
        severity_number=17,
        severity_text="ERROR",
        body="booking failed",
        attributes={"user.id": 7, "ok": False},
        trace_id=bytes(range(16)),
        span_id=bytes(range(8)),
        flags=1,
        event_name="booking.failed",
    )
    (row,) = rows(logs(record, resource={**TICKETING, "org.team": "bookings", "pod": "p"}))
    assert SCHEMAS[Signal.LOGS].names == list(row)
    expected = {
        "time": AT,
        "observed": AT + 1,
        "app": "ticketing",
        "env": "prod",
        "component": "api",
        "rung": 1,
        "team": "bookings",
        "service": "ticketing-api",
        "pod": "p",
        "severity": 17,
        "severity_text": "ERROR",
        "event": "booking.failed",
        "body": "booking failed",
        "trace_id": "000102030405060708090a0b0c0d0e0f",
        "span_id": "0001020304050607",
        "flags": 1,
        "attributes": '{"user.id":7,"ok":false}',
        "scope": None,
        "claimants": None,
    }
    assert expected == {key: row[key] for key in expected}
    assert "ticketing" == json.loads(row["resource"])["service.namespace"]


def test_an_empty_request_is_an_empty_table() -> None:
    found = decoded(logs())
    assert (0, 0, "") == refused_reason(found)
    assert SCHEMAS[Signal.LOGS] == found.table.schema


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("x", "x"),
        ("x" * 127, "x" * 127),
        ("x" * 128, "x" * 128),
        ("é" * 9000, "é" * 9000),
        ("x" * 20_000, "x" * 20_000),
        ("", ""),
        (7, "7"),
        (True, "true"),
        (1.5, "1.5"),
        (float("nan"), "NaN"),
        (b"\x00\xff", "AP8="),
        ([1, "a", None], '[1,"a",null]'),
        ({"a": {"b": [True]}}, '{"a":{"b":[true]}}'),
    ],
)
def test_a_body_that_is_no_text_is_its_json(body: object, text: str) -> None:
    (row,) = rows(logs(log(body=body)))
    assert text == row["body"]


def test_a_missing_time_is_the_observed_one_or_the_arrival() -> None:
    observed = rows(logs(log(time_unix_nano=0, observed_time_unix_nano=AT - 5)))
    neither = rows(logs(log(time_unix_nano=0)))
    assert [AT - 5, AT] == [observed[0]["time"], neither[0]["time"]]


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        (AT // 10**9, "looks like seconds"),
        (AT // 10**6, "looks like milliseconds"),
        (AT // 10**3, "looks like microseconds"),
        (2**63, "after April 2262"),
        (2**64 - 1, "after April 2262"),
    ],
)
def test_a_time_in_another_unit_is_rejected_and_never_guessed(time: int, reason: str) -> None:
    """The rest of the batch is taken."""
    count, rejected, said = refused_reason(decoded(logs(log(time_unix_nano=time), log())))
    assert (1, 1) == (count, rejected)
    assert reason in said


def test_a_time_in_the_future_is_taken() -> None:
    """Clocks are wrong; a time that can be stored is stored."""
    (row,) = rows(logs(log(time_unix_nano=AT + 100 * YEAR)))
    assert AT + 100 * YEAR == row["time"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("trace_id", b"\x01" * 15), ("trace_id", b"\x01" * 32), ("span_id", b"\x01" * 7)],
)
def test_an_identifier_of_a_wrong_length_rejects_its_record(field: str, value: bytes) -> None:
    count, rejected, reason = refused_reason(decoded(logs(log(**{field: value}), log())))
    assert (1, 1) == (count, rejected)
    assert "bytes, not" in reason


def test_identifiers_of_zeros_are_none() -> None:
    (row,) = rows(logs(log(trace_id=bytes(16), span_id=bytes(8))))
    assert (None, None) == (row["trace_id"], row["span_id"])


@pytest.mark.parametrize(
    ("number", "text", "severity"),
    [
        (9, "whatever", 9),
        (0, "Warning", 13),
        (0, "Critical ", 18),
        (0, "loud", None),
        (0, "", None),
        (99, "error", 17),
        (-1, "", None),
    ],
)
def test_a_severity_is_a_known_number_or_what_its_text_means(
    number: int, text: str, severity: int | None
) -> None:
    (row,) = rows(logs(log(severity_number=number, severity_text=text)))
    assert severity == row["severity"]
    assert (text or None) == row["severity_text"]


def _spoiled(good: bytes, bad: bytes) -> Message:
    """A request with a text replaced by bytes that are no UTF-8, which protobuf would not write."""
    request = logs(log(body=good.decode()), log(body="fine"))
    body = request.SerializeToString()
    assert 1 == body.count(good)
    return _Raw(body.replace(good, bad))  # type: ignore[return-value]  # it serialises, as asked


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def SerializeToString(self) -> bytes:  # noqa: N802 - protobuf's name
        return self._body


def test_a_text_that_is_no_utf8_rejects_its_record_only() -> None:
    body = _spoiled(b"GOOD", b"\xff\xfe\xfd\xfc").SerializeToString()
    found = OtlpDecoder(Joiner(AIRLINE)).decode(Signal.LOGS, body, at=AT)
    assert (1, 1, "a text is not UTF-8 (1)") == refused_reason(found)


def test_long_texts_are_cut_with_a_mark() -> None:
    small = Limits(value=50, body=60, name=40, attributes=3)
    record = log(
        body="b" * 100,
        severity_text="s" * 100,
        attributes={"long": "v" * 100, "list": ["v" * 30] * 3, "k" * 100: 1, "d": 1, "e": 1},
    )
    found = OtlpDecoder(Joiner(AIRLINE), small).decode(
        Signal.LOGS, logs(record).SerializeToString(), at=AT
    )
    (row,) = found.table.to_pylist()
    assert (60, 40) == (len(row["body"]), len(row["severity_text"]))
    assert row["body"].endswith(MARK)
    kept = json.loads(row["attributes"])
    assert 50 == len(kept["long"])
    assert kept["list"].endswith(MARK)
    assert 2 == kept[LEFT_OUT]
    assert 4 == len(kept)


def test_the_last_of_a_repeated_attribute_counts() -> None:
    record = log()
    for value in ("first", "last"):
        added = record.attributes.add()
        added.key = "k"
        added.value.string_value = value
    (row,) = rows(logs(record))
    assert '{"k":"last"}' == row["attributes"]


def test_records_of_one_resource_find_their_own_owners() -> None:
    """An untagged relay: each record's attributes decide."""
    found = rows(
        logs(
            log(attributes={"app": "cargo"}),
            log(attributes={"app": "ticketing", "env": "prod"}),
            log(),
            resource={"service.name": "relay"},
        )
    )
    assert [("cargo", 1), ("ticketing", 1), (None, None)] == [
        (row["app"], row["rung"]) for row in found
    ]
    assert "service.namespace" == found[2]["missing"]


def test_claimants_are_listed_when_there_are_two() -> None:
    (row,) = rows(logs(log(), resource={"service.name": "api"}))
    assert (None, 2, '["cargo","ticketing"]') == (row["app"], row["rung"], row["claimants"])


def test_a_decoder_gives_the_same_rows_again() -> None:
    """What it remembers between batches changes nothing."""
    request = logs(
        log(attributes={"a": 1}), log(attributes={"a": 1.0}), log(attributes={"a": "1"})
    ).SerializeToString()
    one = OtlpDecoder(Joiner(AIRLINE))
    first = one.decode(Signal.LOGS, request, at=AT).table
    assert first.equals(one.decode(Signal.LOGS, request, at=AT).table)
    assert ['{"a":1}', '{"a":1.0}', '{"a":"1"}'] == first["attributes"].to_pylist()
