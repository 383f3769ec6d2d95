"""Recorded samples by service level, folded over replicas and shards.

Of replicas the fullest counts, for all that it says; of shards the counts are added, and ratios
never are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction

from collectors.readers.prometheus.answers import Series
from collectors.readers.prometheus.legs import PART
from slo import naming
from slo.model import SloKey
from slo.records import dataclass

Place = tuple[str, ...]

_OWN_LABELS = frozenset({*naming.IDENTITY_LABELS, PART, "__name__"})


class AmbiguousError(Exception):
    """Several series answer where one should: which one to believe is not ours to guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sample and where it comes from: the values of its shard and its replica labels."""

    shard: Place
    replica: Place
    labels: Mapping[str, str]
    value: Fraction


class Table:
    """What queries gave, by service level and part."""

    def __init__(self, *, replica_labels: Sequence[str], shard_labels: Sequence[str]) -> None:
        self._replica_labels = tuple(replica_labels)
        self._shard_labels = tuple(shard_labels)
        # By plain tuples: a thousand levels have tens of thousands of samples to place.
        self._views: dict[tuple[str, ...], View] = {}

    def add(self, series: Iterable[Series]) -> None:
        """Take the samples of an answer; those without our identity labels belong to no one."""
        for each in series:
            labels = each.labels
            try:
                identity = (labels[naming.APP], labels[naming.ENV], labels[naming.SLO])
            except KeyError:
                continue
            row = Row(
                shard=_place(labels, self._shard_labels),
                replica=_place(labels, self._replica_labels),
                labels=labels,
                value=each.points[-1][1],
            )
            view = self._views.get(identity)
            if view is None:
                view = self._views[identity] = View()
            view.add(labels.get(PART) or labels.get("__name__", ""), row)

    def view(self, key: SloKey) -> View:
        """Return what there is of one service level, with what is added later."""
        return self._views.setdefault((key.app, key.env, key.slo), View())


class View:
    """One service level's samples. Methods raise ``AmbiguousError`` where labels do not suffice."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Row]] = {}
        self._folded: dict[str, dict[Place, dict[Place, Fraction]]] = {}

    def add(self, part: str, row: Row) -> None:
        """Take one more sample of a part."""
        self._parts.setdefault(part, []).append(row)
        self._folded.pop(part, None)

    def rows(self, part: str) -> Sequence[Row]:
        """Return a part's samples as they came."""
        return self._parts.get(part, ())

    def counts(self, total: str, bad: str) -> tuple[Fraction, Fraction | None] | None:
        """Return events and bad events over all shards, each from its fullest replica.

        ``None`` when there is no total at all; a shard without its bad events leaves them
        ``None``, for a sum without it would look too good.
        """
        totals, bads = self._by_shard(total), self._by_shard(bad)
        if not totals:
            return None
        events, failures = Fraction(0), Fraction(0)
        complete = True
        for shard, replicas in totals.items():
            best = _fullest(replicas, replicas)
            events += replicas[best]
            found = bads.get(shard, {}).get(best)
            complete = complete and found is not None
            failures += found or 0
        return events, failures if complete else None

    def ratio(self, part: str, total: str) -> Fraction | None:
        """Return a ratio that is recorded once, or by the replicas of a single shard."""
        shards = self._by_shard(part)
        if len(shards) != 1:
            return None
        ((shard, replicas),) = shards.items()
        totals = self._by_shard(total).get(shard, {})
        known = [replica for replica in replicas if replica in totals] or list(replicas)
        return replicas[_fullest(known, totals)]

    def newest(self, part: str) -> dict[Place, Fraction]:
        """Return for each shard the largest value among its replicas."""
        return {shard: max(replicas.values()) for shard, replicas in self._by_shard(part).items()}

    def values(self, part: str) -> list[Fraction]:
        """Return all values of a part, wherever they come from."""
        return [row.value for row in self.rows(part)]

    def latest(self, part: str) -> Fraction | None:
        """Return the largest value of a part over shards and replicas."""
        return max(self.newest(part).values(), default=None)

    def least(self, part: str) -> Fraction | None:
        """Return the smallest over shards of the largest over replicas."""
        return min(self.newest(part).values(), default=None)

    def _by_shard(self, part: str) -> Mapping[Place, Mapping[Place, Fraction]]:
        folded = self._folded.get(part)
        if folded is None:
            folded = self._folded[part] = _fold(part, self.rows(part))
        return folded


def _fold(part: str, rows: Sequence[Row]) -> dict[Place, dict[Place, Fraction]]:
    shards: dict[Place, dict[Place, Fraction]] = {}
    for row in rows:
        replicas = shards.setdefault(row.shard, {})
        if row.replica in replicas:
            raise AmbiguousError(
                f"{len(rows)} series of {part} answer, told apart by {_differing(rows)}; "
                "name such labels in the source's replicaLabels or shardLabels"
            )
        replicas[row.replica] = row.value
    return shards


def _fullest(replicas: Collection[Place], totals: Mapping[Place, Fraction]) -> Place:
    if len(replicas) == 1:
        return next(iter(replicas))
    return max(replicas, key=lambda replica: (totals.get(replica, Fraction(0)), replica))


def _place(labels: Mapping[str, str], names: Sequence[str]) -> Place:
    return tuple([labels.get(name, "") for name in names]) if names else ()


def _differing(rows: Sequence[Row]) -> str:
    names = {name for row in rows for name in row.labels} - _OWN_LABELS
    differing = sorted(n for n in names if len({row.labels.get(n) for row in rows}) > 1)
    return ", ".join(differing) or "nothing that can be seen"
