"""Requests of logs are read by columns; the table is the one that rows make."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from collectors.joining import Joiner
from collectors.receive import OtlpDecoder
from collectors.receive import logs as by_rows
from collectors.receive.batch import Batch, Memory
from collectors.receive.decoded import Decoded, Refused
from collectors.receive.limits import Limits
from collectors.receive.log_columns import log_columns
from collectors.receive.views import otlp
from collectors.receive.wire import parse
from collectors.signals import Signal
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import AT, TICKETING, attributes, log

LIMITS = Limits(body=300, attributes=4)
TEXTS = st.one_of(st.text(max_size=20), st.text("añ€😀", min_size=120, max_size=140))
BODIES = st.one_of(st.none(), TEXTS, st.integers(0, 9), st.lists(st.text(max_size=3), max_size=2))
KEYS = st.sampled_from(["app", "db.system", "server.address", "http.route", "k8s.pod.uid", "ü\n"])
TIMES = st.sampled_from([(0, 0), (0, AT + 7), (AT, 0), (AT + 1, 5), (AT + 10**9, AT)])
"""When a record happened and was observed."""
RECORDS = st.builds(
    lambda times, **more: log(time_unix_nano=times[0], observed_time_unix_nano=times[1], **more),
    TIMES,
    severity_number=st.integers(-1, 26),
    severity_text=st.sampled_from(["", "warn", "?"]),
    event_name=st.sampled_from(["", "checkout"]),
    body=BODIES,
    attributes=st.dictionaries(KEYS, st.one_of(TEXTS, st.integers(0, 3)), max_size=4),
    flags=st.sampled_from([0, 1, 2**32 - 1]),
    trace_id=st.sampled_from([b"", bytes(16), b"\x0a" * 16]),
    span_id=st.sampled_from([b"", bytes(8), b"\x0b" * 8]),
)
RESOURCES = st.sampled_from(
    [TICKETING, {"service.name": "cargo-api"}, {"k8s.pod.uid": "one"}, {}, {"x": "y"}]
)


def _request(sent: Sequence[tuple[Mapping[str, object], Sequence[LogRecord]]]) -> bytes:
    request = ExportLogsServiceRequest()
    for resource, records in sent:
        added = request.resource_logs.add()
        added.resource.attributes.extend(attributes(resource))
        added.scope_logs.add().log_records.extend(records)
    return request.SerializeToString()


def _rows(body: bytes) -> list[dict[str, Any]]:
    batch = Batch(Memory(Joiner(AIRLINE), LIMITS), AT)
    by_rows.add_logs(batch, parse(otlp()["Logs"], body, "request"))
    assert 0 == batch.rejects.count
    return batch.decoded(Signal.LOGS, by_rows.COLUMNS).table.to_pylist()


def _columns(body: bytes) -> list[dict[str, Any]]:
    """Read by columns alone, where the decoder would turn to rows."""
    batch = Batch(Memory(Joiner(AIRLINE), LIMITS), AT)
    batch.columns = log_columns(batch, body)
    return batch.decoded(Signal.LOGS, by_rows.COLUMNS).table.to_pylist()


@given(
    st.lists(
        st.tuples(RESOURCES, st.lists(RECORDS, min_size=1, max_size=4)), min_size=1, max_size=4
    )
)
def test_columns_and_rows_make_the_same_table(
    sent: list[tuple[Mapping[str, object], list[LogRecord]]],
) -> None:
    """Owners, texts of every length, absent parts and structured bodies included."""
    body = _request(sent)
    assert _rows(body) == _columns(body)


@pytest.mark.parametrize(
    "odd",
    [
        log(time_unix_nano=12),
        log(time_unix_nano=2**64 - 1),
        log(trace_id=b"\x01"),
        log(attributes={f"key{number}": "v" for number in range(5)}),
        LogRecord(time_unix_nano=AT, attributes=[*attributes({"a": 1}), *attributes({"a": 2})]),
    ],
    ids=["seconds", "far future", "short trace", "many attributes", "repeated key"],
)
def test_what_needs_a_closer_look_is_left_to_rows(odd: LogRecord) -> None:
    with pytest.raises(ValueError, match=r"."):
        _columns(_request([(TICKETING, [log(), odd])]))


def test_one_bad_text_costs_one_record() -> None:
    """The others of its request are stored in their order."""
    body = _request([(TICKETING, [log(body="one"), log(body="bad!"), log(body="two")])])
    found = OtlpDecoder(Joiner(AIRLINE)).decode(
        Signal.LOGS, body.replace(b"bad!", b"ba\xff!"), at=AT
    )
    assert ["one", "two"] == found.table.column("body").to_pylist()
    assert (1, "a text is not UTF-8 (1)") == (found.rejected, found.reason)


def _outcome(read: Callable[[], Decoded]) -> object:
    try:
        found = read()
    except Refused as refusal:
        return refusal.status
    return found.table.to_pylist(), found.rejected, found.reason


def _by_rows_alone(body: bytes) -> Decoded:
    request = parse(otlp()["Logs"], body, "request")
    batch = Batch(Memory(Joiner(AIRLINE), LIMITS), AT)
    by_rows.add_logs(batch, request)
    return batch.decoded(Signal.LOGS, by_rows.COLUMNS)


@given(
    st.lists(st.tuples(RESOURCES, st.lists(RECORDS, max_size=3)), min_size=1, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=3)),
        min_size=1,
        max_size=4,
    ),
)
@settings(max_examples=600)
def test_broken_bytes_are_judged_as_one_by_one(
    sent: list[tuple[Mapping[str, object], list[LogRecord]]],
    damage: list[tuple[int, int, bytes]],
) -> None:
    """Two libraries read the wire; neither takes what the other refuses."""
    body = _request(sent)
    for place, removed, added in damage:
        cut = place % (len(body) + 1)
        body = body[:cut] + added + body[cut + removed :]
    decoder = OtlpDecoder(Joiner(AIRLINE), LIMITS)
    assert _outcome(lambda: _by_rows_alone(body)) == _outcome(
        lambda: decoder.decode(Signal.LOGS, body, at=AT)
    )
