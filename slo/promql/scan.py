"""Our own pass over a query's characters: tokens with places, limits, strings and `$window`.

The parser library gives no positions, overflows the stack on deep input (a crash no `except`
sees), panics on some numbers and shifts others silently. All of that is refused here first.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from slo.promql.regex import matches_empty, regex_problem
from slo.promql.text import duration_ms
from slo.records import dataclass

MAX_LENGTH = 20_000
# Both together keep the library within half a megabyte of stack.
MAX_DEPTH = 100
MAX_OPERATORS = 100

_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
_OPENING = {"(": ")", "[": "]", "{": "}"}
OPERATORS = frozenset({"+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">="})
_WORD_OPERATORS = frozenset({"and", "or", "unless", "atan2"})
_TOKENS = r"""(?P<space>[ \t\r\n]+|\#[^\r\n]*)
    |(?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*'|`[^`]*`)
    |(?P<number>0[xX][0-9a-zA-Z_]*|(?:[0-9]|\.[0-9])(?:[eE][+-][0-9]|[0-9A-Za-z_.])*)
    |(?P<word>%s)
    |(?P<variable>\$(?:\{[A-Za-z0-9_]*\}|[A-Za-z0-9_]*))
    |(?P<sign>==|!=|=~|!~|<=|>=|[-+*/%%^=<>@(){}\[\],:])"""
# In a range the colon parts a subquery's step; elsewhere it belongs to a metric's name.
_TOKEN = re.compile(_TOKENS % "[A-Za-z_:][A-Za-z0-9_:]*", re.VERBOSE)
_RANGE_TOKEN = re.compile(_TOKENS % "[A-Za-z_][A-Za-z0-9_]*", re.VERBOSE)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ESCAPE = re.compile(
    r"\\(?:(?P<plain>[abfnrtv\\'\"])|(?P<octal>[0-7]{3})|x(?P<hex>[0-9a-fA-F]{2})"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<bad>.))"
)
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryProblem:
    """Why a query cannot be used; `offset` counts characters from its start when known."""

    message: str
    offset: int | None = None
    hint: str | None = None


class Token(NamedTuple):
    """A piece of a query with the place where it starts; `kind` is a group name of the scanner."""

    kind: str
    text: str
    start: int

    def is_word(self, *words: str) -> bool:
        """Tell whether this is one of some keywords, in any case."""
        return self.kind == "word" and self.text.lower() in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A query that passed: the text for the library in pieces, between which `$window` goes.

    Regexes are replaced by placeholders that match the empty string exactly when the real one
    does; `patterns` maps them back.
    """

    pieces: tuple[str, ...]
    patterns: dict[str, str]
    tokens: tuple[Token, ...]


class Refusal(Exception):  # noqa: N818 -- carries a problem inside this package, and ends as data
    """Leaves a scan with the problem that was found."""

    def __init__(self, message: str, offset: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = QueryProblem(message=message, offset=offset, hint=hint)


def scan(text: str) -> Scan | QueryProblem:
    """Split a query into tokens and refuse what must not reach the library."""
    try:
        _check_text(text)
        everything = tuple(_tokens(text))
        tokens = tuple(token for token in everything if token.kind != "space")
        _check_nesting(tokens, len(text))
        _check_places(tokens)
        return _assemble(everything, tokens)
    except Refusal as refusal:
        return refusal.problem


def unquote(token: Token) -> str:
    """Read a string token's value; raises `Refusal` for an escape Prometheus does not take."""
    quote, body = token.text[0], token.text[1:-1]
    if quote == "`" or "\\" not in body:
        return body
    return _ESCAPE.sub(lambda match: _unescape(match, quote, token.start + 1), body)


def _check_text(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise Refusal(f"the query has {len(text)} characters; at most {MAX_LENGTH} are read")
    if bad := _SURROGATE.search(text):
        raise Refusal("a lone surrogate is no character", bad.start())
    if not text.strip(" \t\r\n"):
        raise Refusal("the query is empty", 0)


def _tokens(text: str) -> Iterator[Token]:
    at, in_range = 0, False
    while at < len(text):
        match = (_RANGE_TOKEN if in_range else _TOKEN).match(text, at)
        if match is None:
            raise _unreadable(text, at)
        token = Token(str(match.lastgroup), match.group(), at)
        if token.text in {"[", "]"}:
            in_range = token.text == "["
        yield token
        at = match.end()


def _unreadable(text: str, at: int) -> Refusal:
    char = text[at]
    if char in "\"'`":
        hint = "write a line break as \\n, or use backticks" if "\n" in text[at:] else None
        return Refusal("this string is never closed", at, hint)
    hint = "quote names outside letters, digits and underscores" if char.isalpha() else None
    return Refusal(
        f"unexpected character {ascii(char) if not char.isprintable() else char}", at, hint
    )


def _check_nesting(tokens: Sequence[Token], end: int) -> None:
    stack: list[Token] = []
    operators = 0
    for token in tokens:
        if token.kind == "sign" and token.text in _OPENING:
            stack.append(token)
            if len(stack) > MAX_DEPTH:
                raise Refusal(f"more than {MAX_DEPTH} brackets are nested", token.start)
        elif token.kind == "sign" and token.text in ")]}":
            if not stack:
                raise Refusal(f"{token.text} closes nothing", token.start)
            opening = stack.pop()
            if _OPENING[opening.text] != token.text:
                raise Refusal(f"{token.text} does not close {opening.text}", token.start)
        elif _is_operator(token) and not (stack and stack[-1].text == "{"):
            operators += 1
            if operators > MAX_OPERATORS:
                raise Refusal(f"more than {MAX_OPERATORS} operators in one query", token.start)
    if stack:
        raise Refusal(f"{stack[-1].text} is never closed", stack[-1].start if end else None)


def _is_operator(token: Token) -> bool:
    return token.text in OPERATORS if token.kind == "sign" else token.is_word(*_WORD_OPERATORS)


def _check_places(tokens: Sequence[Token]) -> None:
    """Check each token against its neighbours."""
    opened: list[str] = []
    for index, token in enumerate(tokens):
        before = tokens[max(0, index - 2) : index]
        after = tokens[index + 1].text if index + 1 < len(tokens) else ""
        if token.kind == "sign" and token.text in _OPENING:
            opened.append(token.text)
        elif token.kind == "sign" and token.text in ")]}":
            opened.pop()
        elif token.kind == "variable":
            _check_variable(token, before, after)
        elif token.kind == "number":
            _check_number(token, before, in_range=opened[-1:] == ["["])
        elif token.kind == "string":
            unquote(token)
        elif token.is_word("or") and opened[-1:] == ["{"] and before[-1].kind == "string":
            hint = 'write a regex such as a=~"1|2", or two selectors joined by `or`'
            raise Refusal("Prometheus has no `or` between matchers", token.start, hint)


def _check_variable(token: Token, before: Sequence[Token], after: str) -> None:
    if token.text != "$window":
        what = "a lone $" if token.text == "$" else f"unknown variable {token.text}"
        raise Refusal(what, token.start, "the only variable is $window")
    last = before[-1].text if before else ""
    if last != "[" or after not in {"]", ":"}:
        place = {":": "as a step", "offset": "after offset", "@": "after @"}.get(last, "here")
        hint = "it is a range: write x[$window], or expr[$window:30s] for a subquery"
        raise Refusal(f"$window cannot stand {place}", token.start, hint)


def _check_number(token: Token, before: Sequence[Token], *, in_range: bool) -> None:
    """Check what a number means at its place: a value, a duration, or a time."""
    if not _NUMBER.fullmatch(token.text) and duration_ms(token.text) is None:
        hint = "a duration is written with descending units, such as 1h30m"
        raise Refusal(f"{token.text[:40]} is neither a number nor a duration", token.start, hint)
    negative = bool(before) and before[-1].text == "-"
    signed = bool(before) and before[-1].text in {"+", "-"}
    lead = before[:-1] if signed else before
    if in_range or (lead and lead[-1].is_word("offset")):
        length = duration_ms(token.text)
        if length is None or (in_range and not length):
            raise Refusal(f"{token.text[:40]} cannot be a duration here", token.start)
    elif lead and lead[-1].text == "@":
        moment = duration_ms(token.text)
        if moment is None or negative or moment > _LAST_SECOND * 1000:
            hint = "a time is given in Unix seconds from 1970 to 9999, in whole milliseconds"
            raise Refusal(f"{token.text[:40]} cannot be a time", token.start, hint)


def _assemble(everything: Sequence[Token], tokens: Sequence[Token]) -> Scan:
    patterns: dict[str, str] = {}
    pieces = [""]
    last = ""
    for token in everything:
        text = token.text
        if token.kind == "space":
            text = " "
        elif token.kind == "variable":
            pieces.append("")
            text = ""
        elif token.kind == "string" and last in {"=~", "!~"}:
            text = _placeholder(token, patterns)
        pieces[-1] += text
        last = token.text if token.kind != "space" else last
    return Scan(pieces=tuple(pieces), patterns=patterns, tokens=tuple(tokens))


def _placeholder(token: Token, patterns: dict[str, str]) -> str:
    pattern = unquote(token)
    if problem := regex_problem(pattern):
        raise Refusal(
            f"this regex cannot be used: {problem}", token.start, "Prometheus uses RE2's syntax"
        )
    name = f"(p{len(patterns)})?" if matches_empty(pattern) else f"p{len(patterns)}"
    patterns[name] = pattern
    return f'"{name}"'


def _unescape(match: re.Match[str], quote: str, start: int) -> str:
    place = start + match.start()
    plain = match["plain"]
    if match["bad"] or (plain in {"'", '"'} and plain != quote):
        hint = "write a backslash as \\\\, or use backticks"
        raise Refusal(f"unknown escape {match.group()[:2]} in a string", place, hint)
    if plain:
        return _PLAIN.get(plain, plain)
    digits = match["octal"] or match["hex"] or match["short"] or match["long"]
    code = int(digits, 8 if match["octal"] else 16)
    if (match["octal"] or match["hex"]) and code > 0x7F:  # noqa: PLR2004 -- the last ASCII code
        hint = "Prometheus reads it as a byte: write the character itself, or \\u"
        raise Refusal(f"{match.group()} is half a character", place, hint)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 -- the bounds of Unicode
        raise Refusal(f"{match.group()} is no character", place)
    return chr(code)
