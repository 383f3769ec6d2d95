"""What the console, the API and the evaluator ask of telemetry, and the shape of the answers.

Every reader of logs, traces and deploys implements `TelemetryReader`; readers of metrics answer
PromQL and implement `MetricReader`. Times are Unix nanoseconds; ranges hold their start and not
their end. Every answer says where it came from, what was asked, and what is missing from it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from slo.model import Spans
from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    import pandas as pd

    from collectors.readers.prometheus.answers import Answer as Series
    from collectors.readers.prometheus.clock import Deadline

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRange:
    """From ``start``, included, to ``end``, not included; Unix nanoseconds."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How long it is, in nanoseconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Generic[T]):
    """An answer with its origin: source, question, freshness, completeness.

    ``observed_at`` is the newest record behind it. ``partial`` names what did not answer or was
    cut off; ``notes`` are sentences for people, such as a sampling factor.
    """

    value: T
    source: str
    query: str
    range: TimeRange | None = None
    observed_at: datetime | None = None
    partial: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float | None = None

    def giving(self, value: U) -> Answered[U]:
        """Return another value with the same origin."""
        return Answered(
            value=value,
            source=self.source,
            query=self.query,
            range=self.range,
            observed_at=self.observed_at,
            partial=self.partial,
            notes=self.notes,
            seconds=self.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a column or an attribute; several are joined by *and*.

    ``field`` is a column of the signal, or ``attributes.NAME`` or ``resource.NAME``. A value of
    ``None`` means that the field is absent.
    """

    field: str
    value: str | None
    negated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Whose records, when: what every question has.

    ``app`` ``None`` asks for records that belong to no app. ``env`` ``None`` means all.
    """

    app: str | None
    range: TimeRange
    env: str | None = None
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """Which log records. ``text`` holds words that must all occur, whatever their case.

    ``after`` is the ``cursor`` of an earlier answer: only what was stored since then is returned.
    With ``brief`` an answer needs no columns but time, severity_text, body and trace_id.
    """

    where: Where
    text: str = ""
    min_severity: int | None = None
    trace_id: str | None = None
    span_id: str | None = None
    limit: int = 200
    after: int | None = None
    brief: bool = False


class TraceOrder(StrEnum):
    """Which traces come first."""

    NEWEST = "newest"
    SLOWEST = "slowest"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceQuery:
    """Which entry spans (those of the app without a parent in the app) stand for which traces.

    Durations are nanoseconds; ``failed`` keeps those in error only.
    """

    where: Where
    failed: bool = False
    at_least: int | None = None
    below: int | None = None
    order: TraceOrder = TraceOrder.NEWEST
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Badness:
    """When an entry span counts as bad; with neither condition, when its status is error."""

    error: bool = True
    slower_than: int | None = None
    service: str | None = None
    operation: str | None = None

    @classmethod
    def of(cls, spans: Spans) -> Badness:
        """What a `spans` indicator calls bad."""
        slow = spans.slower_than
        return cls(
            error=spans.bad_error,
            slower_than=None if slow is None else slow.milliseconds * 1_000_000,
            service=spans.service,
            operation=spans.operation,
        )


DIMENSIONS = ("route", "pod", "version", "dependency")
"""What bad events are broken down by, in order of interest."""


class TelemetryReader(Protocol):
    """Logs, traces and deploys of one source.

    Frames have the columns that each method names, in that order; absent values are ``None`` or
    ``NaN`` by pandas' rules, times are integers. Raises ``SourceError``.
    """

    @property
    def reference(self) -> str:
        """How the workspace names this source."""
        ...

    def logs(self, query: LogQuery) -> Answered[pd.DataFrame]:
        """Return newest records first.

        Columns: time, severity, severity_text, body, component, service, version, pod, host,
        trace_id, span_id, event, attributes (JSON text), resource (JSON text), rung, cursor.
        """
        ...

    def log_histogram(self, query: LogQuery, buckets: int) -> Answered[pd.DataFrame]:
        """Return counts per slice of time: time (its start), level, count.

        ``level`` is trace, debug, info, warn, error, fatal or unknown.
        """
        ...

    def traces(self, query: TraceQuery) -> Answered[pd.DataFrame]:
        """Return one row per trace.

        Columns: trace_id, span_id, time, duration, name, service, component, route, method,
        http_status, status, version, pod, spans (of the trace, within the app).
        """
        ...

    def trace(self, trace_id: str, around: TimeRange | None) -> Answered[pd.DataFrame]:
        """Return all spans of a trace, of every app, by start.

        Columns: span_id, parent_id, time, end, duration, name, kind, status, status_message, app,
        env, component, service, version, route, peer, peer_kind, pod, attributes, events, links.
        ``around`` prunes; the trace may begin an hour before and end an hour after it.
        """
        ...

    def heatmap(
        self, query: TraceQuery, slices: int, bounds: Sequence[int]
    ) -> Answered[pd.DataFrame]:
        """Return counts of entry spans by time and duration: time, bucket, count, errors.

        ``bucket`` ``i`` holds durations from ``bounds[i - 1]`` to below ``bounds[i]``.
        """
        ...

    def red(self, where: Where, by: str | None, slices: int) -> Answered[pd.DataFrame]:
        """Return rate, errors and durations of entry spans per slice of time.

        Columns: time, key, count, errors, p50, p90, p99 (nanoseconds); counts are weighted by
        sampling. ``by`` is a column of spans such as route, or ``None`` (key is then empty).
        """
        ...

    def breakdown(
        self, where: Where, bad: Badness, dimensions: Sequence[str]
    ) -> Answered[pd.DataFrame]:
        """Return entry spans by every combination of dimensions that occurs.

        Columns: the dimensions, total, bad (weighted by sampling), sampled_total, sampled_bad,
        trace_id (an example of a bad one), time (of that example). The dimension ``dependency``
        is what the failing (or, for slowness, longest) call beneath the span talked to.
        """
        ...

    def edges(self, where: Where | None, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return who calls whom, messaging links included; of one app, or of all.

        Columns: source_app, source, target_app, target, target_kind, count, errors, p50, p99,
        seconds (of the range). ``source`` and ``target`` are services or peers.
        """
        ...

    def versions(self, where: Where) -> Answered[pd.DataFrame]:
        """Return when each version of each component was first and last seen.

        Columns: component, version, first, last, records.
        """
        ...

    def deploys(self, where: Where) -> Answered[pd.DataFrame]:
        """Return deploys that were told.

        Columns: time, id, component, env, version, previous, commit_id, actor, url, title.
        """
        ...

    def inventory(self, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return what is stored per owner, environment, signal and rung of the join ladder.

        Columns: app, env, signal, rung, records, bytes, series, first, last. ``app`` is ``None``
        for what belongs to nobody; bytes are shares of their files by number of records.
        """
        ...

    def unattributed(self, range_: TimeRange) -> Answered[pd.DataFrame]:
        """Return what belongs to nobody, grouped by what it says of itself.

        Columns: signal, service, host, namespace, stream (where the source keeps streams), missing,
        claimants, records, first, last, example.
        """
        ...

    def failing_bodies(self, where: Where, bad: Badness, limit: int) -> Answered[pd.DataFrame]:
        """Return log lines of failing and of other requests, to compare patterns.

        Columns: time, body, severity, failing (bool), trace_id.
        """
        ...


class MetricReader(Protocol):
    """Something that answers PromQL: a Prometheus, or the embedded store."""

    @property
    def reference(self) -> str:
        """How the workspace names this source."""
        ...

    @property
    def replica_labels(self) -> tuple[str, ...]:
        """Labels that tell copies of the same data apart."""
        ...

    @property
    def shard_labels(self) -> tuple[str, ...]:
        """Labels that tell parts of the data apart, whose counts add up."""
        ...

    @property
    def most_points(self) -> int:
        """How many evaluations one range query should ask for."""
        ...

    def deadline(self, length: Duration | None) -> Deadline:
        """Return a deadline that starts to run now."""
        ...

    def query(self, query: str, at: datetime, until: Deadline) -> Series:
        """Evaluate an expression at an instant."""
        ...

    def query_range(
        self, query: str, start: datetime, end: datetime, step: Duration, until: Deadline
    ) -> Series:
        """Evaluate an expression from ``start`` to ``end``, both included."""
        ...

    def series(
        self, selector: str, start: datetime, end: datetime, until: Deadline, *, limit: int
    ) -> list[dict[str, str]]:
        """Return the label sets of series with samples in a range."""
        ...

    def label_values(
        self, label: str, matchers: tuple[str, ...], start: datetime, end: datetime, until: Deadline
    ) -> list[str]:
        """Return the values of a label over series that match any of the selectors."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A sample that names its trace."""

    time: int
    value: float
    trace_id: str
    labels: Mapping[str, str] = field(default_factory=dict)
