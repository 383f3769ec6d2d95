"""Indicator templates: what they expand to, what they refuse, and that no value breaks out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.nodes import Mapping
from slo.problems import Problem
from slo.promql import regex_problem
from slo.templates import ParameterType
from tests.unit.slo.templating import (
    BUILT_IN,
    PLACE,
    expanded,
    node,
    own,
    query,
    refusal,
)

HOSTILE = st.sampled_from(
    [
        '"} or vector(1) #',
        'a",job=~".*',
        "\\",
        '\\"',
        "a\\",
        "$window",
        "${destination}",
        "[$window]",
        "`",
        "'",
        "#",
        "a|b",
        "(",
        ".*",
        "\\Q",
        "\\E",
        "[",
        "é😀",
    ]
)


VALUES = (
    st.lists(
        HOSTILE | st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cf"])),
        min_size=1,
        max_size=3,
    )
    .map("".join)
    .filter(bool)
)


def test_a_template_becomes_an_indicator_with_the_values_in_place() -> None:
    """Text is literal in a regex matcher, a regex is grouped there, and defaults fill the rest."""
    found, problems = expanded(own(), "own", {"job": "a.b", "path": "x|y"})

    assert [] == problems
    assert (
        'sum(rate(x_total{job="a.b",path=~"/(?:x|y)",other=~"(?:x)+-a\\\\.b"}[5m]))'
        == found["events"]["total"]
    )
    assert 'sum(rate(x_total{job="a.b",code!~"a\\\\.b"}[$window]))' == found["events"]["bad"]


def test_a_regex_that_is_all_of_a_matcher_stays_as_written() -> None:
    """The rules of a plain case read as a person would have written them."""
    found, _ = expanded(BUILT_IN, "istio-availability", {"destination": "a", "namespace": "x|y"})

    assert 'destination_service_namespace=~"x|y"' in found["events"]["total"]


def test_values_that_look_like_placeholders_are_not_filled_again() -> None:
    """What a value holds is text."""
    found, _ = expanded(own(), "own", {"job": "${word}", "word": "zzz"})

    assert 'job="${word}"' in found["events"]["total"]


def test_everything_a_template_made_stands_at_its_use_and_values_at_their_own_place() -> None:
    """A problem with an expanded query points into the app file."""
    given = node("destination: a\nthreshold: 250ms\n")
    problems: list[Problem] = []
    found = BUILT_IN.expand("istio-latency", given, problems, PLACE)
    assert found is not None
    latency = found.get("latency")
    assert isinstance(latency, Mapping)
    places = {entry.key.text: entry.value.span for entry in latency.entries}

    assert {"histogram", "threshold", "unit", "buckets"} == set(places)
    assert PLACE == places["histogram"] == places["unit"] == places["buckets"]
    assert "app.yaml:2:12" == places["threshold"].location


@pytest.mark.parametrize("name", BUILT_IN.names())
@settings(max_examples=25)
@given(data=st.data())
def test_no_value_leaves_its_place_in_a_query(name: str, data: st.DataObject) -> None:
    """Whatever the text, the same selectors come out, and only label values differ."""
    template = BUILT_IN.describe(name)
    tame, hostile = {}, {}
    for parameter in template.parameters.values():
        tame[parameter.name], hostile[parameter.name] = "x", data.draw(VALUES)
        if parameter.type in {ParameterType.DURATION, ParameterType.SECONDS}:
            tame[parameter.name] = hostile[parameter.name] = "1s"
        elif parameter.type is ParameterType.BUCKETS or parameter.pattern is not None:
            del tame[parameter.name], hostile[parameter.name]
        elif parameter.regex and regex_problem(hostile[parameter.name]) is not None:
            hostile[parameter.name] = "y"
    expected, actual = (expanded(BUILT_IN, name, values) for values in (tame, hostile))

    assert [] == expected[1] == actual[1]
    assert _forms(expected[0]) == _forms(actual[0])


def _forms(indicator: dict[str, dict[str, str]]) -> list[object]:
    """Return all about the queries of an indicator that no label value can change."""
    texts = [text for kind in indicator.values() for text in kind.values() if "{" in str(text)]
    assert texts
    return [
        (
            found.type,
            found.functions,
            found.uses_window,
            found.is_selector,
            [(s.metric, [(m.name, m.op) for m in s.matchers]) for s in found.selectors],
        )
        for found in map(query, texts)
    ]


@given(VALUES)
def test_a_text_arrives_in_the_query_exactly(value: str) -> None:
    """Escaping loses nothing: the matcher's value is the text that was given."""
    found, problems = expanded(own(), "own", {"job": value})

    assert [] == problems
    (selector,) = query(found["events"]["bad"]).selectors
    job, code = selector.matchers
    assert value == job.value
    assert regex_problem(code.value) is None


def test_a_regex_cannot_close_the_group_it_is_put_in() -> None:
    """It must be a regular expression by itself."""
    problem = refusal("gateway-api-availability", "{namespace: a, route: b, rule: '0]|[0'}")

    assert "template/bad-regex" == problem.id
    assert "app.yaml:1:32" == (problem.span and problem.span.location)


@pytest.mark.parametrize(
    ("name", "values", "id_", "message", "place"),
    [
        (
            "istio-availability",
            "{destinaton: a}",
            "spec/unknown-key",
            'unknown key "destinaton"; did you mean "destination"?',
            "app.yaml:1:2",
        ),
        (
            "istio-availability",
            "{namespace: a}",
            "spec/missing-key",
            'missing key "destination"',
            "app.yaml:1:1",
        ),
        (
            "istio-availability",
            "{destination: a, reporter: both}",
            "spec/bad-text",
            '"both" is not text of the form destination|source|waypoint',
            "app.yaml:1:28",
        ),
        (
            "istio-availability",
            "{destination: [a]}",
            "spec/wrong-type",
            "expected text, found a list",
            "app.yaml:1:15",
        ),
        (
            "istio-availability",
            '{destination: "a\\nb"}',
            "spec/control-character",
            "this text must stand on one line",
            "app.yaml:1:15",
        ),
        (
            "istio-availability",
            "{destination: a, namespace: '('}",
            "template/bad-regex",
            "this regex cannot be used: an opening ( is never closed",
            "app.yaml:1:29",
        ),
        (
            "istio-latency",
            "{destination: a, threshold: 250}",
            "spec/bad-duration",
            '"250": a duration is a number with a unit, such as 5m or 1h30m',
            "app.yaml:1:29",
        ),
        (
            "istio-latency",
            "{destination: a, threshold: 1s, buckets: [1, x]}",
            "spec/bad-number",
            'expected a number, found "x"',
            "app.yaml:1:46",
        ),
        ("istio-availability", "a", "spec/wrong-type", "expected a mapping", "app.yaml:1:1"),
    ],
)
def test_a_parameter_that_does_not_fit_is_a_problem_at_its_place(
    name: str, values: str, id_: str, message: str, place: str
) -> None:
    """Parameters are checked like any key of an app file."""
    problem = refusal(name, values)

    assert id_ == problem.id
    assert message in problem.message
    assert place == (problem.span and problem.span.location)


def test_without_parameters_what_is_missing_is_told_at_the_use() -> None:
    """There is no `with` to point at."""
    problems: list[Problem] = []

    assert BUILT_IN.expand("istio-availability", None, problems, PLACE) is None
    assert [("spec/missing-key", PLACE)] == [(each.id, each.span) for each in problems]


def test_parameters_may_be_left_out_where_all_have_defaults() -> None:
    """Then the template's name alone is an indicator."""
    problems: list[Problem] = []

    assert BUILT_IN.expand("kube-apiserver-availability", None, problems, PLACE) is not None
    assert [] == problems


def test_an_unknown_template_is_told_with_the_one_that_was_meant() -> None:
    """A name that is close to none gets the list."""
    problems: list[Problem] = []
    BUILT_IN.expand("istio-avalability", None, problems, PLACE)
    BUILT_IN.expand("something", None, problems, PLACE)

    assert ["spec/unknown-template"] * 2 == [each.id for each in problems]
    assert problems[0].message.endswith('; did you mean "istio-availability"?')
    assert problems[1].hint is not None
    assert problems[1].hint.startswith("known here: blackbox-latency, ")
