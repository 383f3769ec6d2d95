"""The questions that live checks ask of one source, each asked once.

All answers are small whatever the number of series: names, labels, values and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cached_property

from app.prometheus_view import DAY, HOUR, PrometheusView
from slo.promql import Selector, is_label_name, quote
from slo.units import Duration


class Server:
    """What live checks know of one source; every method raises ``SourceError``."""

    def __init__(self, view: PrometheusView) -> None:
        self.reference = view.reference
        self._view = view
        self._answers: dict[tuple[object, ...], tuple[str, ...]] = {}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all metrics of the last day."""
        return self._view.metric_names(DAY)

    def matches(self, selector: Selector, back: Duration) -> bool:
        """Tell whether a selector selects anything that had samples this far back."""
        key = ("matches", str(selector), back)
        if key not in self._answers:
            presence = _presence(selector, back)
            found = self._view.may_match(selector, back) and bool(self.number(presence))
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

    def labels(self, selector: Selector) -> tuple[str, ...]:
        """Return the names of the labels that a day's series of a selector carry, sorted."""
        key = ("labels", str(selector))
        if key not in self._answers:
            self._answers[key] = tuple(sorted(self._view.label_names(selector, DAY)))
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
        return {
            series.labels.get(by, ""): int(value)
            for series in self._view.ask(expression)
            for _, value in series.points
        }

    def groups(self, expression: str) -> tuple[tuple[Mapping[str, str], int], ...]:
        """Return the labels and values of an expression's series at the end."""
        return tuple(
            (series.labels, int(value))
            for series in self._view.ask(expression)
            for _, value in series.points
        )


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
