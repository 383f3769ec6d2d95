"""Alloy's configuration syntax: blocks, attributes and expressions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slo.records import dataclass

_INDENT = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Text that Alloy evaluates: a reference, a call, a number."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block; ``attributes`` hold texts, numbers, booleans, lists, objects and expressions."""

    name: str
    label: str | None = None
    attributes: Mapping[str, Any]
    blocks: tuple[Block, ...] = ()

    def export(self, name: str) -> Expression:
        """A reference to what the component exports."""
        return Expression(text=f"{self.name}.{self.label}.{name}")


def block(name: str, /, *blocks: Block, label: str | None = None, **attributes: Any) -> Block:
    """A block whose attributes are those that are not ``None``."""
    given = {key: value for key, value in attributes.items() if value is not None}
    return Block(name=name, label=label, attributes=given, blocks=blocks)


def reference(component: str, label: str, export: str = "receiver") -> Expression:
    """A reference to what a component exports."""
    return Expression(text=f"{component}.{label}.{export}")


def variable(name: str, default: str | Expression = "") -> Expression:
    """The value of an environment variable, or a default where it is unset or empty."""
    value = f"sys.env({quoted(name)})"
    if default == "":
        return Expression(text=value)
    other = default.text if isinstance(default, Expression) else quoted(default)
    return Expression(text=f"coalesce({value}, {other})")


def joined(*parts: str | Expression) -> Expression:
    """Texts and expressions one after the other."""
    texts = (part.text if isinstance(part, Expression) else quoted(part) for part in parts)
    return Expression(text=" + ".join(texts))


def quoted(text: str) -> str:
    """A text as a literal, whatever it holds."""
    return json.dumps(text, ensure_ascii=False)


def written(blocks: Iterable[Block]) -> str:
    """Blocks as text."""
    return "\n".join("".join(f"{line}\n" for line in _lines(each)) for each in blocks)


def _lines(of: Block) -> Sequence[str]:
    label = "" if of.label is None else f" {quoted(of.label)}"
    inner = [
        line
        for key, value in of.attributes.items()
        for line in f"{key} = {_value(value)}".split("\n")
    ]
    inner += [line for each in of.blocks for line in _lines(each)]
    if not inner:
        return [f"{of.name}{label} {{ }}"]
    return [f"{of.name}{label} {{", *(f"{_INDENT}{line}" for line in inner), "}"]


def _value(value: object) -> str:
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _several(
            "{", [f"{quoted(key)} = {_value(each)}" for key, each in value.items()], "}"
        )
    if isinstance(value, list | tuple):
        return _several("[", [_value(each) for each in value], "]")
    return str(value)


def _several(opening: str, items: Sequence[str], closing: str) -> str:
    if len(items) == 1 and "\n" not in items[0]:
        return f"{opening}{items[0]}{closing}"
    lines = "".join(f"{item},\n" for item in items).replace("\n", f"\n{_INDENT}")
    return f"{opening}\n{_INDENT}{lines.rstrip()}\n{closing}" if items else f"{opening}{closing}"
