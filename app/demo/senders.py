"""Pods that send through the OpenTelemetry SDK, as programs do that are instrumented with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, TraceState
from opentelemetry.util.types import Attributes

from app.demo import operations
from app.demo.airline import BOUNDS, CLUSTERS, OUTCOMES, PROBED, SERVICES, TOPIC, Route
from app.demo.infrastructure import MEMORY, probe_attributes
from app.demo.logs import ERROR, INFO, LEVELS, request_line
from app.demo.messages import Words
from app.demo.metrics import NAME
from app.demo.operations import Operation, request_attributes
from app.demo.sampling import Rate
from app.demo.timeline import MINUTE, Pod, pod
from app.demo.traffic import BAD, Outcome, status_of

_POWER = 3
_EVERY_MS = 15_000
_SECOND = 1_000_000_000
_RANDOMNESS = (1 << 56) - 1


class _Consistent(Sampler):
    """Keeps one trace in eight and says so in the trace state, as in the history."""

    def __init__(self) -> None:
        rate = Rate(power=_POWER)
        vendor, _, state = rate.state.partition("=")
        self._threshold = rate.threshold
        self._state = TraceState([(vendor, state)])

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Keep a trace by the last seven bytes of its id."""
        del parent_context, name, kind, links, trace_state
        if trace_id & _RANDOMNESS < self._threshold:
            return SamplingResult(Decision.DROP)
        return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes, self._state)

    def get_description(self) -> str:
        """Name the sampler."""
        return "consistent probability 1/8"


class Sender:
    """One pod with its tracer, meter and logger; ``close`` sends what is left."""

    def __init__(self, own: Pod, url: str, random: np.random.Generator) -> None:
        self.pod = own
        self._random = random
        resource = Resource.create(own.attributes())
        self._tracers = TracerProvider(resource=resource, sampler=ParentBased(_Consistent()))
        self._tracers.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces"), schedule_delay_millis=2_000)
        )
        self._meters = meter_provider(resource, url)
        self._loggers = logger_provider(resource, url)
        scope = f"airline.{own.service.name}"
        self.tracer = self._tracers.get_tracer(scope)
        self._logger = self._loggers.get_logger(scope)
        meter = self._meters.get_meter(scope)
        self._durations = meter.create_histogram(
            NAME, unit="s", explicit_bucket_boundaries_advisory=BOUNDS
        )
        if own.service.consumes is not None:
            said = {"messaging.destination.name": TOPIC}
            meter.create_observable_gauge(
                "kafka.consumer.records_lag_max",
                [lambda _: [Observation(int(random.poisson(14)), said)]],
                unit="{record}",
            )

        meter.create_observable_gauge(
            MEMORY, [lambda _: [Observation(round(random.normal(2.3e8, 4e6)))]], unit="By"
        )
        if own.service.idle_counter is not None:
            idle = meter.create_counter(own.service.idle_counter)
            for outcome in OUTCOMES:
                idle.add(0, {"outcome": outcome})

    def record(self, route: Route, status: int, seconds: float, context: Context) -> None:
        """Count a request."""
        self._durations.record(seconds, request_attributes(route, status), context)

    def log(self, severity: int, body: str, said: Attributes, at: int, context: Context) -> None:
        """Write a log record."""
        self._logger.emit(
            timestamp=at,
            observed_timestamp=at,
            context=context,
            severity_number=SeverityNumber(severity),
            severity_text=LEVELS[severity],
            body=body,
            attributes=said,
        )

    def answer(self, route: Route, outcome: Outcome, end: int, seconds: float) -> Answer:
        """Answer a request that ended at a Unix time in nanoseconds."""
        return Answer(self, route, outcome, end, seconds, Words(self._random, 1))

    def close(self) -> None:
        """Send what is left and stop."""
        self._meters.shutdown()
        self._tracers.shutdown()
        self._loggers.shutdown()


class Answer:
    """A request as it is answered, with its span open until ``end`` is called."""

    def __init__(
        self, sender: Sender, route: Route, outcome: Outcome, end: int, seconds: float, words: Words
    ) -> None:
        self._sender = sender
        self._route = route
        self._outcome = outcome
        self._status = status_of(route, outcome)
        self._end = end
        self._seconds = seconds
        self._words = words
        self._start = end - int(seconds * _SECOND)
        service = sender.pod.service
        operation = operations.server(service, route, outcome, self._status)
        self._span = _open(sender, operation, self._start, Context())
        self._context = trace.set_span_in_context(self._span, Context())
        self._error = operation.error
        if route.query is not None:
            self._part(operations.query(service, route.query), 0.06, 0.36)
        if outcome is Outcome.DEFECT:
            self._part(operations.fare_rules(), 0.5, 0.5)
        if route.partner is not None:
            self._part(operations.partner(route.partner, outcome), 0.48, 0.38)

    def call(self, target: Sender, route: Route) -> None:
        """Ask another service."""
        begun, done = self._times(0.48, 0.38)
        service = target.pod.service
        span = _open(self._sender, operations.call(service, route), begun, self._context)
        context = trace.set_span_in_context(span, Context())
        answered = operations.server(service, route, Outcome.OK, route.status)
        inner = _open(target, answered, begun, context)
        within = trace.set_span_in_context(inner, Context())
        if route.query is not None:
            read = _open(target, operations.query(service, route.query), begun, within)
            read.end((begun + done) // 2)
        target.record(route, route.status, (done - begun) / _SECOND, within)
        inner.end(done)
        span.end(done)

    def publish(self, topic: str, consumer: Sender) -> None:
        """Send a message that another service processes."""
        begun, done = self._times(0.9, 0.03)
        sent = _open(
            self._sender, operations.message(topic, operations.PRODUCER), begun, self._context
        )
        context = trace.set_span_in_context(sent, Context())
        processed = operations.message(topic, operations.CONSUMER)
        _open(consumer, processed, done, context).end(done + _SECOND // 40)
        sent.end(done)

    @property
    def status(self) -> int:
        """What is answered, as HTTP has it."""
        return self._status

    def end(self) -> None:
        """Count the request, log it where the history would, and end its span."""
        sender = self._sender
        sender.record(self._route, self._status, self._seconds, self._context)
        bad = self._outcome in BAD
        if bad or self._span.is_recording():
            line = request_line(sender.pod.service, self._route, self._outcome, self._status)
            body = line(self._words, 0, int(self._seconds * 1000))
            said = request_attributes(self._route, self._status)
            sender.log(ERROR if bad else INFO, body, said, self._end, self._context)
        if self._error is not None:
            _fail(self._span, self._error, self._end)
        self._span.end(self._end)

    def _part(self, operation: Operation, begins: float, lasts: float) -> None:
        begun, done = self._times(begins, lasts)
        span = _open(self._sender, operation, begun, self._context)
        if operation.error is not None:
            _fail(span, operation.error, done)
        span.end(done)

    def _times(self, begins: float, lasts: float) -> tuple[int, int]:
        length = self._end - self._start
        begun = self._start + int(begins * length)
        return begun, begun + int(lasts * length)


class Probe:
    """The probe of check-in's page from one cluster."""

    def __init__(self, cluster: str, url: str) -> None:
        self._meters = meter_provider(Resource.create(probe_attributes(cluster)), url)
        said = {"target": PROBED}
        self._meters.get_meter("blackbox").create_observable_gauge(
            "probe.success", [lambda _: [Observation(1, said)]]
        )

    def close(self) -> None:
        """Send what is left and stop."""
        self._meters.shutdown()


def senders(url: str, began_ns: int, random: np.random.Generator) -> tuple[Sender, ...]:
    """Start one pod of each service in each cluster, of its newest version."""
    since = began_ns // MINUTE
    return tuple(
        Sender(pod(service, cluster, 0, service.releases[-1].version, since), url, random)
        for service in SERVICES
        for cluster in CLUSTERS
    )


def logger_provider(resource: Resource, url: str) -> LoggerProvider:
    """What sends a sender's log records, every two seconds."""
    made = LoggerProvider(resource=resource)
    exporter = OTLPLogExporter(f"{url}/v1/logs")
    made.add_log_record_processor(BatchLogRecordProcessor(exporter, schedule_delay_millis=2_000))
    return made


def meter_provider(resource: Resource, url: str) -> MeterProvider:
    """What sends a sender's metrics, every 15 seconds."""
    exporter = OTLPMetricExporter(f"{url}/v1/metrics")
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=_EVERY_MS)
    return MeterProvider(metric_readers=[reader], resource=resource)


def _open(sender: Sender, operation: Operation, start: int, context: Context) -> Span:
    return sender.tracer.start_span(
        operation.name,
        context=context,
        kind=_KINDS[operation.kind],
        attributes=dict(operation.attributes),
        start_time=start,
    )


def _fail(span: Span, error: str, at: int) -> None:
    kind = error.partition(":")[0]
    said = {"exception.type": kind, "exception.message": error}
    span.add_event("exception", said, timestamp=at)
    span.set_status(StatusCode.ERROR, error)


_KINDS: Mapping[int, SpanKind] = {
    operations.INTERNAL: SpanKind.INTERNAL,
    operations.SERVER: SpanKind.SERVER,
    operations.CLIENT: SpanKind.CLIENT,
    operations.PRODUCER: SpanKind.PRODUCER,
    operations.CONSUMER: SpanKind.CONSUMER,
}
