"""The embedded store as a source of logs, traces and deploys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collectors.readers.store import breakdown, inventory, logs, topology, traces
from collectors.readers.store.asking import REFERENCE, Asker
from collectors.readers.telemetry import Answered, Badness, LogQuery, TimeRange, TraceQuery, Where
from collectors.store import StoreReader

if TYPE_CHECKING:
    import pandas as pd


class StoreTelemetry:
    """A `TelemetryReader` over the embedded store; threads may share it.

    ``deadline`` bounds each question, in seconds.
    """

    def __init__(self, store: StoreReader, *, deadline: float | None = None) -> None:
        self._asker = Asker(store, deadline=deadline)

    @property
    def reference(self) -> str:
        """How the workspace names it."""
        return REFERENCE

    def logs(self, query: LogQuery) -> Answered[pd.DataFrame]:
        """Return newest records first."""
        return logs.logs(self._asker, query)

    def log_histogram(self, query: LogQuery, buckets: int) -> Answered[pd.DataFrame]:
        """Return counts per slice of time and level."""
        return logs.histogram(self._asker, query, buckets)

    def traces(self, query: TraceQuery) -> Answered[pd.DataFrame]:
        """Return one row per trace."""
        return traces.traces(self._asker, query)

    def trace(self, trace_id: str, around: TimeRange | None) -> Answered[pd.DataFrame]:
        """Return all spans of a trace, of every app."""
        return traces.trace(self._asker, trace_id, around)

    def heatmap(
        self, query: TraceQuery, slices: int, bounds: Sequence[int]
    ) -> Answered[pd.DataFrame]:
        """Return counts of entry spans by time and duration."""
        return traces.heatmap(self._asker, query, slices, bounds)

    def red(self, where: Where, by: str | None, slices: int) -> Answered[pd.DataFrame]:
        """Return rate, errors and durations of entry spans over time."""
        return traces.red(self._asker, where, by, slices)

    def breakdown(
        self, where: Where, bad: Badness, dimensions: Sequence[str]
    ) -> Answered[pd.DataFrame]:
        """Return entry spans by every combination of dimensions that occurs."""
        return breakdown.breakdown(self._asker, where, bad, dimensions)

    def edges(self, where: Where | None, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return who calls whom."""
        return topology.edges(self._asker, where, range_)

    def versions(self, where: Where) -> Answered[pd.DataFrame]:
        """Return when each version of each component was seen."""
        return inventory.versions(self._asker, where)

    def deploys(self, where: Where) -> Answered[pd.DataFrame]:
        """Return deploys that were told."""
        return inventory.deploys(self._asker, where)

    def inventory(self, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return what is stored per owner."""
        return inventory.inventory(self._asker, range_)

    def unattributed(self, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return what belongs to nobody."""
        return inventory.unattributed(self._asker, range_)

    def failing_bodies(self, where: Where, bad: Badness, limit: int) -> Answered[pd.DataFrame]:
        """Return log lines of failing and of other requests."""
        return logs.failing_bodies(self._asker, where, bad, limit)
