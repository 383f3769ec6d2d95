"""The points of a request column by column: numbers and histograms with bounds.

As with logs, what needs a closer look is told by a ``ValueError``: the request is then read row by
row. That is so for exponential histograms and summaries, for points that say they have no value,
and for all that must be rejected. Both ways make the same rows, here sorted by kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collectors.receive.batch import Batch
from collectors.receive.columnar import (
    Numbers,
    Request,
    Run,
    bytes_of,
    read,
    require_few,
    signed,
    span_of,
)
from collectors.receive.groups import Columns
from collectors.receive.instants import EARLIEST
from collectors.receive.metrics import (
    COLUMNS,
    DATA,
    NO_VALUE,
    Exemplar,
    Metric,
    described,
    exemplars_text,
)
from collectors.receive.series import Series
from collectors.signals import SCHEMAS, Signal
from slo.records import dataclass

_LISTS = ("resource_metrics", "scope_metrics", "metrics")
_KINDS = ("gauge", "sum", "histogram")
_SCHEMA = SCHEMAS[Signal.METRICS]
_EXACT = 2**53

Arrays = dict[str, "pa.Array[Any]"]


def metric_columns(batch: Batch, body: bytes) -> Columns | None:
    """Read all points of an encoded request, None when there is none.

    Raises ``ValueError`` when one must be looked at or rejected, ``Refused`` (413) for too many.
    """
    request = read(batch, "Metrics", body, _LISTS)
    if not request.runs:
        return None
    metrics = _metrics(batch, request)
    runs = [run for run in request.runs for _ in range(run.count)]
    parts = []
    count = 0
    for kind in _KINDS:
        lists = request.part(kind, "data_points")
        points = lists.flatten()
        count += len(points)
        require_few(batch, count)
        if len(points):
            owners = np.repeat(np.arange(len(lists)), np.diff(lists.offsets.to_numpy()))
            read_part = _Part(batch=batch, points=points, owners=owners, metrics=metrics, runs=runs)
            parts.append(
                read_part.of_histograms() if kind == "histogram" else read_part.of_numbers()
            )
    return _joined(parts) if parts else None


def _metrics(batch: Batch, request: Request) -> Sequence[Metric | None]:
    """What each metric's points have in common, None for one that has no points of any kind."""
    there = {kind: _is_there(request.column(kind)) for kind in DATA}
    if any(np.any(there[kind]) for kind in DATA if kind not in _KINDS):
        raise ValueError("there are points that are read one by one")
    if np.any(np.sum(list(there.values()), axis=0) > 1):
        raise ValueError("a metric has points of two kinds")
    monotonic = request.part("sum", "is_monotonic").to_pylist()
    temporality = {
        kind: request.part(kind, "aggregation_temporality").to_pylist()
        for kind in ("sum", "histogram")
    }
    names = bytes_of(request.column("name"))
    units = bytes_of(request.column("unit"))
    found: list[Metric | None] = []
    for place, (name, unit) in enumerate(zip(names, units, strict=True)):
        kind = next((kind for kind in there if there[kind][place]), None)
        if kind is None:
            found.append(None)
            continue
        said = temporality[kind][place] if kind in temporality else None
        rising = kind == "sum" and bool(monotonic[place])
        found.append(described(batch.limits, name, unit, kind, temporality=said, monotonic=rising))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """The points of one kind; ``owners`` has the place of the metric of each."""

    batch: Batch
    points: Any
    owners: Numbers
    metrics: Sequence[Metric | None]
    runs: Sequence[Run]

    def of_numbers(self) -> Columns:
        """Read points of gauges and sums."""
        doubles, integers = self.points.field("as_double"), self.points.field("as_int")
        given = _is_there(doubles)
        whole = _is_there(integers)
        if (given == whole).any():
            raise ValueError("a point has no value, or two")
        values = np.where(
            given,
            doubles.fill_null(0.0).to_numpy(),
            integers.fill_null(0).to_numpy().astype(np.float64),
        )
        counters = np.array([each is not None and each.kind == "counter" for each in self.metrics])
        counted = values[counters[self.owners]]
        if not ((counted >= 0) & (counted < np.inf)).all():
            raise ValueError("a counter is negative or no finite number")
        return self._columns({"value": pa.array(values)})

    def of_histograms(self) -> Columns:
        """Read points of histograms with bounds."""
        counts = signed(self.points.field("count"))
        bounds, buckets = self.points.field("explicit_bounds"), self.points.field("bucket_counts")
        many = np.diff(buckets.offsets.to_numpy())
        self._check_bounds(bounds, many)
        flat = buckets.flatten().to_numpy()
        if len(flat) and flat.max() >= _EXACT:
            raise ValueError("buckets are very full")
        sums = np.concatenate(([0], np.cumsum(flat.astype(np.int64))))
        places = buckets.offsets.to_numpy() - buckets.offsets[0].as_py()
        if ((sums[places[1:]] - sums[places[:-1]] != counts) & (many > 0)).any():
            raise ValueError("a histogram's buckets do not add up to its count")
        missing = pa.array(many == 0)
        return self._columns(
            {
                "count": pa.array(counts),
                **{name: self._known(name) for name in ("sum", "min", "max")},
                "bounds": _lists(bounds, bounds.flatten(), missing),
                "buckets": _lists(buckets, pa.array(flat.astype(np.int64)), missing),
            }
        )

    def _check_bounds(self, bounds: Any, many: Numbers) -> None:
        lengths = np.diff(bounds.offsets.to_numpy())
        if many.max(initial=0) > self.batch.limits.buckets:
            raise ValueError("a histogram has too many buckets")
        if ((many > 0) & (many != lengths + 1)).any():
            raise ValueError("a histogram does not have one bucket more than bounds")
        flat = bounds.flatten().to_numpy()
        rows = np.repeat(np.arange(len(lengths)), lengths)
        same = rows[1:] == rows[:-1]
        if not np.isfinite(flat).all() or not (flat[1:] > flat[:-1])[same].all():
            raise ValueError("a histogram's bounds are not finite or do not grow")

    def _known(self, name: str) -> pa.Array[Any]:
        """A number that may be missing; what is no number is missing as well."""
        found = self.points.field(name)
        known = _is_there(found)
        values = found.fill_null(np.nan).to_numpy()
        numbers: pa.Array[Any] = pa.array(values, mask=~known | np.isnan(values))
        return numbers

    def _columns(self, numbers: Arrays) -> Columns:
        if np.any(self.points.field("flags").to_numpy() & NO_VALUE):
            raise ValueError("a point says that it has no value")
        times, starts = (
            signed(self.points.field(name)) for name in ("time_unix_nano", "start_time_unix_nano")
        )
        if times.min() < EARLIEST or ((starts != 0) & (starts < EARLIEST)).any():
            raise ValueError("a time is none")
        codes, found = self._series()
        groups = [
            self.batch.group_of_series(series, run.source, run.scope) for series, run in found
        ]
        series = [each for each, _ in found]
        arrays: Arrays = {
            "time": pa.array(times),
            "start": pa.array(starts, mask=starts == 0),
            **self._of_metrics(),
            "series": _spread("series", [each.digest for each in series], codes),
            "labels": _spread("labels", [each.labels for each in series], codes),
            "attributes": _spread("attributes", [each.attributes for each in series], codes),
            "exemplars": self._exemplars(),
            **numbers,
        }
        return Columns(groups=np.array(groups, np.int32)[codes], arrays=arrays)

    def _of_metrics(self) -> Arrays:
        def column(name: str) -> pa.Array[Any]:
            values = [None if each is None else getattr(each, name) for each in self.metrics]
            return _spread(name, values, self.owners)

        return {name: column(name) for name in ("name", "otel_name", "kind", "delta", "unit")}

    def _series(self) -> tuple[Numbers, list[tuple[Series, Run]]]:
        """The number of each point's series, and the series by number."""
        attributes = self.points.field("attributes")
        flat = attributes.flatten()
        starts, data = span_of(flat)
        raw, lengths = data.tobytes(), np.diff(starts)
        # Where one attribute ends is not told by its bytes, so lengths are part of the key.
        sizes, width = lengths.tobytes(), lengths.itemsize
        firsts = (attributes.offsets.to_numpy() - attributes.offsets[0].as_py()).tolist()
        places = starts[firsts].tolist()
        known: dict[tuple[int, str, bytes, bytes], int] = {}
        found: list[tuple[Series, Run]] = []
        codes = np.empty(len(self.points), np.int64)
        sent: list[bytes] | None = None
        book = self.batch.memory.book
        for point, owner in enumerate(self.owners.tolist()):
            metric, run = self.metrics[owner], self.runs[owner]
            assert metric is not None, "its points were found"
            first, last = firsts[point], firsts[point + 1]
            key = (
                id(run),
                metric.name,
                raw[places[point] : places[point + 1]],
                sizes[first * width : last * width],
            )
            code = known.get(key)
            if code is None:
                sent = bytes_of(flat) if sent is None else sent
                code = known[key] = len(found)
                found.append((book.series(run.source, metric.name, sent[first:last]), run))
            codes[point] = code
        return codes, found

    def _exemplars(self) -> pa.Array[Any]:
        lists = self.points.field("exemplars")
        places = lists.offsets.to_numpy() - lists.offsets[0].as_py()
        found: list[str | None] = [None] * len(lists)
        told = np.flatnonzero(np.diff(places))
        if len(told):
            sent = lists.flatten().to_pylist()
            for point in told.tolist():
                found[point] = exemplars_text(
                    map(_exemplar, sent[places[point] : places[point + 1]])
                )
        return pa.array(found, pa.string())


def _is_there(column: Any) -> Any:
    return column.is_valid().to_numpy(zero_copy_only=False)


def _exemplar(sent: Mapping[str, Any]) -> Exemplar:
    if sent["as_double"] is not None and sent["as_int"] is not None:
        raise ValueError("an exemplar has two values")
    value = sent["as_double"] if sent["as_int"] is None else sent["as_int"]
    return sent["time_unix_nano"], value, sent["trace_id"], sent["span_id"]


def _spread(name: str, values: Sequence[object], codes: Numbers) -> pa.Array[Any]:
    found: pa.Array[Any] = pa.array(values, _SCHEMA.field(name).type).take(pa.array(codes))
    return found


def _lists(sent: Any, values: pa.Array[Any], missing: pa.Array[Any]) -> pa.Array[Any]:
    """Lists as they were sent, but those of points that have none."""
    places = pa.array(sent.offsets.to_numpy() - sent.offsets[0].as_py(), pa.int32())
    lists = pa.ListArray.from_arrays(places, values)
    found: pa.Array[Any] = pc.if_else(missing, None, lists)
    return found


def _joined(parts: Sequence[Columns]) -> Columns:
    def arrays(name: str) -> Iterator[pa.Array[Any]]:
        kind = _SCHEMA.field(name).type
        for part in parts:
            found = part.arrays.get(name)
            yield pa.nulls(len(part.groups), kind) if found is None else found.cast(kind)

    return Columns(
        groups=np.concatenate([part.groups for part in parts]),
        arrays={name: pa.concat_arrays(list(arrays(name))) for name in COLUMNS},
    )
