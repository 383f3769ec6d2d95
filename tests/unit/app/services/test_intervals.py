"""Intervals of differences hold the truth as often as they say."""

import math

import numpy as np
import pytest

from app.services.intervals import CONFIDENCE, Histogram, Known, difference, quantile, share
from app.services.results import Estimate

SEED = 7


def _known(value: float, low: float, high: float) -> Known:
    return Known(value=value, low=low, high=high, count=100)


def test_wilsons_interval_is_the_published_one() -> None:
    """81 of 263: Newcombe 1998, table I, with the z of our confidence in place of 1.96."""
    found = share(81, 263)
    assert found is not None
    z = 2.5758293035489004
    n, p = 263, 81 / 263
    centre = (2 * n * p + z * z) / (2 * (n + z * z))
    half = z * math.sqrt(z * z + 4 * n * p * (1 - p)) / (2 * (n + z * z))
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half))


def test_no_events_are_no_estimate() -> None:
    """And the interval of none of some is not empty."""
    assert share(0, 0) is None
    none = share(0, 50)
    assert none is not None
    assert (0, 0) == (none.value, none.low)
    assert none.high > 0.05
    every = share(50, 50)
    assert every is not None
    assert 1 == every.high
    assert Estimate(
        before=None, after=0.0, before_count=0, after_count=50, low=None, high=None
    ) == (difference(None, none))


def test_the_difference_of_shares_is_covered() -> None:
    """Newcombe's interval, for small and large shares."""
    rng = np.random.default_rng(SEED)
    print(f"seed {SEED}")
    for first, second, size in ((0.001, 0.01, 3000), (0.2, 0.2, 200), (0.02, 0.05, 500)):
        held = 0
        for _ in range(1000):
            found = difference(
                share(rng.binomial(size, first), size), share(rng.binomial(size, second), size)
            )
            assert found.low is not None
            assert found.high is not None
            held += found.low <= second - first <= found.high
        assert held / 1000 >= CONFIDENCE - 0.012, (first, second, size, held)


def test_the_difference_of_quantiles_is_covered() -> None:
    """By order statistics of bucketed durations."""
    rng = np.random.default_rng(SEED)
    bounds = [0.5 * 1.1**place for place in range(120)]

    def sample(scale: float, q: float) -> Known | None:
        values = rng.lognormal(math.log(scale), 0.6, 800)
        counts = np.histogram(values, [0, *bounds, np.inf])[0]
        histogram = Histogram(bounds=bounds, counts=[float(each) for each in counts])
        return quantile(histogram, q, 800, float(np.quantile(values, q)))

    for q, z in ((0.5, 0.0), (0.9, 1.2815515655446004)):
        true = (150 - 100) * math.exp(0.6 * z)
        held = 0
        for _ in range(400):
            found = difference(sample(100, q), sample(150, q))
            low = -math.inf if found.low is None else found.low
            high = math.inf if found.high is None else found.high
            held += low <= true <= high
        assert held / 400 >= CONFIDENCE - 0.02, (q, held)


def test_few_values_leave_the_high_end_open() -> None:
    """A hundred requests say nothing of how slow the slowest hundredth may be."""
    histogram = Histogram(bounds=[1.0, 2.0], counts=[90.0, 10.0, 0.0])
    found = quantile(histogram, 0.99, 100, None)
    assert found is not None
    assert math.inf == found.high
    assert difference(_known(1, 0.9, 1.1), found).high is None
    assert quantile(Histogram(bounds=[1.0], counts=[0.0, 0.0]), 0.5, 0, None) is None


def test_a_histogram_is_read_between_its_bounds() -> None:
    """Evenly within a bucket; the open bucket has no more than its lower bound."""
    histogram = Histogram(bounds=[10.0, 20.0], counts=[10.0, 10.0, 5.0])
    assert [5.0, 15.0, 20.0, 20.0] == [histogram.at(rank) for rank in (5, 15, 20, 25)]
    assert 25 == histogram.total
