"""PromQL over any source of samples, without a server: the semantics of Prometheus 3.

Pure: what is read comes from a `SampleSource`, and every time is given. Ranges and the lookback of
selectors are open on the left. Each node of a query is evaluated at all steps at once, as a matrix
of series by steps. Experimental functions, ``fill`` modifiers and operators between native
histograms are refused with a `PromqlError`.
"""

from collectors.promql.errors import PromqlError
from collectors.promql.matching import matches, matching
from collectors.promql.native import NativeHistogram
from collectors.promql.query import evaluate_instant, evaluate_range
from collectors.promql.samples import STALE, Samples, SampleSource, Vector
from slo.promql import Matcher

__all__ = [
    "STALE",
    "Matcher",
    "NativeHistogram",
    "PromqlError",
    "SampleSource",
    "Samples",
    "Vector",
    "evaluate_instant",
    "evaluate_range",
    "matches",
    "matching",
]
