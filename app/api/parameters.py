"""Parameters of requests: declared once, read strictly, described for OpenAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, cast

from app.api.problems import HttpProblem
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.units import Duration, UnitError, parse_time

_LONGEST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an address; ``read`` makes a value of its text or raises ``ValueError``.

    ``place`` is ``query`` or ``path``.
    """

    name: str
    description: str
    schema: Mapping[str, object] = field(default_factory=lambda: {"type": "string"})
    read: Callable[[str], object] = str
    place: str = "query"


def text(name: str, description: str, *, place: str = "query") -> Parameter:
    """A parameter that is any text."""
    return Parameter(name=name, description=description, place=place)


def instant(name: str, description: str) -> Parameter:
    """A parameter that is a time: RFC 3339 or Unix seconds."""
    schema = {"type": "string", "examples": ["2026-11-23T04:10:00Z", "1795407000"]}
    return Parameter(name=name, description=description, schema=schema, read=parse_time)


def duration(name: str, description: str) -> Parameter:
    """A parameter that is a length of time such as 6h."""
    schema = {"type": "string", "examples": ["6h"]}
    return Parameter(name=name, description=description, schema=schema, read=Duration.parse)


def number(name: str, description: str, *, least: int, most: int) -> Parameter:
    """A parameter that is a whole number within bounds."""

    def read(word: str) -> int:
        if not (word.isascii() and word.isdigit() and least <= int(word[:12]) <= most):
            raise ValueError(f"a whole number from {least} to {most} is wanted")
        return int(word)

    schema = {"type": "integer", "minimum": least, "maximum": most}
    return Parameter(name=name, description=description, schema=schema, read=read)


def choice(name: str, description: str, values: Sequence[str]) -> Parameter:
    """A parameter that is one of some words."""

    def read(word: str) -> str:
        if word not in values:
            raise ValueError(f"known are {', '.join(values)}{did_you_mean(word, values)}")
        return word

    schema = {"type": "string", "enum": list(values)}
    return Parameter(name=name, description=description, schema=schema, read=read)


class Values:
    """The values of a request's parameters; what was not given is None."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> Any:
        return self._values.get(name)


def read_values(
    declared: Sequence[Parameter], path: Mapping[str, object], query: Iterable[tuple[str, str]]
) -> Values:
    """Read the parameters of a request; raises ``HttpProblem`` (400) naming the first wrong one.

    A parameter that is given twice must have the same value both times: programs disagree on
    which of two counts.
    """
    known = {each.name: each for each in declared if each.place == "query"}
    texts: dict[str, str] = {}
    for name, word in query:
        if name not in known:
            raise HttpProblem(
                400,
                f"unknown parameter {name[:60]!r}{did_you_mean(name, known)}",
                hint=f"known are: {', '.join(known)}" if known else "this route takes none",
            )
        if texts.setdefault(name, word) != word:
            raise HttpProblem(400, f"the parameter {name} is given twice, with different values")
    for each in declared:
        if each.place == "path":
            texts[each.name] = cast("str", path[each.name])
    every = {each.name: each for each in declared}
    return Values({name: _read(every[name], word) for name, word in texts.items()})


def _read(parameter: Parameter, word: str) -> object:
    if len(word) > _LONGEST or "\x00" in word:
        raise HttpProblem(400, f"the parameter {parameter.name} is too long or holds a NUL")
    try:
        return parameter.read(word)
    except UnitError as error:
        raise HttpProblem(400, f"{parameter.name}: {error}", hint=error.hint) from error
    except ValueError as error:
        raise HttpProblem(400, f"{parameter.name}: {error}") from error
