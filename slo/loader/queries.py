"""Queries out of a specification: read, placed and checked for what their indicator needs."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.printable import quote
from slo.problems import Span
from slo.promql import Query, parse_query

_SELECTOR_HINT = 'write a metric with its matchers only, such as x_total{job="api"}'
_TYPES = {"scalar": "a single number", "matrix": "ranges", "string": "a text"}
_PARTS = ("_bucket", "_count", "_sum")


def vector_query(fields: Fields, key: str, intake: Intake) -> Query | None:
    """Return a query that gives a vector, or report why it does not."""
    query = _query(fields, key, intake)
    if query is None or query.type == "vector":
        return query
    hint = (
        "put a function around the range, such as increase(…)" if query.type == "matrix" else None
    )
    message = f"this query gives {_TYPES[query.type]}, where a vector is needed"
    intake.error("query/type", message, fields.span(key), hint=hint)
    return None


def counted(fields: Fields, key: str, intake: Intake) -> Query | None:
    """Return a counter's selector or an expression over `$window` that counts events."""
    query = vector_query(fields, key, intake)
    if query is None:
        return None
    if query.plain is not None:
        return query if _names_metric(query, fields.span(key), intake) else None
    if not _has_window(query, fields.span(key), intake, example="sum(rate(x_total[$window]))"):
        return None
    if query.per_second is None:
        intake.error(
            "query/unit",
            "it cannot be told whether this query gives events per second or events of the window",
            fields.span(key),
            hint="use either rate() or increase() on every counter in it",
        )
        return None
    return query


def windowed(fields: Fields, key: str, intake: Intake) -> Query | None:
    """Return an expression over `$window`."""
    query = vector_query(fields, key, intake)
    example = "avg_over_time(x[$window])"
    if query is None or not _has_window(query, fields.span(key), intake, example=example):
        return None
    return query


def momentary(fields: Fields, key: str, intake: Intake) -> Query | None:
    """Return an expression that needs no `$window`, because slices ask for single moments."""
    query = vector_query(fields, key, intake)
    if query is None or not query.uses_window:
        return query
    node = fields.node(key)
    place = fields.span(key)
    if node is not None:
        start = query.text.find("$")
        place = intake.place(node, start, start + len("$window"))
    intake.error(
        "query/window",
        "a slice judges a single moment, so $window has no meaning here",
        place,
        hint="write a range of its own, such as [5m]",
    )
    return None


def selector(fields: Fields, key: str, intake: Intake) -> Query | None:
    """Return a query that is one plain selector of a metric."""
    return plain_selector(vector_query(fields, key, intake), fields.span(key), intake)


def plain_selector(query: Query | None, span: Span, intake: Intake) -> Query | None:
    """Return the query if it is one plain selector of a metric."""
    if query is None:
        return None
    if query.plain is None:
        message = "this must be a selector, not an expression"
        intake.error("query/not-selector", message, span, hint=_SELECTOR_HINT)
        return None
    return query if _names_metric(query, span, intake) else None


def histogram(fields: Fields, key: str, intake: Intake) -> Query | None:
    """Return the selector of a histogram by its base name."""
    query = selector(fields, key, intake)
    if query is None or query.plain is None:
        return None
    name, span = query.plain.metric, fields.span(key)
    if name is None:
        message = "a histogram is selected by the name of its metric"
        intake.error("query/histogram", message, span)
        return None
    suffix = next((part for part in _PARTS if name.endswith(part)), None)
    if suffix is not None:
        node, start = fields.node(key), query.text.find(name)
        if node is not None and start >= 0:
            span = intake.place(node, start, start + len(name))
        base = name.removesuffix(suffix)
        message = f"a histogram is named without {suffix}"
        intake.error("query/histogram", message, span, hint=f"write {base}")
        return None
    if any(matcher.name == "le" for matcher in query.plain.matchers):
        message = "a histogram is selected without le; the threshold chooses the bucket"
        intake.error("query/histogram", message, span)
        return None
    return query


def log_query(fields: Fields, key: str, intake: Intake) -> str | None:
    """Return a query of log records as it was written, once it is known to be one."""
    # Few specifications count log records; the others need not wait for the parser.
    from slo.logquery import LogQueryError, parse  # noqa: PLC0415

    text = fields.get(key, str)
    if text is None:
        return None
    try:
        parse(text)
    except LogQueryError as wrong:
        node, span = fields.node(key), fields.span(key)
        if node is not None:
            span = intake.place(node, wrong.column - 1, wrong.column)
        message = f"log query {quote(text)}: {wrong}"
        intake.error("query/log-syntax", message, span, hint=wrong.hint)
        return None
    return text


def _query(fields: Fields, key: str, intake: Intake) -> Query | None:
    text = fields.get(key, str)
    if text is None:
        return None
    query = parse_query(text)
    if isinstance(query, Query):
        return query
    node, span = fields.node(key), fields.span(key)
    if node is not None and query.offset is not None:
        span = intake.place(node, query.offset, query.offset + 1)
    message = f"query {quote(text)}: {query.message}"
    intake.error("query/syntax", message, span, hint=query.hint)
    return None


def _has_window(query: Query, span: Span, intake: Intake, *, example: str) -> bool:
    if query.uses_window:
        return True
    intake.error(
        "query/no-window",
        "this expression has no $window, so it cannot be asked about a window",
        span,
        hint=f"write each range as [$window], as in {example}",
    )
    return False


def _names_metric(query: Query, span: Span, intake: Intake) -> bool:
    one = query.plain
    if one is None or one.metric is not None:
        return True
    if any(matcher.name == "__name__" for matcher in one.matchers):
        return True
    message = "this selector names no metric, so it would add up everything with these labels"
    intake.error("query/no-metric", message, span, hint="begin it with a metric's name")
    return False
