"""The parser library's tree: parsed, looked through, and written back on one line.

The library's own printing breaks lines, escapes too little and drops milliseconds, and its
nodes cannot be built from Python; so the text is written here, node by node.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

import promql_parser as lib

from slo.promql.scan import Refusal
from slo.promql.text import (
    Matcher,
    MatchOp,
    Selector,
    format_duration,
    label_text,
    merge_matchers,
    quote,
    selector_text,
)
from slo.records import dataclass

ValueType = Literal["vector", "scalar", "matrix", "string"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_EXACT_INTEGERS = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What to change while writing: matchers to add to each selector, and a shift back in time."""

    patterns: Mapping[str, str]
    matchers: Sequence[Matcher] = ()
    offset: timedelta = timedelta(0)

    def unshifted(self) -> "Rewrite":
        """Return the same change without the shift, for what is evaluated at a fixed time."""
        return Rewrite(patterns=self.patterns, matchers=self.matchers)


def parse(text: str) -> lib.Expr:
    """Parse scanned text; raises `Refusal` with the library's own message."""
    try:
        return lib.parse(text)
    except ValueError as error:
        raise Refusal(str(error)) from None
    except BaseException as error:
        # A panic of the library is no Exception and its type cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise Refusal("the PromQL parser cannot read this query") from None


def value_type(node: lib.Expr) -> ValueType:
    """Tell what kind of value an expression gives."""
    kind: ValueType = "vector"
    match node:
        case lib.MatrixSelector() | lib.SubqueryExpr():
            kind = "matrix"
        case lib.NumberLiteral():
            kind = "scalar"
        case lib.StringLiteral():
            kind = "string"
        case lib.ParenExpr() | lib.UnaryExpr():
            kind = value_type(node.expr)
        case lib.BinaryExpr():
            kind = "scalar" if _is_scalar_operation(node) else "vector"
        case lib.Call():
            kind = "scalar" if node.func.return_type == lib.ValueType.Scalar else "vector"
    return kind


def selectors(node: lib.Expr) -> Iterator[lib.VectorSelector]:
    """Yield every vector selector of a tree in the order of the text."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, lib.VectorSelector):
            yield current
        waiting.extend(reversed(_children(current)))


def functions(node: lib.Expr) -> Iterator[str]:
    """Yield the name of every function that a tree calls."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, lib.Call):
            yield current.func.name
        waiting.extend(reversed(_children(current)))


def selector_of(node: lib.VectorSelector, patterns: Mapping[str, str]) -> Selector:
    """Describe a selector; a single `__name__="x"` counts as its metric."""
    matchers = _matchers(node, patterns)
    names = [one for one in matchers if one.name == "__name__" and one.op == "="]
    if node.name is None and len(names) == 1:
        rest = tuple(one for one in matchers if one is not names[0])
        return Selector(metric=names[0].value, matchers=rest)
    if len({one.value for one in names}) > 1:
        raise Refusal("a selector names two metrics, so it matches nothing")
    return Selector(metric=node.name, matchers=matchers)


def write(node: lib.Expr, change: Rewrite) -> str:
    """Write an expression on one line with a change applied to every selector in it."""
    match node:
        case lib.VectorSelector() | lib.MatrixSelector() | lib.SubqueryExpr():
            text = _series(node, change)
        case lib.BinaryExpr():
            text = _binary(node, change)
        case lib.UnaryExpr():
            text = f"-{write(node.expr, change)}"
        case lib.ParenExpr():
            text = f"({write(node.expr, change)})"
        case lib.AggregateExpr():
            text = _aggregate(node, change)
        case lib.Call():
            _check_function(node.func.name)
            text = f"{node.func.name}({', '.join(write(one, change) for one in node.args)})"
        case lib.NumberLiteral():
            text = _number(node.val)
        case lib.StringLiteral():
            text = quote(node.val)
        case _:
            raise Refusal(f"{type(node).__name__} is not known here")
    return text


def _check_function(name: str) -> None:
    # The library knows these as functions; Prometheus takes them after @ or in a range only.
    if name in {"start", "end", "step", "range"}:
        raise Refusal(f"unknown function with name '{name}'")


def _is_scalar_operation(node: lib.BinaryExpr) -> bool:
    sides: list[lib.Expr] = [node]
    while sides:
        side = sides.pop()
        if isinstance(side, lib.BinaryExpr):
            sides.extend((side.lhs, side.rhs))
        elif value_type(side) != "scalar":
            return False
    return True


def _children(node: lib.Expr) -> list[lib.Expr]:
    match node:
        case lib.BinaryExpr():
            return [node.lhs, node.rhs]
        case lib.AggregateExpr():
            return [one for one in (node.param, node.expr) if one is not None]
        case lib.Call():
            return list(node.args)
        case lib.MatrixSelector():
            return [node.vector_selector]
        case lib.ParenExpr() | lib.UnaryExpr() | lib.SubqueryExpr():
            return [node.expr]
    return []


def _matchers(node: lib.VectorSelector, patterns: Mapping[str, str]) -> tuple[Matcher, ...]:
    if node.matchers.or_matchers:
        raise Refusal("Prometheus has no `or` between matchers")
    return tuple(_matcher(one, patterns) for one in node.matchers.matchers)


def _matcher(one: lib.Matcher, patterns: Mapping[str, str]) -> Matcher:
    if not one.name:
        raise Refusal("a matcher has an empty label name")
    op: MatchOp = "="
    if one.op == lib.MatchOp.NotEqual:
        op = "!="
    elif one.op != lib.MatchOp.Equal:
        op = "=~" if one.op == lib.MatchOp.Re else "!~"
    value = patterns[one.value] if op in {"=~", "!~"} else one.value
    return Matcher(name=one.name, op=op, value=value)


def _series(
    node: lib.VectorSelector | lib.MatrixSelector | lib.SubqueryExpr, change: Rewrite
) -> str:
    if isinstance(node, lib.VectorSelector):
        return _vector(node, change, "")
    if isinstance(node, lib.MatrixSelector):
        return _vector(node.vector_selector, change, f"[{_length(node.range)}]")
    # Inside a subquery at a fixed time nothing moves with the evaluation, so nothing shifts.
    inner = write(node.expr, change.unshifted() if _is_fixed(node.at) else change)
    step = "" if node.step is None else _length(node.step)
    span = "" if node.range is None else _length(node.range)
    return f"{inner}[{span}:{step}]{_time(node.at, node.offset, timedelta(0))}"


def _vector(node: lib.VectorSelector, change: Rewrite, span: str) -> str:
    matchers = merge_matchers(_matchers(node, change.patterns), change.matchers)
    shift = timedelta(0) if _is_fixed(node.at) else change.offset
    return f"{selector_text(node.name, matchers)}{span}{_time(node.at, node.offset, shift)}"


def _time(at: lib.AtModifier | None, offset: timedelta | None, shift: timedelta) -> str:
    text = ""
    if at is not None and at.at is not None:
        whole, rest = divmod((at.at - _EPOCH) // _MILLISECOND, 1000)
        text = f" @ {whole}.{rest:03d}" if rest else f" @ {whole}"
    elif at is not None:
        text = " @ start()" if at.type == lib.AtModifierType.Start else " @ end()"
    total = (offset or timedelta(0)) + shift
    if total:
        sign = "-" if total < timedelta(0) else ""
        text += f" offset {sign}{_length(abs(total))}"
    return text


def _is_fixed(at: lib.AtModifier | None) -> bool:
    return at is not None and at.at is not None


def _length(span: timedelta) -> str:
    return format_duration(span // _MILLISECOND)


def _binary(node: lib.BinaryExpr, change: Rewrite) -> str:
    # Chains lean to the left: a loop keeps Python's stack flat where a query is long.
    right: list[str] = []
    left: lib.Expr = node
    while isinstance(left, lib.BinaryExpr):
        right.append(f"{left.op}{_modifier(left.modifier)} {write(left.rhs, change)}")
        left = left.lhs
    return " ".join([write(left, change), *reversed(right)])


def _modifier(modifier: lib.BinModifier | None) -> str:
    if modifier is None:
        return ""
    text = " bool" if modifier.return_bool else ""
    if modifier.matching is not None:
        kind = "on" if modifier.matching.type == lib.LabelModifierType.Include else "ignoring"
        text += f" {kind} ({_labels(modifier.matching.labels)})"
    if modifier.card == lib.VectorMatchCardinality.ManyToOne:
        text += f" group_left ({_labels(modifier.group_labels or [])})"
    elif modifier.card == lib.VectorMatchCardinality.OneToMany:
        text += f" group_right ({_labels(modifier.group_labels or [])})"
    fill = modifier.fill_values
    for side, value in (("left", fill.lhs), ("right", fill.rhs)):
        text += "" if value is None else f" fill_{side} ({_number(value)})"
    return text


def _aggregate(node: lib.AggregateExpr, change: Rewrite) -> str:
    group = ""
    if node.modifier is not None:
        kind = "by" if node.modifier.type == lib.AggModifierType.By else "without"
        group = f" {kind} ({_labels(node.modifier.labels)}) "
    inside = [write(one, change) for one in (node.param, node.expr) if one is not None]
    return f"{node.op}{group}({', '.join(inside)})"


def _labels(names: Sequence[str]) -> str:
    return ", ".join(label_text(name) for name in names)


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return f"{value:.0f}"
    return repr(value).replace("inf", "Inf").replace("nan", "NaN")
