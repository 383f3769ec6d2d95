"""Events drawn at random and counted exactly.

Events are drawn per whole second. The n events of the second that begins at s happen at
s + 1/n, s + 2/n … s + 1, so a count is exact at every millisecond, and no event lies on the wrong
side of a whole second. Times in here are milliseconds (or seconds, where said) after the start.
"""

import math
import random
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate

MS = 1000
# Below this rate drawing the gaps between events is cheaper than drawing every second.
_SPARSE_RATE = 0.3


class Tally:
    """How many events had happened by any instant."""

    __slots__ = ("_seconds", "_upto")

    def __init__(self) -> None:
        self._seconds = array("I")
        self._upto = array("I")

    def extend(self, first: int, counts: Iterable[int]) -> None:
        """Append the events of consecutive seconds, the first of which begins at `first`."""
        if self._seconds and first <= self._seconds[-1]:
            raise ValueError(f"second {first} is not after second {self._seconds[-1]}")
        upto = list(accumulate(counts, initial=self.total))[1:]
        self._seconds.extend(range(first, first + len(upto)))
        self._upto.extend(upto)

    def draw(self, rng: random.Random, *, rate: float, first: int, last: int) -> None:
        """Append Poisson events at `rate` per second, for the seconds from `first` up to `last`."""
        if rate <= 0 or last <= first:
            return
        if rate >= _SPARSE_RATE:
            low, cumulative = _poisson_table(rate)
            values = range(low, low + len(cumulative))
            self.extend(first, rng.choices(values, cum_weights=cumulative, k=last - first))
            return
        at = first + rng.expovariate(rate)
        while at < last:
            self._add_one(int(at))
            at += rng.expovariate(rate)

    def _add_one(self, second: int) -> None:
        if self._seconds and self._seconds[-1] == second:
            self._upto[-1] += 1
        else:
            self._upto.append(self.total + 1)
            self._seconds.append(second)

    @property
    def total(self) -> int:
        """All events there are."""
        return self._upto[-1] if self._upto else 0

    def count(self, at: int) -> int:
        """Count the events up to and including an instant."""
        return self.counts((at,))[0]

    def counts(self, times: Sequence[int]) -> list[int]:
        """Count the events up to and including each instant; the instants are in order."""
        seconds, upto, found, index = self._seconds, self._upto, [], 0
        size = len(seconds)
        for at in times:
            second, part = divmod(at, MS)
            index = bisect_left(seconds, second, index)
            before = upto[index - 1] if index else 0
            if part and index < size and seconds[index] == second:
                before += (upto[index] - before) * part // MS
            found.append(before)
        return found

    def first_after(self, at: int) -> int | None:
        """Return the first millisecond later than the whole second `at` by which one happened."""
        before = self.count(at)
        index = bisect_right(self._upto, before)
        if index == len(self._upto):
            return None
        events = self._upto[index] - (self._upto[index - 1] if index else 0)
        return self._seconds[index] * MS + math.ceil(MS / events)


def _poisson_table(rate: float) -> tuple[int, list[float]]:
    """Return the lowest count worth drawing, and the cumulative weights from there upwards."""
    reach = 7 * math.sqrt(rate) + 8
    low = max(0, int(rate - reach))
    weights = (
        math.exp(count * math.log(rate) - rate - math.lgamma(count + 1))
        for count in range(low, int(rate + reach) + 1)
    )
    return low, list(accumulate(weights))
