"""Queries of a specification: parsed once into data, rendered with an environment's matchers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import timedelta

import promql_parser as lib

from slo.promql import tree
from slo.promql.scan import OPERATORS, QueryProblem, Refusal, Scan, Token, scan
from slo.promql.text import Matcher, Selector, duration_ms
from slo.records import dataclass

# What $window is read as; of a length that nobody writes, so that it can be told from others.
_SAMPLE_WINDOW = "4m59s993ms"
_MAX_MESSAGE = 300
_NAME_IN_MESSAGE = re.compile(r"'([A-Za-z_:][A-Za-z0-9_:]*)'")
_NEVER_FIRST = frozenset({")", ",", "*", "/", "%", "^"})
_PER_SECOND = frozenset({"rate", "irate", "deriv"})
_PER_WINDOW = frozenset({"increase", "delta", "idelta", "changes", "resets"})
_VAGUE = frozenset({"invalid promql query", "invalid syntax"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A PromQL expression that was read without doubt.

    `normal` is the text without comments and with one way to write spaces, quotes and numbers; two
    queries with the same one mean the same. `selectors` stand in the order of the text. `plain` is
    the selector when the whole query is one, without range, offset or @.
    """

    # No part of what a query means, and so not of its repr(), which revisions are made from.
    text: str = field(repr=False)
    normal: str
    type: tree.ValueType
    selectors: tuple[Selector, ...]
    plain: Selector | None
    functions: tuple[str, ...]
    # The scanned text around each $window, and the regexes it holds placeholders for.
    pieces: tuple[str, ...] = field(repr=False)
    patterns: Mapping[str, str] = field(repr=False, hash=False)

    @property
    def is_selector(self) -> bool:
        """Whether the whole query is one instant vector selector."""
        return self.plain is not None

    @property
    def uses_window(self) -> bool:
        """Whether `$window` stands in it as a range."""
        return len(self.pieces) > 1

    @property
    def per_second(self) -> bool | None:
        """Whether its value is a rate per second; False for a count of the whole `$window`.

        None when its functions do not tell, or say both.
        """
        rates = not _PER_SECOND.isdisjoint(self.functions)
        counts = any(name in _PER_WINDOW or name.endswith("_over_time") for name in self.functions)
        return rates if rates != counts else None

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metric names it reads, each once, in the order of the text."""
        return tuple(dict.fromkeys(one.metric for one in self.selectors if one.metric is not None))


def parse_query(text: str) -> Query | QueryProblem:
    """Read a query of a specification, or say what is wrong with it and where."""
    scanned = scan(text)
    if isinstance(scanned, QueryProblem):
        return scanned
    try:
        return _read(text, scanned)
    except Refusal as refusal:
        return _explain(refusal.problem, scanned.tokens)


def parse_selector(text: str) -> Selector | QueryProblem:
    """Read a text that must be an instant vector selector without range, offset or @."""
    query = parse_query(text)
    if isinstance(query, QueryProblem):
        return query
    if query.plain is None:
        hint = 'write a metric with its matchers only, such as x_total{job="api"}'
        return QueryProblem(message="this must be a plain selector", offset=0, hint=hint)
    return query.plain


def render(
    query: Query,
    *,
    matchers: Sequence[Matcher] = (),
    window: str | None = None,
    offset: str | None = None,
) -> str:
    """Write a query on one line, as one environment and window need it.

    Every selector gets the matchers it does not have, and `offset` is added to its own. Selectors
    at a fixed time (`@ 1600000000`) get no further offset, since they do not move with the
    evaluation. Raises `ValueError` for a missing or malformed window or offset.
    """
    if query.uses_window and window is None:
        raise ValueError("the query contains $window, so a window is needed")
    if window is not None and _length("window", window) == 0:
        raise ValueError("the window must be longer than zero")
    shift = timedelta(milliseconds=0 if offset is None else _length("offset", offset))
    change = tree.Rewrite(patterns=query.patterns, matchers=tuple(matchers), offset=shift)
    return tree.write(tree.parse((window or "").join(query.pieces)), change)


def _length(name: str, text: str) -> int:
    length = duration_ms(text)
    if length is None:
        raise ValueError(f"{name} {text!r} is no duration")
    return length


def _read(text: str, scanned: Scan) -> Query:
    root = tree.parse(_SAMPLE_WINDOW.join(scanned.pieces))
    found = list(tree.selectors(root))
    described = tuple(tree.selector_of(one, scanned.patterns) for one in found)
    written = _faithful(root, scanned.patterns)
    plain = isinstance(root, lib.VectorSelector) and root.at is None and root.offset is None
    return Query(
        text=text,
        normal=written.replace(f"[{_SAMPLE_WINDOW}", "[$window"),
        type=tree.value_type(root),
        selectors=described,
        plain=described[0] if plain else None,
        functions=tuple(sorted(set(tree.functions(root)))),
        pieces=scanned.pieces,
        patterns=scanned.patterns,
    )


def _faithful(root: lib.Expr, patterns: Mapping[str, str]) -> str:
    """Write a query, and refuse one that would come back as another, whatever the reason."""
    written = tree.write(root, tree.Rewrite(patterns=patterns))
    again = scan(written)
    if not isinstance(again, QueryProblem) and again.patterns == patterns:
        copy = tree.parse("".join(again.pieces))
        rewritten = tree.write(copy, tree.Rewrite(patterns=patterns))
        # Not repr(): its indentation takes seconds on a deep tree.
        if rewritten == written and copy.prettify() == root.prettify():
            return written
    raise Refusal("this query cannot be rewritten without changing it")


def _explain(problem: QueryProblem, tokens: Sequence[Token]) -> QueryProblem:
    """Add a place and a hint to what the library said, where the tokens allow it."""
    message, hint = problem.message, problem.hint
    offset = _named_place(message, tokens)
    if message.startswith("metric name must not be set twice"):
        message = "the metric name is set twice"
    elif message.startswith("expected type matrix"):
        hint = "write a range, such as x[$window]"
    elif message.startswith("vector selector must contain"):
        hint = "a selector needs a metric name or a matcher that does not match an empty value"
    elif message.startswith("unknown function"):
        hint = "functions are written in lower case; very new ones are not known yet"
    elif message in _VAGUE:
        message = "this is not a PromQL expression"
        offset = _adjacency(tokens)
    return QueryProblem(message=message[:_MAX_MESSAGE], offset=offset, hint=hint)


def _named_place(message: str, tokens: Sequence[Token]) -> int | None:
    """Find the one word that a message names; two of a kind would be a guess."""
    for name in _NAME_IN_MESSAGE.findall(message):
        places = [token.start for token in tokens if token.kind == "word" and token.text == name]
        if len(places) == 1:
            return places[0]
    return None


def _adjacency(tokens: Sequence[Token]) -> int | None:
    """Find an operator that has nothing to its right."""
    for one, other in zip(tokens, [*tokens[1:], Token("end", "", -1)], strict=True):
        dangling = other.kind == "end" or other.text in _NEVER_FIRST
        if one.kind == "sign" and one.text in OPERATORS and dangling:
            return one.start
    return None
