"""The counts behind one pair of counters: buckets of event time, each entering exactly once.

A bucket is open until ``lag`` after its end. While it is open it may only grow; then it is closed
and its counts are final. What is found out about it later is late, and only told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from slo.model import SloKey
from slo.ports import Counts
from slo.records import dataclass

_NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Events of one step of event time; ``start`` is in Unix milliseconds."""

    start: int
    total: Fraction = _NOTHING
    good: Fraction = _NOTHING

    def grown(self, counts: Counts) -> Bucket:
        """The same bucket with what is known now: never less than before, good within total."""
        total = max(self.total, counts.total)
        good = max(self.good, min(total, counts.total - counts.bad))
        return replace(self, total=total, good=good)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What is counted for one service level; times are in Unix milliseconds.

    ``began`` is where its first bucket begins, and ``position`` where its first open one does:
    everything in between is closed, its sums are ``total`` and ``good``. ``open`` are the buckets
    from there on that have events, ``recent`` those closed ones that are still looked at.
    """

    key: SloKey
    step: int
    began: int
    position: int
    total: Fraction = _NOTHING
    good: Fraction = _NOTHING
    open: tuple[Bucket, ...] = ()
    recent: tuple[Bucket, ...] = ()

    @classmethod
    def beginning(cls, key: SloKey, step: int, now: int) -> Tally:
        """A tally of nothing, whose first bucket is that of the present moment."""
        start = now // step * step
        return cls(key=key, step=step, began=start, position=start)

    @property
    def value(self) -> tuple[Fraction, Fraction]:
        """All events and the good ones: what the counters say."""
        total = sum((each.total for each in self.open), self.total)
        return total, sum((each.good for each in self.open), self.good)

    def behind(self, now: int, lag: int) -> int:
        """For how long the oldest open bucket has been due to be closed, 0 when it is not."""
        return max(0, now - (self.position + self.step + lag))

    def watched_from(self, watch: int) -> int:
        """The start of the oldest bucket to look at, with ``watch`` of the closed ones."""
        return max(self.began, self.position - watch // self.step * self.step)

    def counted(
        self, counts: Mapping[int, Counts], *, until: int, now: int, lag: int, watch: int
    ) -> tuple[Tally, Fraction]:
        """Take what a source counts, by buckets' starts, and tell how many events are late.

        The source was asked at ``now`` or later about everything before ``until``.
        """
        recent, late = self._noticed(counts)
        grown = {each.start: each for each in self.open}
        for start, found in counts.items():
            if start >= self.position:
                grown[start] = grown.get(start, Bucket(start=start)).grown(found)
        settled = min(until, (now - lag) // self.step * self.step)
        position = max(self.position, settled)
        closed = [each for start, each in sorted(grown.items()) if start < position]
        left = tuple(each for start, each in sorted(grown.items()) if start >= position)
        moved = replace(
            self,
            position=position,
            total=_sum((each.total for each in closed), self.total),
            good=_sum((each.good for each in closed), self.good),
            open=left,
        )
        oldest = moved.watched_from(watch)
        kept = tuple(each for each in (*recent, *closed) if each.start >= oldest)
        return replace(moved, recent=kept), late

    def at_step(self, step: int) -> Tally:
        """The same tally in buckets of another length, after all that has been counted."""
        if step == self.step:
            return self
        end = max((each.start + self.step for each in self.open), default=self.position)
        start = -(-end // step) * step
        total, good = self.value
        return Tally(key=self.key, step=step, began=start, position=start, total=total, good=good)

    def _noticed(self, counts: Mapping[int, Counts]) -> tuple[tuple[Bucket, ...], Fraction]:
        """Closed buckets with all that is known of them, and what none of them counted."""
        known = {each.start: each for each in self.recent}
        late = _NOTHING
        for start, found in counts.items():
            if self.began <= start < self.position:
                before = known.get(start, Bucket(start=start))
                late += max(_NOTHING, found.total - before.total)
                known[start] = replace(before, total=max(before.total, found.total))
        return tuple(known[start] for start in sorted(known)), late


def _sum(numbers: Iterable[Fraction], start: Fraction) -> Fraction:
    return sum(numbers, start)
