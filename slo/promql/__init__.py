"""PromQL as the specification uses it: read strictly, rewritten on the tree, printed on one line.

Nothing else touches the parser library, the evaluator in `collectors.promql` apart. A user's
mistake is a `QueryProblem`, never an exception; a caller's mistake is a `ValueError`.
"""

from slo.promql.query import Query, parse_query, parse_selector, render
from slo.promql.regex import regex_problem
from slo.promql.scan import MAX_DEPTH, MAX_LENGTH, MAX_OPERATORS, QueryProblem
from slo.promql.text import (
    Matcher,
    MatchOp,
    Selector,
    duration_ms,
    format_duration,
    is_label_name,
    is_metric_name,
    quote,
    selector_text,
)

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_OPERATORS",
    "MatchOp",
    "Matcher",
    "Query",
    "QueryProblem",
    "Selector",
    "duration_ms",
    "format_duration",
    "is_label_name",
    "is_metric_name",
    "parse_query",
    "parse_selector",
    "quote",
    "regex_problem",
    "render",
    "selector_text",
]
