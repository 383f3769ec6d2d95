"""Shapes of single values: what they read, and what they say about the rest."""

from datetime import date
from decimal import Decimal

import pytest

from slo.shape import (
    Anything,
    Choice,
    Date,
    DurationText,
    Either,
    Field,
    Fields,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Number,
    Percent,
    Record,
    Shape,
    Text,
    Url,
)
from slo.units import Duration
from tests.unit.slo.shapes import (
    INDICATOR,
    NAME,
    SLO,
    complaint,
    read,
)


@pytest.mark.parametrize(
    ("shape", "text", "value"),
    [
        (Text(), "no", "no"),
        (Text(), "12:30:00", "12:30:00"),
        (Text(), "1.10", "1.10"),
        (Text(), "'null'", "null"),
        (Text(min_length=0), "''", ""),
        (Text(multiline=True), "|\n  a\n  b\n", "a\nb"),
        (Percent(), "1.10", Decimal("1.10")),
        (Percent(), "'99.50'", Decimal("99.50")),
        (Number(), "1e-3", Decimal("0.001")),
        (Number(), "-.5", Decimal("-0.5")),
        (Integer(), "-17", -17),
        (Flag(), "false", False),
        (DurationText(), "1h30m", Duration.of(minutes=90)),
        (DurationText(allow_zero=True), "0s", Duration.of()),
        (Choice(choices=("page", "ticket")), "ticket", "ticket"),
        (Url(), "https://mimir.example.com:8080/prometheus?a=b", None),
        (Url(), "http://[::1]:9090", None),
        (Date(), "2026-12-20", date(2026, 12, 20)),
        (Anything(), "{a: [1, x, 1.5, true, ~]}", {"a": [1, "x", 1.5, True, None]}),
        (Either(scalar=Text(), mapping=INDICATOR), "text", "text"),
    ],
)
def test_good_values_are_read(shape: Shape[object], text: str, value: object) -> None:
    """Each shape reads its values exactly; the schema takes them too."""
    fields, problems = read(Record(fields={"k": Field(shape=shape)}), f"k: {text}")
    assert [] == problems
    assert isinstance(fields, Fields)
    assert (text if value is None else value) == fields.value("k")


@pytest.mark.parametrize(
    ("shape", "text", "id_", "hint"),
    [
        (Text(), "", "spec/missing-value", None),
        (Text(), "~", "spec/missing-value", None),
        (Text(), "null", "spec/missing-value", None),
        (Text(), "''", "spec/missing-value", None),
        (Text(), "[a]", "spec/wrong-type", None),
        (Text(), '{job="x"}', "spec/wrong-type", 'quote text that begins with "{"'),
        (Text(), '"a\\u0000"', "spec/control-character", None),
        (Text(), '"a\\u202eb"', "spec/control-character", None),
        (Text(), "|\n  a\n  b\n", "spec/control-character", "fold a block with >-, not |"),
        (Text(max_length=3), "abcd", "spec/too-long", None),
        (NAME, 'a" or vector(1) #', "spec/bad-text", None),
        (NAME, '"a\\n"', "spec/control-character", "fold a block with >-, not |"),
        (Percent(), "99,9", "spec/bad-objective", "use a point: 99.9"),
        (Percent(), "100", "spec/bad-objective", None),
        (Number(), ".nan", "spec/bad-number", None),
        (Number(), ".inf", "spec/bad-number", None),
        (Number(), "1e999", "spec/bad-number", None),
        (Number(), "9" * 5000, "spec/bad-number", None),
        (Number(), "'5'", "spec/bad-number", "leave out the quotes"),
        (Number(), "1,5", "spec/bad-number", "use a point: 1.5"),
        (Number(minimum=Decimal(1)), "0.99", "spec/out-of-range", None),
        (Number(above=Decimal(0)), "0", "spec/out-of-range", None),
        (Number(below=Decimal(1)), "1", "spec/out-of-range", None),
        (Integer(), "010", "spec/bad-number", "write it in decimal digits: 10"),
        (Integer(), "1_000", "spec/bad-number", "write it in decimal digits: 1000"),
        (Integer(), "1.5", "spec/bad-number", None),
        (Integer(), "0x10", "spec/bad-number", None),
        (Integer(), "9" * 5000, "spec/bad-number", None),
        (Integer(maximum=5), "6", "spec/out-of-range", None),
        (Flag(), "yes", "spec/wrong-type", "write true"),
        (Flag(), "off", "spec/wrong-type", "write false"),
        (Flag(), "'true'", "spec/wrong-type", "write true"),
        (Flag(), "1", "spec/wrong-type", None),
        (DurationText(), "0s", "spec/bad-duration", None),
        (DurationText(), "1d12", "spec/bad-duration", None),
        (DurationText(minimum=Duration.of(minutes=1)), "59s", "spec/out-of-range", None),
        (DurationText(maximum=Duration.of(days=1)), "25h", "spec/out-of-range", None),
        (Choice(choices=("page", "ticket")), "Page", "spec/bad-choice", None),
        (Url(), "ftp://x", "spec/bad-url", None),
        (Url(), "example.com", "spec/bad-url", "begin with https:// or http://"),
        (Url(), "javascript:alert(1)", "spec/bad-url", "begin with https:// or http://"),
        (Url(), "https://u:p@x", "spec/bad-url", None),
        (Url(), "https://x:99999", "spec/bad-url", None),
        (Url(), "'https://x/a b'", "spec/bad-url", None),
        (Date(), "2026-02-30", "spec/bad-date", None),
        (Date(), "tomorrow", "spec/bad-date", None),
        (ListOf(shape=NAME), "a", "spec/wrong-type", "a list of one is written [a]"),
        (MapOf(key=NAME, shape=NAME), "[a]", "spec/wrong-type", None),
        (SLO, "[a]", "spec/wrong-type", None),
        (Either(scalar=Text(), mapping=SLO), "[a]", "spec/wrong-type", None),
        (Either(scalar=Text(), mapping=SLO), "", "spec/missing-value", None),
    ],
)
def test_bad_values_are_explained(
    shape: Shape[object], text: str, id_: str, hint: str | None
) -> None:
    """Each shape says what it refuses, under an id of its own."""
    found, message, said = complaint(shape, text)
    assert id_ == found
    assert message
    assert hint is None or hint == said
