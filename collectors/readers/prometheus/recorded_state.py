"""One service level while its recorded series are read: what is known, and what is still needed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import field, replace
from datetime import datetime
from fractions import Fraction

from collectors.readers.prometheus import legs
from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.outcome import (
    Outcome,
    Trail,
    age,
    counts,
    failed,
    history_note,
    nothing,
    slots_in,
    slots_since,
)
from collectors.readers.prometheus.table import View
from slo import naming
from slo.errors import SourceError
from slo.model import ServiceLevel, SloKey
from slo.ports import (
    Counts,
    Evidence,
    EvidenceStatus,
    NoData,
    NoDataReason,
    Reading,
    RevisionChange,
    Share,
)
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS, fast_interval

MODE = "recorded"
"""What readings of recorded series are marked with."""

_NEARLY_ALL = Fraction(99, 100)


def fresh_since(at: datetime) -> Fraction:
    """Return the oldest Unix second whose recorded samples are still up to date at an instant."""
    return Fraction(milliseconds(at) - FRESHNESS.milliseconds, 1000)


@dataclass(slots=True)
class Needs:
    """What the second query has to ask, for whom."""

    counted: dict[Duration, set[SloKey]] = field(default_factory=lambda: defaultdict(set))
    first: dict[Duration, set[SloKey]] = field(default_factory=lambda: defaultdict(set))
    revisions: dict[Duration, set[SloKey]] = field(default_factory=lambda: defaultdict(set))
    last: dict[str, set[SloKey]] = field(default_factory=lambda: defaultdict(set))

    def __bool__(self) -> bool:
        return bool(self.counted or self.first or self.revisions or self.last)

    def query(self) -> str:
        """Return all of it as one union."""
        parts: list[str] = []
        for window in sorted(self.counted):
            parts += legs.counted(self.counted[window], window)
        parts += [legs.first_slot(keys, period) for period, keys in sorted(self.first.items())]
        parts += [legs.revisions(keys, period) for period, keys in sorted(self.revisions.items())]
        parts += [legs.last_seen(keys, part) for part, keys in sorted(self.last.items())]
        return legs.union(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One level and what has been found of it so far.

    ``fresh_since`` is the oldest instant, in Unix seconds, whose samples are up to date.
    """

    level: ServiceLevel
    view: View
    trail: Trail
    counting: bool
    second: SourceError | None
    fresh_since: Fraction

    def obstacle(self) -> str | None:
        """Say why recorded series cannot answer for this level; ``None`` when they can."""
        beat = self.view.latest(legs.HEARTBEAT)
        if beat is None:
            return "no recorded series of the last 20 minutes"
        if not self._is_fresh(beat):
            return f"recorded series ended {self._ago(beat)}"
        return self._other_period()

    def add_needs(self, needs: Needs) -> None:
        """Add what the first query left open."""
        key, period = self.level.key, self.level.slo.window
        beat = self.view.latest(legs.HEARTBEAT)
        if beat is None or not self._is_fresh(beat):
            needs.last[legs.LAST_HEARTBEAT].add(key)
            return
        if self.view.counts(naming.TOTAL_PERIOD, naming.BAD_PERIOD) is None:
            needs.counted[period].add(key)
        if self.view.latest(legs.INDICATOR) is None:
            needs.last[legs.LAST_INDICATOR].add(key)
        for window in self.trail.asked.windows:
            if self.counting or self._ratio(window) is None:
                needs.counted[window].add(key)
        coverage = self.view.least(naming.PERIOD_COVERAGE)
        if coverage is not None and coverage < _NEARLY_ALL:
            needs.first[period].add(key)
        if self._revision_start() is not None:
            needs.revisions[period].add(key)

    def reading(self, *, unproven: bool) -> Reading:
        """Return the reading; raises ``AmbiguousError``."""
        beat = self.view.latest(legs.HEARTBEAT)
        if beat is None or not self._is_fresh(beat):
            gone = self._gone(legs.LAST_HEARTBEAT, beat)
            evidence = list(self.trail.evidence)
            if gone.reason is NoDataReason.LOST:
                evidence = [_stale(each, gone.detail) for each in evidence]
            return nothing(self.level, self.trail.asked, gone, mode=MODE, evidence=evidence)
        period = self.period()
        lost = isinstance(period, NoData) and period.reason is not NoDataReason.INCOMPLETE
        windows: dict[Duration, Outcome] = {}
        for window in self.trail.asked.windows:
            windows[window] = period if lost else self._window(window)
        coverage, history = self._coverage()
        partial, behind = self._shards_behind()
        return Reading(
            key=self.level.key,
            at=self.trail.asked.at,
            period=period,
            windows=windows,
            mode=MODE,
            coverage=coverage,
            observed_at=instant(int(beat * 1000)),
            unproven=unproven,
            since=self._since(),
            revision=self._revision(),
            partial=partial,
            evidence=tuple(self.trail.evidence),
            notes=(*history, *behind, *self._other_rules(), *self._idle_note()),
        )

    def period(self) -> Counts | NoData:
        """Return the budget period; raises ``AmbiguousError``."""
        other = self._other_period()
        if other is not None:
            return NoData(reason=NoDataReason.INCOMPLETE, detail=other)
        found = self.view.counts(naming.TOTAL_PERIOD, naming.BAD_PERIOD)
        if found is None:
            window = self.level.slo.window
            found = self.view.counts(legs.total_part(window), legs.bad_part(window))
        newest = self.view.latest(legs.INDICATOR)
        ignored = self.level.slo.alerts.absent_for is None
        if found is None or not (ignored or (newest is not None and self._is_fresh(newest))):
            return self._gone(legs.LAST_INDICATOR, newest)
        total, bad = found
        if bad is None:
            return NoData(
                reason=NoDataReason.INCOMPLETE,
                detail="the total was recorded and not all of its bad events were",
            )
        return counts(total, bad)

    def _window(self, window: Duration) -> Outcome:
        ratio = None if self.counting else self._ratio(window)
        if ratio is not None:
            return Share(ratio=ratio)
        found = self.view.counts(legs.total_part(window), legs.bad_part(window))
        if found is None and self.second is not None:
            return failed(self.second)
        if found is None:
            return NoData(
                reason=NoDataReason.LOST, detail=f"nothing was recorded in the last {window}"
            )
        total, bad = found
        if bad is None:
            return NoData(
                reason=NoDataReason.INCOMPLETE,
                detail=f"not all bad events of the last {window} were recorded",
            )
        if window >= legs.LEDGER_FROM:
            return counts(total, bad)
        # The fast pair holds events per second, one sample per evaluation of its rules.
        interval = fast_interval(self.level.slo.indicator.scrape_interval)
        seconds = Fraction(interval.milliseconds, 1000)
        return counts(total * seconds, bad * seconds)

    def _ratio(self, window: Duration) -> Fraction | None:
        return self.view.ratio(naming.error_ratio(window), naming.TOTAL_PERIOD)

    def _gone(self, part: str, seen: Fraction | None) -> NoData:
        """Tell what was lost from what never was; not knowing is neither."""
        rules = part == legs.LAST_HEARTBEAT
        what = "the recorded series" if rules else "the indicator's series"
        last = seen if seen is not None else self.view.latest(part)
        if last is not None:
            hint = "; are the rules still loaded?" if rules else ""
            return NoData(reason=NoDataReason.LOST, detail=f"{what} ended {self._ago(last)}{hint}")
        if self.second is not None:
            return failed(self.second)
        return NoData(reason=NoDataReason.NEVER, detail=f"{what} have never been seen in a year")

    def _coverage(self) -> tuple[Fraction | None, tuple[str, ...]]:
        whole = self.view.least(naming.PERIOD_COVERAGE)
        first = self.view.least(legs.FIRST_SLOT)
        if whole is None or first is None:
            return (None if whole is None else min(Fraction(1), whole)), ()
        period = self.level.slo.window
        expected = slots_since(int(first * 1000), milliseconds(self.trail.asked.at), period)
        covered = min(Fraction(1), whole * slots_in(period) / expected)
        return covered, history_note(expected, period)

    def _since(self) -> datetime | None:
        first = self.view.least(legs.FIRST_SLOT)
        return None if first is None else instant(int(first * 1000))

    def _shards_behind(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Name the shards whose newest slot is late although another one's is not."""
        source = self.reader_source
        seen = (self.view.newest(part) for part in (legs.HEARTBEAT, legs.INDICATOR))
        late = {
            "/".join(shard)
            for newest in seen
            for shard, time in newest.items()
            if any(shard) and not self._is_fresh(time)
        }
        names = tuple(f"shard {name} ({source})" for name in sorted(late))
        return names, tuple(f"{name} is not up to date" for name in names)

    @property
    def reader_source(self) -> str:
        """The reference of the source that is read."""
        return self.trail.client.reference

    def _revision(self) -> RevisionChange | None:
        start = self._revision_start()
        if start is None:
            return None
        seen = {row.labels.get("revision", "") for row in self.view.rows(legs.REVISIONS)}
        current = self._current_revision()
        previous = tuple(sorted(seen - {current, ""}))
        if not previous or current is None:
            return None
        return RevisionChange(revision=current, since=instant(int(start * 1000)), previous=previous)

    def _revision_start(self) -> Fraction | None:
        """Return when the revision in force began, if that is inside the period."""
        start = max(self.view.values(naming.REVISION_START), default=None)
        begin = milliseconds(self.trail.asked.at) - self.level.slo.window.milliseconds
        return start if start is not None and start * 1000 > begin else None

    def _current_revision(self) -> str | None:
        recorded = {row.labels.get("revision", "") for row in self.view.rows(naming.INFO)}
        expected = naming.revision(self.level)
        if expected in recorded or not recorded:
            return expected if recorded else None
        return min(recorded)

    def _other_period(self) -> str | None:
        """Say so when the rules were made for another budget period than the specification's."""
        periods = {row.labels.get("window", "") for row in self.view.rows(naming.INFO)} - {""}
        wanted = str(self.level.slo.window)
        if not periods or wanted in periods:
            return None
        return (
            f"the rules on {self.reader_source} record a period of {min(periods)}, the "
            f"specification asks for {wanted}: load the rules generated from it"
        )

    def _other_rules(self) -> tuple[str, ...]:
        recorded = {row.labels.get("revision", "") for row in self.view.rows(naming.INFO)} - {""}
        wanted = naming.revision(self.level)
        if not recorded or wanted in recorded:
            return ()
        note = (
            f"the rules on {self.reader_source} are of revision {min(recorded)}, the "
            f"specification is {wanted}: load the rules generated from it"
        )
        return (note,)

    def _idle_note(self) -> tuple[str, ...]:
        newest = self.view.latest(legs.INDICATOR)
        if newest is None:
            newest = self.view.latest(legs.LAST_INDICATOR)
        if newest is None or self._is_fresh(newest):
            return ()
        return (f"the indicator's series ended {self._ago(newest)}",)

    def _is_fresh(self, seen: Fraction) -> bool:
        return seen >= self.fresh_since

    def _ago(self, seen: Fraction) -> str:
        if not seen:
            return "some time ago"
        return f"{age(Fraction(milliseconds(self.trail.asked.at), 1000) - seen)} ago"


def _stale(evidence: Evidence, detail: str) -> Evidence:
    if evidence.status is EvidenceStatus.ERROR:
        return evidence
    return replace(evidence, status=EvidenceStatus.STALE, detail=detail)
