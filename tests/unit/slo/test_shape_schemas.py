"""The schemas that shapes give: they take and refuse what the shapes do."""

from decimal import Decimal

import pytest

from slo.shape import (
    Anything,
    Choice,
    Date,
    DurationText,
    Either,
    Field,
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
    schema_document,
)
from tests.unit.slo.shapes import (
    GOOD,
    INDICATOR,
    NAME,
    SLO,
    SLOS,
    accepts,
    read,
)


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (NAME, "abc"),
        (NAME, "Abc"),
        (NAME, "'a b'"),
        (NAME, "a" * 41),
        (NAME, "[a]"),
        (NAME, "''"),
        (Text(), '"a\\tb"'),
        (Text(), '"\\u202e"'),
        (Text(multiline=True), '"a\\nb"'),
        (Text(multiline=True), '"a\\u0007"'),
        (Text(literal=True), "1"),
        (Text(literal=True), "true"),
        (Percent(), "99.9"),
        (Percent(), "'99.90'"),
        (Percent(), "100"),
        (Percent(), "0.999"),
        (Percent(), "'99,9'"),
        (Percent(), "0"),
        (Percent(), "-1"),
        (Percent(), ".nan"),
        (Percent(), "'100'"),
        (Percent(), "1"),
        (Percent(), "'0.5'"),
        (Percent(), "[]"),
        (Number(), "1.5"),
        (Number(), "'1.5'"),
        (Number(), ".inf"),
        (Number(), "1e999"),
        (Number(minimum=Decimal("0.5")), "0.4"),
        (Number(maximum=Decimal(2)), "3"),
        (Number(above=Decimal(0), below=Decimal(1)), "0"),
        (Number(above=Decimal(0), below=Decimal(1)), "1"),
        (Number(above=Decimal(0), below=Decimal(1)), "0.5"),
        (Integer(), "1"),
        (Integer(), "1.5"),
        (Integer(), "'1'"),
        (Integer(minimum=2, maximum=3), "1"),
        (Integer(minimum=2, maximum=3), "4"),
        (Flag(), "true"),
        (Flag(), "yes"),
        (Flag(), "'true'"),
        (DurationText(), "30d"),
        (DurationText(), "1h30m"),
        (DurationText(), "30m1h"),
        (DurationText(), "30"),
        (DurationText(), "5"),
        (DurationText(), "soon"),
        (Choice(choices=("a", "b")), "a"),
        (Choice(choices=("a", "b")), "c"),
        (Url(), "https://x.example/a"),
        (Url(), "x"),
        (Url(), "https://u:p@x"),
        (Date(), "2026-12-20"),
        (Date(), "20.12.2026"),
        (ListOf(shape=NAME, min_items=1, max_items=2), "[]"),
        (ListOf(shape=NAME), "a"),
        (ListOf(shape=NAME, min_items=1, max_items=2), "[a, b, c]"),
        (ListOf(shape=NAME), "[a]"),
        (ListOf(shape=NAME, unique=True), "[a, a]"),
        (ListOf(shape=NAME, unique=True), "[a, b]"),
        (MapOf(key=NAME, shape=NAME, min_items=1), "{}"),
        (MapOf(key=NAME, shape=NAME), "{A: b}"),
        (MapOf(key=NAME, shape=NAME), "{a: b}"),
        (MapOf(key=NAME, shape=NAME), "{a: }"),
        (SLOS, GOOD),
        (SLOS, "[]"),
        (SLOS, "[{}]"),
        (SLOS, GOOD + "  x: 1\n"),
        (SLOS, GOOD.replace("bad: b_total", "bad: b, good: c")),
        (SLOS, GOOD.replace("bad: b_total", "")),
        (SLOS, GOOD.replace("total: a_total, ", "")),
        (SLOS, GOOD.replace("  objective: 99.90\n", "")),
        (SLOS, GOOD.replace("99.90", "~")),
        (Either(scalar=NAME, mapping=INDICATOR), "a"),
        (Either(scalar=NAME, mapping=INDICATOR), "[a]"),
        (Either(scalar=NAME, mapping=INDICATOR), "{probe: p}"),
        (Anything(), "{a: [1, ~]}"),
    ],
)
def test_reader_and_schema_agree(shape: Shape[object], text: str) -> None:
    """What the reader takes a schema validator takes, and what one refuses the other does."""
    _, problems = read(shape, text)
    assert (not problems) == accepts(shape, text)


def test_schema_describes_itself() -> None:
    """Descriptions and defaults, typed, are part of the schema; other keys are forbidden."""
    schema = schema_document(SLO, title="SLO")
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert ("SLO", "One objective.", False) == tuple(
        schema[key] for key in ("title", "description", "additionalProperties")
    )
    assert "Its name in the app." == properties["name"]["description"]
    assert ("30d", 1000, True) == tuple(
        properties[key]["default"] for key in ("window", "minEvents", "enabled")
    )
    assert ["name", "objective", "indicator"] == schema["required"]


def test_default_must_have_its_shape() -> None:
    """A default that the shape itself would refuse is a mistake of the code."""
    with pytest.raises(ValueError, match="a duration"):
        read(Record(fields={"k": Field(shape=DurationText(), default="soon")}), "{}")
