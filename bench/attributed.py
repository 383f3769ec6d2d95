"""How much of the demo's telemetry finds its application, by what its senders say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.demo.filling import SIGNALS
from app.demo.generating import generated
from app.demo.places import workspace
from app.demo.world import Batch, World
from app.project import open_project
from bench.model import Bench, Result, Row, Run, expect
from collectors.joining import Joiner
from collectors.receive import OtlpDecoder
from collectors.signals import Signal
from slo.naming import TAGS

NOW_NS = 1_793_491_200 * 1_000_000_000
"""The end of the world, 2026-11-01; it began two days earlier."""

_SEED, _DAYS = 7, 2
_KUBERNETES = "k8s."
_NAMES = frozenset(name for tag in TAGS for name in (tag.otel, tag.ecs, tag.label) if name)
_FAMILIES = ("service.", "deployment.", "org.")
_REQUESTS: Mapping[Signal, tuple[Callable[[], Message], str]] = {
    Signal.LOGS: (ExportLogsServiceRequest, "resource_logs"),
    Signal.METRICS: (ExportMetricsServiceRequest, "resource_metrics"),
    Signal.SPANS: (ExportTraceServiceRequest, "resource_spans"),
}

Keeps = Callable[[str], bool]
"""Whether a sender still says a key of itself."""


def is_tag(key: str) -> bool:
    """Whether a key is one of our tags, or of the same family."""
    return key in _NAMES or key.startswith(_FAMILIES)


CASES: Mapping[str, Keeps] = {
    "our tags": lambda _: True,
    "Kubernetes data only": lambda key: not is_tag(key),
    "nothing": lambda key: not is_tag(key) and not key.startswith(_KUBERNETES),
}
"""What senders say of themselves, by name; the name of a host and the like are kept in each."""


def run(bench: Run) -> Result:
    """Decode the same two days once for each case, with a joiner that knows nothing yet."""
    catalog = open_project([], environment={}, workspace=str(workspace())).catalog
    world = World(seed=_SEED, now_ns=NOW_NS, days=_DAYS, scale=0.02 if bench.quick else 1.0)
    decoders = {case: OtlpDecoder(Joiner(catalog)) for case in CASES}
    total: Counter[Signal] = Counter()
    owned: Counter[tuple[str, Signal]] = Counter()
    placed: Counter[tuple[str, Signal]] = Counter()
    for number, batches in enumerate(generated(world), 1):
        for batch in batches:
            signal = SIGNALS[batch.path]
            total[signal] += batch.records
            for case, decoder in decoders.items():
                apps, environments = attributed(decoder, signal, batch, CASES[case])
                owned[case, signal] += apps
                placed[case, signal] += environments
        bench.tell(f"{number} of {world.steps} parts of {_DAYS} days")
    return Result(
        rows=[
            _row(case, signal, total[signal], owned[case, signal], placed[case, signal])
            for case in CASES
            for signal in _REQUESTS
        ]
    )


def attributed(decoder: OtlpDecoder, signal: Signal, batch: Batch, keeps: Keeps) -> tuple[int, int]:
    """How many records of a request get an application, and how many an environment.

    Raises ``FailedError`` when one is not taken.
    """
    decoded = decoder.decode(signal, stripped(signal, batch.body, keeps), at=batch.at)
    expect(batch.records, decoded.table.num_rows, f"{signal} records of a request")
    columns = (decoded.table.column(name) for name in ("app", "env"))
    apps, environments = (len(each) - each.null_count for each in columns)
    return apps, environments


def stripped(signal: Signal, body: bytes, keeps: Keeps) -> bytes:
    """A request whose senders say only what is kept."""
    request, field = _REQUESTS[signal]
    message = request()
    message.ParseFromString(body)
    for each in getattr(message, field):
        kept = [one for one in each.resource.attributes if keeps(one.key)]
        del each.resource.attributes[:]
        each.resource.attributes.extend(kept)
    return message.SerializeToString()


def _row(case: str, signal: Signal, every: int, found: int, placed: int) -> Row:
    return Row(
        bench="attributed",
        what=f"share of {signal} that is attributed, senders with {case}",
        value=100 * found / every,
        unit="%",
        figures=f"{found:,} of {every:,} records, {placed:,} with their environment",
    )


BENCH = Bench(
    name="attributed",
    about="the share of the demo's telemetry that finds its application, by what senders say",
    run=run,
)
