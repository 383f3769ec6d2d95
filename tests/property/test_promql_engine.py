"""Range functions against an implementation that looks at one step after the other."""

import math
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.promql import Samples, evaluate_range
from collectors.promql.windows import fold_one
from tests.promql_source import Stored

Points = Sequence[tuple[int, float]]

_VALUES = st.one_of(
    st.integers(-50, 50).map(float),
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([0.0, 5.0, 5.0, float("inf"), float("nan")]),
)
_SERIES = st.lists(st.tuples(st.integers(1, 40_000), _VALUES), max_size=40)
_FINITE = st.lists(st.tuples(st.integers(1, 40_000), st.floats(0, 1e6)), max_size=40)


def _samples(gaps: Points) -> Samples:
    times = np.cumsum([gap for gap, _ in gaps], dtype=np.int64)
    values = np.array([value for _, value in gaps], dtype=np.float64)
    return Samples(labels={"__name__": "x"}, times=times, values=values)


def _naive(
    held: Samples, function: Callable[[Points, int, int], float | None], length: int, step: int
) -> dict[int, float]:
    found = {}
    for at in range(0, 700_000, step):
        inside = [
            (int(time), float(value))
            for time, value in zip(held.times, held.values, strict=True)
            if at - length < time <= at
        ]
        value = function(inside, at - length, at) if inside else None
        if value is not None:
            found[at] = value
    return found


def _increase(points: Points, start: int, end: int) -> float | None:
    if len(points) < 2:
        return None
    grown = points[-1][1] - points[0][1]
    for (_, before), (_, after) in pairwise(points):
        grown += before if after < before else 0
    sampled = points[-1][0] - points[0][0]
    average = sampled / (len(points) - 1)
    before, after = points[0][0] - start, end - points[-1][0]
    if before >= average * 1.1:
        before = average / 2
    if grown > 0:
        before = min(before, sampled * points[0][1] / grown)
    if after >= average * 1.1:
        after = average / 2
    return grown * (sampled + before + after) / sampled


def _extreme(
    choose: Callable[[Sequence[float]], float],
) -> Callable[[Points, int, int], float | None]:
    def extreme(points: Points, _: int, __: int) -> float:
        known = [value for _, value in points if not math.isnan(value)]
        return choose(known) if known else math.nan

    return extreme


def _changes(points: Points, _: int, __: int) -> float:
    pairs = pairwise(points)
    return sum(
        one != other and not (math.isnan(one) and math.isnan(other))
        for (_, one), (_, other) in pairs
    )


_ANY = {
    "sum_over_time": lambda points, _, __: sum(value for _, value in points),
    "count_over_time": lambda points, _, __: len(points),
    "last_over_time": lambda points, _, __: points[-1][1],
    "first_over_time": lambda points, _, __: points[0][1],
    "min_over_time": _extreme(min),
    "max_over_time": _extreme(max),
    "changes": _changes,
    "resets": lambda points, _, __: sum(other < one for (_, one), (_, other) in pairwise(points)),
}
_ORDERLY = {
    "increase": _increase,
    "avg_over_time": lambda points, _, __: statistics.fmean(value for _, value in points),
    "stdvar_over_time": lambda points, _, __: statistics.pvariance([v for _, v in points]),
}


@pytest.mark.parametrize("name", sorted(_ANY))
@given(gaps=_SERIES, length=st.integers(1, 400_000), step=st.integers(5_000, 90_000))
def test_a_range_function_is_what_it_is_step_by_step(
    name: str, gaps: Points, length: int, step: int
) -> None:
    """For any samples, ranges that overlap or leave gaps, and infinities and NaN among them."""
    _compare(name, _ANY[name], gaps, length, step)


@pytest.mark.parametrize("name", sorted(_ORDERLY))
@given(gaps=_FINITE, length=st.integers(1, 400_000), step=st.integers(5_000, 90_000))
def test_a_function_of_finite_samples_is_what_it_is_step_by_step(
    name: str, gaps: Points, length: int, step: int
) -> None:
    """Resets included."""
    _compare(name, _ORDERLY[name], gaps, length, step)


def _compare(
    name: str,
    function: Callable[[Points, int, int], float | None],
    gaps: Points,
    length: int,
    step: int,
) -> None:
    held = _samples(gaps)
    answer = evaluate_range(Stored([held]), f"{name}(x[{length}ms])", 0, 699_999, step)
    expected = _naive(held, function, length, step)
    found = dict(zip(answer[0].times.tolist(), answer[0].values, strict=True)) if answer else {}
    assert list(expected) == list(found)
    np.testing.assert_allclose(
        list(found.values()),
        list(expected.values()),
        rtol=1e-9,
        atol=1e-4 if "std" in name else 1e-9,
    )


@given(
    values=st.lists(st.integers(-99, 99), min_size=1, max_size=60),
    borders=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20),
)
def test_a_fold_is_the_sum_of_each_range(values: list[int], borders: list[tuple[int, int]]) -> None:
    """Ranges in any order, empty ones included."""
    pairs = [(min(one, len(values)), min(other, len(values))) for one, other in borders]
    first = np.array([one for one, _ in pairs], dtype=np.int64)
    last = np.array([other for _, other in pairs], dtype=np.int64)
    found = fold_one(np.add, np.array(values, dtype=np.float64), first, last)
    expected = [sum(values[a:b]) if a < b else math.nan for a, b in pairs]
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float64))
