"""The tree that YAML text becomes: nodes that keep their text and their place."""

import math
import re
from enum import StrEnum

from slo.problems import Problem, Span
from slo.records import dataclass


class Style(StrEnum):
    """How a scalar was written; only a plain one can be anything but text."""

    PLAIN = "plain"
    QUOTED = "quoted"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A single value: its text is kept as written, and nothing is resolved to another type."""

    text: str
    style: Style
    span: Span

    @property
    def is_null(self) -> bool:
        """Tell whether this is the plain scalar that YAML reads as null."""
        return self.style is Style.PLAIN and self.text in {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dangling(Scalar):
    """The null that an alias stands for when it leads nowhere, and the problem that tells so."""

    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A list of nodes."""

    items: tuple["Node", ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key of a mapping with its value."""

    key: Scalar
    value: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Keys and values in the order of the file; no key occurs twice."""

    entries: tuple[Entry, ...]
    span: Span

    def get(self, key: str) -> "Node | None":
        """Return the value of a key, or nothing."""
        return next((entry.value for entry in self.entries if entry.key.text == key), None)


Node = Scalar | Sequence | Mapping
"""Any part of a document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document of a file, never an empty one."""

    file: str
    root: Node


Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
"""Data as JSON knows it."""

_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,40}|[0-9]{1,40}(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?")


def to_plain(node: Node) -> Plain:
    """Return the node as JSON data, plain scalars typed by YAML 1.2's core rules.

    Numbers that JSON cannot hold (NaN, infinities, endless digits) stay text.
    """
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    if isinstance(node, Mapping):
        return {entry.key.text: to_plain(entry.value) for entry in node.entries}
    return _plain_scalar(node)


def _plain_scalar(node: Scalar) -> Plain:
    text = node.text
    if node.style is not Style.PLAIN:
        return text
    if node.is_null:
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
