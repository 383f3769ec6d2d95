"""The evaluation of a query: each node of its tree at all steps at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TypeVar, cast

import numpy as np
import promql_parser as lib

from collectors.promql.aggregation import Grouping, aggregate
from collectors.promql.binary import Matching, scalars, sets, vectors, with_scalar
from collectors.promql.calls import absent, call, check_known, negative, without_names
from collectors.promql.errors import PromqlError
from collectors.promql.operators import ARITHMETIC, COMPARISONS, SETS
from collectors.promql.parsing import Clock, Parsed, check_cells, milliseconds, unwrapped
from collectors.promql.ranged import RANGE_FUNCTIONS, absent_over, over_ranges
from collectors.promql.selectors import (
    Reading,
    Series,
    instant,
    instant_span,
    range_span,
    ranges,
    subquery_ranges,
)
from collectors.promql.values import (
    NAME,
    Floats,
    Grid,
    Labels,
    Matrix,
    Scalar,
    Value,
    distinct,
    labels_of,
    stack,
)
from collectors.promql.windows import Ranges
from slo.records import dataclass

_Found = TypeVar("_Found", Value, Ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One query over what was read for it; no value holds more than ``most`` cells.

    ``known`` holds what was found for parts that stand in the query several times, as the
    expressions of a ledger have them; nothing changes a value once it was found.
    """

    parsed: Parsed
    clock: Clock
    reading: Reading
    most: int
    known: dict[tuple[str, int, int, int], Value | Ranges] = field(default_factory=dict)

    def value(self, node: lib.Expr, grid: Grid) -> Value:
        """Evaluate a node; raises `PromqlError` where Prometheus has an error too."""
        return self._once(node, grid, self._value)

    def ranges(self, node: lib.Expr, grid: Grid) -> Ranges:
        """Return the samples that a range selector or a subquery has at each step."""
        return self._once(unwrapped(node), grid, self._ranges)

    def _once(self, node: lib.Expr, grid: Grid, find: Callable[[lib.Expr, Grid], _Found]) -> _Found:
        text = self.parsed.text(node) if grid.size else None
        if text is None:
            return find(node, grid)
        # Steps are evenly spaced, so that their ends and number tell them all.
        key = text, int(grid.times[0]), int(grid.times[-1]), grid.size
        if key not in self.known:
            self.known[key] = find(node, grid)
        # A text has either values or ranges, never both.
        return cast("_Found", self.known[key])

    def _value(self, node: lib.Expr, grid: Grid) -> Value:
        match node:
            case lib.NumberLiteral():
                return Scalar(values=np.full(grid.size, node.val))
            case lib.StringLiteral():
                return node.val
            case lib.ParenExpr():
                return self.value(node.expr, grid)
            case lib.UnaryExpr():
                return negative(self.value(node.expr, grid))
            case lib.VectorSelector():
                return self._instant(node, grid)
        return self._compound(node, grid)

    def _compound(self, node: lib.Expr, grid: Grid) -> Value:
        match node:
            case lib.Call():
                return self._call(node, grid)
            case lib.AggregateExpr():
                return self._aggregate(node, grid)
            case lib.BinaryExpr():
                return self._binary(node, grid)
        raise PromqlError(
            "a range of samples cannot stand here", hint="put it into a function such as rate()"
        )

    def _ranges(self, node: lib.Expr, grid: Grid) -> Ranges:
        if isinstance(node, lib.MatrixSelector):
            series = self._series(node.vector_selector, range_span(self.clock, node, grid))
            self._check(series, grid)
            reference = self.clock.reference(node.vector_selector, grid)
            return ranges(series, reference, milliseconds(node.range), self.reading.places)
        if not isinstance(node, lib.SubqueryExpr) or node.range is None:
            raise PromqlError("a function takes a range here, such as x[5m]")
        steps = self.clock.inner(node, grid, self.most)
        inner = self._matrix(node.expr, steps) if steps.size else stack([], 0)
        reference = self.clock.reference(node, grid)
        return subquery_ranges(inner, steps, reference, milliseconds(node.range))

    def _series(self, node: lib.VectorSelector, span: tuple[int, int]) -> Sequence[Series]:
        return self.reading.series(self.parsed.matchers(node), span)

    def _check(self, series: Sequence[Series], grid: Grid) -> None:
        check_cells(len(series) * grid.size, self.most)

    def _instant(self, node: lib.VectorSelector, grid: Grid, *, times: bool = False) -> Matrix:
        if not grid.size:
            return stack([], 0)
        series = self._series(node, instant_span(self.clock, node, grid))
        self._check(series, grid)
        reference = self.clock.reference(node, grid)
        lookback, places = self.clock.lookback_ms, self.reading.places
        return distinct(instant(series, reference, lookback, places, times=times))

    def _matrix(self, node: lib.Expr, grid: Grid) -> Matrix:
        value = self.value(node, grid)
        if isinstance(value, Scalar):
            return Matrix(
                labels=((),),
                values=value.values[np.newaxis],
                present=np.ones((1, grid.size), bool),
            )
        if isinstance(value, str):
            raise PromqlError("text cannot stand where a vector is needed")
        return value

    def _numbers(self, node: lib.Expr, grid: Grid) -> Floats:
        value = self.value(node, grid)
        if not isinstance(value, Scalar):
            raise PromqlError("a vector or text cannot stand where a number is needed")
        return value.values

    def _call(self, node: lib.Call, grid: Grid) -> Value:
        name, arguments = node.func.name, list(node.args)
        if name in RANGE_FUNCTIONS:
            place = 1 if name == "quantile_over_time" else 0
            rest = [self._numbers(one, grid) for at, one in enumerate(arguments) if at != place]
            return over_ranges(name, self.ranges(arguments[place], grid), rest, grid.size)
        if name == "absent_over_time":
            inner = unwrapped(arguments[0])
            return absent(
                self._absent_labels(inner), absent_over(self.ranges(inner, grid), grid.size)
            )
        if name == "absent":
            found = np.asarray(self._matrix(arguments[0], grid).present.any(axis=0))
            return absent(self._absent_labels(unwrapped(arguments[0])), ~found)
        first = unwrapped(arguments[0]) if arguments else node
        if name == "timestamp" and isinstance(first, lib.VectorSelector):
            return without_names(self._instant(first, grid, times=True))
        check_known(name)
        return call(name, [self.value(one, grid) for one in arguments], grid)

    def _absent_labels(self, node: lib.Expr) -> Labels:
        """The labels that a selector's matchers pin down, each by one equality alone."""
        if isinstance(node, lib.MatrixSelector):
            node = node.vector_selector
        if not isinstance(node, lib.VectorSelector):
            return ()
        matchers = [one for one in self.parsed.matchers(node) if one.name != NAME]
        names = [one.name for one in matchers]
        return labels_of(
            {
                one.name: one.value
                for one in matchers
                if one.op == "=" and names.count(one.name) == 1
            }
        )

    def _aggregate(self, node: lib.AggregateExpr, grid: Grid) -> Matrix:
        grouping = Grouping(names=frozenset())
        if node.modifier is not None:
            exclude = node.modifier.type == lib.AggModifierType.Without
            grouping = Grouping(names=frozenset(node.modifier.labels), exclude=exclude)
        matrix = self._matrix(node.expr, grid)
        parameter: Floats | str | None = None
        if node.param is not None:
            value = self.value(node.param, grid)
            if isinstance(value, Matrix):
                raise PromqlError("the parameter of an aggregation is a number or text")
            parameter = value.values if isinstance(value, Scalar) else value
        return aggregate(str(node.op), matrix, grouping, parameter, most=self.most)

    def _binary(self, node: lib.BinaryExpr, grid: Grid) -> Value:
        operator = str(node.op)
        if operator not in ARITHMETIC.keys() | COMPARISONS.keys() | SETS:
            raise PromqlError(f"the operator {operator} is not supported")
        matching = _matching(node.modifier)
        left, right = self.value(node.lhs, grid), self.value(node.rhs, grid)
        match left, right:
            case Scalar(), Scalar():
                return scalars(operator, left, right)
            case Matrix(), Scalar():
                number = matching.as_number
                return with_scalar(operator, left, right, swapped=False, as_number=number)
            case Scalar(), Matrix():
                number = matching.as_number
                return with_scalar(operator, right, left, swapped=True, as_number=number)
            case Matrix(), Matrix():
                check_cells((left.size + right.size) * grid.size, self.most)
                if operator in SETS:
                    return sets(operator, distinct(left), distinct(right), matching)
                return vectors(operator, left, right, matching)
        raise PromqlError(f"text cannot stand beside {operator}")


def _matching(modifier: lib.BinModifier | None) -> Matching:
    if modifier is None:
        return Matching()
    fill = modifier.fill_values
    if fill.lhs is not None or fill.rhs is not None:
        raise PromqlError("fill_left and fill_right are not supported", hint="use `or`")
    labels = modifier.matching
    return Matching(
        names=frozenset(() if labels is None else labels.labels),
        on=labels is not None and labels.type == lib.LabelModifierType.Include,
        many=_many_side(modifier),
        include=tuple(modifier.group_labels or ()),
        as_number=modifier.return_bool,
    )


def _many_side(modifier: lib.BinModifier) -> str | None:
    if modifier.card == lib.VectorMatchCardinality.ManyToOne:
        return "left"
    return "right" if modifier.card == lib.VectorMatchCardinality.OneToMany else None
