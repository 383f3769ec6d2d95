r"""Portable regular expressions, read once and written as each engine has to have them.

What is portable on paper still differs in what must be escaped: a lone ``[`` within a class, a
lone ``{``, quotes and ``$`` where a configuration is expanded. So every sign that any engine or
configuration could take for another is written as ``\xNN``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from slo.records import dataclass

_TOKEN = re.compile(
    r"\\(?P<escaped>.)|(?P<capturing>\((?!\?))|(?P<group>\(\?:)|(?P<close>\))|(?P<alternative>\|)"
    r"|(?P<repeat>[*+?]|\{[0-9]+(?:,[0-9]*)?\})|(?P<set>\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\])"
    r"|(?P<any>\.)|(?P<start>\^)|(?P<end>\$)|(?P<plain>.)",
    re.DOTALL,
)
_MEMBER = re.compile(r"\[:(?P<named>\w+):\]|\\(?P<escaped>.)|(?P<plain>.)", re.DOTALL)
_LAST = "\ufffd"
_CONTROL = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_SHORT = {"d": "digit", "s": "space", "w": "word"}
_QUOTED = frozenset("\\'\"${}`&#\t\n\r\f\x7f") | frozenset(map(chr, range(32)))
_SPECIAL = frozenset(".^*+?()[]|")
_SPECIAL_INSIDE = frozenset("[]^-~|")

NAMED: dict[str, Sequence[tuple[str, str]]] = {
    "alnum": (("0", "9"), ("A", "Z"), ("a", "z")),
    "alpha": (("A", "Z"), ("a", "z")),
    "blank": (("\t", "\t"), (" ", " ")),
    "cntrl": (("\x00", "\x1f"), ("\x7f", "\x7f")),
    "digit": (("0", "9"),),
    "graph": (("!", "~"),),
    "lower": (("a", "z"),),
    "print": ((" ", "~"),),
    "punct": (("!", "/"), (":", "@"), ("[", "`"), ("{", "~")),
    "space": (("\t", "\r"), (" ", " ")),
    "upper": (("A", "Z"),),
    "word": (("0", "9"), ("A", "Z"), ("_", "_"), ("a", "z")),
    "xdigit": (("0", "9"), ("A", "F"), ("a", "f")),
}
"""Classes by name, as ranges of ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chars:
    """One character that is in any of these ranges, or in none of them."""

    ranges: tuple[tuple[str, str], ...]
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The beginning of the text, or its end."""

    end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequel:
    """One part after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The first of some parts that leads to a match; ``capturing`` when its text is asked for."""

    parts: tuple[Node, ...]
    capturing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A part as often as possible; ``most`` is ``None`` for without end."""

    part: Node
    least: int
    most: int | None


Node = Chars | Anchor | Sequel | Choice | Repeat
ANY = Chars(ranges=(("\n", "\n"),), negated=True)


def parsed(pattern: str) -> Node:
    """A portable regular expression as a tree; the pattern must be valid."""
    tokens = list(_TOKEN.finditer(pattern))
    tree, rest = _choice(tokens, 0, capturing=False)
    if rest != len(tokens):
        raise ValueError(f"a ) without its ( in {pattern!r}")
    return tree


def _choice(tokens: Sequence[re.Match[str]], at: int, *, capturing: bool) -> tuple[Node, int]:
    found: list[Node] = []
    while True:
        part, at = _sequel(tokens, at)
        found.append(part)
        if at == len(tokens) or tokens[at]["alternative"] is None:
            break
        at += 1
    if len(found) == 1 and not capturing:
        return found[0], at
    return Choice(parts=tuple(found), capturing=capturing), at


def _sequel(tokens: Sequence[re.Match[str]], at: int) -> tuple[Node, int]:
    parts: list[Node] = []
    while at < len(tokens) and tokens[at].lastgroup not in {"close", "alternative"}:
        token = tokens[at]
        at += 1
        if token["capturing"] is not None or token["group"] is not None:
            inner, at = _choice(tokens, at, capturing=token["capturing"] is not None)
            # A group that captures nothing still holds its alternatives together.
            parts.append(Sequel(parts=(inner,)))
            at += 1
        elif token["repeat"] is not None and parts:
            parts.append(_repeated(parts.pop(), token["repeat"]))
        else:
            parts.append(_single(token))
    return Sequel(parts=tuple(parts)), at


def _repeated(part: Node, sign: str) -> Repeat:
    if sign in "*+?":
        return Repeat(part=part, least=int(sign == "+"), most=1 if sign == "?" else None)
    least, comma, most = sign[1:-1].partition(",")
    last = int(most) if most else None if comma else int(least)
    return Repeat(part=part, least=int(least), most=last)


def _single(token: re.Match[str]) -> Node:
    if token["set"] is not None:
        return _set(token["set"])
    if token["escaped"] is not None:
        letter = token["escaped"]
        if letter.isupper():
            return Chars(ranges=tuple(NAMED[_SHORT[letter.lower()]]), negated=True)
        return Chars(ranges=_ranges_of(letter))
    if token["any"] is not None:
        return ANY
    if token["start"] is not None or token["end"] is not None:
        return Anchor(end=token["end"] is not None)
    char = token.group()
    return Chars(ranges=((char, char),))


def _ranges_of(letter: str) -> tuple[tuple[str, str], ...]:
    if letter in _SHORT:
        return tuple(NAMED[_SHORT[letter]])
    if letter.lower() in _SHORT:
        return _without(NAMED[_SHORT[letter.lower()]])
    char = _CONTROL.get(letter, letter)
    return ((char, char),)


def _without(ranges: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found, start = [], 0
    for first, last in sorted(ranges):
        if ord(first) > start:
            found.append((chr(start), chr(ord(first) - 1)))
        start = ord(last) + 1
    return (*found, (chr(start), _LAST))


def _set(text: str) -> Chars:
    negated = text.startswith("[^")
    members = list(_MEMBER.finditer(text[2 if negated else 1 : -1]))
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(members):
        member = members[at]
        at += 1
        if member["named"] is not None:
            found.extend(NAMED[member["named"]])
            continue
        ranges = (
            ((member["plain"],) * 2,)
            if member["escaped"] is None
            else _ranges_of(member["escaped"])
        )
        if len(ranges) == 1 and at + 1 < len(members) and members[at].group() == "-":
            last = members[at + 1]
            if last["named"] is None:
                end = last["plain"] or _CONTROL.get(last["escaped"], last["escaped"])
                ranges = ((ranges[0][0], end),)
                at += 2
        found.extend((first, last) for first, last in ranges)
    return Chars(ranges=tuple(found), negated=negated)


@lru_cache(maxsize=4096)
def written(pattern: str, start: str = "^", end: str = "$") -> str:
    r"""A portable expression as Rust, Onigmo, Go and JavaScript all read it.

    ``start`` and ``end`` are how the engine at hand spells the ends of the whole text. Neither
    quotes nor ``${`` stand in it, and no ``\\``.
    """
    return _text(parsed(pattern), start, end)


def _text(node: Node, start: str, end: str) -> str:
    if isinstance(node, Anchor):
        return end if node.end else start
    if isinstance(node, Chars):
        return _chars(node)
    if isinstance(node, Sequel):
        return "".join(
            f"(?:{_text(part, start, end)})"
            if isinstance(part, Choice) and not part.capturing
            else _text(part, start, end)
            for part in node.parts
        )
    if isinstance(node, Choice):
        inner = "|".join(_text(part, start, end) for part in node.parts)
        return f"({inner})" if node.capturing else inner
    part = _text(node.part, start, end)
    whole = isinstance(node.part, Chars) or (part.startswith("(") and _is_one_group(node.part))
    return f"{part if whole else f'(?:{part})'}{_sign(node)}"


def _is_one_group(node: Node) -> bool:
    return isinstance(node, Sequel) and len(node.parts) == 1 and isinstance(node.parts[0], Choice)


def _sign(node: Repeat) -> str:
    usual = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((node.least, node.most))
    if usual is not None:
        return usual
    if node.most == node.least:
        return f"{{{node.least}}}"
    return f"{{{node.least},{'' if node.most is None else node.most}}}"


def _chars(node: Chars) -> str:
    if node == ANY:
        return "."
    if len(node.ranges) == 1 and not node.negated and node.ranges[0][0] == node.ranges[0][1]:
        char = node.ranges[0][0]
        return f"\\{char}" if char in _SPECIAL else _safe(char)
    inside = "".join(
        _inside(first) if first == last else f"{_inside(first)}-{_inside(last)}"
        for first, last in node.ranges
    )
    return f"[{'^' if node.negated else ''}{inside}]"


def _inside(char: str) -> str:
    return f"\\x{ord(char):02X}" if char in _SPECIAL_INSIDE else _safe(char)


def _safe(char: str) -> str:
    return f"\\x{ord(char):02X}" if char in _QUOTED else char
