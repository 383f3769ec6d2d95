"""Headroom watching itself: counts for ``/metrics``, and traces and metrics by OpenTelemetry.

The counts are always there. The OpenTelemetry SDK is used only when the usual ``OTEL_*``
variables ask for an exporter; what is exported has ``service.namespace=headroom``.
"""

from __future__ import annotations

import secrets
import sys
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from threading import Lock, Thread
from typing import TYPE_CHECKING

from app.measures import BEGUN, METRICS, Kind
from slo.errors import UsageError
from slo.records import dataclass

if TYPE_CHECKING:
    import requests
    from opentelemetry.metrics import CallbackOptions, Meter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.trace import Span, Tracer

NAMESPACE = "headroom"

OWN_HEADER = "x-headroom-export"
"""What our own exports carry, so that a server that exports to itself knows them again."""

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SERVERS_FAULT = 500
_PATIENCE = 3.0
"""Seconds that the last export may take when the process ends."""


Labels = tuple[tuple[str, str], ...]


@dataclass(slots=True, kw_only=True)
class _Histogram:
    counts: list[int]
    total: float = 0.0


class Traced:
    """A span that is open, or none where nothing is exported."""

    def __init__(self, span: Span | None) -> None:
        self._span = span

    def answered(self, status: int) -> None:
        """Say with which status of HTTP it ends; what is the server's fault is an error."""
        if self._span is not None:
            from opentelemetry.trace import StatusCode  # noqa: PLC0415 - an extra

            self._span.set_attribute("http.response.status_code", status)
            if status >= _SERVERS_FAULT:
                self._span.set_status(StatusCode.ERROR)


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
        mark: str | None = None,
    ) -> None:
        self._mark = mark
        self._lock = Lock()
        self._counts: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, _Histogram]] = {}
        self._gauges: dict[str, Callable[[], float]] = {}
        self._parts: list[Callable[[], str]] = []
        self._tracer = tracer
        self._meter = meter
        self._shutdown = shutdown
        self._record = {} if meter is None else _instruments(meter)

    @property
    def exports(self) -> bool:
        """Whether anything leaves the process by OpenTelemetry."""
        return self._tracer is not None or self._meter is not None

    def begin(self) -> None:
        """Begin the counters of a server at 0."""
        for name, labels in BEGUN:
            self.count(name, 0, **labels)

    def is_own(self, headers: Mapping[str, str]) -> bool:
        """Whether a request is this process's own export, which nobody traces: it would never end.

        ``headers`` are by their names in lower case.
        """
        return self._mark is not None and headers.get(OWN_HEADER) == self._mark

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

    def join(self, part: Callable[[], str]) -> None:
        """Add to the exposition what somebody else writes: whole metrics that are not ours."""
        with self._lock:
            self._parts.append(part)

    @contextmanager
    def timed(self, name: str, **labels: str) -> Iterator[None]:
        """Measure a block into a histogram, as a span of the same name too."""
        began = time.perf_counter()
        try:
            with self.span(METRICS[name].otel.removesuffix(".duration"), labels):
                yield
        finally:
            self.observe(name, time.perf_counter() - began, **labels)

    def took(self, name: str, seconds: float, *, failed: bool, **labels: str) -> None:
        """Tell of something that has just ended, as ``timed`` does; it served somebody outside."""
        self.observe(name, seconds, **labels)
        if self._tracer is not None:
            from opentelemetry.context import Context  # noqa: PLC0415 - an extra
            from opentelemetry.trace import SpanKind, StatusCode  # noqa: PLC0415 - as above

            end = time.time_ns()
            span = self._tracer.start_span(
                METRICS[name].otel.removesuffix(".duration"),
                context=Context(),
                kind=SpanKind.SERVER,
                attributes=labels,
                start_time=end - int(seconds * 1e9),
            )
            if failed:
                span.set_status(StatusCode.ERROR)
            span.end(end)

    @contextmanager
    def span(
        self, name: str, attributes: Mapping[str, str], *, serving: bool = False
    ) -> Iterator[Traced]:
        """Trace a block, ``serving`` somebody outside; nothing happens without an exporter."""
        if self._tracer is None:
            yield Traced(None)
            return
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - an extra

        kind = SpanKind.SERVER if serving else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(name, kind=kind, attributes=attributes) as span:
            yield Traced(span)

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
            parts = list(self._parts)
        return "".join([*(f"{line}\n" for line in lines), *(part() for part in parts)])

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


def sample(name: str, labels: Mapping[str, str], value: float) -> str:
    """Write a line of the text format of Prometheus."""
    return f"{name}{_braces(tuple(labels.items()))} {_number(value)}"


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
    mark = secrets.token_hex(16)
    tracer = _tracer(resource, traces, mark, ends) if traces else None
    meter = _meter(resource, metrics, mark, ends) if metrics else None

    def shutdown() -> None:
        for end in ends:
            end()

    return Telemetry(tracer=tracer, meter=meter, shutdown=shutdown, mark=mark)


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


def _session(mark: str) -> requests.Session:
    """A session whose requests carry the mark; headers of ``OTEL_*`` variables stay."""
    import requests  # noqa: PLC0415 - with the extra

    session = requests.Session()
    session.headers[OWN_HEADER] = mark
    return session


def _tracer(resource: Resource, exporter: str, mark: str, ends: list[Callable[[], None]]) -> Tracer:
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

        out = OTLPSpanExporter(session=_session(mark))
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(out))
    ends.append(provider.shutdown)
    return provider.get_tracer(NAMESPACE)


def _meter(resource: Resource, exporter: str, mark: str, ends: list[Callable[[], None]]) -> Meter:
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

        out = OTLPMetricExporter(session=_session(mark))
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
                metric.otel,
                unit="s",
                description=metric.help,
                explicit_bucket_boundaries_advisory=_BOUNDS,
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
