"""Numbers for people: rounded at the last moment, and never standing for missing data."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from slo.numerals import decimal_text

MISSING = "-"
_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.:-=+*#"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def percent(share: Fraction | None, digits: int = 1) -> str:
    """A share of 1 as a percentage; what rounds to nothing or to all is marked as such."""
    if share is None:
        return MISSING
    value = share * 100
    text = f"{float(value):.{digits}f}"
    least = Fraction(1, 10**digits)
    if 0 < value < least / 2:
        text = f"<{decimal_text(least)}"
    elif 100 - least / 2 < value < 100:  # noqa: PLR2004 - per cent
        text = f">{decimal_text(100 - least)}"
    return f"{text} %"


def times(rate: Fraction | None) -> str:
    """A burn rate, such as ``14.4x``."""
    if rate is None:
        return MISSING
    value = float(rate)
    digits = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004 - about three digits
    return f"{value:.{digits}f}x"


def amount(number: Fraction | None) -> str:
    """A number of events or seconds, with separators; small ones keep a decimal."""
    if number is None:
        return MISSING
    value = float(number)
    return f"{value:,.0f}" if abs(value) >= 10 or value.is_integer() else f"{value:,.1f}"  # noqa: PLR2004


def span(seconds: Fraction | None) -> str:
    """A length of time in its two largest units."""
    if seconds is None:
        return MISSING
    whole = int(seconds)
    if whole >= _DAY:
        return f"{whole // _DAY}d {whole % _DAY // _HOUR}h"
    if whole >= _HOUR:
        return f"{whole // _HOUR}h {whole % _HOUR // _MINUTE}m"
    if whole >= _MINUTE:
        return f"{whole // _MINUTE}m"
    return f"{whole}s"


def spark(values: Sequence[Fraction | None], *, blocks: bool = True) -> str:
    """Shares of 1 as a row of bars; a gap where there is none, the lowest bar from 0 down."""
    signs = _BLOCKS if blocks else _ASCII
    return "".join(" " if value is None else signs[_height(value, len(signs))] for value in values)


def _height(value: Fraction, levels: int) -> int:
    clamped = min(max(value, Fraction(0)), Fraction(1))
    return min(levels - 1, int(clamped * levels))
