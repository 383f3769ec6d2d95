"""What an adapter of another product answers: numbers of equal steps of time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import Protocol

from slo.records import dataclass
from slo.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Equal steps of time: from ``start`` on, ``count`` of them, each ``step`` long.

    ``start`` is aware and a whole number of steps from the Unix epoch.
    """

    start: datetime
    step: Duration
    count: int

    @property
    def start_ms(self) -> int:
        """The first step's beginning, in Unix milliseconds."""
        return round(self.start.timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        """The last step's end, in Unix milliseconds."""
        return self.start_ms + self.count * self.step.milliseconds

    def place(self, at_ms: int) -> int | None:
        """Return the number of the step that a moment lies in, None outside of all."""
        number = (at_ms - self.start_ms) // self.step.milliseconds
        return number if 0 <= number < self.count else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A product's answer to one query: a number for each step, ``None`` where it has none.

    ``lacking`` says in sentences what is missing from the numbers; such an answer is partial.
    """

    numbers: tuple[Fraction | None, ...]
    lacking: tuple[str, ...] = ()


class Adapter(Protocol):
    """One product that is asked queries in its own language."""

    @property
    def reference(self) -> str:
        """The source's reference, such as ``datadog/eu``."""
        ...

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        """Return what a query counts in each step; ``within`` are the seconds that are left.

        Raises ``SourceError`` with what the product said, and never returns half an answer
        without saying so in ``lacking``.
        """
        ...


Sleep = Callable[[float], None]
"""Waits seconds; passed in, so that tests do not wait."""
