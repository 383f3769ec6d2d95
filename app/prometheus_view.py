"""One Prometheus as of an instant: what commands that look around there ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from collectors.readers.prometheus import Clock, PrometheusClient
from collectors.readers.prometheus.answers import Series
from collectors.readers.prometheus.metadata import PrometheusMetadata
from slo.promql import Selector
from slo.units import Duration
from slo.workspace import PrometheusSource

HOUR = Duration.of(hours=1)
DAY = Duration.of(days=1)
_NAME = "__name__"


class PrometheusView:
    """One source as it was up to ``at``; every method raises ``SourceError``.

    ``back`` says how far before that instant a method looks.
    """

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

    def metric_names(self, back: Duration) -> frozenset[str]:
        """Return the names of all metrics."""
        return self._metadata.metric_names(self._at - back.timedelta, self._at)

    def label_names(self, selector: Selector, back: Duration) -> frozenset[str]:
        """Return the names of the labels that a selector's series carry, without the metric's."""
        params = {
            "match[]": str(selector),
            "start": _api_time(self._at - back.timedelta),
            "end": _api_time(self._at),
        }
        data, _ = self._client.get("labels", self._client.deadline(None), params)
        return frozenset(map(str, data)) - {_NAME} if isinstance(data, list) else frozenset()

    def may_match(self, selector: Selector, back: Duration) -> bool:
        """Tell from indexes alone, which are sure only of what was never there."""
        start = self._at - back.timedelta
        return bool(self._metadata.label_values(_NAME, (selector,), start, self._at))

    def ask(self, expression: str) -> tuple[Series, ...]:
        """Evaluate an expression at the instant."""
        return self._client.query(expression, self._at, self._client.deadline(None)).series


def _api_time(at: datetime) -> str:
    return f"{at.timestamp():.3f}"
