"""Spans out of Elasticsearch and OpenSearch.

What needs to know a span's parent or its calls cannot be aggregated there: the spans are read, as
many as a page can wait for. Of more, whole traces are drawn by their identifiers, and every span
counts for those that were left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collectors.joining import facts
from collectors.readers.elasticsearch.asking import Asker, Inquiry, Spot
from collectors.readers.elasticsearch.clauses import Clause, all_of, none_of, within
from collectors.readers.elasticsearch.documents import WEIGHED_BY, Row, span_row
from collectors.readers.elasticsearch.layouts import Kind, Layout
from collectors.readers.elasticsearch.local import Local
from collectors.readers.store import breakdown as requests
from collectors.readers.store import topology
from collectors.readers.store import traces as stored
from collectors.readers.telemetry import Answered, Badness, TimeRange, TraceQuery, Where
from collectors.receive import peers
from collectors.signals import SCHEMAS, Signal, table
from slo.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_SEED = 7
_MOST_TERMS = 10_000
_TOLD_BY = (
    *WEIGHED_BY,
    *peers.PEER_SERVICE,
    *peers.DATABASE_NAME,
    *peers.ADDRESS,
    *facts.DATABASE_SYSTEM,
    *facts.MESSAGING_SYSTEM,
    *facts.DESTINATION,
)
_WHOLE = ("attributes", "resource", "links", "events", "scope")


def traces(asker: Asker, query: TraceQuery) -> Answered[pd.DataFrame]:
    """Return a row for each trace that entered the app, with its first entry span."""
    inquiry = asker.inquiry()
    return stored.traces(Local(spans_of(inquiry, query.where), inquiry), query)


def trace(asker: Asker, trace_id: str, around: TimeRange | None) -> Answered[pd.DataFrame]:
    """Return the spans of one trace, whosever they are."""
    inquiry = asker.inquiry()
    rows: list[Row] = []
    for spot in inquiry.spots(Kind.TRACES):
        found = [spot.conditions.equals("trace_id", trace_id)]
        if around is not None:
            span = TimeRange(start=around.start - stored.HOUR, end=around.end + stored.HOUR)
            found.append(within(spot.layout.time, span))
        rows += _read(inquiry, spot, all_of(found), stored.MOST_SPANS, whole=True)
    return stored.trace(Local(_table(rows), inquiry), trace_id, around)


def heatmap(
    asker: Asker, query: TraceQuery, slices: int, bounds: Sequence[int]
) -> Answered[pd.DataFrame]:
    """Return how many entry spans fall into each slice of time and of duration."""
    inquiry = asker.inquiry()
    return stored.heatmap(Local(spans_of(inquiry, query.where), inquiry), query, slices, bounds)


def red(asker: Asker, asked: Where, by: str | None, slices: int) -> Answered[pd.DataFrame]:
    """Return rate, errors and durations of entry spans over time."""
    inquiry = asker.inquiry()
    whole = by in _WHOLE
    return stored.red(Local(spans_of(inquiry, asked, whole=whole), inquiry), asked, by, slices)


def breakdown(
    asker: Asker, asked: Where, bad: Badness, dimensions: Sequence[str]
) -> Answered[pd.DataFrame]:
    """Return requests by every combination of dimensions that occurs among them."""
    for name in dimensions:
        if name != requests.DEPENDENCY and name not in SCHEMAS[Signal.SPANS].names:
            raise UsageError(f'spans have no column "{name}"')
    inquiry = asker.inquiry()
    return requests.breakdown(Local(spans_of(inquiry, asked), inquiry), asked, bad, dimensions)


def edges(asker: Asker, asked: Where | None, span: TimeRange) -> Answered[pd.DataFrame]:
    """Return every pair of caller and called in a range.

    Of one app, these are the calls within the traces that the app takes part in.
    """
    inquiry = asker.inquiry()
    found = _all_of(inquiry, span) if asked is None else _around(inquiry, asked)
    return topology.edges(Local(found, inquiry), asked, span)


def spans_of(inquiry: Inquiry, asked: Where, *, whole: bool = False) -> pa.Table:
    """The spans of an app in a range, whatever the filters: they may be each other's parents."""
    whole = whole or any(each.field not in SCHEMAS[Signal.SPANS].names for each in asked.filters)
    plain = replace(asked, filters=(), env=None)

    def clause(spot: Spot) -> Clause:
        return spot.conditions.where(plain)

    rows: list[Row] = []
    for spot in inquiry.spots(Kind.TRACES):
        rows += _drawn(inquiry, spot, clause(spot), whole=whole)
    return _table(_inside(rows, asked.range))


def _all_of(inquiry: Inquiry, span: TimeRange) -> pa.Table:
    rows: list[Row] = []
    for spot in inquiry.spots(Kind.TRACES):
        rows += _drawn(inquiry, spot, within(spot.layout.time, span), whole=False)
    return _table(_inside(rows, span))


def _around(inquiry: Inquiry, asked: Where) -> pa.Table:
    """The spans of an app, and those of others in the same traces."""
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first question

    own = spans_of(inquiry, asked)
    known = list(dict.fromkeys(map(str, own.column("trace_id").to_pylist())))
    rows: list[Row] = []
    for spot in inquiry.spots(Kind.TRACES):
        conditions = spot.conditions
        for first in range(0, len(known), _MOST_TERMS):
            clause = all_of(
                (
                    within(spot.layout.time, asked.range),
                    conditions.one_of("trace_id", known[first : first + _MOST_TERMS]),
                    none_of([] if asked.app is None else [conditions.owned(asked.app)]),
                )
            )
            rows += _read(inquiry, spot, clause, inquiry.most_spans, whole=False)
    others = _table(_inside(rows, asked.range))
    return pa.concat_tables([own, others]) if asked.app is not None else own


def _drawn(inquiry: Inquiry, spot: Spot, clause: Clause, *, whole: bool) -> Iterator[Row]:
    """All spans that a clause selects, or a part of their traces that can be read."""
    count = inquiry.search(spot, {"size": 0, "track_total_hits": True, "query": clause})
    total = int(count["hits"]["total"]["value"])
    most = inquiry.most_spans
    if total <= most:
        yield from _read(inquiry, spot, clause, most, whole=whole)
        return
    share = 0.9 * most / total
    path = _trace_field(spot)
    chance = {"seed": _SEED, "field": path}
    drawn: Clause = {
        "function_score": {
            "query": {"bool": {"filter": [clause]}},
            "functions": [{"random_score": chance}],
            "boost_mode": "replace",
            "min_score": 1 - share,
        }
    }
    inquiry.notes.append(
        f"estimated from one trace in {1 / share:.3g}: there are {total:,} spans of the app in "
        "the range"
    )
    for row in _read(inquiry, spot, drawn, most, whole=whole):
        row["weight"] /= share
        yield row


def _trace_field(spot: Spot) -> str:
    path = spot.layout.candidates("trace_id")[0].path
    return spot.mapped.exact(path) or path


def _read(inquiry: Inquiry, spot: Spot, clause: Clause, most: int, *, whole: bool) -> Iterator[Row]:
    body: dict[str, Any] = {"query": clause, "sort": [_newest_first(spot)]}
    if not whole:
        body["_source"] = sorted(_paths(spot.layout))
    unread = 0
    for hits in inquiry.pages(spot, body, most):
        for hit in hits:
            row = span_row(spot.document(hit), spot.layout)
            if row is None:
                unread += 1
            else:
                yield row
    if unread:
        inquiry.notes.append(
            f"{unread} documents of {spot.index} are no spans: they lack an identifier, a time or "
            "a duration"
        )


def _paths(layout: Layout) -> Iterable[str]:
    """What has to be read for the columns, and for what they are made of."""
    wanted = {
        each.path
        for name, places in layout.columns.items()
        for each in places
        if name not in _WHOLE
    }
    for key in _TOLD_BY:
        wanted |= {each.path for each in layout.attributes.candidates(key)}
    return wanted


def _newest_first(spot: Spot) -> Mapping[str, Any]:
    return {spot.layout.time: {"order": "desc", "unmapped_type": "date"}}


def _inside(rows: Iterable[Row], span: TimeRange) -> list[Row]:
    """Exactly the range, and each span once: the index knows milliseconds, senders repeat."""
    found: dict[tuple[object, object], Row] = {}
    for row in rows:
        if span.start <= row["time"] < span.end:
            found.setdefault((row["trace_id"], row["span_id"]), row)
    return list(found.values())


def _table(rows: Sequence[Row]) -> pa.Table:
    names = tuple(rows[0]) if rows else ("time",)
    return table(Signal.SPANS, {name: [row[name] for row in rows] for name in names})
