"""Reading a Prometheus that has never seen our rules: the ledger's own expressions, slot by slot.

Slots end at the instant asked for and every five minutes before it. Windows below two hours come
from the fast pair's expressions, as they do in the rules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product

from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.legs import LEDGER_FROM, MEMORY
from collectors.readers.prometheus.outcome import (
    Asked,
    Outcome,
    Trail,
    age,
    counts,
    failed,
    history_note,
    nothing,
    slots_since,
)
from collectors.readers.prometheus.unproven import expressions_here, may_be_unproven
from collectors.readers.telemetry import MetricReader
from slo.errors import QueryRejected, SourceError
from slo.ledger import Expressions, Part
from slo.model import ServiceLevel, SloKey
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.promql import Matcher
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS, LEDGER_SLOT

MODE = "raw"
"""What readings of raw series are marked with."""

_SHORTEST_STEP = Duration.parse("30s")

MOST_REPLICAS = 8
"""How many copies of the data are read one by one."""

REPLICAS_SEEN = Duration.parse("1d")
"""How far back the values of replica labels are looked for."""

Points = Mapping[int, Fraction]
"""Values by Unix milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawReader:
    """Computes counts from the raw series of one source."""

    client: MetricReader
    default_source: str | None

    def read(self, levels: Sequence[ServiceLevel], asked: Asked) -> dict[SloKey, Reading]:
        """Return a reading for each level; after a server is found dead nothing else is asked."""
        readings: dict[SloKey, Reading] = {}
        down: SourceError | None = None
        for level in levels:
            trail = Trail(client=self.client, asked=asked)
            try:
                if down is not None:
                    raise down
                readings[level.key] = trail.stamped(self._level(level, trail))
            except SourceError as error:
                down = None if isinstance(error, QueryRejected) else error
                readings[level.key] = nothing(
                    level, asked, failed(error), mode=MODE, evidence=trail.evidence
                )
        return readings

    def _level(self, level: ServiceLevel, trail: Trail) -> Reading:
        reference = self.client.reference
        found = [
            expressions_here(level, reference, self.default_source, extra)
            for extra in self._replicas(trail)
        ]
        known = tuple(each for each in found if each is not None)
        if not known:
            missing = NoData(
                reason=NoDataReason.UNSUPPORTED,
                detail="this indicator cannot be computed from Prometheus",
            )
            return nothing(level, trail.asked, missing, mode=MODE)
        return _Level(level=level, found=known, trail=trail).reading()

    def _replicas(self, trail: Trail) -> list[tuple[Matcher, ...]]:
        """What selects each copy of the data by itself; nothing at all when there is one."""
        labels = self.client.replica_labels
        at = trail.asked.at
        since = at - REPLICAS_SEEN.timedelta
        values = [
            self.client.label_values(label, (), since, at, trail.asked.until) for label in labels
        ]
        if not all(values):
            return [()]
        copies = [
            tuple(Matcher(name=name, value=value) for name, value in zip(labels, each, strict=True))
            for each in product(*values)
        ]
        if len(copies) > MOST_REPLICAS:
            raise QueryRejected(
                f"the replica labels have {len(copies)} combinations of values; "
                f"at most {MOST_REPLICAS} are read one by one",
                source=self.client.reference,
                hint="name only labels that tell replicas apart under replicaLabels",
            )
        return copies


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """One level's expressions, once for each replica, and the trail of its queries."""

    level: ServiceLevel
    found: tuple[Expressions, ...]
    trail: Trail

    def reading(self) -> Reading:
        asked, period = self.trail.asked, self.level.slo.window
        at = milliseconds(asked.at)
        span = max(period, *asked.windows, LEDGER_SLOT)
        newest = max(
            (
                time
                for each in self.found
                for time in self._points(each.total_increase, span, LEDGER_SLOT, recent_only=True)
            ),
            default=None,
        )
        gone = newest is None or at - newest > FRESHNESS.milliseconds
        if gone and (self.level.slo.alerts.absent_for is not None):
            return nothing(
                self.level, asked, self._gone(newest), mode=MODE, evidence=self.trail.evidence
            )
        totals, parts = self._fullest(
            [(each.total_increase, each.part_increase) for each in self.found], span, LEDGER_SLOT
        )
        if not totals:
            return nothing(
                self.level, asked, self._gone(None), mode=MODE, evidence=self.trail.evidence
            )
        windows = self._short_windows()
        for window in asked.windows:
            if window >= LEDGER_FROM:
                windows[window] = self._sum(totals, parts, window, Fraction(1))
        inside = [time for time in totals if time > at - period.milliseconds]
        expected = slots_since(min(inside, default=at), at, period)
        whole = self._sum(totals, parts, period, Fraction(1))
        return Reading(
            key=self.level.key,
            at=asked.at,
            period=whole,
            windows={window: windows[window] for window in asked.windows},
            mode=MODE,
            coverage=min(Fraction(1), Fraction(len(inside), expected)),
            observed_at=instant(max(totals)),
            since=instant(min(inside)) if inside else None,
            unproven=not parts
            and may_be_unproven(self.level, self.found[0])
            and isinstance(whole, Counts)
            and whole.total > 0,
            evidence=tuple(self.trail.evidence),
            notes=history_note(expected, period),
        )

    def _short_windows(self) -> dict[Duration, Outcome]:
        short = [window for window in self.trail.asked.windows if window < LEDGER_FROM]
        if not short:
            return {}
        step = max(_SHORTEST_STEP, self.level.slo.indicator.scrape_interval)
        totals, parts = self._fullest(
            [(each.total_rate, each.part_rate) for each in self.found], max(short), step
        )
        seconds = Fraction(step.milliseconds, 1000)
        return {window: self._sum(totals, parts, window, seconds) for window in short}

    def _sum(
        self, totals: Points, parts: Points, window: Duration, weight: Fraction
    ) -> Counts | NoData:
        """Add up a window; a part that is missing where its total is present is zero."""
        since = milliseconds(self.trail.asked.at) - window.milliseconds
        times = [time for time in totals if time > since]
        if not times:
            return NoData(reason=NoDataReason.LOST, detail=f"no sample in the last {window}")
        total = _total(totals[time] for time in times)
        if self.found[0].part is Part.GOOD:
            bad = total - _total(parts[time] for time in times if time in parts)
        else:
            bad = _total(value for time, value in parts.items() if time > since)
        return counts(total * weight, bad * weight)

    def _fullest(
        self, pairs: Sequence[tuple[str, str]], span: Duration, step: Duration
    ) -> tuple[dict[int, Fraction], dict[int, Fraction]]:
        """Totals and parts by time; of several replicas, those of the fuller one at that time."""
        totals: dict[int, Fraction] = {}
        parts: dict[int, Fraction] = {}
        for total, part in pairs:
            mine = self._points(total, span, step)
            counted = self._points(part, span, step) if mine else {}
            for time, value in mine.items():
                if time in totals and value <= totals[time]:
                    continue
                totals[time] = value
                parts.pop(time, None)
                if time in counted:
                    parts[time] = counted[time]
        return totals, parts

    def _points(
        self, query: str, span: Duration, step: Duration, *, recent_only: bool = False
    ) -> dict[int, Fraction]:
        """Evaluate over a span that ends at the instant asked for, in pieces, newest first."""
        at = milliseconds(self.trail.asked.at)
        left = max(1, span.milliseconds // step.milliseconds)
        points: dict[int, Fraction] = {}
        end = at
        while left > 0:
            size = min(left, self.trail.client.most_points)
            start = end - (size - 1) * step.milliseconds
            answer = self.trail.query_range(query, instant(start), instant(end), step)
            for series in answer.series:
                points.update(series.points)
            if recent_only:
                break
            left -= size
            end = start - step.milliseconds
        return points

    def _gone(self, newest: int | None) -> NoData:
        """Tell an indicator that has been there from one that never was."""
        at = milliseconds(self.trail.asked.at)
        if newest is None:
            span = f"[{MEMORY.promql}:15m]"
            answer = self.trail.query(
                f"max_over_time(timestamp({self.found[0].total_increase}){span})"
            )
            times = [value * 1000 for series in answer.series for _, value in series.points]
            newest = int(max(times)) if times else None
        if newest is None:
            return NoData(
                reason=NoDataReason.NEVER,
                detail="the indicator's series have never been seen in a year",
            )
        return NoData(
            reason=NoDataReason.LOST,
            detail=f"the indicator's series ended {age(Fraction(at - newest, 1000))} ago",
        )


def _total(values: Iterable[Fraction]) -> Fraction:
    """Add up exactly; whole numbers first, since each sum of fractions looks for a divisor."""
    sums: dict[int, int] = defaultdict(int)
    for value in values:
        numerator, denominator = value.as_integer_ratio()
        sums[denominator] += numerator
    return sum((Fraction(*each[::-1]) for each in sums.items()), Fraction(0))
