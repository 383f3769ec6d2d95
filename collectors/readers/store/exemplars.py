"""Exemplars that were stored with their metrics: measurements that name their traces."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence

from collectors.promql import matches
from collectors.readers.store.asking import Asker, Question
from collectors.readers.store.conditions import Parameters
from collectors.readers.store.series import NAME
from collectors.readers.telemetry import Exemplar, TimeRange
from collectors.signals import Signal
from slo.promql import Matcher

_SUFFIXES = ("_bucket", "_count", "_sum")
_ROWS = 20_000


def exemplars(
    asker: Asker,
    matchers: Sequence[Matcher],
    span: TimeRange,
    *,
    apps: Collection[str | None] | None,
    limit: int,
) -> tuple[Exemplar, ...]:
    """Return the newest exemplars of the series that all matchers match, oldest first.

    A histogram keeps its exemplars under its own name; parts of it, such as ``_bucket``, stand
    for it here, and ``le`` is not looked at.
    """
    name = next((each.value for each in matchers if each.name == NAME and each.op == "="), None)
    others = [each for each in matchers if each.name not in {NAME, "le"}]
    parameters = Parameters()
    condition = "true"
    if name is not None:
        names = [name, *(name.removesuffix(end) for end in _SUFFIXES if name.endswith(end))]
        condition = f"name IN (SELECT unnest({parameters.bind(names)}::VARCHAR[]))"
    _, table = asker.table(
        Question(
            signal=Signal.METRICS,
            sql="SELECT name, labels, exemplars FROM records WHERE exemplars IS NOT NULL "
            f"AND {condition} ORDER BY time DESC LIMIT {_ROWS}",
            parameters=parameters,
            apps=apps,
            range=span,
        )
    )
    found: dict[tuple[str, int, float], Exemplar] = {}
    for row in table.to_pylist():
        labels = {NAME: row["name"], **json.loads(row["labels"])}
        if all(matches(each, labels) for each in others):
            for one in _of_sample(row["exemplars"], labels):
                found.setdefault((one.trace_id, one.time, one.value), one)
        if len(found) >= limit:
            break
    return tuple(sorted(found.values(), key=lambda one: one.time)[-limit:])


def _of_sample(text: str, labels: Mapping[str, str]) -> Iterator[Exemplar]:
    for each in json.loads(text):
        trace, value = each.get("traceId"), each.get("value")
        if trace and isinstance(value, int | float):
            yield Exemplar(
                time=int(each["time"]), value=float(value), trace_id=trace, labels=labels
            )
