"""The embedded store as a source of PromQL: what asks Prometheus asks it the same way."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Sequence
from datetime import datetime
from fractions import Fraction

import numpy as np

from collectors.promql import SampleSource, Vector, evaluate_instant, evaluate_range
from collectors.readers.prometheus.answers import Answer, Series, milliseconds
from collectors.readers.prometheus.clock import Clock, Deadline
from collectors.readers.store.asking import REFERENCE, Asker
from collectors.readers.store.exemplars import exemplars
from collectors.readers.store.memory import Remembered
from collectors.readers.store.samples import StoredSamples
from collectors.readers.store.series import NAME
from collectors.readers.telemetry import Exemplar, TimeRange
from collectors.store import StoreReader
from slo.errors import QueryRejected
from slo.ports import Evidence, EvidenceStatus
from slo.promql import Matcher, Query, parse_query
from slo.units import Duration

MOST_POINTS = 26_000
"""How many evaluations one range query asks for: a quarter of a year in slots."""


class StoreMetrics:
    """Answers PromQL from the embedded store; a `MetricReader` that threads may share.

    ``apps`` restricts it to their series (``None``: a member for those of nobody).
    """

    def __init__(
        self,
        store: StoreReader,
        *,
        clock: Clock | None = None,
        apps: Collection[str | None] | None = None,
    ) -> None:
        self._store = store
        self._apps = apps
        self._clock = clock or Clock()
        self._held: SampleSource | None = None
        self._last: tuple[tuple[str, datetime, datetime, Duration], Answer] | None = None

    @property
    def reference(self) -> str:
        """How the workspace names it."""
        return REFERENCE

    @property
    def replica_labels(self) -> tuple[str, ...]:
        """None: a store holds everything once."""
        return ()

    @property
    def shard_labels(self) -> tuple[str, ...]:
        """None: a store is whole."""
        return ()

    @property
    def most_points(self) -> int:
        """How many evaluations one range query asks for: a quarter of a year of slots."""
        return MOST_POINTS

    def deadline(self, length: Duration | None) -> Deadline:
        """Return a deadline that starts to run now."""
        return Deadline(self._clock, length)

    def query(self, query: str, at: datetime, until: Deadline) -> Answer:
        """Evaluate an expression at an instant."""
        found = evaluate_instant(self._source(until), query, milliseconds(at))
        return _answer(query, at, at, found)

    def query_range(
        self, query: str, start: datetime, end: datetime, step: Duration, until: Deadline
    ) -> Answer:
        """Evaluate an expression from ``start`` to ``end``, both included."""
        key = query, start, end, step
        last = self._last
        if last is not None and last[0] == key:
            return last[1]
        found = evaluate_range(
            self._source(until), query, milliseconds(start), milliseconds(end), step.milliseconds
        )
        answer = _answer(query, start, end, found)
        # Readers ask whether there is anything, then for what there is.
        if self._held is not None:
            self._last = key, answer
        return answer

    def series(
        self, selector: str, start: datetime, end: datetime, until: Deadline, *, limit: int
    ) -> list[dict[str, str]]:
        """Return the label sets of series with samples in a range, at most ``limit``."""
        found = self._samples(until).labels(_matchers(selector), _range(start, end))
        return [labels for _, labels in zip(range(limit), found, strict=False)]

    def label_values(
        self, label: str, matchers: tuple[str, ...], start: datetime, end: datetime, until: Deadline
    ) -> list[str]:
        """Return the values of a label over series that match any of the selectors."""
        samples, span = self._samples(until), _range(start, end)
        chosen = [_matchers(text) for text in matchers] or [()]
        found = {
            labels[label]
            for each in chosen
            for labels in samples.labels(each, span)
            if label in labels
        }
        return sorted(found)

    def exemplars(
        self, selector: str, start: datetime, end: datetime, until: Deadline, *, limit: int = 1000
    ) -> tuple[Exemplar, ...]:
        """Return the samples that name their traces, of the series that a selector selects."""
        span = _range(start, end)
        return exemplars(
            self._asker(until), _matchers(selector), span, apps=self._apps, limit=limit
        )

    def of(self, app: str) -> StoreMetrics:
        """Return the same source, restricted to the series of one app."""
        return StoreMetrics(self._store, clock=self._clock, apps=(app,))

    def remembering(self, until: Deadline) -> StoreMetrics:
        """Return the same source for one piece of work: what it has read it reads no more."""
        made = StoreMetrics(self._store, clock=self._clock, apps=self._apps)
        made._held = Remembered(self._samples(until))
        return made

    def _source(self, until: Deadline) -> SampleSource:
        return self._held or self._samples(until)

    def _samples(self, until: Deadline) -> StoredSamples:
        return StoredSamples(self._asker(until), self._apps)

    def _asker(self, until: Deadline) -> Asker:
        left = until.remaining()
        return Asker(self._store, deadline=None if math.isinf(left) else left)


def _range(start: datetime, end: datetime) -> TimeRange:
    return TimeRange(start=milliseconds(start) * 1_000_000, end=milliseconds(end) * 1_000_000 + 1)


def _matchers(text: str) -> tuple[Matcher, ...]:
    query = parse_query(text)
    if not isinstance(query, Query) or query.plain is None:
        raise QueryRejected(f"{text} is no selector", source=REFERENCE)
    name = query.plain.metric
    own = () if name is None else (Matcher(name=NAME, value=name),)
    return (*own, *query.plain.matchers)


def _answer(query: str, start: datetime, end: datetime, found: Sequence[Vector]) -> Answer:
    series = tuple(Series(labels=each.labels, points=_points(each)) for each in found)
    held = tuple(each for each in series if each.points)
    return Answer(series=held, evidence=_evidence(query, start, end, found))


def _points(one: Vector) -> tuple[tuple[int, Fraction], ...]:
    """The finite values of a series, exactly."""
    finite = np.isfinite(one.values)
    values = one.values[finite].tolist()
    # Most slots of a month count the same few numbers.
    exact = {value: _exact(value) for value in set(values)}
    return tuple(
        (time, exact[value]) for time, value in zip(one.times[finite].tolist(), values, strict=True)
    )


def _exact(value: float) -> Fraction:
    # One whole number, or two, spare Fraction the search for the type of number.
    return Fraction(int(value)) if value.is_integer() else Fraction(*value.as_integer_ratio())


def _evidence(query: str, start: datetime, end: datetime, found: Sequence[Vector]) -> Evidence:
    """The record of an answer, with the digest that its JSON would have from Prometheus's API."""
    texts = sorted(map(_json, found))
    return Evidence(
        source=REFERENCE,
        query=query,
        start=start,
        end=end,
        observed_at=end if found else None,
        status=EvidenceStatus.OK if found else EvidenceStatus.MISSING,
        sha256=hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest(),
    )


def _json(one: Vector) -> str:
    """A series as canonical JSON; a month of slots is too much for an encoder of everything."""
    labels = json.dumps(one.labels, sort_keys=True, separators=(",", ":"))
    pairs = zip((one.times / 1000).tolist(), one.values.tolist(), strict=True)
    values = ",".join([f'[{time!r},"{value!r}"]' for time, value in pairs])
    return f'{{"metric":{labels},"values":[{values}]}}'
