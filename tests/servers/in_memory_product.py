"""A product that counts in memory: what a query gives for any stretch of time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from collectors.readers.external.port import Counted, Steps
from slo.errors import SourceError

Number = Callable[[int, int], Fraction | None]
"""What is counted from one moment to another, in Unix milliseconds."""


class Product:
    """An `Adapter` that knows its queries; every question is kept with the seconds left for it.

    ``failing`` says why a query has no answer, ``lacking`` what is missing from all.
    """

    reference = "datadog/eu"

    def __init__(
        self,
        queries: Mapping[str, Number],
        *,
        failing: Mapping[str, SourceError] | None = None,
        lacking: tuple[str, ...] = (),
        taking: Callable[[], None] = lambda: None,
    ) -> None:
        self._queries = dict(queries)
        self._failing = dict(failing or {})
        self._lacking = lacking
        self._taking = taking
        self.asked: list[tuple[str, Steps, float]] = []

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a query gives for each step."""
        self.asked.append((query, steps, within))
        self._taking()
        if query in self._failing:
            raise self._failing[query]
        length, number = steps.step.milliseconds, self._queries[query]
        starts = [steps.start_ms + place * length for place in range(steps.count)]
        numbers = tuple(number(start, start + length) for start in starts)
        return Counted(numbers=numbers, lacking=self._lacking)


def per_second(rate: str) -> Number:
    """So many events each second, always."""
    return lambda start, end: Fraction(rate) * (end - start) / 1000


def always(value: str) -> Number:
    """The same number for every step, as shares are."""
    return lambda _start, _end: Fraction(value)


def never(_start: int, _end: int) -> None:
    """No number at all."""


def except_between(number: Number, start: datetime, end: datetime) -> Number:
    """No number for steps that lie in a stretch of time, the usual one for others."""
    begin_ms, end_ms = _ms(start), _ms(end)

    def cut(first: int, last: int) -> Fraction | None:
        return None if begin_ms <= first and last <= end_ms else number(first, last)

    return cut


def only_between(number: Number, start: datetime, end: datetime) -> Number:
    """What falls into a stretch of time, no number for steps outside of it."""
    begin_ms, end_ms = _ms(start), _ms(end)

    def cut(first: int, last: int) -> Fraction | None:
        inside = (max(first, begin_ms), min(last, end_ms))
        return number(*inside) if inside[0] < inside[1] else None

    return cut


def _ms(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
