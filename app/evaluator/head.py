"""What the evaluator recorded of late, in memory; all other series come from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.promql import Matcher, Samples, SampleSource, matches
from slo import naming
from slo.records import dataclass
from slo.units import Duration

NAME = "__name__"
LATEST = Duration.parse("15m")
"""How long series are kept that are only read for their latest sample."""

_DAY = Duration.parse("1d")
_PAIR = Duration.parse("1h5m")
_FIRST = 16
_NO_TIMES: NDArray[np.int64] = np.empty(0, dtype=np.int64)
_NO_VALUES: NDArray[np.float64] = np.empty(0, dtype=np.float64)

LEDGER = (naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.LEDGER_SLOT, naming.UNPAIRED)
"""The series that periods are summed over."""


def is_recorded(name: str) -> bool:
    """Tell whether a series is one that rules record."""
    return name.startswith("slo:") or name == naming.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One sample of a recorded series; ``labels`` have its name. A stale marker ends a series."""

    labels: Mapping[str, str]
    time_ms: int
    value: float


class Head:
    """A `SampleSource` with the recorded series of the last ``period`` in front of the store.

    The ledger is kept for the period, the fast pair for its longest window, the rest for a quarter
    of an hour: as far as rules look back. It is read and written by one thread at a time.
    """

    def __init__(self, stored: SampleSource, *, period: Duration) -> None:
        self.stored = stored
        self._period = period
        self._series: dict[str, dict[tuple[str, ...], dict[_Labels, _Column]]] = {}

    def __len__(self) -> int:
        return sum(1 for _ in self._columns())

    @property
    def samples(self) -> int:
        """How many samples are held."""
        return sum(column.size for _, column in self._columns())

    def keeps(self, name: str) -> int:
        """Return for how long samples of a series are kept, in milliseconds."""
        if name in LEDGER:
            return self._period.milliseconds + LATEST.milliseconds
        if name in {naming.TOTAL_RATE, naming.BAD_RATE}:
            return _PAIR.milliseconds
        if name in {naming.PROVEN, naming.REVISION_START}:
            return _DAY.milliseconds + LATEST.milliseconds
        return LATEST.milliseconds

    def load(self, names: Sequence[str], at_ms: int) -> int:
        """Read series back from the store, as far as they are kept; return their samples."""
        found = 0
        for name in names:
            matcher = Matcher(name=NAME, value=name)
            series = self.stored.select((matcher,), at_ms - self.keeps(name), at_ms)
            self.merge(series)
            found += sum(len(one.times) for one in series)
        return found

    def merge(self, series: Sequence[Samples]) -> None:
        """Add series of any time; of two samples at one time the one that was there stays."""
        for one in series:
            self._column(one.labels).merge(one.times, one.values)

    def add(self, samples: Sequence[Sample]) -> None:
        """Add what was just recorded."""
        for each in samples:
            self._column(each.labels).append(each.time_ms, each.value)

    def trim(self, now_ms: int) -> None:
        """Forget what no rule looks back to."""
        for name, places in self._series.items():
            oldest = now_ms - self.keeps(name)
            for place in [*places]:
                kept = {
                    labels: column
                    for labels, column in places[place].items()
                    if column.trim(oldest)
                }
                if kept:
                    places[place] = kept
                else:
                    del places[place]

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Sequence[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        name = _exactly(NAME, matchers)
        if name is None or not is_recorded(name):
            return self.stored.select(matchers, start_ms, end_ms)
        found = []
        for labels, column in self._candidates(name, matchers):
            shown = dict(labels)
            if all(matches(each, shown) for each in matchers):
                times, values = column.between(start_ms, end_ms)
                if len(times):
                    found.append(Samples(labels=shown, times=times, values=values))
        return found

    def times(self, name: str, identity: Mapping[str, str]) -> NDArray[np.int64]:
        """Return when a series of one service level has samples, in milliseconds."""
        place = tuple(identity[label] for label in naming.IDENTITY_LABELS)
        columns = self._series.get(name, {}).get(place, {}).values()
        found = [column.between(0, column.last)[0] for column in columns]
        return np.unique(np.concatenate(found)) if found else _NO_TIMES

    def _candidates(
        self, name: str, matchers: Sequence[Matcher]
    ) -> Iterator[tuple[_Labels, _Column]]:
        places = self._series.get(name, {})
        identity = [_exactly(label, matchers) for label in naming.IDENTITY_LABELS]
        if all(each is not None for each in identity):
            yield from places.get(tuple(map(str, identity)), {}).items()
            return
        for columns in places.values():
            yield from columns.items()

    def _column(self, labels: Mapping[str, str]) -> _Column:
        place = tuple(labels.get(label, "") for label in naming.IDENTITY_LABELS)
        columns = self._series.setdefault(labels[NAME], {}).setdefault(place, {})
        key = tuple(sorted(labels.items()))
        if key not in columns:
            columns[key] = _Column()
        return columns[key]

    def _columns(self) -> Iterator[tuple[_Labels, _Column]]:
        for places in self._series.values():
            for columns in places.values():
                yield from columns.items()


_Labels = tuple[tuple[str, str], ...]


class _Column:
    """The samples of one series in the order of time, with room at the end."""

    __slots__ = ("_times", "_values", "size")

    def __init__(self) -> None:
        self._times, self._values = _NO_TIMES, _NO_VALUES
        self.size = 0

    @property
    def last(self) -> int:
        """The time of the newest sample, in milliseconds."""
        return int(self._times[self.size - 1])

    def append(self, time_ms: int, value: float) -> None:
        if self.size and time_ms <= self.last:
            self.merge(np.array([time_ms], dtype=np.int64), np.array([value]))
            return
        if self.size == len(self._times):
            self._resize(max(_FIRST, self.size + self.size // 4))
        self._times[self.size], self._values[self.size] = time_ms, value
        self.size += 1

    def merge(self, times: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Add samples of any time; of two at one time the one that was there stays."""
        joined = np.concatenate((self._times[: self.size], times))
        kept, first = np.unique(joined, return_index=True)
        self._values = np.concatenate((self._values[: self.size], values))[first]
        self._times, self.size = kept, len(kept)

    def between(self, start_ms: int, end_ms: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the samples in (start, end]."""
        times = self._times[: self.size]
        first, last = np.searchsorted(times, (start_ms, end_ms), side="right")
        return times[first:last], self._values[first:last]

    def trim(self, oldest_ms: int) -> bool:
        """Forget older samples once they are a fifth of all; tell whether any is left."""
        old = int(np.searchsorted(self._times[: self.size], oldest_ms))
        if old * 5 > self.size:
            self._times = self._times[old : self.size].copy()
            self._values = self._values[old : self.size].copy()
            self.size -= old
        return self.size > 0

    def _resize(self, room: int) -> None:
        times, values = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.float64)
        times[: self.size], values[: self.size] = (
            self._times[: self.size],
            self._values[: self.size],
        )
        self._times, self._values = times, values


def _exactly(label: str, matchers: Sequence[Matcher]) -> str | None:
    return next((each.value for each in matchers if each.name == label and each.op == "="), None)


class Front:
    """A `SampleSource` of recorded series from memory and raw ones from wherever they are read."""

    def __init__(self, head: Head, raw: SampleSource) -> None:
        self._head = head
        self._raw = raw

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Sequence[Samples]:
        """Return each series that all matchers match, with its samples in (start, end]."""
        ours = any(e.name == NAME and e.op == "=" and is_recorded(e.value) for e in matchers)
        source = self._head if ours else self._raw
        return source.select(matchers, start_ms, end_ms)
