"""Native histograms as values."""

import math
from dataclasses import replace

import numpy as np
import pytest

from collectors.promql import NativeHistogram, PromqlError, Samples, evaluate_instant
from collectors.promql.histogram import native_fraction, native_quantile
from collectors.promql.native import add
from tests.promql_source import Stored


def histogram(
    buckets: dict[int, float], *, schema: int = 0, zero: float = 0, threshold: float = 1e-128
) -> NativeHistogram:
    return NativeHistogram(
        schema=schema,
        zero_threshold=threshold,
        zero_count=zero,
        count=zero + sum(buckets.values()),
        sum=1.0,
        positive=buckets,
        negative={},
    )


def stored(*held: NativeHistogram, step: int = 60) -> Stored:
    times = np.arange(len(held), dtype=np.int64) * step * 1000
    one = Samples(
        labels={"__name__": "h", "pod": "1"},
        times=times,
        values=np.full(len(held), np.nan),
        histograms=held,
    )
    return Stored([one])


def test_observations_are_spread_exponentially_inside_a_bucket() -> None:
    """The square root of two halves the bucket from one to two."""
    held = histogram({1: 10})
    assert 0.5 == pytest.approx(native_fraction(1, math.sqrt(2), held))
    assert math.sqrt(2) == pytest.approx(native_quantile(0.5, held))


def test_observations_are_spread_evenly_in_the_zero_bucket() -> None:
    """From zero when there are none below."""
    held = histogram({1: 10}, zero=10, threshold=0.5)
    assert 0.25 == pytest.approx(native_fraction(0, 0.25, held))
    assert 0.25 == pytest.approx(native_quantile(0.25, held))


def test_adding_takes_the_coarser_layout() -> None:
    """Buckets (1, 1.41] and (1.41, 2] become (1, 2]; a wider zero bucket takes small ones in."""
    fine, coarse = histogram({1: 1, 2: 2, 3: 4}, schema=1), histogram({1: 10}, zero=5)
    both = add(fine, coarse)
    assert (0, {1: 13, 2: 4}, 5) == (both.schema, both.positive, both.zero_count)
    wide = add(histogram({-3: 1, 1: 2}), histogram({1: 1}, threshold=0.25))
    assert (0.25, 1, {1: 3}) == (wide.zero_threshold, wide.zero_count, wide.positive)
    cut = add(histogram({-1: 1, 1: 2}), histogram({1: 1}, threshold=0.3))
    assert (0.5, 1, {1: 3}) == (cut.zero_threshold, cut.zero_count, cut.positive)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (histogram({1: 5, 2: 1}), False),
        (histogram({1: 3, 2: 9}), True),
        (histogram({1: 4}), True),
        (histogram({1: 8}, schema=1), True),
        (histogram({1: 8, 2: 1}, zero=1), False),
    ],
)
def test_any_bucket_that_falls_is_a_reset(after: NativeHistogram, *, expected: bool) -> None:
    """A finer schema is one as well."""
    assert expected is after.is_reset_after(histogram({1: 4, 2: 1}))


def test_an_increase_adds_what_was_reached_before_a_reset() -> None:
    """4 more, then 3 from zero, over two of three minutes: extrapolated to three."""
    source = stored(histogram({1: 1000}), histogram({1: 1004}), histogram({1: 3}))
    (answer,) = evaluate_instant(source, "histogram_count(increase(h[3m]))", 120_000 + 30_000)
    assert 7 * (120 + 30 + 30) / 120 == pytest.approx(answer.values[0])


def test_a_native_histogram_is_never_taken_for_a_number() -> None:
    """Functions of numbers pass it over; an answer of histograms is refused."""
    source = stored(histogram({1: 1}))
    assert [] == evaluate_instant(source, "abs(h)", 0)
    assert [] == evaluate_instant(source, "max(h)", 0)
    for query in ("h", "h[5m]", "-h", "h + on (pod) h", "deriv(h[5m])"):
        with pytest.raises(PromqlError, match="native histograms"):
            evaluate_instant(source, query, 0)


def test_the_fraction_of_nothing_is_nan() -> None:
    """An empty histogram has no share of anything."""
    empty = replace(histogram({}), sum=0.0)
    assert math.isnan(native_fraction(0, 1, empty))
    assert math.isnan(native_quantile(0.5, empty))
