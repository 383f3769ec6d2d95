"""The program in Lua that Fluent Bit runs on every record.

Lua's own patterns have no alternatives, so the program brings a matcher of its own; expressions
are read here and handed to it as trees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from collectors.tagging.expressions import Anchor, Chars, Choice, Node, Sequel, parsed
from collectors.tagging.fluent_bit_program import PROGRAM
from collectors.tagging.model import Plan, SyslogSource
from collectors.tagging.shipping import HOST, Reading
from collectors.tagging.tables import Entry, constants, nobody
from slo.records import dataclass

SCRIPT = "headroom.lua"
_FIRST, _LAST_ASCII = 0x20, 0x7F
_LAST_BYTE = 0xFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """An expression as the matcher takes it: text of Lua that stands as it is."""

    text: str


def quoted(text: str) -> str:
    """A text as a literal of Lua, all of it in ASCII: other bytes are written as numbers."""
    return (
        '"'
        + "".join(
            chr(byte) if _FIRST <= byte < _LAST_ASCII and byte not in b'"\\' else f"\\{byte:03d}"
            for byte in text.encode()
        )
        + '"'
    )


def literal(value: object, depth: int = 0) -> str:
    """Texts, numbers, booleans, lists, mappings and expressions as a literal of Lua."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Tree):
        return value.text
    if value is None or isinstance(value, int):
        return "nil" if value is None else str(value).lower()
    if isinstance(value, list | tuple):
        return "{" + ", ".join(literal(each, depth) for each in value) + "}"
    if isinstance(value, Mapping):
        start = "  " * depth
        lines = "".join(
            f"{start}  [{quoted(str(key))}] = {literal(each, depth + 1)},\n"
            for key, each in value.items()
            if each is not None
        )
        return f"{{\n{lines}{start}}}" if lines else "{}"
    raise TypeError(type(value))


def tree(pattern: str) -> Tree:
    """A portable expression for the matcher."""
    return Tree(text=_node(parsed(pattern)))


def _node(node: Node) -> str:
    if isinstance(node, Anchor):
        return '{"end"}' if node.end else '{"start"}'
    if isinstance(node, Chars):
        return _chars(node)
    if isinstance(node, Sequel):
        parts = node.parts
        return _node(parts[0]) if len(parts) == 1 else _listed("seq", map(_node, parts))
    if isinstance(node, Choice):
        inner = _listed("any", map(_node, node.parts))
        return f'{{"group", {inner}}}' if node.capturing else inner
    most = "nil" if node.most is None else str(node.most)
    return f'{{"rep", {_node(node.part)}, {node.least}, {most}}}'


def _listed(kind: str, parts: Sequence[str] | map[str]) -> str:
    return f"{{{', '.join((quoted(kind), *parts))}}}"


def _chars(node: Chars) -> str:
    """Bytes that begin a match; a character beyond ASCII is the sequence of its bytes."""
    bounds: list[int] = []
    wide: list[str] = []
    for first, last in node.ranges:
        if ord(first) <= _LAST_ASCII:
            bounds += [ord(first), min(ord(last), _LAST_ASCII)]
        if ord(last) > _LAST_ASCII:
            if first == last:
                wide.append(last)
            else:
                # Any byte of a longer character: a range of those is not told more finely.
                bounds += [_LAST_ASCII + 1, _LAST_BYTE]
    plain = f'{{"set", {str(node.negated).lower()}, {", ".join(map(str, bounds))}}}'
    if node.negated or not wide:
        return plain if bounds or not node.negated else '{"set", true}'
    parts = [f'{{"text", {quoted(char)}}}' for char in wide]
    return _listed("any", [*([plain] if bounds else []), *parts])


OWNER = "headroom_owner"
"""The field that says whose a syslog message is."""


def script(plan: Plan, found: Sequence[Reading], *, resources: bool) -> str:
    """The whole program: what it looks into, then what it does.

    With ``resources``, what is tagged as a resource by the input is not tagged again; the output
    takes trace, span and severity from fields without dots.
    """
    values = constants(plan, found, tree)
    sources = cast("dict[str, Entry]", values["SOURCES"])
    if resources:
        for reading in found:
            own = reading.tags if isinstance(reading.source, SyslogSource) else {}
            sources[reading.name]["tags"] = own
    names = {
        "OWNER": OWNER,
        "TRACE": "trace_id" if resources else "trace.id",
        "SPAN": "span_id" if resources else "span.id",
        "SEVERITY": "severity_text" if resources else "log.level",
        **values,
        # A table of Lua has no order, and the narrowest pods must be asked first.
        "ORDER": list(sources),
        "HOST": HOST,
        "NOBODY": nobody(plan),
    }
    written = "".join(f"local {name} = {literal(value)}\n" for name, value in names.items())
    return written + PROGRAM
