"""Exact numbers as text."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.numerals import decimal_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(1), "1"),
        (Fraction(100), "100"),
        (Fraction(1, 1000), "0.001"),
        (Fraction(72, 5) * Fraction(1, 1000), "0.0144"),
        (Fraction(1, 10**12), "0.000000000001"),
        (Fraction(-1, 2), "-0.5"),
        (Fraction(2592000), "2592000"),
        (Fraction(10**21), "1000000000000000000000"),
    ],
)
def test_a_number_is_written_plainly_and_exactly(number: Fraction, text: str) -> None:
    """No exponent, no trailing zeros, no rounding of what ends."""
    assert text == decimal_text(number)


def test_a_number_without_end_has_forty_digits() -> None:
    """A third is cut where nobody sees it."""
    assert "0." + "3" * 40 == decimal_text(Fraction(1, 3))


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=10, min_value=-(10**9), max_value=10**9
    )
)
def test_a_decimal_number_comes_back_as_it_was(number: Decimal) -> None:
    """Reading the text gives the number again."""
    text = decimal_text(Fraction(number))
    assert Decimal(text) == number
    assert "E" not in text.upper()
