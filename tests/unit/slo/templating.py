"""A template of our own beside the built-in ones, and ways to use both."""

import json
from collections.abc import Mapping as MappingOf

from slo.loader import SourceFile, default_catalogue, load_catalog
from slo.model import Catalog
from slo.nodes import Mapping, Node, to_plain
from slo.problems import Problem, Span
from slo.promql import Query, parse_query
from slo.source import parse_documents
from slo.templates import TemplateLibrary
from slo.units import Duration
from slo.workspace import Defaults

BUILT_IN = TemplateLibrary.built_in()


PLACE = Span.at("app.yaml", 9, 30)


DEFAULTS = Defaults(
    window=Duration.parse("30d"),
    scrape_interval=Duration.parse("30s"),
    catalogue=default_catalogue(),
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
