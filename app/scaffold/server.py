"""The questions that discovery asks of a Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from collectors.readers.prometheus import Clock, PrometheusClient
from collectors.readers.prometheus.answers import Series
from collectors.readers.prometheus.metadata import PrometheusMetadata
from slo.errors import QueryRejected, SourceTimeout
from slo.promql import Selector
from slo.units import Duration
from slo.workspace import PrometheusSource

RECENT = Duration.of(hours=1)
DAY = Duration.of(days=1)


class Server:
    """One server as of an instant; every method raises ``SourceError``."""

    def __init__(
        self,
        source: PrometheusSource,
        at: datetime,
        *,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.url = source.url
        self.at = at
        self._client = PrometheusClient(source, clock=clock, environ=environ)
        self._metadata = PrometheusMetadata(source, clock=clock, environ=environ)

    def names(self) -> frozenset[str]:
        """Return the names of the metrics of the last hour."""
        return frozenset(self._metadata.metric_names(self.at - RECENT.timedelta, self.at))

    def labels(self, metric: str) -> frozenset[str]:
        """Return the names of the labels that a metric's series carry."""
        start = self.at - RECENT.timedelta
        params = {
            "match[]": str(Selector(metric=metric)),
            "start": f"{start.timestamp():.3f}",
            "end": f"{self.at.timestamp():.3f}",
        }
        data, _ = self._client.get("labels", self._client.deadline(None), params)
        return frozenset(map(str, data)) if isinstance(data, list) else frozenset()

    def ask(self, expression: str) -> tuple[Series, ...]:
        """Evaluate an expression."""
        return self._client.query(expression, self.at, self._client.deadline(None)).series

    def grouped(self, expression: str, by: Sequence[str]) -> dict[tuple[str, ...], Fraction]:
        """Evaluate an expression whose series are told apart by labels."""
        return {
            tuple(series.labels.get(label, "") for label in by): series.points[-1][1]
            for series in self.ask(expression)
        }

    def count(self, selector: Selector) -> int:
        """Return how many series a selector selects in the last hour."""
        found = self.ask(f"count(last_over_time({selector}[{RECENT}]))")
        return int(found[0].points[-1][1]) if found else 0

    def over_a_day(
        self, template: str, by: Sequence[str]
    ) -> tuple[dict[tuple[str, ...], Fraction], Duration]:
        """Evaluate an expression over a day, or over an hour where a day is too much to read.

        ``template`` has ``@RANGE@`` in the place of the range.
        """
        try:
            return self.grouped(template.replace("@RANGE@", str(DAY)), by), DAY
        except (QueryRejected, SourceTimeout):
            return self.grouped(template.replace("@RANGE@", str(RECENT)), by), RECENT
