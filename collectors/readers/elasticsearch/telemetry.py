"""Elasticsearch and OpenSearch as sources of logs and traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collectors.elastic.client import Cluster
from collectors.readers.elasticsearch import inventory, logs, spans
from collectors.readers.elasticsearch.asking import MOST_SPANS, Asker
from collectors.readers.telemetry import Answered, Badness, LogQuery, TimeRange, TraceQuery, Where
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd


class ElasticsearchTelemetry:
    """A `TelemetryReader` over one cluster; threads may share it.

    ``deadline`` bounds each question; without one, the source's timeout does. ``most_spans`` is
    how many spans one question reads; of more, whole traces are drawn, and answers say so.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        deadline: Duration | None = None,
        most_spans: int = MOST_SPANS,
    ) -> None:
        self._asker = Asker(cluster, deadline=deadline, most_spans=most_spans)

    @property
    def reference(self) -> str:
        """How the workspace names it."""
        return self._asker.reference

    def logs(self, query: LogQuery) -> Answered[pd.DataFrame]:
        """Return newest records first."""
        return logs.logs(self._asker, query)

    def log_histogram(self, query: LogQuery, buckets: int) -> Answered[pd.DataFrame]:
        """Return counts per slice of time and level."""
        return logs.histogram(self._asker, query, buckets)

    def traces(self, query: TraceQuery) -> Answered[pd.DataFrame]:
        """Return one row per trace."""
        return spans.traces(self._asker, query)

    def trace(self, trace_id: str, around: TimeRange | None) -> Answered[pd.DataFrame]:
        """Return all spans of a trace, of every app."""
        return spans.trace(self._asker, trace_id, around)

    def heatmap(
        self, query: TraceQuery, slices: int, bounds: Sequence[int]
    ) -> Answered[pd.DataFrame]:
        """Return counts of entry spans by time and duration."""
        return spans.heatmap(self._asker, query, slices, bounds)

    def red(self, where: Where, by: str | None, slices: int) -> Answered[pd.DataFrame]:
        """Return rate, errors and durations of entry spans over time."""
        return spans.red(self._asker, where, by, slices)

    def breakdown(
        self, where: Where, bad: Badness, dimensions: Sequence[str]
    ) -> Answered[pd.DataFrame]:
        """Return entry spans by every combination of dimensions that occurs."""
        return spans.breakdown(self._asker, where, bad, dimensions)

    def edges(self, where: Where | None, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return who calls whom."""
        return spans.edges(self._asker, where, range_)

    def versions(self, where: Where) -> Answered[pd.DataFrame]:
        """Return when each version of each component was seen."""
        return inventory.versions(self._asker, where)

    def deploys(self, where: Where) -> Answered[pd.DataFrame]:
        """Return no deploys, which a cluster does not hold."""
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
