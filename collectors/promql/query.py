"""Queries at one instant or over a range of steps."""

from __future__ import annotations

import numpy as np
import promql_parser as lib

from collectors.promql.errors import PromqlError
from collectors.promql.evaluator import Evaluation
from collectors.promql.parsing import Clock, check_cells, parse
from collectors.promql.samples import SampleSource, Vector
from collectors.promql.selectors import read
from collectors.promql.values import Grid, Matrix, Scalar
from slo.promql import tree

LOOKBACK_MS = 300_000
"""How old a sample may be that an instant selector still sees."""

RESOLUTION_MS = 60_000
"""The step of a subquery that names none: Prometheus's own evaluation interval by default."""

MOST_CELLS = 50_000_000
"""How many samples a query may read, and how many values any part of it may have."""

_ORDERED = frozenset({"sort", "sort_desc"})
_SORTING = {"topk": -1.0, "bottomk": 1.0}


def evaluate_instant(
    source: SampleSource,
    query: str,
    at_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
    resolution_ms: int = RESOLUTION_MS,
    most_cells: int = MOST_CELLS,
) -> list[Vector]:
    """Evaluate a query at one instant, as Prometheus 3 does.

    A scalar is one series without labels; a range selector gives its samples. Series come in the
    order of their labels, unless the query sorts them. Raises `PromqlError` for a query that is
    wrong, ambiguous, too large or not supported.
    """
    grid = Grid(times=np.array([at_ms], dtype=np.int64))
    clock = Clock(
        start_ms=at_ms, end_ms=at_ms, lookback_ms=lookback_ms, resolution_ms=resolution_ms
    )
    return _evaluate(source, query, grid, clock, most_cells, over_time=False)


def evaluate_range(
    source: SampleSource,
    query: str,
    start_ms: int,
    end_ms: int,
    step_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
    resolution_ms: int = RESOLUTION_MS,
    most_cells: int = MOST_CELLS,
) -> list[Vector]:
    """Evaluate a query at ``start_ms``, and every step after it up to ``end_ms``.

    Raises `PromqlError` as `evaluate_instant` does, and for a query whose answer is no vector.
    """
    if step_ms <= 0 or end_ms < start_ms:
        raise PromqlError("a range query needs an end after its start and a step above zero")
    check_cells((end_ms - start_ms) // step_ms + 1, most_cells)
    grid = Grid(times=np.arange(start_ms, end_ms + 1, step_ms, dtype=np.int64))
    clock = Clock(
        start_ms=start_ms, end_ms=end_ms, lookback_ms=lookback_ms, resolution_ms=resolution_ms
    )
    return _evaluate(source, query, grid, clock, most_cells, over_time=True)


def _evaluate(
    source: SampleSource, query: str, grid: Grid, clock: Clock, most: int, *, over_time: bool
) -> list[Vector]:
    parsed = parse(query)
    is_range = tree.value_type(parsed.root) == "matrix"
    if is_range and over_time:
        raise PromqlError("a range query must give a vector or a number at each step")
    reading = read(source, parsed, clock, grid, most)
    evaluation = Evaluation(parsed=parsed, clock=clock, reading=reading, most=most)
    # Infinities, NaN and divisions by zero are ordinary values in PromQL.
    with np.errstate(all="ignore"):
        if is_range:
            return _samples(evaluation, grid)
        value = evaluation.value(parsed.root, grid)
    if isinstance(value, str):
        raise PromqlError("the query is a text, which has no value over time")
    if isinstance(value, Scalar):
        return [Vector(labels={}, times=grid.times, values=value.values)]
    return _vectors(value, grid, ordered=None if over_time else _order(parsed.root))


def _order(root: lib.Expr) -> str | None:
    if isinstance(root, lib.Call) and root.func.name in _ORDERED:
        return root.func.name
    if isinstance(root, lib.AggregateExpr) and str(root.op) in _SORTING:
        return str(root.op)
    return None


def _vectors(matrix: Matrix, grid: Grid, *, ordered: str | None) -> list[Vector]:
    if matrix.floats().present.sum() != matrix.present.sum():
        raise PromqlError(
            "the answer holds native histograms, which are no numbers",
            hint="take histogram_count(), histogram_sum() or histogram_quantile() of them",
        )
    places = sorted(range(matrix.size), key=lambda place: matrix.labels[place])
    if ordered in _ORDERED:
        places = list(range(matrix.size))
    elif ordered is not None:
        sign = _SORTING[ordered]
        places.sort(
            key=lambda place: float(np.nan_to_num(sign * matrix.values[place, 0], nan=np.inf))
        )
    return [
        Vector(
            labels=dict(matrix.labels[place]),
            times=grid.times[matrix.present[place]],
            values=matrix.values[place][matrix.present[place]],
        )
        for place in places
        if matrix.present[place].any()
    ]


def _samples(evaluation: Evaluation, grid: Grid) -> list[Vector]:
    """The samples of a range selector at one instant."""
    found = []
    for one in evaluation.ranges(evaluation.parsed.root, grid).windows:
        here = slice(int(one.first[0]), int(one.last[0]))
        if one.histograms is not None:
            raise PromqlError("the answer may hold native histograms, which are no numbers")
        if here.start < here.stop:
            found.append(
                Vector(labels=dict(one.labels), times=one.times[here], values=one.values[here])
            )
    return found
