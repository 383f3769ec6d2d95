"""Placeholders in a template's values: where each stands, and what is put in its place.

Text reaches a query only inside a double-quoted PromQL string, escaped for it, so that no value
can end the string. Elsewhere only durations and numbers go, whose form is checked.
"""

import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import replace
from enum import Enum, auto

from slo.nodes import Entry, Mapping, Node, Scalar, Sequence
from slo.problems import Problem, Span, error
from slo.promql import quote
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.templates.parameters import Parameter, ParameterType, Value, moved

_HOLE = r"(?P<hole>\$\{(?P<name>[a-zA-Z][a-zA-Z0-9_]*)\})|(?P<malformed>\$\{)"
_OUTSIDE = re.compile(
    rf"""{_HOLE}|(?P<quote>["'`])|(?P<comment>\#[^\n]*)|(?P<regex>=~|!~)|(?P<space>\s+)|(?P<other>.)""",
    re.DOTALL,
)
_INSIDE = re.compile(rf"""{_HOLE}|(?P<escape>\\.)|(?P<quote>["'])|(?P<other>.)""", re.DOTALL)
_INSIDE_RAW = re.compile(rf"{_HOLE}|(?P<quote>`)|(?P<other>.)", re.DOTALL)
_RE2_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_REPETITIONS = "*+?{"


class _Place(Enum):
    """What surrounds a placeholder."""

    WHOLE = auto()
    BARE = auto()
    STRING = auto()
    REGEX = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hole:
    """A placeholder in a text, from `start` up to `end`; `alone` when its string is no more."""

    name: str
    place: _Place
    start: int
    end: int
    alone: bool = False


def check_placeholders(
    node: Node, parameters: MappingOf[str, Parameter], problems: list[Problem]
) -> frozenset[str]:
    """Report placeholders that cannot be filled, and return the names of all that are used."""
    used: set[str] = set()
    for scalar, is_key in _scalars(node):
        if is_key and "${" in scalar.text:
            problems.append(_bad("a key cannot hold a placeholder", scalar.span))
            continue
        holes = tuple(_holes(scalar.text))
        used.update(hole.name for hole in holes)
        problems += (_bad(message, scalar.span) for message in _complaints(holes, parameters))
    return frozenset(used)


def fill(node: Node, values: MappingOf[str, Value], span: Span) -> Node:
    """Return a checked node with its placeholders replaced, every part placed at `span`.

    A value that replaces all of a scalar keeps its own place.
    """
    if isinstance(node, Sequence):
        return Sequence(items=tuple(fill(item, values, span) for item in node.items), span=span)
    if isinstance(node, Mapping):
        return fill_mapping(node, values, span)
    holes = tuple(_holes(node.text))
    if len(holes) == 1 and holes[0].place is _Place.WHOLE:
        return values[holes[0].name].whole
    parts, end = [], 0
    for hole in holes:
        parts += [node.text[end : hole.start], _filling(hole, node.text, values[hole.name])]
        end = hole.end
    return replace(node, text="".join([*parts, node.text[end:]]), span=span)


def fill_mapping(node: Mapping, values: MappingOf[str, Value], span: Span) -> Mapping:
    """Return a checked mapping with the placeholders in its values replaced."""
    entries = []
    for entry in node.entries:
        key = moved(entry.key, span)
        assert isinstance(key, Scalar)
        entries.append(Entry(key=key, value=fill(entry.value, values, span)))
    return Mapping(entries=tuple(entries), span=span)


def _bad(message: str, span: Span) -> Problem:
    return error("template/bad-placeholder", message, span)


def _scalars(node: Node) -> Iterator[tuple[Scalar, bool]]:
    if isinstance(node, Scalar):
        yield node, False
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _scalars(item)
    else:
        for entry in node.entries:
            yield entry.key, True
            yield from _scalars(entry.value)


def _holes(text: str) -> Iterator[_Hole]:
    """Find the placeholders of a text, which is read as PromQL to tell strings from the rest."""
    at, opened, after_regex = 0, "", False
    if "${" not in text:
        return
    while at < len(text):
        piece = _pattern(opened).match(text, at)
        assert piece is not None, "any character is a piece"
        kind, at = str(piece.lastgroup), piece.end()
        if kind in {"hole", "malformed"} or "${" in piece.group():
            yield _hole(text, piece, opened, after_regex=after_regex)
        if kind == "quote" and not opened:
            opened = piece.group()
        elif kind == "quote" and piece.group() == opened:
            opened, after_regex = "", False
        elif not opened and kind not in {"space", "comment"}:
            after_regex = kind == "regex"


def _pattern(opened: str) -> re.Pattern[str]:
    if not opened:
        return _OUTSIDE
    return _INSIDE_RAW if opened == "`" else _INSIDE


def _hole(text: str, piece: re.Match[str], opened: str, *, after_regex: bool) -> _Hole:
    start, end = piece.span()
    whole = piece["name"] is not None and (start, end) == (0, len(text))
    place = _Place.WHOLE if whole else _Place.BARE
    if opened == '"':
        place = _Place.REGEX if after_regex else _Place.STRING
    elif opened or piece.lastgroup == "comment":
        place = _Place.CLOSED
    alone = text[start - 1 : start] == '"' == text[end : end + 1]
    return _Hole(name=piece["name"] or "", place=place, start=start, end=end, alone=alone)


def _complaints(holes: tuple[_Hole, ...], parameters: MappingOf[str, Parameter]) -> Iterator[str]:
    for hole in holes:
        parameter = parameters.get(hole.name)
        if not hole.name:
            yield "a placeholder is written ${name}"
        elif parameter is None:
            yield f"there is no parameter {hole.name}{did_you_mean(hole.name, parameters)}"
        else:
            complaint = _complaint(hole.place, parameter)
            if complaint is not None:
                yield f"${{{hole.name}}} {complaint}"


def _complaint(place: _Place, parameter: Parameter) -> str | None:
    if place is _Place.WHOLE:
        return None
    if place is _Place.CLOSED:
        return "stands in a comment or in a string that is not in double quotes"
    if parameter.type is ParameterType.BUCKETS:
        return "is a list, which only a value of its own can hold"
    if parameter.type is ParameterType.TEXT and place is _Place.BARE:
        return "is text, which must stand in double quotes"
    if parameter.regex and place is not _Place.REGEX:
        return "is a regex, which must stand after =~ or !~"
    return None


def _filling(hole: _Hole, text: str, value: Value) -> str:
    if hole.place is _Place.BARE:
        return value.text
    if hole.place is _Place.STRING:
        return _escaped(value.text)
    regex = value.text if value.parameter.regex else _RE2_SPECIAL.sub(r"\\\g<0>", value.text)
    grouped = value.parameter.regex or text[hole.end : hole.end + 1] in tuple(_REPETITIONS)
    return _escaped(f"(?:{regex})" if grouped and not hole.alone else regex)


def _escaped(text: str) -> str:
    return quote(text)[1:-1]
