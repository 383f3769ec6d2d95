"""Log records out of Elasticsearch and OpenSearch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import merge
from typing import TYPE_CHECKING, Any

from collectors.readers.elasticsearch.asking import PAGE, Asker, Inquiry, Spot, counted
from collectors.readers.elasticsearch.clauses import Clause, all_of, any_of, none_of, since
from collectors.readers.elasticsearch.documents import Row, log_row
from collectors.readers.elasticsearch.layouts import Kind
from collectors.readers.elasticsearch.local import Local
from collectors.readers.elasticsearch.spans import spans_of
from collectors.readers.names import LEVELS
from collectors.readers.store.asking import instant
from collectors.readers.store.logs import COLUMNS, bodies_of, judged_traces
from collectors.readers.telemetry import Answered, Badness, LogQuery, Where
from collectors.signals import SCHEMAS, Signal, table

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES = 50_000
"""How many log lines of known traces are read to compare them."""

_MILLISECOND = 1_000_000
_UNKNOWN = "unknown"


def logs(asker: Asker, query: LogQuery) -> Answered[pd.DataFrame]:
    """Return the newest records that a query selects.

    With ``after``, records that were received since then; where documents do not say when they
    were received, that is when they happened.
    """
    inquiry = asker.inquiry()
    found = [_newest(inquiry, spot, query) for spot in inquiry.spots(Kind.LOGS)]
    rows = list(merge(*found, key=lambda row: row["time"], reverse=True))[: query.limit]
    frame = _frame(rows)
    observed = instant(int(frame["time"].max())) if len(frame) else None
    cut = len(rows) >= query.limit
    notes = (f"the newest {query.limit} records; there may be more",) if cut else ()
    return inquiry.answered(frame, query.where.range, observed=observed, notes=notes)


def histogram(asker: Asker, query: LogQuery, buckets: int) -> Answered[pd.DataFrame]:
    """Return how many records each slice of time has, by level."""
    inquiry = asker.inquiry()
    span = query.where.range
    # Whole milliseconds, which is what dates are indexed to.
    width = max(1, -(-span.length // buckets // _MILLISECOND))
    start = -(-span.start // _MILLISECOND)
    counts: Counter[tuple[int, str]] = Counter()
    newest: list[float] = []
    for spot in inquiry.spots(Kind.LOGS):
        found = inquiry.search(spot, _histogram(spot, query, start, width))
        aggregated = found.get("aggregations", {})
        value = aggregated.get("newest", {}).get("value")
        newest += [] if value is None else [value]
        for slice_ in aggregated.get("slices", {}).get("buckets", ()):
            for level, one in slice_["levels"]["buckets"].items():
                counts[int(slice_["key"]), level] += one["doc_count"]
    rows = [
        (span.start + (key - start) * _MILLISECOND, level, count)
        for (key, level), count in sorted(counts.items())
        if count
    ]
    observed = instant(int(max(newest)) * _MILLISECOND) if newest else None
    return inquiry.answered(_counts(rows), span, observed=observed)


def failing_bodies(asker: Asker, asked: Where, bad: Badness, limit: int) -> Answered[pd.DataFrame]:
    """Return log lines of bad requests that the filters select, and of good ones of the app."""
    inquiry = asker.inquiry()
    spans = spans_of(inquiry, asked)
    traces = Local(spans, inquiry).table(judged_traces(asked, bad))
    known = list(map(str, traces.column("trace_id").to_pylist()))
    plain = replace(asked, filters=())
    rows: list[Row] = []
    for spot in inquiry.spots(Kind.LOGS) if known else ():
        conditions = spot.conditions
        clause = all_of((conditions.where(plain), conditions.one_of("trace_id", known)))
        body = {"query": clause, "sort": _newest_first(spot)}
        for hits in inquiry.pages(spot, body, MOST_LINES):
            rows += _rows(spot, hits)
    if len(rows) >= MOST_LINES:
        inquiry.notes.append(f"the newest {MOST_LINES} lines of {len(known)} traces are compared")
    names = ("time", "body", "severity", "trace_id", "env")
    lines = table(Signal.LOGS, {name: [row[name] for row in rows] for name in names})
    return Local(lines, inquiry).frame(bodies_of(asked, traces, limit))


def _newest(inquiry: Inquiry, spot: Spot, query: LogQuery) -> list[Row]:
    clause = spot.conditions.logs(query)
    if query.after is not None:
        clause = all_of((clause, _stored_since(spot, query.after)))
    body = {"query": clause, "sort": _newest_first(spot)}
    pages = _hits(inquiry, spot, body, query.limit)
    found = [row for hits in pages for row in _rows(spot, hits)]
    for row in found:
        # Those asked for by their app have one, said by themselves or by their index.
        row["rung"] = None if query.where.app is None else 1
    if query.after is not None:
        # The index knows milliseconds, the cursor nanoseconds.
        found = [row for row in found if row["cursor"] > query.after]
    return sorted(found, key=lambda row: -row["time"])


def _hits(
    inquiry: Inquiry, spot: Spot, body: Mapping[str, Any], most: int
) -> Iterator[Sequence[Mapping[str, Any]]]:
    """One page needs no view that is held still."""
    if most > PAGE:
        yield from inquiry.pages(spot, body, most)
    else:
        found = inquiry.search(spot, {**body, "size": most, "track_total_hits": False})
        yield found["hits"]["hits"]


def _rows(spot: Spot, hits: Sequence[Mapping[str, Any]]) -> list[Row]:
    rows = (log_row(spot.document(hit), spot.layout) for hit in hits)
    return [{**row, "cursor": row.pop("observed")} for row in rows if row is not None]


def _newest_first(spot: Spot) -> list[dict[str, Any]]:
    return [{spot.layout.time: {"order": "desc", "unmapped_type": "date"}}]


def _stored_since(spot: Spot, after: int) -> Clause:
    """What was received since then, or happened, where a document does not say the former."""
    milliseconds = after // _MILLISECOND
    found: list[Clause] = []
    surer: list[Clause] = []
    for each in spot.layout.candidates("observed"):
        if spot.mapped.of_path(each.path) & {"date", "date_nanos"}:
            found.append(all_of((since(each.path, milliseconds), none_of(surer))))
            surer.append({"exists": {"field": each.path}})
    happened = since(spot.layout.time, milliseconds)
    return any_of((*found, all_of((happened, none_of(surer)))))


def _histogram(spot: Spot, query: LogQuery, start: int, width: int) -> dict[str, Any]:
    conditions = spot.conditions
    levels = {name: conditions.level(name) for name in LEVELS}
    return counted(
        conditions.logs(query),
        {
            "newest": {"max": {"field": spot.layout.time}},
            "slices": {
                "date_histogram": {
                    "field": spot.layout.time,
                    "fixed_interval": f"{width}ms",
                    "offset": f"{start % width}ms",
                    "min_doc_count": 1,
                },
                "aggs": {"levels": {"filters": {"filters": levels, "other_bucket_key": _UNKNOWN}}},
            },
        },
    )


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    """Rows with the types that stored ones have."""
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first question

    schema = SCHEMAS[Signal.LOGS]
    kinds = {**{name: schema.field(name).type for name in COLUMNS}, "cursor": pa.int64()}
    arrays = [pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()]
    return pa.Table.from_arrays(arrays, names=list(kinds)).to_pandas()


def _counts(rows: Sequence[tuple[int, str, int]]) -> pd.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - loaded with the first question

    kinds = {"time": pa.int64(), "level": pa.string(), "count": pa.int64()}
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    arrays = [pa.array(each, kind) for each, kind in zip(columns, kinds.values(), strict=True)]
    return pa.Table.from_arrays(arrays, names=list(kinds)).to_pandas()
