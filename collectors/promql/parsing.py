"""From a query's text to a checked tree, and what its nodes say of labels and time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import promql_parser as lib

from collectors.promql.errors import PromqlError
from collectors.promql.values import NAME, Grid, Times
from slo.promql import Matcher, QueryProblem, tree
from slo.promql.scan import Refusal, scan
from slo.records import dataclass

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

Timed = lib.VectorSelector | lib.SubqueryExpr

_SHARED = (lib.VectorSelector, lib.MatrixSelector, lib.SubqueryExpr, lib.Call, lib.ParenExpr)
"""What is worth being evaluated once where it stands several times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A query as a tree, whose regexes are placeholders for ``patterns``.

    ``repeated`` are the texts of its parts that occur more than once.
    """

    root: lib.Expr
    patterns: Mapping[str, str]
    repeated: frozenset[str] = frozenset()

    def text(self, node: lib.Expr) -> str | None:
        """Return the text of a part that occurs more than once, ``None`` for any other."""
        if not self.repeated or not isinstance(node, _SHARED):
            return None
        text = _text(node, self.patterns)
        return text if text in self.repeated else None

    def matchers(self, node: lib.VectorSelector) -> tuple[Matcher, ...]:
        """Return the matchers of a selector, its metric's name among them."""
        selector = tree.selector_of(node, self.patterns)
        if selector.metric is None:
            return selector.matchers
        return (Matcher(name=NAME, value=selector.metric), *selector.matchers)


# Rules and readers ask the same queries over and over; what one means never changes.
@lru_cache(maxsize=1024)
def parse(query: str) -> Parsed:
    """Parse a query; raises `PromqlError` with the place and reason of what is wrong."""
    scanned = scan(query)
    if isinstance(scanned, QueryProblem):
        raise _rejected(scanned)
    if len(scanned.pieces) > 1:
        raise PromqlError("$window has no meaning in a query that is evaluated")
    try:
        parsed = Parsed(root=tree.parse(scanned.pieces[0]), patterns=scanned.patterns)
        selectors = [parsed.matchers(node) for node in tree.selectors(parsed.root)]
    except Refusal as refusal:
        raise _rejected(refusal.problem) from None
    if len(set(selectors)) == len(selectors):
        return parsed
    texts = Counter(_texts(parsed.root, parsed.patterns))
    repeated = frozenset(text for text, times in texts.items() if times > 1)
    return Parsed(root=parsed.root, patterns=parsed.patterns, repeated=repeated)


def _texts(node: lib.Expr, patterns: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, _SHARED):
        yield _text(node, patterns)
    inner = [node.expr] if isinstance(node, lib.SubqueryExpr) else children(node)
    for child in inner:
        yield from _texts(child, patterns)


def _text(node: lib.Expr, patterns: Mapping[str, str]) -> str:
    return tree.write(node, tree.Rewrite(patterns=patterns))


def _rejected(problem: QueryProblem) -> PromqlError:
    place = "" if problem.offset is None else f" at character {problem.offset + 1}"
    return PromqlError(f"the query cannot be read: {problem.message}{place}", hint=problem.hint)


def unwrapped(node: lib.Expr) -> lib.Expr:
    """Return what stands inside parentheses."""
    while isinstance(node, lib.ParenExpr):
        node = node.expr
    return node


def children(node: lib.Expr) -> list[lib.Expr]:
    """Return the expressions that are evaluated on the same steps as a node."""
    match node:
        case lib.BinaryExpr():
            return [node.lhs, node.rhs]
        case lib.AggregateExpr():
            return [node.expr] if node.param is None else [node.param, node.expr]
        case lib.Call():
            return list(node.args)
        case lib.ParenExpr() | lib.UnaryExpr():
            return [node.expr]
    return []


def milliseconds(span: timedelta) -> int:
    """Return a span in milliseconds."""
    return span // _MILLISECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What times mean in one evaluation: ``start()``, ``end()`` and how far a selector looks back.

    All are in milliseconds; ``resolution_ms`` is the step of a subquery that names none.
    """

    start_ms: int
    end_ms: int
    lookback_ms: int
    resolution_ms: int

    def reference(self, node: Timed, grid: Grid) -> Times:
        """Return the instants that a node looks at, one for each step."""
        times = grid.times
        if node.at is not None:
            times = np.full(grid.size, self._fixed(node.at), dtype=np.int64)
        return times - (0 if node.offset is None else milliseconds(node.offset))

    def inner(self, node: lib.SubqueryExpr, grid: Grid, most: int) -> Grid:
        """Return the steps of a subquery: multiples of its step that lie in any of its ranges.

        Raises `PromqlError` when there are more than so many.
        """
        reference = self.reference(node, grid)
        step = self.resolution_ms if node.step is None else milliseconds(node.step)
        assert node.range is not None, "the scanner wants a length"
        before = int(reference[0]) - milliseconds(node.range)
        first, last = before // step + 1, int(reference[-1]) // step
        check_cells(last - first + 1, most)
        return Grid(times=np.arange(first, last + 1, dtype=np.int64) * step)

    def _fixed(self, at: lib.AtModifier) -> int:
        if at.at is not None:
            return (at.at - _EPOCH) // _MILLISECOND
        return self.start_ms if at.type == lib.AtModifierType.Start else self.end_ms


def check_cells(cells: int, most: int) -> None:
    """Raise `PromqlError` when a query needs more memory than it may take."""
    if cells > most:
        raise PromqlError(
            f"the query needs {cells:,} values at once; at most {most:,} are held",
            hint="ask for a shorter range, a longer step or fewer series",
        )
