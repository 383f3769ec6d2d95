"""Templates of one's own: how they join the others, and what is wrong with them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.loader import SourceFile, load_catalog
from slo.nodes import Mapping, Scalar
from slo.problems import Problem
from tests.unit.slo.templating import (
    BUILT_IN,
    DEFAULTS,
    OWN,
    PLACE,
    app_of,
    node,
    own,
)


def test_a_query_problem_of_an_expansion_points_into_the_app_file() -> None:
    """The user can change the parameter, not the template."""
    text = OWN.replace("[${range}]", "[$window] offset ${range}").replace("code!~", "code==")
    app = app_of("own", node("{job: a}"))  # type: ignore[arg-type]  # a mapping by its text
    loaded = load_catalog([SourceFile(name="app.yaml", text=app)], DEFAULTS, templates=own(text))

    (problem,) = loaded.problems
    assert problem.span is not None
    assert "app.yaml" == problem.span.file
    assert 6 == problem.span.line


def test_own_templates_join_the_built_in_ones() -> None:
    """The library that was loaded from is not changed."""
    library = own()

    assert "own" in library.names()
    assert "own" not in BUILT_IN.names()
    assert "Ours." == library.describe("own").description
    assert sorted(library.names()) == list(library.names())


def test_names_are_taken_once() -> None:
    """The first keeps the name, and both places are told."""
    files = {"a.yaml": OWN, "b.yaml": OWN.replace("title: Own", "title: Other")}
    library, problems = BUILT_IN.load(files)

    (problem,) = problems
    assert "template/duplicate-name" == problem.id
    assert 'the template "own" is defined twice' == problem.message
    assert "b.yaml:3:18" == (problem.span and problem.span.location)
    assert ["a.yaml:3:18"] == [span.location for span, _ in problem.related]
    assert "Own" == library.describe("own").title


def test_a_built_in_template_cannot_be_replaced() -> None:
    """Its users would count something else without a word."""
    text = OWN.replace("name: own", "name: istio-latency")
    library, (problem,) = BUILT_IN.load({"own.yaml": text})

    assert "template/duplicate-name" == problem.id
    assert "built in" in problem.message
    assert BUILT_IN.describe("istio-latency") == library.describe("istio-latency")


def test_yaml_of_other_programs_is_passed_over() -> None:
    """A folder may hold more than templates; a mistake in our own kind is not passed over."""
    _, problems = BUILT_IN.load({"x.yaml": "apiVersion: v1\nkind: ConfigMap\n---\n- 1\n"})
    assert () == problems
    _, problems = BUILT_IN.load({"x.yaml": OWN.replace("IndicatorTemplate", "IndicatorTemplat")})
    assert ["spec/bad-choice"] == [each.id for each in problems]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('job="${job}",path', "job='${job}',path", "is not in double quotes"),
        ('job="${job}",path', "job=`${job}`,path", "is not in double quotes"),
        ('job="${job}",path', "job=${job},path", "${job} is text, which must stand in double"),
        ('path=~"/${path}"', 'path="/${path}"', "is a regex, which must stand after =~ or !~"),
        ('job="${job}",path', 'job="${jobb}",path', 'no parameter jobb; did you mean "job"?'),
        ('job="${job}",path', 'job="${job",path', "a placeholder is written ${name}"),
        ("[${range}]", "[5m]", "parameter range is used nowhere"),
        ("      bad:", "      ${job}:", "a key cannot hold a placeholder"),
        ("type: duration, default: 5m", "type: duration, default: 5", '"5": a duration is'),
        ("type: duration,", "type: buckets, regex: false,", "expected a list"),
        ("default: x,", "default: X,", '"X" is not text of the form'),
        ("default: x,", "required: true, default: x,", "its default is never used"),
        ("default: x,", "", "needs a default, or required: true"),
        ('pattern: "[a-z]+"', 'pattern: "["', "has a pattern that cannot be used"),
        ("type: duration,", "type: duration, regex: true,", "is of type duration"),
        ('default: ".*"', 'default: "("', "this regex cannot be used"),
        ("    events:", "    event:", 'unknown key "event"; did you mean "events"?'),
        ("  indicator:\n", "  indicator:\n    probe: x\n", "cannot be set together"),
        ("kind: IndicatorTemplate", "kind: App", "expected IndicatorTemplate"),
        ("name: own", "name: Own_1", "is not a name"),
        ("spec:\n", "spec:\n  examples: [{with: {}}]\n", 'missing key "job"'),
    ],
)
def test_a_mistake_in_a_template_is_found_when_it_is_loaded(
    old: str, new: str, message: str
) -> None:
    """Its users cannot mend it, so it is told where it was made, and the template is left out."""
    assert old in OWN
    library, problems = BUILT_IN.load({"own.yaml": OWN.replace(old, new, 1)})

    assert any(message in each.message for each in problems), problems
    assert {"own.yaml"} == {each.span.file for each in problems if each.span}
    assert "own" not in library.names()


@given(st.text() | st.lists(st.sampled_from([*"${}\"'`\\#=~! a\n", "${job}"])).map("".join))
def test_any_text_in_a_template_is_a_template_or_a_problem(text: str) -> None:
    """Nothing else happens."""
    template = OWN.replace("sum(rate(x_total{", "${job}", 1).splitlines()
    template[-2] = f"      total: {json.dumps(text)}"
    library, problems = BUILT_IN.load({"own.yaml": "\n".join(template)})

    assert ("own" in library.names()) == (not problems)


def test_a_placeholder_can_be_all_of_a_value() -> None:
    """Then the value is the user's own, with the place and the digits it has."""
    text = OWN.replace('sum(rate(x_total{job="${job}",code!~"${job}"}[$window]))', "${job}")
    problems: list[Problem] = []
    found = own(text).expand("own", node("job: 1.10"), problems, PLACE)
    assert found is not None
    events = found.get("events")
    assert isinstance(events, Mapping)
    bad = events.get("bad")

    assert isinstance(bad, Scalar)
    assert ("1.10", "app.yaml:1:6") == (bad.text, bad.span.location)
