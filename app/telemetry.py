"""Headroom watching itself: counts for ``/metrics``, and traces and metrics by OpenTelemetry.

The counts are always there. The OpenTelemetry SDK is used only when the usual ``OTEL_*``
variables ask for an exporter; what is exported has ``service.namespace=headroom``.
"""

from __future__ import annotations

import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from operator import itemgetter
from threading import Lock, Thread
from typing import TYPE_CHECKING

from slo.errors import UsageError
from slo.records import dataclass

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import Tracer

NAMESPACE = "headroom"

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_PATIENCE = 3.0
"""Seconds that the last export may take when the process ends."""


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
        kind=Kind.HISTOGRAM, otel="headroom.page.duration", help="How long drawing a page took."
    ),
    "headroom_gate_decisions_total": Metric(
        kind=Kind.COUNTER, otel="headroom.gate.decisions", help="Decisions by outcome."
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
    "headroom_evaluator_notifications_total": Metric(
        kind=Kind.COUNTER, otel="headroom.evaluator.notifications", help="Notifications ordered."
    ),
}
"""Every metric of our own by its name in Prometheus."""

Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True, kw_only=True)
class _Histogram:
    counts: list[int]
    total: float = 0.0


class Telemetry:
    """Counts, durations and spans of one process; threads may share it.

    Names are those of ``METRICS``; label values come from small sets, never from a request.
    """

    def __init__(
        self,
        *,
        tracer: Tracer | None = None,
        meter: Meter | None = None,
        shutdown: Callable[[], None] | None = None,
    ) -> None:
        self._lock = Lock()
        self._counts: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}
        self._gauges: dict[str, Callable[[], float]] = {}
        self._tracer = tracer
        self._meter = meter
        self._shutdown = shutdown
        self._record = {} if meter is None else _instruments(meter)

    @property
    def exports(self) -> bool:
        """Whether anything leaves the process by OpenTelemetry."""
        return self._tracer is not None or self._meter is not None

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        key = _key(labels)
        with self._lock:
            series = self._counts.setdefault(name, {})
            series[key] = series.get(key, 0) + amount
        if name in self._record:
            self._record[name](amount, labels)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add a duration to a histogram."""
        key = _key(labels)
        with self._lock:
            series = self._histograms.setdefault(name, {})
            found = series.setdefault(key, _Histogram(counts=[0] * (len(_BOUNDS) + 1)))
            found.counts[bisect_left(_BOUNDS, seconds)] += 1
            found.total += seconds
        if name in self._record:
            self._record[name](seconds, labels)

    def watch(self, name: str, read: Callable[[], float]) -> None:
        """Show what a function returns as a gauge."""
        with self._lock:
            self._gauges[name] = read
        if self._meter is not None:
            from opentelemetry.metrics import Observation  # noqa: PLC0415 - an extra

            def observe(_: CallbackOptions) -> list[Observation]:
                return [Observation(read())]

            metric = METRICS[name]
            self._meter.create_observable_gauge(metric.otel, [observe], description=metric.help)

    @contextmanager
    def timed(self, name: str, **labels: str) -> Iterator[None]:
        """Measure a block into a histogram, as a span of the same name too."""
        began = time.perf_counter()
        try:
            with self.span(METRICS[name].otel.removesuffix(".duration"), **labels):
                yield
        finally:
            self.observe(name, time.perf_counter() - began, **labels)

    def span(self, name: str, **attributes: str) -> AbstractContextManager[object]:
        """Trace a block; nothing happens without an exporter."""
        if self._tracer is None:
            return nullcontext()
        return self._tracer.start_as_current_span(name, attributes=attributes)

    def exposition(self) -> str:
        """Write the counts in the text format of Prometheus, version 0.0.4."""
        with self._lock:
            gauges = dict(self._gauges)
            lines: list[str] = []
            for name, metric in METRICS.items():
                samples = [*self._samples(name)]
                if name in gauges:
                    samples.append(f"{name} {_number(gauges[name]())}")
                if samples:
                    lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
                    lines += samples
        return "".join(f"{line}\n" for line in lines)

    def close(self) -> None:
        """Export what is left, within a few seconds."""
        if self._shutdown is not None:
            # An exporter whose receiver has gone would try again for longer than one waits.
            last = Thread(target=self._shutdown, name="telemetry-shutdown", daemon=True)
            last.start()
            last.join(_PATIENCE)

    def _samples(self, name: str) -> Iterator[str]:
        for labels, value in sorted(self._counts.get(name, {}).items()):
            yield f"{name}{_braces(labels)} {_number(value)}"
        for labels, found in sorted(self._histograms.get(name, {}).items(), key=itemgetter(0)):
            below = 0
            for bound, count in zip((*_BOUNDS, None), found.counts, strict=True):
                below += count
                edge = "+Inf" if bound is None else _number(bound)
                yield f"{name}_bucket{_braces((*labels, ('le', edge)))} {below}"
            yield f"{name}_sum{_braces(labels)} {_number(found.total)}"
            yield f"{name}_count{_braces(labels)} {below}"


def open_telemetry(environ: Mapping[str, str], *, name: str, version: str) -> Telemetry:
    """Make the telemetry of a process, ``name`` being its ``service.name``.

    Raises ``UsageError`` for a protocol that is not built in, and ``ModuleNotFoundError`` where
    the variables ask for OpenTelemetry and the extra ``otel`` is not installed.
    """
    traces, metrics = (_exporter(environ, signal) for signal in ("TRACES", "METRICS"))
    if not (traces or metrics):
        return Telemetry()
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource  # noqa: PLC0415 - extra

    own = {"service.namespace": NAMESPACE, "service.name": name, "service.version": version}
    resource = Resource(own).merge(OTELResourceDetector().detect())
    ends: list[Callable[[], None]] = []
    tracer = _tracer(resource, traces, ends) if traces else None
    meter = _meter(resource, metrics, ends) if metrics else None

    def shutdown() -> None:
        for end in ends:
            end()

    return Telemetry(tracer=tracer, meter=meter, shutdown=shutdown)


def installed_version() -> str:
    """The version of the installed program, as telemetry tells it."""
    from importlib import metadata  # noqa: PLC0415 - slow to import

    try:
        return metadata.version(NAMESPACE)
    except metadata.PackageNotFoundError:
        return "unknown"


def _exporter(environ: Mapping[str, str], signal: str) -> str | None:
    """The exporter of a signal, None without any: ``otlp`` or ``console``."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    chosen = environ.get(f"OTEL_{signal}_EXPORTER")
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    if chosen is None:
        chosen = "otlp" if any(environ.get(each) for each in endpoints) else "none"
    if chosen == "none":
        return None
    if chosen not in {"otlp", "console"}:
        raise UsageError(f"OTEL_{signal}_EXPORTER is none of otlp, console, none")
    protocols = (f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
    protocol = next((environ[each] for each in protocols if environ.get(each)), "http/protobuf")
    if chosen == "otlp" and protocol != "http/protobuf":
        raise UsageError(
            f"OpenTelemetry's protocol {protocol} is not built in",
            hint="set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
        )
    return chosen


def _tracer(resource: Resource, exporter: str, ends: list[Callable[[], None]]) -> Tracer:
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415 - as above
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SpanExporter,
    )

    out: SpanExporter
    if exporter == "console":
        out = ConsoleSpanExporter(out=sys.stderr)
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )

        out = OTLPSpanExporter()
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(out))
    ends.append(provider.shutdown)
    return provider.get_tracer(NAMESPACE)


def _meter(resource: Resource, exporter: str, ends: list[Callable[[], None]]) -> Meter:
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.metrics.export import (  # noqa: PLC0415 - as above
        ConsoleMetricExporter,
        MetricExporter,
        PeriodicExportingMetricReader,
    )

    out: MetricExporter
    if exporter == "console":
        out = ConsoleMetricExporter(out=sys.stderr)
    else:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import (  # noqa: PLC0415
            OTLPMetricExporter,
        )

        out = OTLPMetricExporter()
    provider = MeterProvider(
        [PeriodicExportingMetricReader(out)], resource=resource, shutdown_on_exit=False
    )
    ends.append(provider.shutdown)
    return provider.get_meter(NAMESPACE)


def _instruments(meter: Meter) -> dict[str, Callable[[float, Mapping[str, str]], None]]:
    found: dict[str, Callable[[float, Mapping[str, str]], None]] = {}
    for name, metric in METRICS.items():
        if metric.kind is Kind.COUNTER:
            found[name] = meter.create_counter(metric.otel, description=metric.help).add
        elif metric.kind is Kind.HISTOGRAM:
            found[name] = meter.create_histogram(
                metric.otel, unit="s", description=metric.help
            ).record
    return found


def _key(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
