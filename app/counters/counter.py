"""One service level's counters at work: read, kept, and shown once what they say is kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Protocol

from app.counters.tally import Tally
from slo.model import ServiceLevel
from slo.ports import Counts
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

GAP = Duration.parse("10m")
"""The longest gap that the ledger's rules look back over."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_WATCH = Duration.parse("15m")
_MOST_STEPS = 1440


class Source(Protocol):
    """What counts a service level's events per step of event time."""

    def series(
        self, level: ServiceLevel, at: datetime, *, span: Duration, step: Duration
    ) -> tuple[Counts | None, ...]:
        """Counts of the steps that end at ``at``, oldest first; raises ``SourceError``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A service level and where its events are counted.

    ``lag`` is how long a bucket stays open. ``delay`` is how long a source's numbers may still go
    up and down, and are not asked for; one whose numbers only grow has none, and is asked about
    the present. ``settling`` is how long a counter that is new stays as it is, so that whoever
    reads it sees where it began.
    """

    level: ServiceLevel
    source: Source
    reference: str
    step: Duration
    lag: Duration
    settling: Duration
    delay: Duration | None = None


class Counter:
    """Counts one service level; times are in Unix milliseconds. One thread reads and shows it."""

    def __init__(self, watched: Watched, before: Tally | None, now: int) -> None:
        self.watched = watched
        step, lag = watched.step.milliseconds, watched.lag.milliseconds
        key = watched.level.key
        self.tally = Tally.beginning(key, step, now) if before is None else before.at_step(step)
        self._shown = self.tally.value
        self._hidden = self.tally.behind(now, lag) > GAP.milliseconds
        self._held_until = now + watched.settling.milliseconds if before is None else now
        self._read_until = self.tally.position

    @property
    def shown(self) -> tuple[Fraction, Fraction] | None:
        """All events and the good ones, ``None`` while too much is unknown."""
        return None if self._hidden else self._shown

    def behind(self, now: int) -> int:
        """For how long the oldest open bucket has been due to be closed."""
        return self.tally.behind(now, self.watched.lag.milliseconds)

    def due(self, now: int) -> bool:
        """Whether asking the source may tell anything new."""
        if self.watched.delay is None:
            return True
        return self._until(now) > self._read_until or self.behind(now) > 0

    def read(self, now: int) -> Fraction:
        """Count, and return how many late events were noticed; raises ``SourceError``."""
        lag = self.watched.lag.milliseconds
        watch = max(self.watched.lag, _LEAST_WATCH).milliseconds
        late = Fraction(0)
        for start, end in self._chunks(self.tally.watched_from(watch), self._until(now)):
            counts = self._counts(start, end)
            self.tally, more = self.tally.counted(counts, until=end, now=now, lag=lag, watch=watch)
            late += more
        self._read_until = self._until(now)
        return late

    def show(self, now: int) -> None:
        """Let the counters say what is counted; what they say must be on disk.

        After a gap they first stand for a slot of the ledger as they stood before it: a rule that
        looks back must find that.
        """
        if self.behind(now) > GAP.milliseconds:
            self._hidden = True
            return
        if self._hidden:
            self._hidden = False
            slot = LEDGER_SLOT.milliseconds
            self._held_until = now + slot + self.watched.settling.milliseconds
        if now >= self._held_until:
            self._shown = self.tally.value

    def _until(self, now: int) -> int:
        """The end of what the source can be asked about."""
        step, delay = self.watched.step.milliseconds, self.watched.delay
        if delay is None:
            return -(-now // step) * step
        return (now - delay.milliseconds) // step * step

    def _chunks(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        most = _MOST_STEPS * self.watched.step.milliseconds
        for first in range(start, end, most):
            yield first, min(first + most, end)

    def _counts(self, start: int, end: int) -> dict[int, Counts]:
        """Counts of whole buckets by their start."""
        step, delay = self.watched.step.milliseconds, self.watched.delay
        # Records are counted up to and including a moment, others in whole slots that end there.
        at = end - 1 if delay is None else end
        profile = self.watched.source.series(
            self.watched.level,
            _EPOCH + timedelta(milliseconds=at),
            span=Duration(milliseconds=end - start),
            step=self.watched.step,
        )
        return {
            end - place * step: found
            for place, found in enumerate(reversed(profile), 1)
            if found is not None
        }
