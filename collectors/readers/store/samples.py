"""Stored metrics as series for PromQL: counters, gauges and histograms by their Prometheus names.

A classic histogram is stored whole and answers as ``NAME_bucket``, ``NAME_count`` and
``NAME_sum``, the way a scrape of it would. Deltas answer as the running sum of themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

import numpy as np

from collectors.promql import Samples, matching
from collectors.readers.store.asking import Asker, Question
from collectors.readers.store.conditions import Parameters
from collectors.readers.store.series import MILLISECOND, NAME, Stored, split, within
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal
from slo.errors import QueryRejected
from slo.promql import Matcher

MOST_SAMPLES = 50_000_000
"""How many samples one selector may read."""

_COLUMNS = {"": "value", "_count": "count::DOUBLE AS value", "_sum": '"sum" AS value'}
"""What stands for a series: of a plain one its value, of a classic histogram one of its parts."""

_BUCKETS = "bounds, buckets"
_EXPONENTIAL = (
    ', count, "sum", scale, zero_count, zero_threshold, positive_offset, positive, '
    "negative_offset, negative"
)

_NameCondition = Callable[[Parameters], str]


class StoredSamples:
    """A `SampleSource` over the embedded store.

    ``apps`` restricts what is looked at, when only their series can be meant; ``None`` is all.
    """

    def __init__(self, asker: Asker, apps: Collection[str | None] | None = None) -> None:
        self._asker = asker
        self._apps = apps

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        span = TimeRange(start=start_ms * MILLISECOND + 1, end=end_ms * MILLISECOND + 1)
        found: list[Samples] = []
        for suffix, inner in _readings(matchers):
            chosen = _chosen(self._series(inner, span), matchers)
            # Sums of deltas must not depend on where a range begins: each selector of a query
            # has a range of its own.
            whole = TimeRange(start=0, end=span.end)
            for delta, read in ((False, span), (True, whole)):
                mine = [one for one in chosen if one.delta is delta]
                if mine:
                    made = self._samples(mine, suffix, matchers, read)
                    found += (within(one, start_ms) for one in made)
        return [one for one in found if len(one.times)]

    def labels(self, matchers: Sequence[Matcher], span: TimeRange) -> Iterator[dict[str, str]]:
        """Give the label sets of the series that match, buckets' ``le`` left out."""
        for suffix, inner in _readings(matchers):
            for one in _chosen(self._series(inner, span), matchers):
                yield {NAME: one.name + suffix, **one.labels}

    def _series(self, name: _NameCondition, span: TimeRange) -> list[Stored]:
        parameters = Parameters()
        _, table = self._asker.table(
            Question(
                signal=Signal.METRICS,
                sql="SELECT series, name, kind, any_value(delta) AS delta, any_value(labels) "
                f"AS labels FROM records WHERE {name(parameters)} GROUP BY series, name, kind "
                "ORDER BY name, labels",
                parameters=parameters,
                apps=self._apps,
                range=span,
            )
        )
        return [
            Stored(
                series=row["series"],
                name=row["name"],
                kind=row["kind"],
                delta=row["delta"],
                labels=json.loads(row["labels"]),
            )
            for row in table.to_pylist()
        ]

    def _samples(
        self,
        chosen: Sequence[Stored],
        suffix: str,
        matchers: Sequence[Matcher],
        span: TimeRange,
    ) -> list[Samples]:
        exponential = any(one.kind == "exponential" for one in chosen)
        columns = _BUCKETS if suffix == "_bucket" else _COLUMNS[suffix]
        columns += _EXPONENTIAL if exponential else ""
        parameters = Parameters()
        names = parameters.bind(sorted({one.name for one in chosen}))
        digests = parameters.bind([one.series for one in chosen])
        _, table = self._asker.table(
            Question(
                signal=Signal.METRICS,
                sql=f"SELECT series, time // {MILLISECOND} AS time, "
                f"coalesce(start, 0) // {MILLISECOND} AS start, {columns} FROM records "
                f"WHERE name IN (SELECT unnest({names}::VARCHAR[])) "
                f"AND series IN (SELECT unnest({digests}::UBIGINT[])) "
                f"ORDER BY series, time LIMIT {MOST_SAMPLES + 1}",
                parameters=parameters,
                apps=self._apps,
                range=span,
            )
        )
        if table.num_rows > MOST_SAMPLES:
            raise QueryRejected(
                f"the selector reads more than {MOST_SAMPLES:,} samples",
                source="store",
                hint="name fewer series or a shorter range",
            )
        return list(split(table, {one.series: one for one in chosen}, suffix, matchers))


def _readings(matchers: Sequence[Matcher]) -> Iterator[tuple[str, _NameCondition]]:
    """Every way in which a stored name can answer the matchers of the name."""
    of_name = [matcher for matcher in matchers if matcher.name == NAME]
    exact = next((each.value for each in of_name if each.op == "="), None)
    for suffix in ("", "_bucket", "_count", "_sum"):
        if exact is None or exact.endswith(suffix):
            yield suffix, partial(_name_condition, suffix, of_name)


def _name_condition(suffix: str, of_name: Sequence[Matcher], parameters: Parameters) -> str:
    kind = "kind = 'histogram'" if suffix else "kind <> 'histogram'"
    found = [kind]
    for each in of_name:
        if each.op == "=":
            # The bare column prunes files by their statistics.
            found.append(f"name = {parameters.bind(each.value.removesuffix(suffix))}")
            continue
        full = f"name || {parameters.bind(suffix)}" if suffix else "name"
        value = parameters.bind(each.value)
        if each.op == "!=":
            found.append(f"{full} <> {value}")
        else:
            sense = "NOT " if each.op == "!~" else ""
            found.append(f"{sense}regexp_full_match({full}, {value}, 's')")
    return " AND ".join(found)


def _chosen(stored: Sequence[Stored], matchers: Sequence[Matcher]) -> list[Stored]:
    """The series whose labels match; a bucket's ``le`` is judged where buckets are made."""
    keep = np.ones(len(stored), bool)
    for matcher in matchers:
        if matcher.name not in {NAME, "le"}:
            keep &= matching(matcher, [one.labels.get(matcher.name, "") for one in stored])
    return [one for one, kept in zip(stored, keep, strict=True) if kept]
