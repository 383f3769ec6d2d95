"""Recorded samples as rows of the store, named and labelled as a Prometheus would name them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pyarrow as pa

from app.evaluator.head import NAME, Sample
from collectors.promql import STALE, Samples
from collectors.receive.series import digest_of, labels_text
from collectors.signals import Signal, table
from slo import naming

MILLISECOND = 1_000_000
_TAGGED = 1
"""The rung of the join ladder of what names its application itself."""

_STALE_BITS = STALE.tobytes()


class Rows:
    """Makes tables of samples; remembers how series are written, as they come again and again."""

    def __init__(self) -> None:
        self._written: dict[tuple[tuple[str, str], ...], tuple[str, str, int]] = {}

    def __len__(self) -> int:
        return len(self._written)

    def table(self, samples: Sequence[Sample]) -> pa.Table:
        """Return samples as gauges; a stale marker is a null."""
        written = [self._write(each.labels) for each in samples]
        many = len(samples)
        return table(
            Signal.METRICS,
            {
                "time": [each.time_ms * MILLISECOND for each in samples],
                "app": [each.labels.get(naming.APP) for each in samples],
                "env": [each.labels.get(naming.ENV) for each in samples],
                "team": [each.labels.get(naming.TEAM) for each in samples],
                "rung": [_TAGGED] * many,
                "name": [name for name, _, _ in written],
                "kind": ["gauge"] * many,
                "delta": [False] * many,
                "series": [digest for _, _, digest in written],
                "labels": [labels for _, labels, _ in written],
                "value": [None if is_stale(each.value) else each.value for each in samples],
            },
        )

    def of_series(self, series: Sequence[Samples]) -> pa.Table:
        """Return whole series as gauges; none of them has a stale marker."""
        return pa.concat_tables([self._of_one(each) for each in series])

    def _of_one(self, one: Samples) -> pa.Table:
        many = len(one.times)
        name, labels, digest = self._write(one.labels)
        whole: Mapping[str, object] = {
            "app": one.labels.get(naming.APP),
            "env": one.labels.get(naming.ENV),
            "team": one.labels.get(naming.TEAM),
            "rung": _TAGGED,
            "name": name,
            "kind": "gauge",
            "delta": False,
            "series": digest,
            "labels": labels,
        }
        columns: dict[str, Sequence[object]] = {
            column: [value] * many for column, value in whole.items()
        }
        columns["time"] = (one.times * MILLISECOND).tolist()
        columns["value"] = one.values.tolist()
        return table(Signal.METRICS, columns)

    def forget(self) -> None:
        """Start again, so that series of long ago do not stay in memory."""
        self._written.clear()

    def _write(self, labels: Mapping[str, str]) -> tuple[str, str, int]:
        key = tuple(labels.items())
        found = self._written.get(key)
        if found is None:
            name = labels[NAME]
            text = labels_text({label: value for label, value in key if label != NAME})
            found = self._written[key] = (name, text, digest_of(name, text))
        return found


def is_stale(value: float) -> bool:
    """Tell whether a value is the marker that ends a series."""
    return value != value and STALE.dtype.type(value).tobytes() == _STALE_BITS  # noqa: PLR0124 - NaN


def digest(samples: Sequence[Sample]) -> bytes:
    """Return what stands for a batch, so that one that is sent twice is stored once."""
    hashed = hashlib.blake2b(digest_size=16)
    for each in samples:
        hashed.update(f"{each.time_ms}\0{sorted(each.labels.items())}\0".encode())
    return hashed.digest()


def digest_of_series(series: Sequence[Samples]) -> bytes:
    """Return what stands for a batch of whole series."""
    hashed = hashlib.blake2b(digest_size=16)
    for each in series:
        hashed.update(f"{sorted(each.labels.items())}\0".encode())
        hashed.update(each.times.tobytes())
    return hashed.digest()
