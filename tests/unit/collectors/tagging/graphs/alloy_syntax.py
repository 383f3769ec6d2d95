"""The part of Alloy's syntax that generated files use, as values where no variable is set."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'(?P<space>[ \t]+|//[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<number>[0-9]+)'
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)|(?P<sign>[\[\]{}(),=+\n])"
)
HOSTNAME = "this-host"


@dataclass(frozen=True, slots=True)
class Reference:
    """What another component exports."""

    text: str

    @property
    def component(self) -> str:
        """The name and label of the component."""
        return self.text.rpartition(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block with its attributes and blocks."""

    name: str
    label: str | None
    attributes: dict[str, Any] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    @property
    def component(self) -> str:
        """Its name and label, as references to it begin."""
        return f"{self.name}.{self.label}"

    def all(self, name: str) -> list["Block"]:
        """Its blocks of a name."""
        return [each for each in self.blocks if each.name == name]


def parsed(text: str) -> list[Block]:
    """The blocks of a file."""
    tokens = list(_tokens(text))
    root = Block(name="", label=None)
    rest = _body(tokens, 0, root)
    assert rest == len(tokens)
    return root.blocks


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, f"no token at {text[at : at + 40]!r}"
        at = match.end()
        if match.lastgroup != "space":
            yield str(match.lastgroup), match.group()


def _body(tokens: list[tuple[str, str]], at: int, into: Block) -> int:
    while at < len(tokens) and tokens[at][1] != "}":
        kind, text = tokens[at]
        if text == "\n":
            at += 1
            continue
        assert kind == "name", tokens[at]
        if tokens[at + 1][1] == "=":
            assert text not in into.attributes, f"{text} twice"
            into.attributes[text], at = _sum(tokens, at + 2)
            assert tokens[at][1] == "\n"
            continue
        at += 1
        label = None
        if tokens[at][0] == "string":
            label, at = json.loads(tokens[at][1]), at + 1
        assert tokens[at][1] == "{"
        block = Block(name=text, label=label)
        at = _body(tokens, at + 1, block) + 1
        into.blocks.append(block)
    return at


def _sum(tokens: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    value, at = _value(tokens, at)
    while tokens[at][1] == "+":
        more, at = _value(tokens, at + 1)
        value += more
    return value, at


def _value(tokens: list[tuple[str, str]], at: int) -> tuple[Any, int]:
    kind, text = tokens[at]
    if kind in {"string", "number"} or text in {"true", "false"}:
        return json.loads(text), at + 1
    if text == "[":
        return _items(tokens, at + 1, "]")
    if text == "{":
        return _object(tokens, at + 1)
    if tokens[at + 1][1] == "(":
        given, at = _items(tokens, at + 2, ")")
        return _called(text, given), at
    return (HOSTNAME if text == "constants.hostname" else Reference(text)), at + 1


def _called(name: str, given: list[Any]) -> Any:
    if name == "sys.env":
        (variable,) = given
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", variable)
        return ""
    assert name == "coalesce"
    return next((each for each in given if each), given[-1])


def _skip(tokens: list[tuple[str, str]], at: int) -> int:
    while tokens[at][1] in {"\n", ","}:
        at += 1
    return at


def _items(tokens: list[tuple[str, str]], at: int, end: str) -> tuple[list[Any], int]:
    found = []
    while tokens[at := _skip(tokens, at)][1] != end:
        value, at = _sum(tokens, at)
        found.append(value)
    return found, at + 1


def _object(tokens: list[tuple[str, str]], at: int) -> tuple[dict[str, Any], int]:
    found = {}
    while tokens[at := _skip(tokens, at)][1] != "}":
        key = json.loads(tokens[at][1])
        assert tokens[at + 1][1] == "="
        found[key], at = _sum(tokens, at + 2)
    return found, at + 1
