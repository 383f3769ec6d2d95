"""Which segments compaction puts together, and when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from collectors.store.layout import DAY
from collectors.store.manifest import Segment
from collectors.store.schemas import apps_of
from slo.records import dataclass

_FACTOR = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing:
    """How large segments become, and how many small ones there may be.

    ``segment_rows`` is the most rows of one. Rows are split by app and day when the average part
    has ``partition_rows``, or all have ``mixed_bytes``; before that, ``mixed_files`` of about one
    size become one. Of an app and day, ``merged_files`` of about one size do, or two once the day
    has passed. Segments below ``small_rows`` count as of one size.
    """

    segment_rows: int = 1_000_000
    partition_rows: int = 5_000
    mixed_bytes: int = 64 * 1024 * 1024
    mixed_files: int = 8
    merged_files: int = 4
    small_rows: int = 4_096

    def should_split(self, mixed: Sequence[Segment]) -> bool:
        """Whether the segments of several apps should be split by app and day now."""
        partitions = {
            (app, day)
            for each in mixed
            for app in each.apps
            for day in (each.start // DAY, each.end // DAY)
        }
        rows = sum(each.rows for each in mixed)
        least = min(self.partition_rows * len(partitions), self.segment_rows)
        return bool(mixed) and (
            rows >= least or sum(each.bytes for each in mixed) >= self.mixed_bytes
        )

    def is_worth_splitting(self, rows: pa.Table) -> bool:
        """Whether rows that come in should be split by app and day before they are written."""
        days = np.unique(np.floor_divide(rows.column("time").to_numpy(), DAY))
        return rows.num_rows >= self.partition_rows * len(apps_of(rows)) * max(1, len(days))

    def mixed_to_merge(self, mixed: Sequence[Segment]) -> list[Segment]:
        """Segments of several apps that should become one; none is an empty list."""
        return self._of_one_size(mixed, self.mixed_files)

    def partition_to_merge(self, segments: Iterable[Segment], today: int) -> list[Segment]:
        """Segments of one app and day that should become one; none is an empty list.

        ``today`` counts from 1970.
        """
        partitions: defaultdict[tuple[str | None, int], list[Segment]] = defaultdict(list)
        for each in segments:
            # Two of half the size or more would make two again, for ever.
            if each.day is not None and each.rows < self.segment_rows // 2:
                partitions[each.apps[0], each.day].append(each)
        for (_, day), group in partitions.items():
            if chosen := self._of_one_size(group, self.merged_files if day >= today else 2):
                return chosen
        return []

    def _of_one_size(self, segments: Sequence[Segment], least: int) -> list[Segment]:
        """The segments of about one size where there are enough; the smallest size first."""
        tiers: defaultdict[int, list[Segment]] = defaultdict(list)
        for each in segments:
            tiers[self._tier(each.rows)].append(each)
        return next((group for _, group in sorted(tiers.items()) if len(group) >= least), [])

    def _tier(self, rows: int) -> int:
        tier = 0
        while rows >= self.small_rows * _FACTOR**tier:
            tier += 1
        return tier
