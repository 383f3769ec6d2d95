"""Prometheus remote write 1.0 as rows; series keep the names and labels they were sent with.

Message layouts: ``prompb/remote.proto`` and ``prompb/types.proto`` of Prometheus. A stale marker
becomes a row without a value, the end of its series.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from google.protobuf.message import Message

from collectors.joining import Joiner, Known
from collectors.receive.batch import Batch, Memory, explained
from collectors.receive.decoded import Decoded, Refused
from collectors.receive.groups import columns_of
from collectors.receive.instants import EARLIEST, LATEST, checked
from collectors.receive.limits import Limits
from collectors.receive.metrics import COLUMNS, NOTHING, number_row
from collectors.receive.native_histograms import kind_of, numbers_of
from collectors.receive.series import digest_of, labels_text, with_app
from collectors.receive.values import dumps
from collectors.receive.wire import Tables, View, field, parse, views
from collectors.signals import Signal
from slo.records import dataclass

TABLES: Tables = {
    "WriteRequest": (
        field(1, "timeseries", "message", "TimeSeries", many=True),
        field(3, "metadata", "message", "MetricMetadata", many=True),
    ),
    "MetricMetadata": (field(1, "type", "int32"), field(2, "metric_family_name", "text")),
    "TimeSeries": (
        field(1, "labels", "raw", "Label", many=True),
        field(2, "samples", "message", "Sample", many=True),
        field(3, "exemplars", "message", "Exemplar", many=True),
        field(4, "histograms", "message", "Histogram", many=True),
    ),
    "Label": (field(1, "name", "text"), field(2, "value", "text")),
    "Sample": (field(1, "value", "double"), field(2, "timestamp", "int64")),
    "Exemplar": (
        field(1, "labels", "message", "Label", many=True),
        field(2, "value", "double"),
        field(3, "timestamp", "int64"),
    ),
    "Histogram": (
        field(1, "count_int", "uint64", one="count"),
        field(2, "count_float", "double", one="count"),
        field(3, "sum", "double"),
        field(4, "schema", "sint32"),
        field(5, "zero_threshold", "double"),
        field(6, "zero_count_int", "uint64", one="zero_count"),
        field(7, "zero_count_float", "double", one="zero_count"),
        field(8, "negative_spans", "message", "BucketSpan", many=True),
        field(9, "negative_deltas", "sint64", many=True),
        field(10, "negative_counts", "double", many=True),
        field(11, "positive_spans", "message", "BucketSpan", many=True),
        field(12, "positive_deltas", "sint64", many=True),
        field(13, "positive_counts", "double", many=True),
        field(14, "reset_hint", "int32"),
        field(15, "timestamp", "int64"),
        field(16, "custom_values", "double", many=True),
    ),
    "BucketSpan": (field(1, "offset", "sint32"), field(2, "length", "uint32")),
}

_STALE = struct.pack("<Q", 0x7FF0000000000002)
_MILLISECOND = 1_000_000
_MOST = 16_384
_MOST_LABELS = 33_554_432  # characters
_COUNTER, _GAUGE = "counter", "gauge"
_TYPES: Mapping[int, str] = {1: _COUNTER, 2: _GAUGE, 3: "histogram", 4: _GAUGE, 5: "summary"}
_PARTS = ("_bucket", "_count", "_sum", "_total")
_EXEMPLARS = COLUMNS.index("exemplars") + 1  # rows begin with their group's number
_SERIES = COLUMNS.index("series") + 1


@cache
def _classes() -> Mapping[str, type[Message]]:
    return views("headroom.prometheus", TABLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    name: str
    labels: str
    digest: int
    columns: tuple[str | None, ...]
    known: Known


class RemoteWriteDecoder:
    """Decodes remote write requests; keep one per thread, since it remembers what repeats.

    What a metric is, counter or gauge, is told by the metadata that Prometheus sends now and
    then, and until then by the name.
    """

    def __init__(self, joiner: Joiner, limits: Limits | None = None) -> None:
        self.limits = Limits() if limits is None else limits
        self._memory = Memory(joiner, self.limits)
        self._series: dict[tuple[bytes, ...], _Series] = {}
        self._types: dict[str, str] = {}
        self._held = 0

    def decode(self, body: bytes) -> Decoded:
        """Decode one request, already decompressed (``inflate`` with ``snappy``).

        Raises ``Refused``: 400 for a body that is no request, 413 for one of too many samples.
        """
        request = self._parsed(body)
        self._learn(request.metadata)
        batch = Batch(self._memory, at=0)
        exemplars: list[tuple[_Series, View]] = []
        for sent in request.timeseries:
            try:
                series = self._find(sent.labels)
            except ValueError as error:
                count = len(sent.samples) + len(sent.histograms) + len(sent.exemplars)
                batch.rejects.add(explained(error), count)
                continue
            self._add(batch, series, sent)
            exemplars += ((series, each) for each in sent.exemplars)
        if exemplars:
            _attach(batch, exemplars)
        return batch.decoded(Signal.METRICS, COLUMNS)

    def _parsed(self, body: bytes) -> View:
        request = parse(_classes()["WriteRequest"], body, "remote write request")
        count = sum(len(sent.samples) + len(sent.histograms) for sent in request.timeseries)
        if count > self.limits.records:
            raise Refused(413, f"a request may have {self.limits.records} samples at most")
        return request

    def _learn(self, metadata: Iterable[View]) -> None:
        for each in metadata:
            kind = _TYPES.get(each.type)
            family = each.metric_family_name.decode(errors="replace")
            if kind and len(family) <= self.limits.name:
                if len(self._types) >= _MOST:
                    self._types.clear()
                self._types[family] = kind

    def _find(self, raws: Iterable[bytes]) -> _Series:
        key = tuple(raws)
        found = self._series.get(key)
        if found is None:
            found = self._made(_labels(key, self.limits))
            self._held += len(found.labels)
            if self._held > _MOST_LABELS:
                self._series.clear()
                self._held = 0
            self._series[key] = found
        return found

    def _made(self, labels: dict[str, str]) -> _Series:
        name = labels.pop("__name__", "")
        if not name:
            raise ValueError("a series has no name")
        text = labels_text(with_app(labels, self._memory.joiner.app))
        return _Series(
            name=name,
            labels=text,
            digest=digest_of(name, text),
            columns=columns_of(labels, self.limits),
            known=self._memory.joiner.known(labels),
        )

    def _add(self, batch: Batch, series: _Series, sent: View) -> None:
        group = batch.labelled(series.known.join({}), series.columns)
        kind = self._kind(series.name) if sent.samples else ""
        for sample in sent.samples:
            try:
                numbers = _sample(sample.value, kind)
                batch.rows.append(_row(group, series, kind, sample.timestamp, numbers))
            except ValueError as error:
                batch.rejects.add(explained(error))
        for histogram in sent.histograms:
            try:
                stale = _is_stale(histogram.sum)
                numbers = NOTHING if stale else numbers_of(histogram, self.limits.buckets)
                kind = kind_of(histogram)
                batch.rows.append(_row(group, series, kind, histogram.timestamp, numbers))
            except ValueError as error:
                batch.rejects.add(explained(error))

    def _kind(self, name: str) -> str:
        known = self._types.get(name)
        if known in {_COUNTER, _GAUGE}:
            return known
        for part in _PARTS:
            if name.endswith(part):
                family = self._types.get(name.removesuffix(part))
                return _GAUGE if family == _GAUGE else _COUNTER
        return _GAUGE


def _labels(raws: Iterable[bytes], limits: Limits) -> dict[str, str]:
    label: Any = _classes()["Label"]
    found: dict[str, str] = {}
    for raw in raws:
        try:
            pair = label.FromString(raw)
        except Exception as error:
            raise ValueError("a label cannot be decoded") from error
        name, value = pair.name.decode(), pair.value.decode()
        if name in found:
            raise ValueError("a series has two labels of one name")
        if not name or len(name) > limits.name or len(value) > limits.value:
            raise ValueError("a label is too long or has no name")
        if value:  # an empty label is no label
            found[name] = value
    return found


def _row(
    group: int, series: _Series, kind: str, milliseconds: int, numbers: tuple[object, ...]
) -> tuple[object, ...]:
    time = milliseconds * _MILLISECOND
    if not EARLIEST <= time <= LATEST:
        _explain(milliseconds)
    return (
        group,
        time,
        series.name,
        None,
        kind,
        False,
        None,
        series.digest,
        series.labels,
        None,
        None,
        None,
        *numbers,
    )


def _explain(milliseconds: int) -> None:
    if milliseconds * _MILLISECOND > LATEST:
        checked(milliseconds * _MILLISECOND, "the time")
    raise ValueError("the time is not in milliseconds, or before 1973")


def _sample(value: float, kind: str) -> tuple[object, ...]:
    if math.isfinite(value):
        return number_row(value)
    if _is_stale(value):
        return NOTHING
    if kind == _COUNTER:
        raise ValueError("a counter is no finite number")
    return number_row(value)


def _is_stale(value: float) -> bool:
    return math.isnan(value) and struct.pack("<d", value) == _STALE


def _attach(batch: Batch, exemplars: Iterable[tuple[_Series, View]]) -> None:
    """Give each exemplar to the last row of its series in the same request."""
    last = {row[_SERIES]: place for place, row in enumerate(batch.rows)}
    found: dict[int, list[object]] = {}
    for series, each in exemplars:
        place = last.get(series.digest)
        time = each.timestamp * _MILLISECOND
        if place is None or not EARLIEST <= time <= LATEST or not math.isfinite(each.value):
            batch.rejects.add("an exemplar comes without a sample of its series")
            continue
        labels = {
            pair.name.decode(errors="replace"): pair.value.decode(errors="replace")
            for pair in each.labels
        }
        said = {
            "time": time,
            "value": each.value,
            "traceId": labels.get("trace_id") or labels.get("traceID"),
            "spanId": labels.get("span_id") or labels.get("spanID"),
        }
        kept = {key: part for key, part in said.items() if part is not None}
        found.setdefault(place, []).append(kept)
    for place, said_of_row in found.items():
        row = batch.rows[place]
        batch.rows[place] = (*row[:_EXEMPLARS], dumps(said_of_row), *row[_EXEMPLARS + 1 :])
