"""From text to tree: a reader by recursive descent that knows the column of every mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from slo.errors import HeadroomError
from slo.logquery.tree import And, Compare, Expression, Has, Is, Not, Or, Words
from slo.records import dataclass

LONGEST = 4096
"""The most characters a query may have."""

DEEPEST = 50
"""How deeply parentheses and ``not`` may be nested."""

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<quoted>"(?:[^"\\]|\\.)*")
  | (?P<symbol>\(|\)|<=|>=|<|>|:)
  | (?P<word>(?:[^\s()"<>:\\]|\\.)+)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = ("<", "<=", ">", ">=")
_KEYWORDS = ("and", "or", "not")


class LogQueryError(HeadroomError):
    """A log query cannot be read; ``column`` counts from 1."""

    def __init__(self, message: str, *, column: int, hint: str | None = None) -> None:
        self.column = column
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    kind: str
    text: str
    column: int
    glued: bool = False  # no space before it

    @property
    def keyword(self) -> str | None:
        lowered = self.text.lower()
        return lowered if self.kind == "word" and lowered in _KEYWORDS else None


def parse(text: str) -> Expression:
    """Read a query; an empty one matches everything. Raises ``LogQueryError``."""
    if len(text) > LONGEST:
        raise LogQueryError(f"the query is longer than {LONGEST} characters", column=LONGEST + 1)
    reader = _Reader(_tokens(text), end=len(text) + 1)
    if reader.at_end:
        return And(parts=())
    found = reader.either()
    if not reader.at_end:
        raise reader.wrong("an operator or the end of the query")
    return found


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, glued = 0, False
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unfinished(text[place], place + 1)
        kind = match.lastgroup or ""
        if kind != "space":
            tokens.append(
                _Token(kind=kind, text=match.group(), column=match.start() + 1, glued=glued)
            )
        glued = kind != "space"
        place = match.end()
    return tokens


def _unfinished(character: str, column: int) -> LogQueryError:
    if character == '"':
        return LogQueryError("this quotation mark is not closed", column=column)
    return LogQueryError("nothing follows this backslash", column=column, hint="write two for one")


class _Reader:
    """The tokens and how far they are read."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._end = end
        self._depth = 0

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._tokens)

    def either(self) -> Expression:
        return self._joined("or", self._both, lambda parts: Or(parts=parts))

    def _both(self) -> Expression:
        parts = [self._negated()]
        while self._takes("and") or self._starts_term():
            parts.append(self._negated())
        return parts[0] if len(parts) == 1 else And(parts=tuple(parts))

    def _negated(self) -> Expression:
        if not self._takes("not"):
            return self._term()
        self._enter()
        inner = self._negated()
        self._depth -= 1
        return Not(inner=inner)

    def _term(self) -> Expression:
        if self._takes("("):
            self._enter()
            inner = self.either()
            self._close()
            return inner
        token = self._value("a word or a field")
        after = self._peek()
        if after is not None and after.kind == "symbol" and token.kind == "word":
            if after.text == ":":
                self._next += 1
                return self._of_field(_plain(token))
            if after.text in _COMPARISONS:
                self._next += 1
                return self._compared(_plain(token), after.text)
        return Words(text=_plain(token))

    def _of_field(self, field: str) -> Expression:
        if self._takes("("):
            self._enter()
            found = self._joined("or", lambda: self._one_value(field), lambda p: Or(parts=p))
            self._close()
            return found
        return self._one_value(field)

    def _one_value(self, field: str) -> Expression:
        token = self._value(f'a value for "{field}"')
        if token.text == "*":
            return Has(field=field)
        return Is(field=field, value=_plain(token), quoted=token.kind == "quoted")

    def _compared(self, field: str, operator: str) -> Expression:
        token = self._value("a number")
        try:
            value = Decimal(_plain(token))
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            raise LogQueryError(f'"{token.text}" is no number', column=token.column)
        return Compare(field=field, operator=operator, value=value)

    def _joined(
        self,
        word: str,
        part: Callable[[], Expression],
        join: Callable[[tuple[Expression, ...]], Expression],
    ) -> Expression:
        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else join(tuple(parts))

    def _value(self, wanted: str) -> _Token:
        token = self._peek()
        if token is None or token.kind == "symbol" or token.keyword:
            raise self.wrong(wanted)
        self._next += 1
        return token

    def _starts_term(self) -> bool:
        token = self._peek()
        if token is None:
            return False
        return token.text == "(" or (token.kind != "symbol" and token.keyword in {None, "not"})

    def _takes(self, text: str) -> bool:
        token = self._peek()
        if token is None:
            return False
        found = token.keyword == text or (token.kind == "symbol" and token.text == text)
        self._next += found
        return found

    def _peek(self) -> _Token | None:
        return None if self.at_end else self._tokens[self._next]

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise LogQueryError("the query is nested too deeply", column=self._column)

    def _close(self) -> None:
        self._depth -= 1
        if not self._takes(")"):
            raise self.wrong('a closing ")"')

    @property
    def _column(self) -> int:
        token = self._peek()
        return self._end if token is None else token.column

    def wrong(self, wanted: str) -> LogQueryError:
        token = self._peek()
        found = "the end of the query" if token is None else f'"{token.text}"'
        return LogQueryError(f"{found} stands where {wanted} is needed", column=self._column)


def _plain(token: _Token) -> str:
    """The text that a token stands for: without quotation marks and backslashes."""
    text = token.text[1:-1] if token.kind == "quoted" else token.text
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
