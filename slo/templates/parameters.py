"""The parameters of a template: what may be given for each, and how it is read."""

import re
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum

from slo.fields import Fields
from slo.nodes import Entry, Mapping, Node, Scalar, Sequence, Style
from slo.problems import Problem, Span, error
from slo.promql import regex_problem
from slo.records import dataclass
from slo.shape import (
    UNREADABLE,
    Anything,
    Choice,
    DurationText,
    Field,
    Flag,
    ListOf,
    Number,
    Record,
    Shape,
    Text,
    Unreadable,
)
from slo.units import Duration

_LONGEST_VALUE = 1000
_LONGEST_PATTERN = 200

NAME = Text(
    pattern="[a-zA-Z][a-zA-Z0-9_]*",
    form="a parameter's name: letters, digits and underscores, a letter first",
    max_length=40,
)


class ParameterType(StrEnum):
    """What a parameter takes, and what its placeholder becomes.

    ``seconds`` is written as a duration and becomes its number of seconds. ``buckets`` is a list of
    numbers, which only a value that is nothing but the placeholder can hold.
    """

    TEXT = "text"
    DURATION = "duration"
    SECONDS = "seconds"
    BUCKETS = "buckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Regex(Text):
    """A text that Prometheus takes as a regular expression."""

    def parse(self, node: Scalar, problems: list[Problem]) -> str | Unreadable:
        """Return the regular expression as written."""
        text = Text.parse(self, node, problems)
        if isinstance(text, Unreadable):
            return text
        problem = regex_problem(text)
        if problem is None:
            return text
        message, hint = f"this regex cannot be used: {problem}", "Prometheus uses RE2's syntax"
        problems.append(error("template/bad-regex", message, node.span, hint=hint))
        return UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a template; without a ``default`` it must be given.

    ``pattern`` must match all of a text. A ``regex`` is put into regex matchers as it is, another
    text is taken literally there.
    """

    name: str
    description: str
    type: ParameterType = ParameterType.TEXT
    pattern: str | None = None
    regex: bool = False
    default: Node | None = None

    @property
    def required(self) -> bool:
        """Whether it must be given."""
        return self.default is None

    @property
    def shape(self) -> Shape[object]:
        """The shape of a value."""
        if self.type is ParameterType.BUCKETS:
            return ListOf(shape=Number(above=Decimal(0)), min_items=1, unique=True)
        if self.type is not ParameterType.TEXT:
            return DurationText()
        kind = _Regex if self.regex else Text
        form = f"text of the form {self.pattern}"
        return kind(pattern=self.pattern, form=form, max_length=_LONGEST_VALUE, literal=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a placeholder becomes: ``whole`` where it is all of a value, ``text`` inside of one."""

    whole: Node
    text: str
    parameter: Parameter


PARAMETER = Record(
    description="One parameter, given under `with` in an app file.",
    fields={
        "description": Field(
            shape=Text(multiline=True), required=True, description="What the parameter is for."
        ),
        "type": Field(
            shape=Choice(choices=tuple(ParameterType)),
            default=ParameterType.TEXT,
            description="What it takes.",
        ),
        "required": Field(
            shape=Flag(), default="false", description="Whether it must be given; else a default."
        ),
        "default": Field(shape=Anything(), description="Its value when it is not given."),
        "pattern": Field(
            shape=Text(max_length=_LONGEST_PATTERN),
            description="A regular expression that must match all of the text.",
        ),
        "regex": Field(
            shape=Flag(),
            default="false",
            description="Whether the text is a regular expression in regex matchers.",
        ),
    },
)


def read_parameter(name: str, fields: Fields, problems: list[Problem]) -> Parameter:
    """Return a parameter of a template file; what contradicts itself is a problem."""
    parameter = Parameter(
        name=name,
        description=" ".join((fields.get("description", str) or "").split()),
        type=ParameterType(fields.get("type", str) or "text"),
        pattern=fields.get("pattern", str),
        regex=fields.get("regex", bool) or False,
        default=fields.node("default"),
    )
    for key, complaint in _contradictions(parameter, required=fields.value("required") is True):
        span = fields.span(key)
        problems.append(error("template/bad-parameter", f"parameter {name} {complaint}", span))
        return replace(parameter, pattern=None)
    if parameter.default is not None:
        parameter.shape.read(parameter.default, problems)
    return parameter


def read_values(
    parameters: MappingOf[str, Parameter], given: Mapping, span: Span, problems: list[Problem]
) -> dict[str, Value] | None:
    """Return a value for every parameter, or nothing when there are problems.

    Defaults get `span`, the place where the template is used.
    """
    fields = {
        name: Field(shape=each.shape, required=each.required, description=each.description)
        for name, each in parameters.items()
    }
    read = Record(fields=fields).read(given, problems)
    if isinstance(read, Unreadable) or not read.complete:
        return None
    values = {}
    for name, parameter in parameters.items():
        node = read.node(name)
        if node is None:
            assert parameter.default is not None, "a required parameter is there once it is read"
            node = moved(parameter.default, span)
        values[name] = _value(parameter, node)
    return values


def moved(node: Node, span: Span) -> Node:
    """Return a copy of a node all of whose parts claim to stand at one place."""
    if isinstance(node, Scalar):
        return replace(node, span=span)
    if isinstance(node, Sequence):
        return Sequence(items=tuple(moved(item, span) for item in node.items), span=span)
    entries = (
        Entry(key=replace(entry.key, span=span), value=moved(entry.value, span))
        for entry in node.entries
    )
    return Mapping(entries=tuple(entries), span=span)


def _value(parameter: Parameter, node: Node) -> Value:
    if not isinstance(node, Scalar):
        return Value(whole=node, text="", parameter=parameter)
    if parameter.type is not ParameterType.SECONDS:
        return Value(whole=node, text=node.text, parameter=parameter)
    text = f"{Duration.parse(node.text).seconds.normalize():f}"
    whole = Scalar(text=text, style=Style.PLAIN, span=node.span)
    return Value(whole=whole, text=text, parameter=parameter)


def _contradictions(parameter: Parameter, *, required: bool) -> list[tuple[str, str]]:
    found = []
    if required and parameter.default is not None:
        found.append(("default", "is required, so its default is never used"))
    if not required and parameter.default is None:
        found.append(("required", "needs a default, or required: true"))
    if parameter.type is not ParameterType.TEXT:
        kind = parameter.type.value
        if parameter.pattern is not None:
            found.append(("pattern", f"is of type {kind}, which takes no pattern"))
        if parameter.regex:
            found.append(("regex", f"is of type {kind}, which is no regex"))
    if parameter.pattern is not None:
        try:
            re.compile(parameter.pattern)
        except (re.error, RecursionError, OverflowError) as cause:
            found.append(("pattern", f"has a pattern that cannot be used: {cause}"))
    return found
