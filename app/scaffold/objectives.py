"""Objectives and thresholds that what was measured can carry."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

LADDER = ("99.9", "99.5", "99", "98", "95", "90", "80", "50")
"""The objectives that are proposed, in per cent; a day shows too little to promise more."""

_WINDOW_DAYS = 30
_FEWEST_FAILURES = 10
_SLACK = 2
_FAST_SHARE = Fraction(99, 100)


def propose(total: Fraction, bad: Fraction, *, days: Fraction = Fraction(1)) -> str | None:
    """Return the highest objective that leaves half of its budget unspent, in per cent.

    ``total`` and ``bad`` are the events of so many days. The budget of 30 such days must hold ten
    failures, or one of them would count too much; ``None`` when no objective has that many. What
    was worse than every objective gets the lowest.
    """
    if total <= 0:
        return None
    ratio = bad / total
    monthly = total / days * _WINDOW_DAYS
    carried = [text for text in LADDER if monthly * _budget(text) >= _FEWEST_FAILURES]
    fitting = [text for text in carried if ratio * _SLACK <= _budget(text)]
    return fitting[0] if fitting else carried[-1] if carried else None


def threshold(
    counts: Mapping[Decimal, Fraction], total: Fraction, *, per_second: int
) -> tuple[Decimal, Fraction] | None:
    """Return the boundary next above the 99th percentile, and how many requests were faster.

    ``counts`` are cumulative, by finite boundary; ``per_second`` is 1 for seconds and 1000 for
    milliseconds. When the percentile lies above all boundaries, the last one is returned, and
    ``None`` when there is none that a threshold can name: those are whole milliseconds.
    """
    usable = sorted(bound for bound in counts if _in_milliseconds(bound, per_second) is not None)
    if not usable or total <= 0:
        return None
    slow = (bound for bound in usable if counts[bound] >= _FAST_SHARE * total)
    chosen = next(slow, usable[-1])
    return chosen, min(counts[chosen], total)


def _in_milliseconds(bound: Decimal, per_second: int) -> int | None:
    milliseconds = bound * 1000 / per_second
    whole = int(milliseconds)
    return whole if whole == milliseconds and whole > 0 else None


def _budget(text: str) -> Fraction:
    return 1 - Fraction(Decimal(text)) / 100
