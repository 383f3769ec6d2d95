"""Aggregation over series: each group's numbers at all steps at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from collectors.promql.errors import PromqlError
from collectors.promql.native import add
from collectors.promql.over_time import quantiles
from collectors.promql.parsing import check_cells
from collectors.promql.values import (
    NAME,
    Floats,
    Histograms,
    Labels,
    Mask,
    Matrix,
    distinct,
    empty,
    labels_of,
    only,
    stack,
    without,
)
from slo.records import dataclass

_EXACT = 2**63
Aggregate = Callable[[Floats, Mask], Floats]
"""Gives a number for each step from a group's values and where they are present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """Which labels make a group: those named, or with ``exclude`` all others but the name."""

    names: frozenset[str]
    exclude: bool = False

    def key(self, labels: Labels) -> Labels:
        """Return the labels of the group that a series belongs to."""
        if self.exclude:
            return without(labels, self.names | {NAME})
        return only(labels, self.names)

    def groups(self, matrix: Matrix) -> Mapping[Labels, list[int]]:
        """Return the places of each group's series."""
        found: dict[Labels, list[int]] = {}
        for place, labels in enumerate(matrix.labels):
            found.setdefault(self.key(labels), []).append(place)
        return found


def _sum(values: Floats, present: Mask) -> Floats:
    return np.asarray(np.where(present, values, 0.0).sum(axis=0))


def _average(values: Floats, present: Mask) -> Floats:
    count = present.sum(axis=0)
    mean = np.asarray(_sum(values, present) / count)
    # A sum may overflow where the mean does not.
    spread = np.isinf(mean) & ~(present & np.isinf(values)).any(axis=0)
    if spread.any():
        mean[spread] = _sum(values[:, spread] / count[spread], present[:, spread])
    return mean


def _least(values: Floats, present: Mask) -> Floats:
    return np.asarray(np.fmin.reduce(np.where(present, values, np.nan), axis=0))


def _most(values: Floats, present: Mask) -> Floats:
    return np.asarray(np.fmax.reduce(np.where(present, values, np.nan), axis=0))


def _count(_: Floats, present: Mask) -> Floats:
    return np.asarray(present.sum(axis=0, dtype=float))


def _group(_: Floats, present: Mask) -> Floats:
    return np.ones(present.shape[1])


def _variance(values: Floats, present: Mask) -> Floats:
    apart = np.where(present, values - _average(values, present), 0.0)
    return np.asarray((apart * apart).sum(axis=0) / present.sum(axis=0))


def _deviation(values: Floats, present: Mask) -> Floats:
    return np.sqrt(_variance(values, present))


_PLAIN: dict[str, Aggregate] = {
    "sum": _sum,
    "avg": _average,
    "min": _least,
    "max": _most,
    "count": _count,
    "group": _group,
    "stddev": _deviation,
    "stdvar": _variance,
}
_SELECTING = {"topk", "bottomk"}


def aggregate(
    operation: str,
    matrix: Matrix,
    grouping: Grouping,
    parameter: Floats | str | None,
    *,
    most: int,
) -> Matrix:
    """Aggregate a matrix into at most so many cells; the parameter is a number per step or a label.

    Raises `PromqlError` for an operation that is not known here.
    """
    matrix = distinct(matrix)
    if operation in _PLAIN:
        return _plain(operation, matrix, grouping)
    if operation == "count_values" and isinstance(parameter, str):
        return _count_values(matrix.floats(), grouping, parameter, most)
    if not isinstance(parameter, np.ndarray):
        raise PromqlError(f"the aggregation {operation} is not supported")
    if operation in _SELECTING:
        return _extremes(matrix.floats(), grouping, parameter, largest=operation == "topk")
    if operation == "quantile":
        return _reduced(matrix.floats(), grouping, lambda v, p: quantiles(parameter, v.T, p.T))
    raise PromqlError(
        f"the aggregation {operation} is not supported",
        hint="experimental parts of PromQL are left out",
    )


def _plain(operation: str, matrix: Matrix, grouping: Grouping) -> Matrix:
    if matrix.histograms is None or operation in {"count", "group"}:
        return _reduced(matrix, grouping, _PLAIN[operation])
    if operation not in {"sum", "avg"}:
        return _reduced(matrix.floats(), grouping, _PLAIN[operation])
    pieces = [
        _summed(key, matrix.rows(places), mean=operation == "avg")
        for key, places in grouping.groups(matrix).items()
    ]
    return stack(pieces, matrix.steps)


def _reduced(matrix: Matrix, grouping: Grouping, operation: Aggregate) -> Matrix:
    groups = grouping.groups(matrix)
    if not groups:
        return empty(matrix.steps)
    values = np.empty((len(groups), matrix.steps))
    present = np.empty((len(groups), matrix.steps), bool)
    for row, places in enumerate(groups.values()):
        here = matrix.present[places]
        values[row] = operation(matrix.values[places], here)
        present[row] = here.any(axis=0)
    return distinct(Matrix(labels=tuple(groups), values=values, present=present))


def _summed(key: Labels, matrix: Matrix, *, mean: bool) -> Matrix:
    """Sum one group in which histograms are; a step that mixes them with numbers has no sum."""
    held = matrix.histograms
    assert held is not None, "only called for groups that may hold histograms"
    number = matrix.floats()
    any_number = np.asarray(number.present.any(axis=0))
    is_histogram = matrix.present & ~number.present
    any_histogram = np.asarray(is_histogram.any(axis=0))
    sums: Histograms = np.full((1, matrix.steps), None, dtype=object)
    for step in np.flatnonzero(any_histogram & ~any_number):
        ones = held[is_histogram[:, step], step]
        total = ones[0]
        for one in ones[1:]:
            total = add(total, one)
        sums[0, step] = total.scaled(1 / len(ones)) if mean else total
    operation = _average if mean else _sum
    values = operation(matrix.values, number.present)
    present = any_number ^ any_histogram
    return Matrix(
        labels=(key,), values=values[np.newaxis], present=present[np.newaxis], histograms=sums
    )


def _extremes(matrix: Matrix, grouping: Grouping, wanted: Floats, *, largest: bool) -> Matrix:
    if np.isnan(wanted).any():
        raise PromqlError("the number of series to keep is NaN")
    if (np.abs(wanted) >= _EXACT).any():
        raise PromqlError("the number of series to keep is beyond 64 bits")
    kept = np.zeros(matrix.present.shape, bool)
    limit = np.trunc(wanted)
    for places in grouping.groups(matrix).values():
        values, present = matrix.values[places], matrix.present[places]
        keys = -values if largest else values
        # Absent ones come last, NaN before them; the sort is stable.
        order = np.lexsort((np.where(np.isnan(keys), 0, keys), np.isnan(keys), ~present), axis=0)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(len(places))[:, np.newaxis], axis=0)
        kept[places] = present & (rank < limit)
    return distinct(Matrix(labels=matrix.labels, values=matrix.values, present=kept))


def _count_values(matrix: Matrix, grouping: Grouping, label: str, most: int) -> Matrix:
    if not label:
        raise PromqlError("count_values needs the name of a label")
    pieces: list[Matrix] = []
    for key, places in grouping.groups(matrix).items():
        values, present = matrix.values[places], matrix.present[places]
        texts: dict[str, Mask] = {}
        found = np.unique(values[present])
        check_cells((len(pieces) + len(found)) * matrix.steps, most)
        for value in found:
            same = np.isnan(values) if np.isnan(value) else values == value
            # Equal numbers with two texts are zeroes of either sign.
            for sign in (False, True) if value == 0 else (np.signbit(value),):
                mine = same & present & (np.isnan(values) | (np.signbit(values) == sign))
                if mine.any():
                    texts[number_text(-0.0 if value == 0 and sign else float(value))] = mine
        for text, mine in texts.items():
            count = mine.sum(axis=0, dtype=float)[np.newaxis]
            labels = labels_of({**dict(key), label: text})
            pieces.append(Matrix(labels=(labels,), values=count, present=count > 0))
    return distinct(stack(pieces, matrix.steps))


def number_text(value: float) -> str:
    """Write a number as Go does with the format ``f`` and the fewest digits."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")
