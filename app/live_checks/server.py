"""The questions that live checks ask of one source, each asked once.

All answers are small whatever the number of series: names, labels, values and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property

from collectors.readers.prometheus import Clock, PrometheusClient
from collectors.readers.prometheus.metadata import PrometheusMetadata
from slo.promql import Selector, is_label_name, quote
from slo.units import Duration
from slo.workspace import PrometheusSource

HOUR = Duration.of(hours=1)
DAY = Duration.of(days=1)
_NAME = "__name__"


class Server:
    """One source as it was up to ``at``; every method raises ``SourceError``."""

    def __init__(
        self,
        source: PrometheusSource,
        at: datetime,
        *,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.reference = source.reference
        self._at = at
        self._client = PrometheusClient(source, clock=clock, environ=environ)
        self._metadata = PrometheusMetadata(source, clock=clock, environ=environ)
        self._answers: dict[tuple[object, ...], tuple[str, ...]] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all metrics of the last day."""
        return frozenset(self._metadata.metric_names(self._at - DAY.timedelta, self._at))

    def matches(self, selector: Selector, back: Duration) -> bool:
        """Tell whether a selector selects anything that had samples this far back."""
        key = ("matches", str(selector), back)
        if key not in self._answers:
            found = self._may_match(selector, back) and bool(self.number(_presence(selector, back)))
            self._answers[key] = ("yes",) if found else ()
        return bool(self._answers[key])

    def values(self, label: str, selector: Selector) -> tuple[str, ...]:
        """Return the values of a label over the last hour's series of a selector, sorted."""
        key = ("values", label, str(selector))
        if key not in self._answers:
            recent = f"last_over_time({selector}[{HOUR}])"
            found = self.numbers(f"count by ({_label(label)}) ({recent})", by=label)
            self._answers[key] = tuple(sorted(value for value in found if value))
        return self._answers[key]

    def _may_match(self, selector: Selector, back: Duration) -> bool:
        # Answered from indexes alone, which are sure only of what was never there.
        start = self._at - back.timedelta
        return bool(self._metadata.label_values(_NAME, (selector,), start, self._at))

    def labels(self, selector: Selector) -> tuple[str, ...]:
        """Return the names of the labels that a day's series of a selector carry, sorted."""
        key = ("labels", str(selector))
        if key not in self._answers:
            params = {
                "match[]": str(selector),
                "start": _api_time(self._at - DAY.timedelta),
                "end": _api_time(self._at),
            }
            data, _ = self._client.get("labels", self._client.deadline(None), params)
            found = data if isinstance(data, list) else []
            self._answers[key] = tuple(sorted(str(each) for each in found if each != _NAME))
        return self._answers[key]

    def buckets(self, histogram: Selector) -> tuple[Decimal, ...]:
        """Return the finite boundaries of a classic histogram, sorted, in the last hour."""
        texts = self.values("le", histogram.with_metric(f"{histogram.metric}_bucket"))
        bounds = {bound for bound in map(_decimal, texts) if bound is not None}
        return tuple(sorted(bounds))

    def number(self, expression: str) -> int:
        """Return the one value of an expression at the end, 0 when it gives none."""
        return next(iter(self.numbers(expression).values()), 0)

    def numbers(self, expression: str, by: str = "") -> dict[str, int]:
        """Return the values of an expression at the end, by a label of its series."""
        answer = self._client.query(expression, self._at, self._client.deadline(None))
        return {
            series.labels.get(by, ""): int(value)
            for series in answer.series
            for _, value in series.points
        }


def _presence(selector: Selector, back: Duration) -> str:
    """Return an expression that yields something where a selector had samples this far back.

    A day is looked at every quarter of an hour, for reading all of it could be too much.
    """
    if back == HOUR:
        return f"count(last_over_time({selector}[{HOUR}]))"
    return f"max_over_time(count({selector})[{back}:15m])"


def _label(name: str) -> str:
    return name if is_label_name(name) else quote(name)


def _decimal(text: str) -> Decimal | None:
    try:
        bound = Decimal(text)
    except InvalidOperation:
        return None
    return bound if bound.is_finite() else None


def _api_time(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
