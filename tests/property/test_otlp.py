"""OTLP in protobuf and in JSON: the same message gives the same table."""

import contextlib
import json
import math
from typing import Any

from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from collectors.receive import Content, Refused
from collectors.signals import SCHEMAS, Signal
from tests.unit.collectors.receive.requests import (
    AT,
    as_json,
    attributes,
    decoder,
    log,
    logs,
    metrics,
    signal_of,
    span,
    spans,
)

LONG = st.integers(-(2**63), 2**63 - 1)
TIMES = st.one_of(st.integers(0, 2**64 - 1), st.integers(AT, AT + 10**12))
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), LONG, st.floats(), st.text(max_size=20), st.binary(max_size=9)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.one_of(
    st.sampled_from(["app", "env", "http.route", "db.system", "server.address", "SampleRate"]),
    st.text(max_size=8),
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=5)
RESOURCES = st.one_of(
    st.just({"service.namespace": "ticketing", "deployment.environment.name": "prod"}), ATTRIBUTES
)
TRACES = st.one_of(st.binary(min_size=16, max_size=16), st.sampled_from([b"", b"\x01" * 3]))
IDS = st.one_of(st.binary(min_size=8, max_size=8), st.sampled_from([b"", b"\x01" * 3]))
DOUBLES = st.floats(allow_nan=True, allow_infinity=True)

LOGS = st.builds(
    log,
    time_unix_nano=TIMES,
    observed_time_unix_nano=TIMES,
    severity_number=st.integers(0, 24),
    severity_text=st.sampled_from(["", "warn", "Error", "?"]),
    body=VALUES,
    attributes=ATTRIBUTES,
    flags=st.integers(0, 2**32 - 1),
    trace_id=TRACES,
    span_id=IDS,
    event_name=st.text(max_size=5),
)
EVENTS = st.builds(
    lambda time, name, values: Span.Event(
        time_unix_nano=time, name=name, attributes=attributes(values)
    ),
    TIMES,
    st.text(max_size=5),
    ATTRIBUTES,
)
SPANS = st.builds(
    span,
    trace_id=TRACES,
    span_id=IDS,
    parent_span_id=IDS,
    trace_state=st.sampled_from(["", "ot=th:c", "a=b"]),
    name=st.text(max_size=9),
    kind=st.integers(0, 5),
    attributes=ATTRIBUTES,
    events=st.lists(EVENTS, max_size=2),
    status=st.builds(Status, code=st.integers(0, 2), message=st.text(max_size=5)),
)
EXEMPLARS = st.builds(Exemplar, time_unix_nano=TIMES, as_double=DOUBLES, trace_id=TRACES)
NUMBERS = st.builds(
    lambda number, values, **more: NumberDataPoint(**number, attributes=attributes(values), **more),
    st.one_of(
        st.builds(lambda value: {"as_int": value}, LONG),
        st.builds(lambda value: {"as_double": value}, DOUBLES),
        st.just({}),
    ),
    ATTRIBUTES,
    time_unix_nano=TIMES,
    start_time_unix_nano=TIMES,
    flags=st.integers(0, 1),
    exemplars=st.lists(EXEMPLARS, max_size=2),
)
COUNTS = st.lists(st.integers(0, 100), max_size=4)
HISTOGRAMS = st.builds(
    lambda counts, bounds, **more: HistogramDataPoint(
        bucket_counts=counts, explicit_bounds=sorted(bounds), count=sum(counts), **more
    ),
    COUNTS,
    st.lists(DOUBLES.filter(lambda each: not math.isnan(each)), max_size=3),
    time_unix_nano=TIMES,
    sum=DOUBLES,
)
EXPONENTIALS = st.builds(
    lambda counts, offset, **more: ExponentialHistogramDataPoint(
        positive=ExponentialHistogramDataPoint.Buckets(offset=offset, bucket_counts=counts),
        count=sum(counts),
        **more,
    ),
    COUNTS,
    st.integers(-(2**31), 2**31 - 1),
    time_unix_nano=TIMES,
    scale=st.integers(-10, 20),
)
TEMPORALITY = st.integers(0, 2)
DATA = st.one_of(
    st.builds(lambda points: {"gauge": Gauge(data_points=points)}, st.lists(NUMBERS, max_size=3)),
    st.builds(
        lambda points, monotonic, kind: {
            "sum": Sum(data_points=points, is_monotonic=monotonic, aggregation_temporality=kind)
        },
        st.lists(NUMBERS, max_size=3),
        st.booleans(),
        TEMPORALITY,
    ),
    st.builds(
        lambda points, kind: {
            "histogram": Histogram(data_points=points, aggregation_temporality=kind)
        },
        st.lists(HISTOGRAMS, max_size=2),
        TEMPORALITY,
    ),
    st.builds(
        lambda points, kind: {
            "exponential_histogram": ExponentialHistogram(
                data_points=points, aggregation_temporality=kind
            )
        },
        st.lists(EXPONENTIALS, max_size=2),
        TEMPORALITY,
    ),
)
METRICS = st.builds(
    lambda name, unit, data: Metric(name=name, unit=unit, **data),
    st.text(max_size=8),
    st.sampled_from(["", "1", "s", "By/s", "{x}"]),
    DATA,
)


def check(request: Message) -> None:
    """Decode a request in both formats, names in both styles, and compare all that is known."""
    signal = signal_of(request)
    binary = decoder().decode(signal, request.SerializeToString(), at=AT)
    for written in (as_json(request), _snake(as_json(request))):
        text = decoder().decode(signal, json.dumps(written).encode(), at=AT, content=Content.JSON)
        assert binary.rejected == text.rejected
        assert binary.reason == text.reason
        assert _comparable(binary.table.to_pylist()) == _comparable(text.table.to_pylist())


def _comparable(rows: list[dict[str, Any]]) -> str:
    """Text, since a NaN is no equal of itself."""
    return repr(rows)


def _snake(value: Any) -> Any:
    """Write the names of fields in snake_case; attributes' keys are values and stay."""
    if isinstance(value, list):
        return [_snake(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key): _snake(
            part
        )
        for key, part in value.items()
    }


@given(st.lists(LOGS, max_size=3), RESOURCES)
@settings(max_examples=60)
def test_log_records_are_equal(records: list[Any], resource: dict[str, Any]) -> None:
    check(logs(*records, resource=resource))


@given(st.lists(SPANS, max_size=3), RESOURCES)
@settings(max_examples=60)
def test_spans_are_equal(sent: list[Any], resource: dict[str, Any]) -> None:
    check(spans(*sent, resource=resource))


@given(st.lists(METRICS, max_size=3), RESOURCES)
@settings(max_examples=60)
def test_data_points_are_equal(sent: list[Any], resource: dict[str, Any]) -> None:
    check(metrics(*sent, resource=resource))


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_any_bytes_are_a_table_or_a_refusal(body: bytes) -> None:
    """Nothing else is raised for what strangers send."""
    for signal in (Signal.LOGS, Signal.SPANS, Signal.METRICS):
        for content in Content:
            with contextlib.suppress(Refused):
                found = decoder().decode(signal, body, at=AT, content=content)
                assert found.table.schema == SCHEMAS[signal]
