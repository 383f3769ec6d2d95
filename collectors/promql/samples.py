"""What goes into an evaluation and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collectors.promql.native import NativeHistogram
from slo.promql import Matcher
from slo.records import dataclass

STALE = np.array([0x7FF0000000000002], dtype=np.uint64).view(np.float64)[0]
"""The value with which a scraper ends a series; a NaN of its own."""

_STALE_BITS = np.uint64(0x7FF0000000000002)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One series as it is stored.

    ``labels`` include ``__name__``. ``times`` are Unix milliseconds, strictly increasing.
    ``values`` may hold ``STALE``. ``histograms``, where given, stand beside the times; a sample
    that has one has no other value.
    """

    labels: Mapping[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]
    histograms: Sequence[NativeHistogram | None] | None = None


class SampleSource(Protocol):
    """Where series come from."""

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Sequence[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One series of an answer: only the steps that have a value; NaN is a value."""

    labels: dict[str, str]
    times: NDArray[np.int64]
    values: NDArray[np.float64]


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which values are the stale marker, which no other NaN is."""
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    return np.asarray(bits == _STALE_BITS)
