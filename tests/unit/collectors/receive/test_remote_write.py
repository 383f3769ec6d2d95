"""Remote write: series as they were sent, ends of series, native histograms, exemplars."""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import pytest

from collectors.joining import Joiner
from collectors.receive import Decoded, Refused, RemoteWriteDecoder
from collectors.receive.remote_write import TABLES
from collectors.receive.series import digest_of
from collectors.receive.wire import views
from tests.unit.collectors.joining.catalogs import AIRLINE

MS = 1_800_000_000_000
NS = MS * 1_000_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
PROM: Mapping[str, Any] = views("test.prometheus", TABLES)


def labels(**values: str) -> list[bytes]:
    return [
        PROM["Label"](name=name.encode(), value=value.encode()).SerializeToString()
        for name, value in values.items()
    ]


def series(name: str, *samples: float, **more: Any) -> Any:
    """A series with a sample each second; further keywords are labels or fields."""
    fields = {key: more.pop(key) for key in ("exemplars", "histograms") if key in more}
    return PROM["TimeSeries"](
        labels=labels(__name__=name, **more),
        samples=[
            PROM["Sample"](value=value, timestamp=MS + 1000 * place)
            for place, value in enumerate(samples)
        ],
        **fields,
    )


def body(*sent: Any, **metadata: int) -> bytes:
    families = [
        PROM["MetricMetadata"](type=kind, metric_family_name=name.encode())
        for name, kind in metadata.items()
    ]
    written: bytes = PROM["WriteRequest"](timeseries=sent, metadata=families).SerializeToString()
    return written


def decoded(*sent: Any, **metadata: int) -> Decoded:
    return RemoteWriteDecoder(Joiner(AIRLINE)).decode(body(*sent, **metadata))


def test_a_series_keeps_its_name_and_labels() -> None:
    sent = series("http_requests_total", 1.0, 2.5, job="api", app="ticketing", env="prod", pod="p")
    first, second = decoded(sent).table.to_pylist()
    text = '{"app":"ticketing","env":"prod","job":"api","pod":"p"}'
    expected = {
        "time": NS,
        "name": "http_requests_total",
        "labels": text,
        "series": digest_of("http_requests_total", text),
        "kind": "counter",
        "value": 1.0,
        "app": "ticketing",
        "env": "prod",
        "rung": 1,
        "pod": "p",
        "otel_name": None,
        "resource": None,
    }
    assert expected == {key: first[key] for key in expected}
    assert (NS + 10**9, 2.5) == (second["time"], second["value"])


def test_a_stale_marker_ends_its_series() -> None:
    values = decoded(series("up", 1.0, STALE, math.nan)).table["value"]
    assert [True, False, True] == [each.is_valid for each in values]
    assert math.isnan(values[2].as_py())


def test_a_counter_that_is_no_number_is_rejected() -> None:
    found = decoded(series("a_total", math.nan, 1.0, STALE))
    assert (2, 1) == (found.table.num_rows, found.rejected)


def test_metadata_tells_counters_from_gauges_and_is_remembered() -> None:
    """Until it comes the name does; a gauge may be called a sum."""
    one = RemoteWriteDecoder(Joiner(AIRLINE))
    before = one.decode(body(series("seats_sum", 1.0), series("odd", 1.0))).table["kind"]
    one.decode(body(seats_sum=2, odd=1))
    after = one.decode(body(series("seats_sum", 1.0), series("odd", 1.0))).table["kind"]
    assert (["counter", "gauge"], ["gauge", "counter"]) == (before.to_pylist(), after.to_pylist())


def histogram(**fields: Any) -> Any:
    given = {
        "count_int": 10,
        "sum": 4.5,
        "schema": 0,
        "zero_threshold": 1e-128,
        "zero_count_int": 1,
        "positive_spans": [
            PROM["BucketSpan"](offset=-1, length=2),
            PROM["BucketSpan"](offset=2, length=1),
        ],
        "positive_deltas": [2, 1, -1],
        "negative_spans": [PROM["BucketSpan"](offset=3, length=1)],
        "negative_deltas": [2],
        "timestamp": MS,
        **fields,
    }
    return series("latency", histograms=[PROM["Histogram"](**given)])


def test_a_native_histogram_is_an_exponential_one() -> None:
    """Prometheus numbers a bucket by its upper bound, OpenTelemetry by its lower one."""
    (row,) = decoded(histogram()).table.to_pylist()
    expected = {
        "kind": "exponential",
        "count": 10,
        "sum": 4.5,
        "scale": 0,
        "zero_count": 1,
        "zero_threshold": 1e-128,
        "positive_offset": -2,
        "positive": [2, 3, 0, 0, 2],
        "negative_offset": 2,
        "negative": [2],
        "value": None,
    }
    assert expected == {key: row[key] for key in expected}


def test_custom_buckets_are_a_classic_histogram() -> None:
    sent = histogram(
        schema=-53,
        custom_values=[0.1, 0.5],
        positive_spans=[PROM["BucketSpan"](offset=0, length=3)],
        positive_deltas=[4, -1, 0],
        negative_spans=[],
        negative_deltas=[],
        zero_count_int=0,
    )
    (row,) = decoded(sent).table.to_pylist()
    expected = ("histogram", [0.1, 0.5], [4, 3, 3])
    assert expected == (row["kind"], row["bounds"], row["buckets"])


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"positive_spans": [PROM["BucketSpan"](offset=0, length=2**31)]}, "more than 4096"),
        (
            {
                "positive_spans": [
                    PROM["BucketSpan"](offset=0, length=1),
                    PROM["BucketSpan"](offset=2**31 - 1, length=2),
                ]
            },
            "more than 4096",
        ),
        ({"positive_deltas": [1]}, "do not fit"),
        ({"positive_deltas": [1, -2, 1]}, "no whole number"),
        ({"count_float": 1.5}, "no whole number"),
        ({"count_int": 3}, "more than its count"),
        ({"reset_hint": 3}, "gauge histogram"),
        ({"schema": 12}, "unknown schema"),
    ],
)
def test_a_histogram_that_cannot_be_held_is_rejected(fields: dict[str, Any], reason: str) -> None:
    found = decoded(histogram(**fields), series("up", 1.0))
    assert (1, 1) == (found.table.num_rows, found.rejected)
    assert reason in found.reason


def test_a_stale_histogram_ends_its_series() -> None:
    (row,) = decoded(histogram(sum=STALE)).table.to_pylist()
    assert (None, None, "exponential") == (row["count"], row["sum"], row["kind"])


def exemplar(value: float) -> Any:
    trace = PROM["Label"](name=b"trace_id", value=b"ab" * 16)
    return PROM["Exemplar"](value=value, timestamp=MS, labels=[trace])


def test_an_exemplar_goes_to_its_series_row() -> None:
    """Prometheus sends it as an entry of its own."""
    entry = series("latency_bucket", le="1", exemplars=[exemplar(0.5)])
    (row,) = decoded(series("latency_bucket", 3.0, le="1"), entry).table.to_pylist()
    expected = [{"time": NS, "value": 0.5, "traceId": "ab" * 16}]
    assert expected == json.loads(row["exemplars"])
    lonely = decoded(entry)
    assert (0, 1) == (lonely.table.num_rows, lonely.rejected)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (PROM["TimeSeries"](labels=labels(job="x"), samples=[PROM["Sample"]()]), "no name"),
        (
            PROM["TimeSeries"](labels=labels(__name__="a") * 2, samples=[PROM["Sample"]()]),
            "two labels",
        ),
        (PROM["TimeSeries"](labels=[b"\xff"], samples=[PROM["Sample"]()]), "cannot be decoded"),
        (series("a", 1.0, long="x" * 10_000), "too long"),
        (
            PROM["TimeSeries"](
                labels=labels(__name__="a"), samples=[PROM["Sample"](timestamp=MS // 1000)]
            ),
            "not in milliseconds",
        ),
        (
            PROM["TimeSeries"](
                labels=labels(__name__="a"), samples=[PROM["Sample"](timestamp=253402300799000)]
            ),
            "after April 2262",
        ),
    ],
)
def test_a_series_that_cannot_be_one_is_rejected_alone(sent: Any, reason: str) -> None:
    found = decoded(sent, series("up", 1.0))
    assert (1, 1) == (found.table.num_rows, found.rejected)
    assert reason in found.reason


def test_a_body_that_is_no_request_is_refused() -> None:
    with pytest.raises(Refused, match="no protobuf") as raised:
        RemoteWriteDecoder(Joiner(AIRLINE)).decode(b"\xff" * 20)
    assert 400 == raised.value.status
