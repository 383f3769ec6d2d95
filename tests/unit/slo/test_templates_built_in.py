"""The built-in templates: each has an example that becomes rules, and counts what it says."""

from pathlib import Path

import pytest

from alerts.prometheus.groups import RuleSettings
from alerts.prometheus.layouts import plain
from slo.ledger import expressions
from slo.loader import Templates, default_catalogue
from slo.loader.shapes_indicator import COMMON as LOADER_COMMON
from slo.loader.shapes_indicator import KINDS as LOADER_KINDS
from slo.model import Events, Latency
from slo.nodes import Mapping
from slo.templates import TemplateLibrary, library_markdown
from slo.templates.template import COMMON, KINDS
from slo.workspace import Links
from tests.unit.slo.templating import BUILT_IN, catalog_of, own


def examples(kind: str = "") -> list[object]:
    """Return the examples of all templates, or of those that make one kind of indicator."""
    return [
        pytest.param(name, example.values, id=f"{name}-{number}")
        for name in BUILT_IN.names()
        if not kind or BUILT_IN.describe(name).indicator.get(kind) is not None
        for number, example in enumerate(BUILT_IN.describe(name).examples)
    ]


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
