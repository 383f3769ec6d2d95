"""How derived rules read what the base rules recorded, on one server or above many shards."""

from __future__ import annotations

from functools import lru_cache

from slo import naming
from slo.model import SloKey
from slo.promql import Matcher
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS

_IDENTITY = ", ".join(naming.IDENTITY_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The recorded series of one service level.

    On a ruler above shards, ``shard_labels`` tell shards apart, whose counts add up; every other
    label tells copies of one shard apart, of which the fullest counts. Without any, every series
    is a shard of its own.
    """

    key: SloKey
    above_shards: bool = False
    shard_labels: tuple[str, ...] = ()

    def series(self, name: str, **more: str) -> str:
        """The selector of a recorded series of this service level."""
        extra = "".join(f",{Matcher(name=k, value=v)}" for k, v in more.items())
        return f"{name}{{{_identity(self.key)}{extra}}}"

    def total(self, name: str, window: Duration) -> str:
        """The sum of a recorded base series over a window, over all shards."""
        return self._added(f"sum_over_time({self.series(name)}[{window}])", "sum")

    def mean(self, name: str, window: Duration) -> str:
        """A base series' mean over a window, which samples that are missing do not lower.

        Above shards it is the sum, of which the fullest copy of each shard counts.
        """
        if self.above_shards:
            return self.total(name, window)
        return f"avg_over_time({self.series(name)}[{window}])"

    def slots(self, name: str, window: Duration) -> str:
        """How many samples of a base series a window holds; of several shards, the fewest."""
        return self._added(f"count_over_time({self.series(name)}[{window}])", "min")

    def lost_slots(self, name: str, window: Duration) -> str:
        """How many samples a window holds of a series that marks what is missing; the most."""
        return self._added(f"count_over_time({self.series(name)}[{window}])", "max")

    def now(self, name: str) -> str:
        """The present sample of a base series, over all shards."""
        return self._added(self.series(name), "sum")

    def latest(self, name: str) -> str:
        """The latest sample of a derived series, also just after a restart."""
        return f"last_over_time({self.series(name)}[{FRESHNESS}])"

    def latest_base(self, name: str) -> str:
        """The latest sample of a base series, also just after a restart."""
        return self._added(self.latest(name), "sum")

    def _added(self, text: str, how: str) -> str:
        if not self.above_shards:
            return text
        if not self.shard_labels:
            return f"{how} by ({_IDENTITY}) ({text})"
        shard = ", ".join((*naming.IDENTITY_LABELS, *self.shard_labels))
        return f"{how} by ({_IDENTITY}) (max by ({shard}) ({text}))"


# The rules of one service level name it some sixty times.
@lru_cache(maxsize=16)
def _identity(key: SloKey) -> str:
    labels = naming.identity(key)
    return ",".join(str(Matcher(name=name, value=value)) for name, value in labels.items())
