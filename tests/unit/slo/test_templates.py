"""Indicator templates: what they expand to, what they refuse, and that no value breaks out."""

import json
from collections.abc import Mapping as MappingOf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.prometheus.groups import RuleSettings
from alerts.prometheus.layouts import plain
from slo.ledger import expressions
from slo.loader import SourceFile, Templates, default_catalogue, load_catalog
from slo.loader.shapes_indicator import COMMON as LOADER_COMMON
from slo.loader.shapes_indicator import KINDS as LOADER_KINDS
from slo.model import Catalog, Events, Latency
from slo.nodes import Mapping, Node, Scalar, to_plain
from slo.problems import Problem, Span
from slo.promql import Query, parse_query, regex_problem
from slo.source import parse_documents
from slo.templates import ParameterType, TemplateLibrary, library_markdown
from slo.templates.template import COMMON, KINDS
from slo.units import Duration
from slo.workspace import Defaults, Links

BUILT_IN = TemplateLibrary.built_in()


def examples(kind: str = "") -> list[object]:
    """Return the examples of all templates, or of those that make one kind of indicator."""
    return [
        pytest.param(name, example.values, id=f"{name}-{number}")
        for name in BUILT_IN.names()
        if not kind or BUILT_IN.describe(name).indicator.get(kind) is not None
        for number, example in enumerate(BUILT_IN.describe(name).examples)
    ]


PLACE = Span.at("app.yaml", 9, 30)
DEFAULTS = Defaults(
    window=Duration.parse("30d"),
    scrape_interval=Duration.parse("30s"),
    catalogue=default_catalogue(),
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

OWN = """\
apiVersion: headroom/v1
kind: IndicatorTemplate
metadata: {name: own, title: Own, description: Ours.}
spec:
  parameters:
    job: {description: The job., required: true}
    path: {description: The paths., regex: true, default: ".*"}
    word: {description: A word., default: x, pattern: "[a-z]+"}
    range: {description: A range., type: duration, default: 5m}
  indicator:
    events:
      total: sum(rate(x_total{job="${job}",path=~"/${path}",other=~"${word}+-${job}"}[${range}]))
      bad: sum(rate(x_total{job="${job}",code!~"${job}"}[$window]))
"""


def node(text: str, file: str = "app.yaml") -> Node:
    """Parse one document of YAML."""
    documents, problems = parse_documents(text, file)
    assert () == problems
    return documents[0].root


def own(text: str = OWN) -> TemplateLibrary:
    """Load one file beside the built-in templates."""
    library, problems = BUILT_IN.load({"own.yaml": text})
    assert () == problems
    return library


def expanded(
    library: TemplateLibrary, name: str, values: MappingOf[str, object]
) -> tuple[dict[str, dict[str, str]], list[Problem]]:
    """Expand a template with values as JSON, which YAML reads as quoted text."""
    problems: list[Problem] = []
    found = library.expand(name, node(json.dumps(values, ensure_ascii=False)), problems, PLACE)
    plain_data = {} if found is None else to_plain(found)
    return plain_data, problems  # type: ignore[return-value]  # every test template has this form


def refusal(name: str, values: str) -> Problem:
    """Return the only problem of an expansion that must fail."""
    problems: list[Problem] = []
    assert BUILT_IN.expand(name, node(values), problems, PLACE) is None
    assert 1 == len(problems), problems
    return problems[0]


def query(text: str) -> Query:
    """Parse a query that must be one."""
    found = parse_query(text)
    assert isinstance(found, Query), (text, found)
    return found


def app_of(name: str, values: Mapping) -> str:
    """Write the smallest app whose SLO uses a template."""
    indicator = json.dumps({"template": name, "with": to_plain(values)})
    return (
        "apiVersion: headroom/v1\nkind: App\nmetadata: {name: shop, team: web}\n"
        f"spec:\n  slos:\n    - {{name: it, objective: 99.9, indicator: {indicator}}}\n"
    )


def catalog_of(name: str, values: Mapping) -> Catalog:
    """Load that app, which must have no problem."""
    files = [SourceFile(name="app.yaml", text=app_of(name, values))]
    loaded = load_catalog(files, DEFAULTS, templates=BUILT_IN)
    assert () == loaded.problems
    return loaded.catalog


def test_the_library_is_what_the_loader_takes() -> None:
    """The type checker compares the two interfaces here; their keys are compared as well."""
    library: Templates = BUILT_IN

    assert isinstance(library, TemplateLibrary)
    assert set(LOADER_KINDS) == set(KINDS)
    assert set(LOADER_COMMON) == set(COMMON)


def test_every_built_in_template_has_an_example_and_says_what_is_bad() -> None:
    """A page without either would be of no use."""
    described = [BUILT_IN.describe(name) for name in BUILT_IN.names()]

    assert 15 == len(described)
    assert [] == [each.name for each in described if not each.examples]
    assert [] == [each.name for each in described if "bad" not in each.description.lower()]


@pytest.mark.parametrize(("name", "values"), examples())
def test_every_example_loads_and_its_rules_are_generated(name: str, values: Mapping) -> None:
    """An app file that uses it becomes a model without a problem, and the model becomes rules."""
    catalog = catalog_of(name, values)
    (level,) = catalog.levels()

    assert name == level.slo.indicator.template
    assert expressions(level) is not None
    files = plain(catalog.apps[0], RuleSettings(catalogue=default_catalogue(), links=Links()))
    assert "slo:bad:increase5m" in "".join(files.values())


@pytest.mark.parametrize(("name", "values"), examples("events"))
def test_bad_events_are_some_of_all_events(name: str, values: Mapping) -> None:
    """The bad selector is the total's with one more matcher, so it can never count others."""
    (level,) = catalog_of(name, values).levels()
    measure = level.slo.indicator.measure
    assert isinstance(measure, Events)
    assert measure.bad is not None
    total, bad = measure.total.plain, measure.bad.plain

    assert total is not None
    assert bad is not None
    assert total.metric == bad.metric
    assert total.matchers == bad.matchers[:-1]


@pytest.mark.parametrize(("name", "values"), examples("latency"))
def test_the_bound_of_a_latency_template_is_in_its_histograms_unit(
    name: str, values: Mapping
) -> None:
    """Half of them measure in milliseconds; a threshold in the wrong unit meets no bucket."""
    (level,) = catalog_of(name, values).levels()
    measure = level.slo.indicator.measure

    assert isinstance(measure, Latency)
    assert measure.bound in measure.buckets
    (metric,) = measure.histogram.metrics
    milliseconds = metric.endswith("_milliseconds") or metric.startswith("envoy_")
    assert ("milliseconds" if milliseconds else "seconds") == measure.unit


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


def test_the_template_that_the_page_shows_works() -> None:
    """It is the first that people copy."""
    blocks = library_markdown(BUILT_IN).split("```yaml\n")
    (shown,) = [block.split("```")[0] for block in blocks if "kind: IndicatorTemplate" in block]

    assert "queue-jobs" in own(shown).names()


def test_the_page_of_templates_says_what_the_templates_are(
    request: pytest.FixtureRequest,
) -> None:
    """docs/templates.md is written from them; pytest --update-golden writes it anew."""
    path = Path(request.config.rootpath, "docs", "templates.md")
    actual = library_markdown(BUILT_IN)
    if request.config.getoption("--update-golden"):
        path.write_text(actual, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == actual
