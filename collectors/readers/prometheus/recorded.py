"""Reading what our rules recorded: one query for all levels of an application, then the gaps.

The second query is asked only for what the first one left open: windows that nobody records,
counts where several sources add up, the beginning of a young ledger, the end of a lost one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from collectors.readers.prometheus import legs
from collectors.readers.prometheus.outcome import Asked, Trail, failed, nothing
from collectors.readers.prometheus.recorded_state import MODE, Needs, State, fresh_since
from collectors.readers.prometheus.table import AmbiguousError, Table
from collectors.readers.prometheus.unproven import unproven_levels
from collectors.readers.telemetry import MetricReader
from slo.errors import QueryRejected, SourceError
from slo.model import ServiceLevel, SloKey
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recorded series say. ``unusable`` says why each of the others has to be read raw."""

    readings: Mapping[SloKey, Reading]
    unusable: Mapping[SloKey, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedReader:
    """Reads recorded series from one source.

    ``counting`` says which levels need counts where a ratio would do for others. With
    ``only_fresh``, levels that recorded series cannot answer are left to somebody else.
    """

    client: MetricReader
    counting: Callable[[ServiceLevel], bool]
    default_source: str | None
    only_fresh: bool

    def read(self, levels: Sequence[ServiceLevel], asked: Asked) -> Recorded:
        """Return a reading for each level, or why there is none."""
        readings: dict[SloKey, Reading] = {}
        unusable: dict[SloKey, str] = {}
        down: SourceError | None = None
        for chunk in legs.chunks(levels):
            work = _Chunk(reader=self, levels=chunk, trail=Trail(client=self.client, asked=asked))
            try:
                if down is not None:
                    raise down
                work.look()
            except SourceError as error:
                # A refused query says nothing of the next one; a dead server does.
                down = None if isinstance(error, QueryRejected) else error
                evidence = work.trail.evidence
                for level in chunk:
                    missing = failed(error)
                    readings[level.key] = nothing(
                        level, asked, missing, mode=MODE, evidence=evidence
                    )
                continue
            readings |= {key: work.trail.stamped(one) for key, one in work.readings().items()}
            unusable |= work.unusable
        return Recorded(readings=readings, unusable=unusable)


@dataclass(slots=True, kw_only=True)
class _Chunk:
    """The levels of one query."""

    reader: RecordedReader
    levels: Sequence[ServiceLevel]
    trail: Trail
    unusable: dict[SloKey, str] = field(default_factory=dict)
    second: SourceError | None = None
    unproven: frozenset[SloKey] = frozenset()
    table: Table = field(init=False)
    fresh_since: Fraction = field(init=False)

    def __post_init__(self) -> None:
        self.fresh_since = fresh_since(self.trail.asked.at)
        client = self.reader.client
        self.table = Table(replica_labels=client.replica_labels, shard_labels=client.shard_labels)

    def look(self) -> None:
        """Ask the first query, then the second where it is needed."""
        windows = self.trail.asked.windows
        shards = bool(self.reader.client.shard_labels)
        query = legs.present((level.key for level in self.levels), windows, shards=shards)
        self.table.add(self.trail.query(query).series)
        usable = []
        for level in self.levels:
            reason = self._obstacle(level) if self.reader.only_fresh else None
            if reason is None:
                usable.append(level)
            else:
                self.unusable[level.key] = reason
        self.levels = usable
        needs = Needs()
        for level in usable:
            try:
                self._state(level).add_needs(needs)
            except AmbiguousError:
                continue
        if needs:
            try:
                self.table.add(self.trail.query(needs.query()).series)
            except SourceError as error:
                self.second = error
        self.unproven = unproven_levels(
            self._without_failures(), self.trail, self.reader.default_source
        )

    def readings(self) -> dict[SloKey, Reading]:
        """Return what is known now of each level."""
        found = {}
        for level in self.levels:
            state = self._state(level)
            try:
                found[level.key] = state.reading(unproven=level.key in self.unproven)
            except AmbiguousError as error:
                missing = NoData(reason=NoDataReason.INCOMPLETE, detail=str(error))
                found[level.key] = nothing(
                    level, self.trail.asked, missing, mode=MODE, evidence=self.trail.evidence
                )
        return found

    def _obstacle(self, level: ServiceLevel) -> str | None:
        try:
            return self._state(level).obstacle()
        except AmbiguousError as error:
            return str(error)

    def _without_failures(self) -> list[ServiceLevel]:
        quiet = []
        for level in self.levels:
            try:
                period = self._state(level).period()
            except AmbiguousError:
                continue
            if isinstance(period, Counts) and period.bad == 0 < period.total:
                quiet.append(level)
        return quiet

    def _state(self, level: ServiceLevel) -> State:
        return State(
            level=level,
            view=self.table.view(level.key),
            trail=self.trail,
            counting=self.reader.counting(level) or bool(self.reader.client.shard_labels),
            second=self.second,
            fresh_since=self.fresh_since,
        )
