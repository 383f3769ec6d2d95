"""The searches that counts are made of, many service levels to a request."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from collectors.elastic.completeness import incomplete
from collectors.elastic.failures import from_answer
from collectors.elastic.transient import PassingError
from collectors.readers.elasticsearch.asking import Inquiry, Spot, counted
from collectors.readers.elasticsearch.clauses import (
    NOTHING,
    Clause,
    all_of,
    any_of,
    none_of,
    within,
)
from collectors.readers.elasticsearch.columns import Place
from collectors.readers.elasticsearch.conditions import exists
from collectors.readers.elasticsearch.documents import WEIGHED_BY
from collectors.readers.elasticsearch.layouts import Kind
from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.outcome import Asked
from collectors.readers.telemetry import Badness, TimeRange
from collectors.receive.sampling import weight_of
from slo.errors import SourceError
from slo.logquery import parse
from slo.model import Logs, ServiceLevel, SloKey, Spans
from slo.ports import Counts, Evidence, EvidenceStatus
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS, LEDGER_SLOT

_MILLISECOND = 1_000_000
_SLOT = LEDGER_SLOT.milliseconds
_PAGE = 1_000
_MOST_PAGES = 10
_MOST_IN_ONE = 50
_MICRO = Decimal("0.000001")
_LARGEST = Decimal(10**9)
_ZERO = Counts(total=Fraction(0), bad=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was counted for one level; ``oldest`` is in Unix milliseconds.

    ``failed`` is why nothing was counted, ``lacking`` what is missing from the counts.
    """

    period: Counts = _ZERO
    windows: Mapping[Duration, Counts]
    oldest: int | None = None
    newest: int | None = None
    lacking: tuple[str, ...] = ()
    failed: SourceError | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was counted although it could be asked."""
        return self.failed is None and not self.period.total

    def lacking_too(self, texts: Sequence[str]) -> Tally:
        """The same tally, which also lacks what other questions of it lack."""
        return replace(self, lacking=tuple(dict.fromkeys((*self.lacking, *texts))))


def signal_of(level: ServiceLevel) -> Kind:
    """The signal whose records a level counts."""
    return Kind.LOGS if isinstance(level.slo.indicator.measure, Logs) else Kind.TRACES


def end_of(level: ServiceLevel, at: datetime) -> int:
    """The last instant that counts, in Unix milliseconds."""
    offset = level.slo.indicator.offset
    return milliseconds(at) - (0 if offset is None else offset.milliseconds)


def tallies(
    inquiry: Inquiry, kind: Kind, levels: Sequence[ServiceLevel], asked: Asked
) -> dict[SloKey, Tally]:
    """Count every window of every level, some dozens to a request. Raises ``SourceError``."""
    spots = inquiry.spots(kind)
    found = {each.key: Tally(windows=dict.fromkeys(asked.windows, _ZERO)) for each in levels}
    work: list[_Search] = []
    for level in levels:
        try:
            work += [_Search(spot=spot, level=level, asked=asked) for spot in spots]
            for each in work[len(work) - len(spots) :]:
                each.body(None)
        except SourceError as error:
            # The question itself cannot be asked here; others can.
            work = [each for each in work if each.level is not level]
            found[level.key] = replace(found[level.key], failed=error)
    for first in range(0, len(work), _MOST_IN_ONE):
        _count(inquiry, work[first : first + _MOST_IN_ONE], found)
    return found


def arrivals(inquiry: Inquiry, kind: Kind, end: int, span: Duration) -> Sequence[int]:
    """The newest record of each slot in which anybody's arrived, in Unix milliseconds.

    Slots are as long as the ledger's and end with the last instant.
    """
    newest: dict[int, int] = {}
    for spot in inquiry.spots(kind):
        field = spot.layout.time
        inside = within(field, _range(end, span))
        slots = {
            "date_histogram": {
                "field": field,
                "fixed_interval": f"{_SLOT}ms",
                "offset": f"{(end + 1) % _SLOT}ms",
                "min_doc_count": 1,
            },
            "aggs": {"newest": {"max": {"field": field}}},
        }
        answer = inquiry.search(spot, counted(inside, {"slots": slots}))
        for one in answer.get("aggregations", {}).get("slots", {}).get("buckets", ()):
            key = int(one["key"])
            newest[key] = max(newest.get(key, 0), int(one["newest"]["value"]))
    return sorted(newest.values())


def last_seen(
    inquiry: Inquiry, kind: Kind, levels: Sequence[ServiceLevel], at: datetime
) -> Mapping[SloKey, int]:
    """When the newest record of each level's app was sent, up to the end."""
    pairs = [(level, spot) for level in levels for spot in inquiry.spots(kind)]
    bodies = []
    for level, spot in pairs:
        span = TimeRange(start=0, end=end_of(level, at) * _MILLISECOND + 1)
        clause = all_of((within(spot.layout.time, span), spot.conditions.owned(level.app.name)))
        newest = {"newest": {"max": {"field": spot.layout.time}}}
        bodies.append((spot, counted(clause, newest)))
    found: dict[SloKey, int] = {}
    for (level, spot), answer in zip(pairs, inquiry.many(bodies), strict=True):
        if "error" in answer:
            raise _error_of(answer, spot.source)
        value = answer.get("aggregations", {}).get("newest", {}).get("value")
        if value is not None:
            found[level.key] = max(found.get(level.key, 0), int(value))
    return found


def steps(
    inquiry: Inquiry, level: ServiceLevel, end: int, span: Duration, step: Duration
) -> Mapping[int, Counts]:
    """Counts per step of a span, by how many steps before the end. Raises ``SourceError``."""
    places = -(-span.milliseconds // step.milliseconds)
    whole = Duration(milliseconds=places * step.milliseconds)
    found: dict[int, Counts] = {}
    for spot in inquiry.spots(signal_of(level)):
        counting = _Counting.of(spot, level)
        clause = all_of((within(spot.layout.time, _range(end, whole)), counting.counted))
        histogram = {
            "date_histogram": {
                "field": spot.layout.time,
                "fixed_interval": f"{step.milliseconds}ms",
                "offset": f"{(end + 1) % step.milliseconds}ms",
                "min_doc_count": 1,
            },
            "aggs": {"bad": {"filter": counting.bad}},
        }
        for weight, one in _weighted(inquiry, spot, clause, {"steps": histogram}):
            for slice_ in one["steps"]["buckets"]:
                place = (end - int(slice_["key"])) // step.milliseconds
                more = _scaled(slice_, slice_["bad"], weight)
                found[place] = found.get(place, _ZERO) + more
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counting:
    """What counts for a level in one place, and what of it is bad."""

    counted: Clause
    bad: Clause

    @classmethod
    def of(cls, spot: Spot, level: ServiceLevel) -> _Counting:
        conditions, measure = spot.conditions, level.slo.indicator.measure
        mine = conditions.equals("env", level.environment.name)
        if len(level.app.environments) == 1:
            mine = any_of((mine, none_of([conditions.present("env")])))
        whose = (conditions.owned(level.app.name), mine)
        if isinstance(measure, Logs):
            total = conditions.expression(parse(measure.query))
            bad = conditions.expression(parse(measure.bad))
        else:
            assert isinstance(measure, Spans), "the caller has seen to it"
            condition = Badness.of(measure)
            total, bad = conditions.counted_spans(condition), conditions.bad_span(condition)
        return cls(counted=all_of((*whose, total)), bad=bad)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """One level in one place."""

    spot: Spot
    level: ServiceLevel
    asked: Asked

    @property
    def spans(self) -> tuple[Duration, ...]:
        """The period and then the windows."""
        return (self.level.slo.window, *self.asked.windows)

    @property
    def longest(self) -> TimeRange:
        return _range(self.end, max(*self.spans, FRESHNESS))

    @property
    def end(self) -> int:
        return end_of(self.level, self.asked.at)

    def body(self, after: Mapping[str, Any] | None) -> dict[str, Any]:
        """The search for all windows at once, by sampling where spans are sampled."""
        counting = _Counting.of(self.spot, self.level)
        field = self.spot.layout.time
        inside = {
            str(place): within(field, _range(self.end, span))
            for place, span in enumerate(self.spans)
        }
        inner: dict[str, Any] = {
            "windows": {
                "filters": {"filters": inside},
                "aggs": {"bad": {"filter": counting.bad}, "oldest": {"min": {"field": field}}},
            },
            "newest": {"max": {"field": field}},
        }
        clause = all_of((within(field, self.longest), counting.counted))
        return counted(clause, _by_weight(self.spot, inner, after))


def _count(inquiry: Inquiry, work: Sequence[_Search], found: dict[SloKey, Tally]) -> None:
    """Send searches until each has all its pages, and add what they count."""
    waiting: list[tuple[_Search, Mapping[str, Any] | None]] = [(each, None) for each in work]
    for page in range(_MOST_PAGES):
        if not waiting:
            return
        bodies = [(search.spot, search.body(after)) for search, after in waiting]
        answers = inquiry.many(bodies)
        more: list[tuple[_Search, Mapping[str, Any] | None]] = []
        for (search, _), (_, body), answer in zip(waiting, bodies, answers, strict=True):
            key = search.level.key
            found[key] = _added(found[key], search, body, answer)
            after = _next(answer)
            if after is not None and page + 1 == _MOST_PAGES:
                text = "not all sampling factors of the spans were counted"
                found[key] = replace(found[key], lacking=(*found[key].lacking, text))
            elif after is not None:
                more.append((search, after))
        waiting = more


def _added(
    tally: Tally, search: _Search, body: Mapping[str, Any], answer: Mapping[str, Any]
) -> Tally:
    """A tally with what one answer counts."""
    evidence = (*tally.evidence, _evidence(search, body, answer))
    if "error" in answer:
        return replace(tally, failed=_error_of(answer, search.spot.source), evidence=evidence)
    counts: dict[int, Counts] = defaultdict(lambda: _ZERO)
    oldest = [] if tally.oldest is None else [tally.oldest]
    newest = [] if tally.newest is None else [tally.newest]
    for weight, one in _weights(answer):
        for place, bucket in one["windows"]["buckets"].items():
            counts[int(place)] += _scaled(bucket, bucket["bad"], weight)
        first, last = one["windows"]["buckets"]["0"]["oldest"]["value"], one["newest"]["value"]
        oldest += [] if first is None else [int(first)]
        newest += [] if last is None else [int(last)]
    return replace(
        tally,
        period=tally.period + counts[0],
        windows={
            window: tally.windows[window] + counts[place]
            for place, window in enumerate(search.asked.windows, 1)
        },
        oldest=min(oldest, default=None),
        newest=max(newest, default=None),
        lacking=tuple(dict.fromkeys((*tally.lacking, *incomplete(answer), *_untold(answer)))),
        evidence=evidence,
    )


def _error_of(answer: Mapping[str, Any], source: str) -> SourceError:
    """What one search of several was refused for."""
    status = answer.get("status")
    found = from_answer(status if isinstance(status, int) else 500, answer, source)
    known = found.error if isinstance(found, PassingError) else found
    return known if isinstance(known, SourceError) else SourceError(str(known), source=source)


def _by_weight(
    spot: Spot, inner: Mapping[str, Any], after: Mapping[str, Any] | None
) -> dict[str, Any]:
    """An aggregation by what tells how many each span stands for, if any field does."""
    tellers = () if spot.kind is Kind.LOGS else tuple(_tellers(spot))
    sources = [
        {f"{name}:{number}": {"terms": {"field": path, "missing_bucket": True}}}
        for number, (name, place) in enumerate(tellers)
        if (path := _grouped_by(spot, place)) is not None
    ]
    closed = any_of(exists(each) for _, each in tellers if _grouped_by(spot, each) is None)
    besides: dict[str, Any] = {} if closed == NOTHING else {"untold": {"filter": closed}}
    if not sources:
        return {"all": {"filter": {"match_all": {}}, "aggs": dict(inner)}, **besides}
    composite: dict[str, Any] = {"size": _PAGE, "sources": sources}
    if after is not None:
        composite["after"] = after
    return {"weights": {"composite": composite, "aggs": dict(inner)}, **besides}


def _tellers(spot: Spot) -> Iterator[tuple[str, Place]]:
    """The places that may tell how many a span stands for, each under the name of its column."""
    for name in ("represents", "trace_state", *WEIGHED_BY):
        for place in spot.mapped.only(spot.layout.candidates(name)):
            yield name, place


def _grouped_by(spot: Spot, place: Place) -> str | None:
    """The field to group by: neither an entry of a list nor OpenSearch's free form can be."""
    closed = place.key is not None or "flat_object" in spot.mapped.of_path(place.path)
    return None if closed else spot.mapped.exact(place.path)


def _weights(answer: Mapping[str, Any]) -> Iterator[tuple[Fraction, Mapping[str, Any]]]:
    """The groups of an answer, and how many each of their documents stands for."""
    found = answer.get("aggregations", {})
    if "all" in found:
        yield Fraction(1), found["all"]
    for one in found.get("weights", {}).get("buckets", ()):
        yield _weight(one["key"]), one


def _untold(answer: Mapping[str, Any]) -> Iterator[str]:
    """That some spans say in a place that cannot be counted by how many they stand for."""
    count = answer.get("aggregations", {}).get("untold", {}).get("doc_count", 0)
    if count:
        yield f"{count} sampled spans count as one each: their sampling factor cannot be grouped by"


def _weight(key: Mapping[str, object]) -> Fraction:
    said = {name.partition(":")[0]: value for name, value in key.items() if value is not None}
    stated = said.pop("represents", None)
    state = str(said.pop("trace_state", ""))
    if isinstance(stated, int | float | str):
        number = Decimal(stated)
        if number.is_finite() and 1 <= number <= _LARGEST:
            return Fraction(number.quantize(_MICRO))
    # Cut as the store cuts them, so that sums are the same.
    return Fraction(Decimal(weight_of(state, said)).quantize(_MICRO))


def _weighted(
    inquiry: Inquiry, spot: Spot, clause: Clause, inner: Mapping[str, Any]
) -> Iterable[tuple[Fraction, Mapping[str, Any]]]:
    after: Mapping[str, Any] | None = None
    for _ in range(_MOST_PAGES):
        answer = inquiry.search(spot, counted(clause, _by_weight(spot, inner, after)))
        yield from _weights(answer)
        after = _next(answer)
        if after is None:
            return


def _next(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = answer.get("aggregations", {}).get("weights", {})
    after = found.get("after_key")
    return after if isinstance(after, Mapping) and len(found["buckets"]) == _PAGE else None


def _scaled(all_of_them: Mapping[str, Any], bad: Mapping[str, Any], weight: Fraction) -> Counts:
    return Counts(total=weight * all_of_them["doc_count"], bad=weight * bad["doc_count"])


def _range(end: int, span: Duration) -> TimeRange:
    """What ends with an instant, which counts, and begins a span before it, which does not."""
    last = end * _MILLISECOND + 1
    return TimeRange(start=last - span.milliseconds * _MILLISECOND, end=last)


def _evidence(search: _Search, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Evidence:
    counted_ = {"aggregations": answer.get("aggregations"), "error": answer.get("error")}
    newest = [
        one["newest"]["value"]
        for _, one in _weights(answer)
        if one.get("newest", {}).get("value") is not None
    ]
    status = EvidenceStatus.OK if newest else EvidenceStatus.MISSING
    if "error" in answer:
        status = EvidenceStatus.ERROR
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return Evidence(
        source=search.spot.source,
        query=f"POST /{search.spot.index}/_search {text}",
        start=instant(search.longest.start // _MILLISECOND),
        end=search.asked.at,
        observed_at=instant(int(max(newest))) if newest else None,
        status=status,
        sha256=hashlib.sha256(json.dumps(counted_, sort_keys=True).encode()).hexdigest(),
    )
