"""One indicator template: read from its document, checked once, and filled at each use."""

from collections.abc import Mapping as MappingOf

from slo.fields import Fields
from slo.nodes import Mapping
from slo.problems import Problem, Span, error, has_errors
from slo.promql import MAX_LENGTH
from slo.records import dataclass
from slo.shape import UNREADABLE, Anything, Choice, Field, ListOf, MapOf, Record, Text
from slo.templates.parameters import NAME, PARAMETER, Parameter, read_parameter, read_values
from slo.templates.placeholders import check_placeholders, fill_mapping

API_VERSION = "headroom/v1"
KIND = "IndicatorTemplate"

KINDS = ("events", "latency", "ratio", "slices", "probe", "logs", "spans")
"""The kinds of indicators, of which a template makes exactly one."""

COMMON = ("offset", "target", "scrapeInterval", "proven", "source")
"""The keys that may stand beside a kind."""

_PROSE = Text(multiline=True, max_length=MAX_LENGTH)

EXAMPLE = Record(
    description="One use of the template, for its page and its tests.",
    fields={
        "title": Field(shape=Text(), description="What the example shows."),
        "with": Field(
            shape=MapOf(key=NAME, shape=Anything()), required=True, description="The parameters."
        ),
    },
)

DOCUMENT = Record(
    description="An indicator with parameters, for many apps.",
    fields={
        "apiVersion": Field(shape=Choice(choices=(API_VERSION,)), required=True),
        "kind": Field(shape=Choice(choices=(KIND,)), required=True),
        "metadata": Field(
            required=True,
            shape=Record(
                fields={
                    "name": Field(
                        shape=Text(
                            pattern="(?=.{1,40}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?",
                            form="a name: lowercase letters, digits and hyphens, at most 40",
                        ),
                        required=True,
                        description="What app files call it.",
                    ),
                    "title": Field(shape=Text(), required=True, description="A few words."),
                    "description": Field(
                        shape=_PROSE,
                        required=True,
                        description="What it counts, and which of it is bad.",
                    ),
                }
            ),
        ),
        "spec": Field(
            required=True,
            shape=Record(
                fields={
                    "parameters": Field(
                        shape=MapOf(key=NAME, shape=PARAMETER),
                        description="What may be given under `with`, by name.",
                    ),
                    "indicator": Field(
                        shape=Record(
                            fields={key: Field(shape=Anything()) for key in (*KINDS, *COMMON)},
                            exactly_one_of=(KINDS,),
                        ),
                        required=True,
                        description="An indicator as in an app file, with ${placeholders}.",
                    ),
                    "examples": Field(
                        shape=ListOf(shape=EXAMPLE), description="Uses that must work."
                    ),
                }
            ),
        ),
    },
)
"""The shape of a template's document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A use of a template that works; ``values`` is what stands under ``with``."""

    title: str
    values: Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """An indicator with parameters; ``span`` is the place of its name."""

    name: str
    title: str
    description: str
    parameters: MappingOf[str, Parameter]
    indicator: Mapping
    examples: tuple[Example, ...]
    span: Span

    def expand(self, span: Span, given: Mapping | None, problems: list[Problem]) -> Mapping | None:
        """Return the indicator for the parameters of one use, or nothing when they do not fit.

        `span` is the place of the use, and of every part that no single parameter made.
        """
        values = read_values(
            self.parameters, given or Mapping(entries=(), span=span), span, problems
        )
        return None if values is None else fill_mapping(self.indicator, values, span)


def read_template(root: Mapping, problems: list[Problem]) -> Template | None:
    """Return the template of a document, or nothing when anything in it is wrong."""
    found: list[Problem] = []
    document = DOCUMENT.read(root, found)
    template = None
    if document is not UNREADABLE and document.complete:
        template = _template(document, found)
        _check(template, found)
    problems += found
    return None if has_errors(found) else template


def _template(document: Fields, problems: list[Problem]) -> Template:
    metadata, spec = document.need("metadata", Fields), document.need("spec", Fields)
    indicator = spec.node("indicator")
    assert isinstance(indicator, Mapping), "its shape is a record"
    parameters = {
        pair.key.value: read_parameter(pair.key.value, pair.value.value, problems)
        for pair in spec.pairs("parameters", Fields)
    }
    return Template(
        name=metadata.need("name", str),
        title=metadata.need("title", str),
        description=metadata.need("description", str),
        parameters=parameters,
        indicator=indicator,
        examples=tuple(map(_example, spec.each("examples", Fields))),
        span=metadata.span("name"),
    )


def _example(fields: Fields) -> Example:
    values = fields.node("with")
    assert isinstance(values, Mapping), "its shape is a mapping"
    return Example(title=fields.get("title", str) or "", values=values)


def _check(template: Template, problems: list[Problem]) -> None:
    used = check_placeholders(template.indicator, template.parameters, problems)
    for name in template.parameters:
        if name not in used:
            message = f"parameter {name} is used nowhere in the indicator"
            problems.append(error("template/bad-parameter", message, template.span))
    if not has_errors(problems):
        for example in template.examples:
            template.expand(example.values.span, example.values, problems)
