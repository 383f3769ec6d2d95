"""Counts out of a server's numbers: noise is forgiven, nonsense is no success."""

import time
from fractions import Fraction

import pytest

from collectors.readers.prometheus.answers import number
from collectors.readers.prometheus.outcome import counts
from slo.ports import Counts, NoData, NoDataReason


@pytest.mark.parametrize(("total", "bad"), [(1000, -50), (10, -10), (1000, 0)])
def test_noise_below_zero_is_nothing_bad(total: int, bad: int) -> None:
    expected = Counts(total=Fraction(total), bad=Fraction(0))
    assert expected == counts(Fraction(total), Fraction(bad))


@pytest.mark.parametrize(("total", "bad"), [(1000, -51), (10, -11), (0, -200)])
def test_more_good_events_than_events_are_no_success(total: int, bad: int) -> None:
    found = counts(Fraction(total), Fraction(bad))
    assert isinstance(found, NoData)
    assert NoDataReason.INCOMPLETE == found.reason


def test_a_number_of_a_million_digits_is_none_and_costs_nothing() -> None:
    began = time.process_time()
    assert None is number("1." + "7" * 2_000_000)
    assert time.process_time() - began < 1
