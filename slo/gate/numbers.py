"""Exact numbers written for people; nothing here is ever compared."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal
from fractions import Fraction

_PRECISE = Context(prec=40)
_MOST_DIGITS = 15


def plain(value: Fraction, digits: int = 3) -> str:
    """The number to so many significant digits, whole digits never dropped: `1,234`, `0.0912`."""
    exact = _PRECISE.divide(Decimal(value.numerator), Decimal(value.denominator))
    places = min(max(0, digits - 1 - exact.adjusted()), _MOST_DIGITS) if exact else 0
    text = f"{exact:,.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def percent(share: Fraction, digits: int = 3) -> str:
    """A share of 1 in percent: `99.9 %`."""
    return f"{plain(share * 100, digits)} %"


def factor(rate: Fraction, digits: int = 3) -> str:
    """A burn rate: `14.4x`."""
    return f"{plain(rate, digits)}x"


def apart(
    observed: Fraction, threshold: Fraction, write: Callable[[Fraction, int], str]
) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart."""
    digits = 3
    while digits < _MOST_DIGITS and observed != threshold:
        if write(observed, digits) != write(threshold, digits):
            break
        digits += 1
    return write(observed, digits), write(threshold, digits)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 rule`, `2,000 rules`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def instant(at: datetime) -> str:
    """The instant in UTC as RFC 3339, to the second where nothing is lost by it."""
    utc = at.astimezone(UTC)
    spec = "milliseconds" if utc.microsecond else "seconds"
    return utc.isoformat(timespec=spec).replace("+00:00", "Z")
