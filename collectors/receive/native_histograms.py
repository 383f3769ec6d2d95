"""Native histograms of Prometheus as the exponential histograms of OpenTelemetry.

Both have buckets that grow by ``2**(2**-scale)``. Prometheus counts a bucket by its upper bound,
OpenTelemetry by its lower one, so offsets differ by one. Counts come as differences in spans.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from collectors.receive.wire import View

_CUSTOM = -53
_LEAST, _MOST_EXACT = -4, 8
_GAUGE = 3
_GREATEST = 2**63 - 1


def kind_of(histogram: View) -> str:
    """The kind of a row: one with bounds of its own is a classic histogram."""
    return "histogram" if histogram.schema == _CUSTOM else "exponential"


def numbers_of(histogram: View, most: int) -> tuple[object, ...]:
    """The columns from ``value`` on; ``most`` bounds the buckets once they are laid out.

    Raises ``ValueError`` for what is no such histogram, or one that these columns cannot hold.
    """
    if histogram.reset_hint == _GAUGE:
        raise ValueError("a gauge histogram is not supported")
    custom = histogram.schema == _CUSTOM
    if not custom and not _LEAST <= histogram.schema <= _MOST_EXACT:
        raise ValueError("a native histogram has an unknown schema")
    count = _whole(histogram, "count")
    zero = _whole(histogram, "zero_count")
    offset, positive = _side(histogram, "positive", most)
    negative_offset, negative = _side(histogram, "negative", most)
    if sum(positive) + sum(negative) + zero > count:
        raise ValueError("a histogram's buckets are more than its count")
    total = None if math.isnan(histogram.sum) else histogram.sum
    head = (None, count, total, None, None)
    if custom:
        bounds = list(histogram.custom_values)
        return (*head, bounds, _custom(bounds, offset, positive), *(None,) * 7)
    return (
        *head,
        None,
        None,
        histogram.schema,
        zero,
        histogram.zero_threshold,
        offset - 1,
        positive,
        negative_offset - 1,
        negative,
    )


def _custom(bounds: Sequence[float], offset: int, counts: Sequence[int]) -> list[int]:
    buckets = [0] * (len(bounds) + 1)
    if offset < 0 or offset + len(counts) > len(buckets):
        raise ValueError("a histogram has more buckets than bounds")
    buckets[offset : offset + len(counts)] = counts
    return buckets


def _whole(histogram: View, name: str) -> int:
    which = histogram.WhichOneof(name)
    number = 0 if which is None else getattr(histogram, which)
    return _integer(number)


def _integer(number: float) -> int:
    if not math.isfinite(number) or number != int(number) or not 0 <= number <= _GREATEST:
        raise ValueError("a histogram's count is no whole number that fits 63 bits")
    return int(number)


def _side(histogram: View, side: str, most: int) -> tuple[int, list[int]]:
    """The offset of the first bucket and the counts without gaps."""
    spans = getattr(histogram, f"{side}_spans")
    floats = getattr(histogram, f"{side}_counts")
    counts = list(floats) if floats else list(accumulate(getattr(histogram, f"{side}_deltas")))
    # Lengths and gaps are numbers that anyone may write; the sum is checked before any list.
    size = sum(span.length for span in spans) + sum(max(0, span.offset) for span in spans[1:])
    if size > most:
        raise ValueError(f"a histogram has more than {most} buckets")
    if sum(span.length for span in spans) != len(counts):
        raise ValueError("a histogram's spans do not fit its buckets")
    laid: list[int] = []
    taken = 0
    for place, span in enumerate(spans):
        if place and span.offset < 0:
            raise ValueError("a histogram's spans overlap")
        laid += [0] * (span.offset if place else 0)
        laid += [_integer(each) for each in counts[taken : taken + span.length]]
        taken += span.length
    return (spans[0].offset if spans else 0), laid
