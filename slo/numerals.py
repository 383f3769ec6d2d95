"""Exact numbers as text."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache

_DIGITS = 40


# The same few factors and budgets are written for every service level.
@lru_cache(maxsize=256)
def decimal_text(number: Fraction) -> str:
    """A number in plain decimal notation, exact where that ends within 40 digits.

    Never an exponent: PromQL, JSON and people read it alike.
    """
    with localcontext() as context:
        context.prec = _DIGITS
        value = Decimal(number.numerator) / Decimal(number.denominator)
        text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
