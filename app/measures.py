"""What Headroom counts and measures of itself, by the names that Prometheus and OTLP know."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from slo.records import dataclass


class Kind(StrEnum):
    """What a metric is."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric as Prometheus and as OpenTelemetry name it."""

    kind: Kind
    otel: str
    help: str


METRICS: Mapping[str, Metric] = {
    "headroom_http_requests_total": Metric(
        kind=Kind.COUNTER, otel="headroom.http.requests", help="Requests by route and status."
    ),
    "headroom_http_request_duration_seconds": Metric(
        kind=Kind.HISTOGRAM, otel="headroom.http.request.duration", help="How long answers took."
    ),
    "headroom_ingest_requests_total": Metric(
        kind=Kind.COUNTER,
        otel="headroom.ingest.requests",
        help="Batches by signal and outcome: stored, duplicate, busy, refused or failed.",
    ),
    "headroom_ingest_records_total": Metric(
        kind=Kind.COUNTER, otel="headroom.ingest.records", help="Records that are on disk."
    ),
    "headroom_ingest_rejected_total": Metric(
        kind=Kind.COUNTER, otel="headroom.ingest.rejected", help="Records that were not taken."
    ),
    "headroom_ingest_bytes_total": Metric(
        kind=Kind.COUNTER, otel="headroom.ingest.bytes", help="Bytes of bodies as they were sent."
    ),
    "headroom_ingest_duration_seconds": Metric(
        kind=Kind.HISTOGRAM, otel="headroom.ingest.duration", help="From a body to the disk."
    ),
    "headroom_ingest_waiting_requests": Metric(
        kind=Kind.GAUGE, otel="headroom.ingest.waiting.requests", help="Batches not yet on disk."
    ),
    "headroom_ingest_waiting_bytes": Metric(
        kind=Kind.GAUGE, otel="headroom.ingest.waiting.bytes", help="Their bytes as sent."
    ),
    "headroom_forward_records_total": Metric(
        kind=Kind.COUNTER,
        otel="headroom.forward.records",
        help="Records that the cluster has, by signal.",
    ),
    "headroom_forward_dead_letters_total": Metric(
        kind=Kind.COUNTER,
        otel="headroom.forward.dead_letters",
        help="Records that the cluster refused for good, by signal.",
    ),
    "headroom_forward_retries_total": Metric(
        kind=Kind.COUNTER, otel="headroom.forward.retries", help="Requests to be sent again."
    ),
    "headroom_forward_lag_seconds": Metric(
        kind=Kind.GAUGE,
        otel="headroom.forward.lag",
        help="For how long the oldest commit waits to be forwarded, 0 when none does.",
    ),
    "headroom_forward_waiting_commits": Metric(
        kind=Kind.GAUGE, otel="headroom.forward.waiting.commits", help="Commits that wait."
    ),
    "headroom_forward_waiting_bytes": Metric(
        kind=Kind.GAUGE, otel="headroom.forward.waiting.bytes", help="Their bytes on disk."
    ),
    "headroom_forward_missed_commits": Metric(
        kind=Kind.GAUGE,
        otel="headroom.forward.missed",
        help="Commits that went before they could be forwarded.",
    ),
    "headroom_counters_late_events_total": Metric(
        kind=Kind.COUNTER,
        otel="headroom.counters.late_events",
        help="Events that came after their bucket was closed, by SLO; no counter has them.",
    ),
    "headroom_counters_failures_total": Metric(
        kind=Kind.COUNTER,
        otel="headroom.counters.failures",
        help="Times that events could not be counted, or counts could not be kept.",
    ),
    "headroom_counters_lag_seconds": Metric(
        kind=Kind.GAUGE,
        otel="headroom.counters.lag",
        help="For how long the oldest open bucket of any SLO has been due to be closed.",
    ),
    "headroom_counters_hidden": Metric(
        kind=Kind.GAUGE,
        otel="headroom.counters.hidden",
        help="SLOs without counters, because too much is unknown.",
    ),
    "headroom_remote_write_samples_total": Metric(
        kind=Kind.COUNTER, otel="headroom.remote_write.samples", help="Samples that were taken."
    ),
    "headroom_remote_write_dropped_total": Metric(
        kind=Kind.COUNTER,
        otel="headroom.remote_write.dropped",
        help="Samples that were refused for good, or waited for too long.",
    ),
    "headroom_remote_write_retries_total": Metric(
        kind=Kind.COUNTER, otel="headroom.remote_write.retries", help="Requests to be sent again."
    ),
    "headroom_remote_write_waiting_samples": Metric(
        kind=Kind.GAUGE, otel="headroom.remote_write.waiting", help="Samples that wait to be sent."
    ),
    "headroom_store_trouble": Metric(
        kind=Kind.GAUGE, otel="headroom.store.trouble", help="1 while compaction fails."
    ),
    "headroom_query_duration_seconds": Metric(
        kind=Kind.HISTOGRAM, otel="headroom.query.duration", help="How long a question took."
    ),
    "headroom_query_failures_total": Metric(
        kind=Kind.COUNTER, otel="headroom.query.failures", help="Questions without an answer."
    ),
    "headroom_page_duration_seconds": Metric(
        kind=Kind.HISTOGRAM,
        otel="headroom.page.duration",
        help="From a visit to the last panel, by page, tab and outcome.",
    ),
    "headroom_gate_decisions_total": Metric(
        kind=Kind.COUNTER, otel="headroom.gate.decisions", help="Decisions by outcome."
    ),
    "headroom_gate_failures_total": Metric(
        kind=Kind.COUNTER, otel="headroom.gate.failures", help="Decisions that an error prevented."
    ),
    "headroom_gate_duration_seconds": Metric(
        kind=Kind.HISTOGRAM, otel="headroom.gate.duration", help="How long a decision took."
    ),
    "headroom_evaluator_ticks_total": Metric(
        kind=Kind.COUNTER, otel="headroom.evaluator.ticks", help="Rounds of rule evaluation."
    ),
    "headroom_evaluator_tick_duration_seconds": Metric(
        kind=Kind.HISTOGRAM, otel="headroom.evaluator.tick.duration", help="How long rounds took."
    ),
    "headroom_evaluator_rule_failures_total": Metric(
        kind=Kind.COUNTER, otel="headroom.evaluator.rule.failures", help="Rules that failed."
    ),
    "headroom_evaluator_failing_rules": Metric(
        kind=Kind.GAUGE, otel="headroom.evaluator.failing.rules", help="Rules that fail now."
    ),
    "headroom_evaluator_missed_total": Metric(
        kind=Kind.COUNTER, otel="headroom.evaluator.missed", help="Evaluations left out."
    ),
    "headroom_evaluator_lag_seconds": Metric(
        kind=Kind.GAUGE, otel="headroom.evaluator.lag", help="How long ago the last round began."
    ),
    "headroom_evaluator_history_share": Metric(
        kind=Kind.GAUGE,
        otel="headroom.evaluator.history.share",
        help="How much of a history that is being computed is done, 0 to 1.",
    ),
    "headroom_evaluator_history_complete_seconds": Metric(
        kind=Kind.GAUGE,
        otel="headroom.evaluator.history.complete",
        help="Of telemetry that arrived before this Unix time every slot is computed.",
    ),
    "headroom_evaluator_notifications_total": Metric(
        kind=Kind.COUNTER, otel="headroom.evaluator.notifications", help="Notifications ordered."
    ),
}
"""Every metric of our own by its name in Prometheus."""

BEGUN: tuple[tuple[str, Mapping[str, str]], ...] = (
    *(
        ("headroom_ingest_requests_total", {"signal": signal, "outcome": outcome})
        for signal in ("logs", "metrics", "spans")
        for outcome in ("stored", "busy", "failed")
    ),
    *(
        ("headroom_gate_decisions_total", {"decision": decision})
        for decision in ("allow", "warn", "deny", "indeterminate")
    ),
    ("headroom_gate_failures_total", {}),
    ("headroom_query_failures_total", {"query": "any"}),
)
"""Counters that a server begins at 0: what nothing has happened to yet is not unknown."""
