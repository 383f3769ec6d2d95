"""Functions of instant vectors, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from collectors.promql import histogram
from collectors.promql.errors import PromqlError
from collectors.promql.functions import CALENDAR, ELEMENTWISE, WITH_SCALARS
from collectors.promql.native import NativeHistogram
from collectors.promql.relabel import label_join, label_replace
from collectors.promql.values import (
    Grid,
    Labels,
    Mask,
    Matrix,
    Scalar,
    Value,
    distinct,
    nameless,
)

_MS = 1000.0
Function = Callable[[Sequence[Value], Grid], Value]


def call(name: str, arguments: Sequence[Value], grid: Grid) -> Value:
    """Apply a function that is known here."""
    if name in _SPECIAL:
        return _SPECIAL[name](arguments, grid)
    if name in CALENDAR and not arguments:
        return _vector([Scalar(values=CALENDAR[name](_seconds(grid)))], grid)
    if name in CALENDAR or name in ELEMENTWISE:
        function = (CALENDAR | ELEMENTWISE)[name]
        matrix = _matrix(arguments[0]).floats()
        return _nameless(matrix, function(matrix.values), matrix.present)
    matrix = _matrix(arguments[0]).floats()
    limits = [_scalar(one).values for one in arguments[1:]]
    values, kept = WITH_SCALARS[name](matrix.values, limits)
    return _nameless(matrix, values, matrix.present & kept)


def check_known(name: str) -> None:
    """Raise `PromqlError` for a function of instant vectors or numbers that is not known here."""
    if name not in _SPECIAL.keys() | CALENDAR.keys() | ELEMENTWISE.keys() | WITH_SCALARS.keys():
        raise PromqlError(
            f"the function {name} is not supported",
            hint="experimental parts of PromQL are left out",
        )


def absent(labels: Labels, missing: Mask) -> Matrix:
    """Return one series that is 1 where something is missing."""
    return distinct(
        Matrix(
            labels=(labels,),
            values=np.ones((1, len(missing))),
            present=missing[np.newaxis],
        )
    )


def without_names(matrix: Matrix) -> Matrix:
    """Return a vector whose series have lost the names of their metrics."""
    return _nameless(matrix, matrix.values, matrix.present)


def negative(value: Value) -> Value:
    """Change the sign of a number or of each number of a vector."""
    if isinstance(value, Scalar):
        return Scalar(values=-value.values)
    matrix = _matrix(value)
    if matrix.histograms is not None:
        raise PromqlError("the sign of native histograms cannot be changed")
    return _nameless(matrix, -matrix.values, matrix.present, overlap_only=False)


def _nameless(
    matrix: Matrix, values: np.ndarray, present: Mask, *, overlap_only: bool = True
) -> Matrix:
    labels = tuple(map(nameless, matrix.labels))
    made = Matrix(labels=labels, values=values, present=present)
    return distinct(made, overlap_only=overlap_only)


def _matrix(value: Value) -> Matrix:
    if not isinstance(value, Matrix):
        raise PromqlError("a function got a number or text where it takes a vector")
    return value


def _scalar(value: Value) -> Scalar:
    if not isinstance(value, Scalar):
        raise PromqlError("a function got a vector or text where it takes a number")
    return value


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise PromqlError("a function got a vector or number where it takes text")
    return value


def _seconds(grid: Grid) -> np.ndarray:
    seconds: np.ndarray = grid.times / _MS
    return seconds


def _time(_: Sequence[Value], grid: Grid) -> Scalar:
    return Scalar(values=_seconds(grid))


def _pi(_: Sequence[Value], grid: Grid) -> Scalar:
    return Scalar(values=np.full(grid.size, np.pi))


def _vector(arguments: Sequence[Value], grid: Grid) -> Matrix:
    row = _scalar(arguments[0]).values[np.newaxis]
    return Matrix(labels=((),), values=row, present=np.ones((1, grid.size), bool))


def _single(arguments: Sequence[Value], grid: Grid) -> Scalar:
    matrix = _matrix(arguments[0]).floats()
    one = matrix.present.sum(axis=0) == 1
    total = np.where(matrix.present, matrix.values, 0.0).sum(axis=0)
    return Scalar(values=np.where(one, total, np.full(grid.size, np.nan)))


def _timestamp(arguments: Sequence[Value], grid: Grid) -> Matrix:
    matrix = _matrix(arguments[0])
    times = np.broadcast_to(_seconds(grid), matrix.values.shape)
    return _nameless(matrix, times, matrix.present)


def _sorted(*, descending: bool) -> Function:
    def order(arguments: Sequence[Value], grid: Grid) -> Matrix:
        matrix = distinct(_matrix(arguments[0]).floats())
        if grid.size != 1:
            return matrix
        keys = -matrix.values[:, 0] if descending else matrix.values[:, 0]
        return matrix.rows(np.lexsort((keys, np.isnan(keys))))

    return order


def _quantile(arguments: Sequence[Value], _: Grid) -> Matrix:
    return histogram.quantile(_scalar(arguments[0]).values, _matrix(arguments[1]))


def _fraction(arguments: Sequence[Value], _: Grid) -> Matrix:
    low, high = (_scalar(one).values for one in arguments[:2])
    return histogram.fraction(low, high, _matrix(arguments[2]))


def _of_native(number: Callable[[NativeHistogram], float]) -> Function:
    return lambda arguments, _: histogram.of_native(
        _matrix(arguments[0]), lambda held, _step: number(held)
    )


def _mean(held: NativeHistogram) -> float:
    return held.sum / held.count if held.count else float("nan")


def _replace(arguments: Sequence[Value], _: Grid) -> Matrix:
    return label_replace(_matrix(arguments[0]), *(_text(one) for one in arguments[1:5]))


def _join(arguments: Sequence[Value], _: Grid) -> Matrix:
    target, separator, *sources = (_text(one) for one in arguments[1:])
    return label_join(_matrix(arguments[0]), target, separator, sources)


_SPECIAL: dict[str, Function] = {
    "time": _time,
    "pi": _pi,
    "vector": _vector,
    "scalar": _single,
    "timestamp": _timestamp,
    "sort": _sorted(descending=False),
    "sort_desc": _sorted(descending=True),
    "histogram_quantile": _quantile,
    "histogram_fraction": _fraction,
    "histogram_count": _of_native(lambda held: held.count),
    "histogram_sum": _of_native(lambda held: held.sum),
    "histogram_avg": _of_native(_mean),
    "label_replace": _replace,
    "label_join": _join,
}
