"""Shapes of a small list of SLOs, and what comes of reading texts with them."""

from jsonschema import Draft202012Validator

from slo.problems import Problem
from slo.shape import (
    DurationText,
    Field,
    Fields,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Percent,
    Record,
    Shape,
    Text,
    schema_document,
)
from slo.source import Node, parse_documents, to_plain

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


def accepts(shape: Shape[object], text: str) -> bool:
    """Tell whether a schema validator takes the text, loaded by YAML 1.2's core rules."""
    schema = schema_document(shape, title="test")
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(to_plain(node_of(text)))
