"""The questions that discovery asks of a Prometheus."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from app.prometheus_view import DAY, HOUR, PrometheusView
from collectors.readers.prometheus.answers import Series
from slo.errors import QueryRejected, SourceTimeout
from slo.promql import Selector
from slo.units import Duration


class Server:
    """What discovery knows of one server; every method raises ``SourceError``."""

    def __init__(self, view: PrometheusView) -> None:
        self._view = view

    def names(self) -> frozenset[str]:
        """Return the names of the metrics of the last hour."""
        return self._view.metric_names(HOUR)

    def labels(self, metric: str) -> frozenset[str]:
        """Return the names of the labels that a metric's series carry."""
        return self._view.label_names(Selector(metric=metric), HOUR)

    def ask(self, expression: str) -> tuple[Series, ...]:
        """Evaluate an expression."""
        return self._view.ask(expression)

    def grouped(self, expression: str, by: Sequence[str]) -> dict[tuple[str, ...], Fraction]:
        """Evaluate an expression whose series are told apart by labels."""
        return {
            tuple(series.labels.get(label, "") for label in by): series.points[-1][1]
            for series in self.ask(expression)
        }

    def count(self, selector: Selector) -> int:
        """Return how many series a selector selects in the last hour."""
        found = self.ask(f"count(last_over_time({selector}[{HOUR}]))")
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
            return self.grouped(template.replace("@RANGE@", str(HOUR)), by), HOUR
