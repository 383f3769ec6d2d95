"""Shapes: what they read, what they say about the rest, and the schemas they give."""

from datetime import date
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from slo.problems import Problem
from slo.shape import (
    UNREADABLE,
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
    Variant,
    schema_document,
)
from slo.source import Node, parse_documents, to_plain
from slo.suggest import suggest
from slo.units import Duration

NAME = Text(pattern="[a-z][a-z0-9-]*", form="a name of lowercase letters", max_length=40)
INDICATOR = Record(
    fields={
        "events": Field(
            shape=Record(
                fields={
                    "total": Field(shape=Text(multiline=True), required=True),
                    "bad": Field(shape=Text(multiline=True)),
                    "good": Field(shape=Text(multiline=True)),
                },
                exactly_one_of=(("bad", "good"),),
            )
        ),
        "probe": Field(shape=Text()),
    },
    exactly_one_of=(("events", "probe"),),
)
SLO = Record(
    description="One objective.",
    fields={
        "name": Field(shape=NAME, required=True, description="Its name in the app."),
        "objective": Field(shape=Percent(), required=True),
        "window": Field(shape=DurationText(), default="30d"),
        "minEvents": Field(shape=Integer(minimum=0), default="1000"),
        "enabled": Field(shape=Flag(), default="true"),
        "indicator": Field(shape=INDICATOR, required=True),
        "labels": Field(shape=MapOf(key=Text(pattern="[a-zA-Z_]+"), shape=Text(literal=True))),
    },
)
SLOS = ListOf(shape=SLO, min_items=1, unique_by="name")
GOOD = """\
- name: availability
  objective: 99.90
  indicator: {events: {total: a_total, bad: b_total}}
  labels: {tier: 1, cost: no}
"""


def node_of(text: str) -> Node:
    """Return the root of a text that parses."""
    documents, problems = parse_documents(text, "f.yaml")
    assert not problems
    return documents[0].root


def read(shape: Shape[object], text: str) -> tuple[object, list[Problem]]:
    """Return what a shape makes of a text, and its problems."""
    problems: list[Problem] = []
    return shape.read(node_of(text), problems), problems


def told(problems: list[Problem]) -> list[str]:
    """Return place, id and message of each problem."""
    lines = []
    for problem in problems:
        assert problem.span is not None
        lines.append(f"{problem.span.line}:{problem.span.column} {problem.id} {problem.message}")
    return lines


def complaint(shape: Shape[object], text: str) -> tuple[str, str, str | None]:
    """Return id, message and hint of the only problem of the value under a key."""
    value, problems = read(Record(fields={"k": Field(shape=shape)}), f"k: {text}")
    assert isinstance(value, Fields)
    assert "k" not in value
    assert not value.complete
    (problem,) = problems
    return problem.id, problem.message, problem.hint


def slos(text: str) -> tuple[tuple[Fields, ...], list[Problem]]:
    """Return the records of a list of SLOs, and the problems."""
    whole, problems = read(Record(fields={"slos": Field(shape=SLOS)}), f"slos:\n{text}")
    assert isinstance(whole, Fields)
    return whole.each("slos", Fields), problems


def test_record_gives_values_by_key() -> None:
    """Values come back typed, exact and with defaults."""
    (slo,), problems = slos(GOOD)
    assert [] == problems
    assert slo.complete
    assert "99.90" == str(slo.need("objective", Decimal))
    assert Duration.parse("30d") == slo.get("window", Duration)
    assert 1000 == slo.get("minEvents", int)
    assert slo.get("enabled", bool) is True
    assert {"tier": "1", "cost": "no"} == slo.mapping("labels", str)
    events = slo.need("indicator", Fields).need("events", Fields)
    assert ("a_total", "b_total", None) == tuple(
        events.get(key, str) for key in ("total", "bad", "good")
    )


def test_record_gives_places() -> None:
    """Keys, values, items and pairs have places; a default has that of its record."""
    (slo,), _ = slos(GOOD)
    assert "f.yaml:3:3" == slo.key_span("objective").location
    assert "f.yaml:3:14" == slo.span("objective").location
    assert "f.yaml:2:3" == slo.span("window").location == slo.span().location
    assert "f.yaml:2:3" == slo.key_span("window").location
    assert slo.node("window") is None
    assert slo.node("objective") is not None
    pair = slo.pairs("labels", str)[1]
    assert ("f.yaml:5:21", "f.yaml:5:27") == (pair.key.span.location, pair.value.span.location)
    listed, _ = read(Record(fields={"l": Field(shape=ListOf(shape=NAME))}), "l: [a, bc]")
    assert isinstance(listed, Fields)
    assert ["f.yaml:1:5", "f.yaml:1:8"] == [each.span.location for each in listed.items("l", str)]


def test_absent_keys_are_empty() -> None:
    """An absent value is None, an absent list or mapping has nothing in it."""
    (slo,), _ = slos(GOOD.replace("  labels: {tier: 1, cost: no}\n", ""))
    assert slo.get("labels", tuple) is None
    assert ((), {}, ()) == (
        slo.each("labels", str),
        slo.mapping("labels", str),
        slo.items("x", str),
    )
    with pytest.raises(KeyError):
        slo.need("labels", tuple)


def test_wrong_expectation_is_a_mistake_of_the_code() -> None:
    """Asking for another type than the shape gives raises, so it shows in any test."""
    (slo,), _ = slos(GOOD)
    with pytest.raises(TypeError, match="objective is Decimal, not str"):
        slo.get("objective", str)
    with pytest.raises(TypeError):
        slo.mapping("labels", int)


def test_all_problems_are_found_at_once() -> None:
    """One reading reports everything, and the records that are right stay usable."""
    text = GOOD + (
        "- name: Latency\n"
        "  objectve: 99\n"
        "  window: 30\n"
        "  enabled: yes\n"
        "  indicator: {events: {bad: x, good: y}, probe: z}\n"
        "- 5\n"
        "- {name: availability, objective: 99, indicator: {}}\n"
        "- {colour: red}\n"
    )
    records, problems = slos(text)
    assert [True, False, False, False] == [record.complete for record in records]
    assert [
        '6:9 spec/bad-text "Latency" is not a name of lowercase letters',
        '7:3 spec/unknown-key unknown key "objectve"; did you mean "objective"?',
        '8:11 spec/bad-duration "30": a duration is a number with a unit, such as 5m or 1h30m',
        '9:12 spec/wrong-type expected true or false, found "yes"',
        '10:23 spec/missing-key missing key "total"',
        '10:32 spec/exclusive-keys "good" cannot be set together with "bad"',
        '10:42 spec/exclusive-keys "probe" cannot be set together with "events"',
        '11:3 spec/wrong-type expected a mapping, found "5"',
        "12:50 spec/missing-key missing one of the keys events or probe",
        '13:4 spec/unknown-key unknown key "colour"',
        '13:3 spec/missing-key missing key "name"',
        '13:3 spec/missing-key missing key "objective"',
        '13:3 spec/missing-key missing key "indicator"',
        '12:10 spec/duplicate-item name "availability" is used twice in this list',
    ] == told(problems)


def test_misspelt_key_is_not_missing_too() -> None:
    """A required key that was only misspelt is reported once."""
    _, problems = read(SLO, "{name: a, Objective: 99, indicator: {events_: {total: a, bad: b}}}")
    assert ["spec/unknown-key", "spec/unknown-key"] == [problem.id for problem in problems]


def test_duplicates_name_both_places() -> None:
    """The second item is reported with the first beside it; equal scalars count where asked."""
    _, problems = read(ListOf(shape=NAME, unique=True), "[a, b, a]")
    assert ['1:8 spec/duplicate-item "a" is used twice in this list'] == told(problems)
    assert "f.yaml:1:2" == problems[0].related[0][0].location


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


@pytest.mark.parametrize(
    ("shape", "text", "id_"),
    [
        (ListOf(shape=NAME, min_items=1), "[]", "spec/too-few-items"),
        (ListOf(shape=NAME, max_items=1), "[a, b]", "spec/too-long"),
        (ListOf(shape=NAME), "[a, ~]", "spec/missing-value"),
        (ListOf(shape=NAME, unique=True), "[a, a]", "spec/duplicate-item"),
        (MapOf(key=NAME, shape=NAME, min_items=1), "{}", "spec/too-few-items"),
        (MapOf(key=NAME, shape=NAME), "{A: b}", "spec/bad-text"),
        (MapOf(key=NAME, shape=NAME), "{a: B}", "spec/bad-text"),
    ],
)
def test_collections_keep_what_is_right(shape: Shape[object], text: str, id_: str) -> None:
    """A collection with a problem is still read, so that its other values can be checked."""
    value, problems = read(shape, text)
    assert value is not UNREADABLE
    assert [id_] == [problem.id for problem in problems]


GROUPS = Record(
    fields={key: Field(shape=Text()) for key in ("a", "b", "c", "d")},
    at_least_one_of=(("a", "b"),),
    forbid_together=(("b", "c", "d"),),
    needs={"d": ("a",)},
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{a: x}", []),
        ("{a: x, b: y}", []),
        ("{a: x, d: y}", []),
        ("{c: x}", ["1:1 spec/missing-key missing one of the keys a or b"]),
        ("{b: x, c: y}", ['1:8 spec/exclusive-keys "c" cannot be set together with "b"']),
        (
            "{b: x, d: y}",
            [
                '1:8 spec/exclusive-keys "d" cannot be set together with "b"',
                '1:8 spec/needs-key "d" needs "a" beside it',
            ],
        ),
    ],
)
def test_groups_of_keys(text: str, expected: list[str]) -> None:
    """Keys may need one another, exclude one another, or stand in for one another."""
    _, problems = read(GROUPS, text)
    assert expected == told(problems)
    assert (not expected) == accepts(GROUPS, text)


RULE = Variant(
    tag="type",
    records={
        "error_budget": Record(fields={"freezeAt": Field(shape=Number(), default="0")}),
        "freeze_window": Record(fields={"from": Field(shape=Date(), required=True)}),
    },
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{type: error_budget, freezeAt: 0.5}", []),
        ("{from: 2026-12-20, type: freeze_window}", []),
        ("{type: freeze_window}", ['1:1 spec/missing-key missing key "from"']),
        ("{type: error_budget, from: '2026-12-20'}", ['1:22 spec/unknown-key unknown key "from"']),
        (
            "{type: error-budget}",
            [
                (
                    "1:8 spec/bad-choice expected error_budget or freeze_window, found "
                    '"error-budget"; did you mean "error_budget"?'
                )
            ],
        ),
        (
            "{freezeAt: 1}",
            ['1:1 spec/missing-key missing key "type": error_budget or freeze_window'],
        ),
        ("[]", ["1:1 spec/wrong-type expected a mapping, found a list"]),
    ],
)
def test_variants_are_told_apart_by_their_tag(text: str, expected: list[str]) -> None:
    """The value of one key decides which other keys are known, in the schema too."""
    _, problems = read(RULE, text)
    assert expected == told(problems)
    assert (not expected) == accepts(RULE, text)


def accepts(shape: Shape[object], text: str) -> bool:
    """Tell whether a schema validator takes the text, loaded by YAML 1.2's core rules."""
    schema = schema_document(shape, title="test")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(to_plain(node_of(text)))


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


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("objectve", "objective"),
        ("OBJECTIVE", "objective"),
        ("slower_than", "slowerThan"),
        ("slower-than", "slowerThan"),
        ("colour", None),
        ("o" * 10_000, None),
    ],
)
def test_suggestions(word: str, expected: str | None) -> None:
    """A near word is found whatever its case and hyphens; a far one is not guessed."""
    assert expected == suggest(word, ["name", "objective", "slowerThan"])
