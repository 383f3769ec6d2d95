"""Counts of log records and spans, for service levels, out of Elasticsearch and OpenSearch.

Documents are counted one by one, as exact integers; sampled spans stand for as many as they say.
Windows, slots and what is known mean what they mean over the embedded store.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from collectors.elastic.client import Cluster
from collectors.readers.elasticsearch.asking import Asker, Inquiry
from collectors.readers.elasticsearch.layouts import Kind
from collectors.readers.elasticsearch.tallies import (
    Tally,
    arrivals,
    end_of,
    last_seen,
    signal_of,
    steps,
    tallies,
)
from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.clock import Deadline
from collectors.readers.prometheus.outcome import (
    Asked,
    failed,
    history_note,
    nothing,
    slots_in,
    slots_since,
)
from collectors.readers.prometheus.profile import Profile, known_span, step_of
from collectors.readers.prometheus.raw import MODE
from slo.errors import HeadroomError, SourceError, SourceUnavailable
from slo.model import Logs, ServiceLevel, SloKey, Spans
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS


class ElasticsearchCounts:
    """A `CountReader` over one cluster for indicators over logs and spans.

    ``deadline`` bounds one reading of all levels; without one, the source's timeout does.
    """

    def __init__(self, cluster: Cluster, *, deadline: Duration | None = None) -> None:
        self._asker = Asker(cluster, deadline=deadline)

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        """Return one reading for every level; all are counted by one request."""
        until = Deadline(self._asker.cluster.clock, self._asker.deadline)
        asked = Asked(windows=tuple(dict.fromkeys(windows)), at=at, until=until)
        readings: dict[SloKey, Reading] = {}
        counted: list[ServiceLevel] = []
        for level in levels:
            if isinstance(level.slo.indicator.measure, Logs | Spans):
                counted.append(level)
            else:
                missing = NoData(
                    reason=NoDataReason.UNSUPPORTED,
                    detail=f"{self._asker.reference} counts logs and spans, and no metrics",
                )
                readings[level.key] = nothing(level, asked, missing, mode=MODE)
        for kind in Kind:
            group = [each for each in counted if signal_of(each) is kind]
            if group:
                readings |= self._read(kind, group, asked)
        return readings

    def profiles(
        self,
        levels: Sequence[ServiceLevel],
        readings: Mapping[SloKey, Reading],
        at: datetime,
        *,
        steps: int,
    ) -> Mapping[SloKey, Profile]:
        """Return counts per step of the known period, oldest first; what fails is left out."""
        found: dict[SloKey, Profile] = {}
        until = Deadline(self._asker.cluster.clock, self._asker.deadline)
        for level in levels:
            span = known_span(readings[level.key], level.slo.window)
            try:
                found[level.key] = self._profile(level, at, span, step_of(span, steps), until)
            except SourceError:
                continue
        return found

    def series(
        self,
        level: ServiceLevel,
        at: datetime,
        *,
        span: Duration,
        step: Duration,
        whole: bool = False,
    ) -> Profile:
        """Count per step of a span up to ``at``, oldest first; steps without records are None.

        Steps older than the first with records are left out. Raises ``SourceError``, with ``whole``
        also for an answer that lacks something.
        """
        until = Deadline(self._asker.cluster.clock, self._asker.deadline)
        return self._profile(level, at, span, step, until, whole=whole)

    def _read(
        self, kind: Kind, levels: Sequence[ServiceLevel], asked: Asked
    ) -> dict[SloKey, Reading]:
        try:
            return _Reading(asker=self._asker, kind=kind, asked=asked).of(levels)
        except HeadroomError as error:
            if not isinstance(error, SourceError):
                raise
            missing = failed(error)
            return {each.key: nothing(each, asked, missing, mode=MODE) for each in levels}

    def _profile(
        self,
        level: ServiceLevel,
        at: datetime,
        span: Duration,
        step: Duration,
        until: Deadline,
        *,
        whole: bool = False,
    ) -> Profile:
        inquiry = self._asker.inquiry(until)
        end = end_of(level, at)
        counted = steps(inquiry, level, end, span, step)
        if whole and inquiry.lacking:
            source = self._asker.reference
            raise SourceUnavailable(f"{source}: {'; '.join(inquiry.lacking)}", source=source)
        oldest = max(counted, default=-1)
        return tuple(counted.get(place) for place in reversed(range(oldest + 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """All levels of one signal."""

    asker: Asker
    kind: Kind
    asked: Asked

    def of(self, levels: Sequence[ServiceLevel]) -> dict[SloKey, Reading]:
        """Read every level; one that cannot be asked fails alone."""
        inquiry = self.asker.inquiry(self.asked.until)
        found = tallies(inquiry, self.kind, levels, self.asked)
        besides = self.asker.inquiry(self.asked.until)
        slots = self._slots(besides, levels)
        silent = [each for each in levels if found[each.key].is_silent]
        seen = last_seen(besides, self.kind, silent, self.asked.at)
        return {
            level.key: self._one(
                level,
                found[level.key].lacking_too(besides.lacking),
                slots,
                seen.get(level.key),
            )
            for level in levels
        }

    def _one(
        self,
        level: ServiceLevel,
        tally: Tally,
        slots: Mapping[int, Sequence[int]],
        seen: int | None,
    ) -> Reading:
        if tally.failed is not None:
            return nothing(
                level, self.asked, failed(tally.failed), mode=MODE, evidence=tally.evidence
            )
        period = level.slo.window
        end = end_of(level, self.asked.at)
        if not tally.period.total:
            return self._silent(level, tally, slots[end], seen)
        assert tally.oldest is not None, "something was counted"
        known = slots_since(tally.oldest, milliseconds(self.asked.at), period)
        coverage, newest = _coverage(slots[end], end, tally.oldest, known)
        return Reading(
            key=level.key,
            at=self.asked.at,
            period=tally.period,
            windows=tally.windows,
            mode=MODE,
            coverage=coverage,
            observed_at=newest,
            since=instant(tally.oldest) if known < slots_in(period) else None,
            unproven=not tally.period.bad and not level.slo.indicator.proven,
            partial=(self.asker.reference,) if tally.lacking else (),
            warnings=tally.lacking,
            evidence=tally.evidence,
            notes=history_note(known, period),
        )

    def _silent(
        self, level: ServiceLevel, tally: Tally, slots: Sequence[int], seen: int | None
    ) -> Reading:
        """Tell records that stopped or never came from those that the indicator left out."""
        app, period = level.app.name, level.slo.window
        end = end_of(level, self.asked.at)
        start = end - period.milliseconds
        missing: NoData | None = None
        if tally.lacking:
            missing = NoData(
                reason=NoDataReason.SOURCE_FAILED,
                detail=f"{self.asker.reference}: {'; '.join(tally.lacking)}",
            )
        elif seen is None:
            missing = NoData(
                reason=NoDataReason.NEVER,
                detail=f"no {self._signal} of {app} have ever been stored",
            )
        elif seen <= start:
            missing = NoData(
                reason=NoDataReason.LOST,
                detail=f"the newest {self._signal} of {app} are older than the window",
            )
        if missing is not None:
            return nothing(level, self.asked, missing, mode=MODE, evidence=tally.evidence)
        zero = Counts(total=Fraction(0), bad=Fraction(0))
        coverage, newest = _coverage(slots, end, start, slots_in(period))
        return Reading(
            key=level.key,
            at=self.asked.at,
            period=zero,
            windows=dict.fromkeys(self.asked.windows, zero),
            mode=MODE,
            coverage=coverage,
            observed_at=newest,
            evidence=tally.evidence,
            notes=(f"{self._signal} of {app} arrive; the indicator selects none",),
        )

    @property
    def _signal(self) -> str:
        return "logs" if self.kind is Kind.LOGS else "spans"

    def _slots(
        self, inquiry: Inquiry, levels: Sequence[ServiceLevel]
    ) -> Mapping[int, Sequence[int]]:
        """For each end: when anybody's record of the signal arrived, by slot."""
        longest: dict[int, Duration] = defaultdict(lambda: FRESHNESS)
        for level in levels:
            end = end_of(level, self.asked.at)
            longest[end] = max(longest[end], level.slo.window)
        return {end: arrivals(inquiry, self.kind, end, span) for end, span in longest.items()}


def _coverage(
    newest_by_slot: Sequence[int], end: int, start: int, expected: int
) -> tuple[Fraction | None, datetime | None]:
    """The share of slots in which the signal arrived at all, and when it last did."""
    inside = [each for each in newest_by_slot if start <= each <= end]
    if not inside:
        return None, None
    return min(Fraction(1), Fraction(len(inside), expected)), instant(max(inside))
