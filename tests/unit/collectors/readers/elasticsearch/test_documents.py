"""Documents, however strange, become rows or are left out; none is an error."""

import json

import pytest

from collectors.readers.elasticsearch.documents import flat, log_row, nanoseconds, span_row, text
from collectors.readers.elasticsearch.layouts import HEADROOM, LAYOUTS, OTEL
from collectors.signals import SCHEMAS, Signal

NOON = 1_760_011_200_000_000_000


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2025-10-09T12:00:00Z", NOON),
        ("2025-10-09T12:00:00.123456789Z", NOON + 123_456_789),
        ("2025-10-09T14:00:00.5+02:00", NOON + 500_000_000),
        ("2025-10-09 12:00:00", NOON),
        (1_760_011_200_000, NOON),
        ("1760011200000.5", NOON + 500_000),
        ("1760011200000", NOON),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000_000_000),
        ("2025-13-40T12:00:00Z", None),
        ("yesterday", None),
        ("1e999", None),
        ("9" * 5000, None),
        (None, None),
        (True, None),
        (["2025"], None),
    ],
)
def test_times_are_read_or_are_none(written: object, expected: int | None) -> None:
    """As dates and as milliseconds, in each way that collectors write."""
    assert expected == nanoseconds(written)


def test_names_with_dots_and_objects_are_the_same() -> None:
    """One collector nests what another writes with dots."""
    expected = {"a.b.c": 1, "a.d": [2]}

    assert expected == flat({"a": {"b.c": 1}, "a.d": [2]})
    assert expected == flat({"a.b": {"c": 1}, "a": {"d": [2], "e": None}})


def test_nesting_without_end_is_bounded() -> None:
    """A document of a thousand levels is read, and the rest is one value."""
    document: dict[str, object] = {"x": 1}
    for _ in range(1000):
        document = {"x": document}

    assert 1 == len(flat(document))


def test_rows_have_the_columns_of_stored_ones() -> None:
    """No layout invents a column."""
    line = log_row({"@timestamp": "2025-10-09T12:00:00Z", "message": "x"}, HEADROOM)
    assert line is not None
    assert set(line) <= set(SCHEMAS[Signal.LOGS].names)
    assert {"time": NOON, "observed": NOON, "body": "x", "app": None} == {
        name: line[name] for name in ("time", "observed", "body", "app")
    }
    document = flat(
        {
            "@timestamp": "2025-10-09T12:00:00Z",
            "trace_id": "a",
            "span_id": "b",
            "duration": 5,
            "kind": "Server",
            "status": {"code": "Error"},
        }
    )
    row = span_row(document, OTEL)
    assert row is not None
    assert set(row) <= set(SCHEMAS[Signal.SPANS].names)
    assert ("server", "error", 5, NOON + 5) == tuple(
        row[name] for name in ("kind", "status", "duration", "end")
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("value", [None, [], {}, "x", -1, True, [{}], {"a": []}, float("nan")])
def test_any_value_anywhere_is_no_error(layout: str, value: object) -> None:
    """Fields of other types than expected are left out or read as text."""
    for name, places in LAYOUTS[layout].columns.items():
        for place in places:
            document = flat({"@timestamp": "2025-10-09T12:00:00Z", place.path: value})
            line = log_row(document, LAYOUTS[layout])
            span = span_row(document, LAYOUTS[layout])
            assert line is None or isinstance(line["time"], int), name
            assert span is None, "it has no identifiers"


def test_severities_come_from_words_and_numbers() -> None:
    """The surer one counts, and a word that means nothing is no severity."""

    def severity(**fields: object) -> object:
        found = log_row({"@timestamp": 1, **fields}, HEADROOM)
        return None if found is None else found["severity"]

    assert 17 == severity(**{"log.level": "ERROR", "event.severity": 3})
    assert 13 == severity(**{"event.severity": 13})
    assert severity(**{"log.level": "loud"}) is None
    assert severity(**{"event.severity": 99}) is None


def test_sampled_spans_stand_for_others() -> None:
    """By the count that is stated, by the trace state, or by an attribute."""

    def weight(**fields: object) -> object:
        document = {"@timestamp": 1, "trace_id": "a", "span_id": "b", "duration": 1, **fields}
        found = span_row(document, OTEL)
        return None if found is None else found["weight"]

    assert 1.0 == weight()
    assert 8.0 == weight(trace_state="ot=p:3")
    assert 5.0 == weight(**{"attributes.SampleRate": 5})


def test_texts_are_what_people_read() -> None:
    """The first of several, numbers as numbers, objects as JSON."""
    assert "a" == text(["a", "b"])
    assert "true" == text([True])
    assert "1.5" == text(1.5)
    assert json.dumps({"a": 1}, separators=(",", ":")) == text({"a": 1})
    assert text([]) is None
    assert text("") is None
