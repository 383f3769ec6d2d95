"""One reading from several sources: events are added before anything is divided.

A source that fails makes the sum partial, by name; it never takes the others with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from collectors.readers.places import place, sources_of
from slo.errors import HeadroomError
from slo.model import ServiceLevel, SloKey
from slo.ports import CountReader, Counts, NoData, NoDataReason, Reading, RevisionChange, Share
from slo.records import dataclass
from slo.units import Duration

MODE_OF_MANY = "mixed"
"""The mode of a reading whose sources were read in different ways."""

# What is said when no source has a number: the least certain reason wins.
_RANK = (
    NoDataReason.SOURCE_FAILED,
    NoDataReason.LOST,
    NoDataReason.INCOMPLETE,
    NoDataReason.UNSUPPORTED,
    NoDataReason.ZERO_TRAFFIC,
    NoDataReason.NEVER,
)


class MultiSourceReader:
    """Reads each level from every source that holds a part of it; a `CountReader`.

    ``readers`` are by source reference; ``default`` is the source of clusters that name none.
    """

    def __init__(self, readers: Mapping[str, CountReader], *, default: str | None) -> None:
        self._readers = dict(readers)
        self._default = default

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        """Return one reading for every level, summed over its sources."""
        wanted: dict[str, list[ServiceLevel]] = defaultdict(list)
        for level in levels:
            for source in sources_of(level, self._default):
                wanted[source].append(level)
        windows = tuple(dict.fromkeys(windows))
        found = self._read_all(wanted, windows, at)
        merged = {}
        for level in levels:
            parts = [
                _Part(place=place(level, source, self._default), reading=found[source][level.key])
                for source in sources_of(level, self._default)
            ]
            merged[level.key] = _merge(level, parts, windows, at)
        return merged

    def _read_all(
        self,
        wanted: Mapping[str, Sequence[ServiceLevel]],
        windows: Sequence[Duration],
        at: datetime,
    ) -> dict[str, Mapping[SloKey, Reading]]:
        def one(source: str) -> Mapping[SloKey, Reading]:
            return self._read_one(source, wanted[source], windows, at)

        if len(wanted) < 2:  # noqa: PLR2004 - one source needs no thread
            return {source: one(source) for source in wanted}
        # All at once, however many: the time of one that waited its turn would begin too late.
        with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
            return dict(zip(wanted, pool.map(one, wanted), strict=True))

    def _read_one(
        self, source: str, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        reader = self._readers.get(source)
        if reader is None:
            missing = NoData(
                reason=NoDataReason.UNSUPPORTED, detail=f"there is no reader for {source}"
            )
            return {level.key: _nothing(level, windows, at, missing) for level in levels}
        try:
            return reader.read(levels, windows, at)
        except HeadroomError as error:
            missing = NoData(reason=NoDataReason.SOURCE_FAILED, detail=str(error))
            return {level.key: _nothing(level, windows, at, missing) for level in levels}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one source said, and what it is called."""

    place: str
    reading: Reading


def _merge(
    level: ServiceLevel, parts: Sequence[_Part], windows: Sequence[Duration], at: datetime
) -> Reading:
    if not parts:
        missing = NoData(
            reason=NoDataReason.UNSUPPORTED, detail="no source is named and there is no default"
        )
        return _nothing(level, windows, at, missing)
    if len(parts) == 1:
        return parts[0].reading
    readings = [part.reading for part in parts]
    heard = [one for one in readings if isinstance(one.period, Counts)] or readings
    modes = {one.mode for one in heard}
    coverages = [one.coverage for one in heard if one.coverage is not None]
    partial, notes = _absent(parts, windows)
    return Reading(
        key=level.key,
        at=at,
        period=_sum_period(parts),
        windows={window: _sum_window(parts, window) for window in windows},
        mode=modes.pop() if len(modes) == 1 else MODE_OF_MANY,
        coverage=min(coverages, default=None),
        observed_at=min((one.observed_at for one in heard if one.observed_at), default=None),
        unproven=all(one.unproven for one in heard),
        revision=_latest(readings),
        partial=tuple(dict.fromkeys((*partial, *(p for one in readings for p in one.partial)))),
        warnings=tuple(f"{p.place}: {text}" for p in parts for text in p.reading.warnings),
        evidence=tuple(each for one in readings for each in one.evidence),
        notes=(*notes, *(f"{p.place}: {text}" for p in parts for text in p.reading.notes)),
    )


def _absent(
    parts: Sequence[_Part], windows: Sequence[Duration]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the sources that are missing from a sum, whichever; all missing make no sum."""
    names: list[str] = []
    notes: list[str] = []
    for part in parts:
        period = part.reading.period
        if isinstance(period, NoData):
            names.append(part.place)
            notes.append(f"the sum is without {part.place}: {period.detail or period.reason}")
            continue
        missing = [window for window in windows if _is_alone_missing(part, parts, window)]
        if missing:
            names.append(part.place)
            spans = ", ".join(map(str, missing))
            notes.append(f"the sum over {spans} is without {part.place}")
    silent = all(isinstance(part.reading.period, NoData) for part in parts)
    return tuple(names), () if silent else tuple(notes)


def _is_alone_missing(part: _Part, parts: Sequence[_Part], window: Duration) -> bool:
    return isinstance(part.reading.windows[window], NoData) and any(
        isinstance(other.reading.windows[window], Counts) for other in parts
    )


def _sum_period(parts: Sequence[_Part]) -> Counts | NoData:
    found = [part.reading.period for part in parts]
    numbers = [each for each in found if isinstance(each, Counts)]
    return _sum(numbers) if numbers else _worst(parts, [e for e in found if isinstance(e, NoData)])


def _sum_window(parts: Sequence[_Part], window: Duration) -> Counts | NoData:
    found = [part.reading.windows[window] for part in parts]
    if any(isinstance(each, Share) for each in found):
        return NoData(
            reason=NoDataReason.INCOMPLETE,
            detail="a source gave a share without counts, which cannot be added to another's",
        )
    numbers = [each for each in found if isinstance(each, Counts)]
    return _sum(numbers) if numbers else _worst(parts, [e for e in found if isinstance(e, NoData)])


def _sum(numbers: Sequence[Counts]) -> Counts:
    total = numbers[0]
    for each in numbers[1:]:
        total += each
    return total


def _worst(parts: Sequence[_Part], missing: Sequence[NoData]) -> NoData:
    reason = min((each.reason for each in missing), key=_RANK.index)
    details = [f"{p.place}: {m.detail or m.reason}" for p, m in zip(parts, missing, strict=True)]
    return NoData(reason=reason, detail="; ".join(details))


def _latest(readings: Sequence[Reading]) -> RevisionChange | None:
    changes = [one.revision for one in readings if one.revision is not None]
    return max(changes, key=lambda change: change.since, default=None)


def _nothing(
    level: ServiceLevel, windows: Sequence[Duration], at: datetime, missing: NoData
) -> Reading:
    return Reading(
        key=level.key, at=at, period=missing, windows=dict.fromkeys(windows, missing), mode="none"
    )
