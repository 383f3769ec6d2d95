"""Shapes of several values: what they read, and what they say about the rest."""

from decimal import Decimal

import pytest

from slo.shape import (
    UNREADABLE,
    Date,
    Field,
    Fields,
    ListOf,
    MapOf,
    Number,
    Record,
    Shape,
    Text,
    Variant,
)
from slo.units import Duration
from tests.unit.slo.shapes import GOOD, NAME, SLO, accepts, read, slos, told


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
