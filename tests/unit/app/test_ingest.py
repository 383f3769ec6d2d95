"""Files of lines into a store: every line counted, bad ones named, none stored twice."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.ingest import Fault, Ingest, Tally, batches, field_map
from collectors.signals import Signal
from collectors.store import StoreReader, StoreWriter
from slo.errors import UsageError
from tests.unit.collectors.joining.catalogs import AIRLINE

AT = 1_760_000_000 * 10**9


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[StoreWriter]:
    with StoreWriter(tmp_path / "store") as writer:
        yield writer


def stored(tmp_path: Path, signal: Signal = Signal.LOGS) -> list[dict[str, object]]:
    reader = StoreReader(tmp_path / "store")
    rows: list[dict[str, object]] = reader.query(
        signal, "SELECT * FROM records ORDER BY time"
    ).to_pylist()
    return rows


def take(ingest: Ingest, content: bytes, *, keep: bool = True) -> Tally:
    tally = Tally()
    read = sum(ingest.store(io.BytesIO(content), AT, tally, keep=keep))
    assert len(content) == read
    return tally


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in values)


def test_every_record_is_counted_by_what_became_of_it(tmp_path: Path, writer: StoreWriter) -> None:
    """Its app, several claimants, or nobody."""
    content = lines(
        {"msg": "tagged", "app": "ticketing", "env": "prod"},
        {"msg": "shared", "host.name": "shared-host"},
        {"msg": "nobody's"},
    )

    tally = take(Ingest(writer, AIRLINE), content)

    assert (3, 3, 0, 0) == (tally.lines, tally.stored, tally.duplicates, tally.rejected)
    assert (1, 1, 1) == (tally.attributed, tally.ambiguous, tally.unattributed)
    assert {"logs": 3} == tally.signals
    assert {"ticketing", None} == {row["app"] for row in stored(tmp_path)}


def test_bad_lines_are_named_and_cost_themselves_only(writer: StoreWriter) -> None:
    """By their number in the file, whichever batch they fall into."""
    good = lines({"msg": "good", "time": "2025-10-10T00:00:00Z"})
    content = good * 5_000 + b"nonsense\n" + good + b'{"time": "noon", "msg": "x"}\n' + good

    tally = take(Ingest(writer, AIRLINE), content)

    assert (5_004, 5_002, 2) == (tally.lines, tally.stored, tally.rejected)
    assert [5_001, 5_003] == [fault.line for fault in tally.faults]
    assert "no JSON" in tally.faults[0].reason
    assert not tally.faults[0].reason.startswith("line")


def test_of_many_bad_lines_the_first_are_named(writer: StoreWriter) -> None:
    """All are counted."""
    tally = take(Ingest(writer, AIRLINE), b"x\n" * 1000)

    assert (1000, 20) == (tally.rejected, len(tally.faults))
    assert [Fault(line=number, reason=tally.faults[0].reason) for number in range(1, 21)] == (
        tally.faults
    )


def test_a_file_that_is_read_twice_counts_once(tmp_path: Path, writer: StoreWriter) -> None:
    """Even long afterwards; read with another mapping, it is another file."""
    content = lines(*({"msg": f"{number}"} for number in range(20)))
    first = take(Ingest(writer, AIRLINE), content)
    second = take(Ingest(writer, AIRLINE), content)
    third = take(Ingest(writer, AIRLINE, mapping=field_map("event=msg")), content)

    assert [(20, 0), (0, 20), (20, 0)] == [
        (each.stored, each.duplicates) for each in (first, second, third)
    ]
    assert 40 == len(stored(tmp_path))


def test_lines_of_otlp_are_taken_as_a_collector_writes_them(
    tmp_path: Path, writer: StoreWriter
) -> None:
    """Each line is a request of any signal."""
    span = {
        "traceId": "1" * 32,
        "spanId": "2" * 16,
        "name": "GET",
        "startTimeUnixNano": str(AT),
        "endTimeUnixNano": str(AT + 1),
    }
    resource = {"attributes": [{"key": "service.namespace", "value": {"stringValue": "cargo"}}]}
    request = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}

    tally = take(Ingest(writer, AIRLINE), lines(request))

    assert {"spans": 1} == tally.signals
    assert ["cargo"] == [row["app"] for row in stored(tmp_path, Signal.SPANS)]


def test_lines_that_say_nothing_are_the_app_s_that_is_named(
    tmp_path: Path, writer: StoreWriter
) -> None:
    """Those that say something are not."""
    content = lines({"msg": "silent"}, {"msg": "tagged", "app": "cargo"})

    take(Ingest(writer, AIRLINE, app="ticketing"), content)

    assert {"silent": "ticketing", "tagged": "cargo"} == {
        row["body"]: row["app"] for row in stored(tmp_path)
    }


def test_fields_mean_what_the_mapping_says() -> None:
    """The usual names still count, after those that were given."""
    fields = field_map("time=when, msg=text,trace=tid")

    assert ("when", "text", "tid") == (fields.time[0], fields.message[0], fields.trace_id[0])
    assert "@timestamp" in fields.time
    for text, message in (
        ("time", "is no MEANING=FIELD"),
        ("tme=ts", 'unknown meaning "tme"; did you mean "time"'),
        ("resource=x", 'unknown meaning "resource"'),
    ):
        with pytest.raises(UsageError, match=message):
            field_map(text)


def test_a_line_without_end_takes_no_memory() -> None:
    """Of a line that is too long only as much is kept as tells that."""
    content = b"a" * 1000 + b"\nshort\n" + b"b" * 50

    (found,) = batches(io.BytesIO(content), 10)

    assert (b"a" * 11, b"short\n", b"b" * 11) == found.lines
    assert len(content) == found.read


def test_batches_are_bounded_by_lines_and_by_bytes() -> None:
    """Numbers go on over batches."""
    content = b"1\n2\n3\n4\n" + b"x" * 200 + b"\n6\n"

    found = batches(io.BytesIO(content), 1000, most=3, largest=100)
    assert [(1, 3), (4, 2), (6, 1)] == [(each.first, len(each.lines)) for each in found]
