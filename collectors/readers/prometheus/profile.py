"""How the events of a period spread over it, in equal steps: what a burn-down is drawn from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.legs import scope
from collectors.readers.prometheus.outcome import Asked, Trail
from collectors.readers.prometheus.raw import MODE as RAW
from collectors.readers.prometheus.unproven import expressions_here
from collectors.readers.telemetry import MetricReader
from slo import naming
from slo.errors import SourceError
from slo.ledger import Part
from slo.model import ServiceLevel, SloKey
from slo.ports import Counts, Reading
from slo.promql import selector_text
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

Profile = tuple[Counts | None, ...]
"""Counts per step, oldest first; ``None`` where nothing is known."""

_IDENTITY = ",".join(naming.IDENTITY_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReader:
    """Reads profiles from one source. A profile that cannot be had within time is left out."""

    client: MetricReader
    default_source: str | None
    deadline: Duration | None = None

    def read(
        self,
        levels: Sequence[ServiceLevel],
        readings: Mapping[SloKey, Reading],
        at: datetime,
        *,
        steps: int,
    ) -> Mapping[SloKey, Profile]:
        """Return a profile for each level, from the kind of series its reading came from."""
        asked = Asked(windows=(), at=at, until=self.client.deadline(self.deadline))
        trail = Trail(client=self.client, asked=asked)
        by_span: dict[Duration, list[ServiceLevel]] = defaultdict(list)
        profiles: dict[SloKey, Profile] = {}
        try:
            for level in levels:
                reading = readings[level.key]
                span = known_span(reading, level.slo.window)
                if reading.mode == RAW:
                    profiles[level.key] = self._raw(level, span, trail, steps)
                else:
                    by_span[span].append(level)
            for span, group in by_span.items():
                profiles |= self._recorded(group, span, trail, steps)
        except SourceError:
            return profiles
        return profiles

    def _recorded(
        self, levels: Sequence[ServiceLevel], window: Duration, trail: Trail, steps: int
    ) -> dict[SloKey, Profile]:
        where = scope(level.key for level in levels)
        step = step_of(window, steps)
        over = _open(step)
        sums = [
            self._points(
                f"sum by ({_IDENTITY}) (sum_over_time({selector_text(name, where)}[{over}]))",
                window,
                step,
                trail,
                lambda labels: SloKey(
                    app=labels.get(naming.APP, ""),
                    env=labels.get(naming.ENV, ""),
                    slo=labels.get(naming.SLO, ""),
                ),
            )
            for name in (naming.TOTAL_INCREASE, naming.BAD_INCREASE)
        ]
        return {
            level.key: _profile(sums[0].get(level.key, {}), sums[1].get(level.key, {}), trail, step)
            for level in levels
            if level.key in sums[0]
        }

    def _raw(self, level: ServiceLevel, window: Duration, trail: Trail, steps: int) -> Profile:
        found = expressions_here(level, self.client.reference, self.default_source)
        if found is None:
            return ()
        step = step_of(window, steps)
        total, part = (
            self._points(
                f"sum_over_time(({text})[{_open(step)}:{LEDGER_SLOT}])",
                window,
                step,
                trail,
                lambda _: level.key,
            ).get(level.key, {})
            for text in (found.total_increase, found.part_increase)
        )
        if found.part is Part.GOOD:
            part = {time: value - part.get(time, Fraction(0)) for time, value in total.items()}
        return _profile(total, part, trail, step)

    def _points(
        self,
        query: str,
        window: Duration,
        step: Duration,
        trail: Trail,
        key_of: Callable[[Mapping[str, str]], SloKey],
    ) -> dict[SloKey, dict[int, Fraction]]:
        at = milliseconds(trail.asked.at)
        # The last step ends at the instant asked for; the first may reach back over the beginning.
        others = -(-window.milliseconds // step.milliseconds) - 1
        start = instant(at - others * step.milliseconds)
        answer = trail.query_range(query, start, instant(at), step)
        return {key_of(series.labels): dict(series.points) for series in answer.series}


def known_span(reading: Reading, period: Duration) -> Duration:
    """The part of a period that anything is known of, in whole hours."""
    if reading.since is None:
        return period
    hour = Duration.of(hours=1).milliseconds
    known = milliseconds(reading.at) - milliseconds(reading.since)
    return min(period, Duration(milliseconds=max(1, -(-known // hour)) * hour))


def step_of(window: Duration, steps: int) -> Duration:
    """A step of whole slots; the number of steps gives way where it must."""
    slot = LEDGER_SLOT.milliseconds
    return Duration(milliseconds=max(slot, -(-window.milliseconds // steps // slot) * slot))


def _open(step: Duration) -> Duration:
    """A millisecond short: before 3.0 ranges are closed, and a slot on the border counts twice."""
    return Duration(milliseconds=step.milliseconds - 1)


def _profile(
    total: Mapping[int, Fraction], bad: Mapping[int, Fraction], trail: Trail, step: Duration
) -> Profile:
    at = milliseconds(trail.asked.at)
    count = 1 + max(((at - time) // step.milliseconds for time in total), default=-1)
    times = [at - place * step.milliseconds for place in reversed(range(count))]
    return tuple(
        Counts(total=total[time], bad=max(Fraction(0), bad.get(time, Fraction(0))))
        if time in total
        else None
        for time in times
    )
