"""Numbers of products' answers, made exact and put into the steps that were asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from collectors.readers.external.port import Counted, Steps
from collectors.readers.prometheus.answers import instant
from slo.errors import QueryRejected, SourceUnavailable
from slo.units import Duration

_LARGEST_EXPONENT = 400
_LONGEST_NUMBER = 400
_MOST_SENTENCES = 10


def exact(value: object) -> Fraction | None:
    """Return a number of an answer exactly; ``None`` for NaN, infinity and what is no number.

    Numbers may be written as text. A ``float`` is read as its shortest text.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Fraction(value)
    text = repr(value) if isinstance(value, float) else value
    if isinstance(text, str):
        try:
            text = Decimal(text.strip()) if len(text) <= _LONGEST_NUMBER else None
        except InvalidOperation:
            return None
    # Beyond any float's exponent: nothing a product stores, and huge as a fraction.
    if not isinstance(text, Decimal) or not text.is_finite():
        return None
    return Fraction(text) if abs(text.adjusted()) <= _LARGEST_EXPONENT else None


class Filling:
    """Steps that are filled with numbers as they are read; several for one step add up."""

    def __init__(self, steps: Steps, source: str) -> None:
        self._steps = steps
        self._source = source
        self._numbers: list[Fraction | None] = [None] * steps.count
        self._lacking: dict[str, None] = {}

    def add(self, at_ms: int, value: object) -> None:
        """Put a number into the step that begins at ``at_ms``; others than those asked are dropped.

        ``None`` leaves the step as it is. What is no finite number does so too, and the answer
        lacks it. Raises ``QueryRejected`` for a moment at which no step begins.
        """
        step = self._steps.step.milliseconds
        if (at_ms - self._steps.start_ms) % step:
            raise misaligned(self._source, at_ms, self._steps.step)
        place = self._steps.place(at_ms)
        if place is None or value is None:
            return
        number = exact(value)
        if number is None:
            self.lack(f"what it answered for {instant(at_ms):%Y-%m-%dT%H:%M:%SZ} is no number")
            return
        self._numbers[place] = (self._numbers[place] or Fraction(0)) + number

    def lack(self, sentence: str) -> None:
        """Note that something is missing from the numbers; ten different sentences are kept."""
        if len(self._lacking) < _MOST_SENTENCES:
            self._lacking[sentence] = None

    def counted(self) -> Counted:
        """Return what the steps hold by now."""
        return Counted(numbers=tuple(self._numbers), lacking=tuple(self._lacking))


def misaligned(source: str, at_ms: int, step: Duration) -> QueryRejected:
    """Return the error for an answer whose steps begin elsewhere than those asked for."""
    return QueryRejected(
        f"{source}: the answer has a number at {instant(at_ms):%Y-%m-%dT%H:%M:%S.%fZ}, "
        f"where no step of {step.text} begins",
        source=source,
        hint="leave intervals, rollups and shifts of time out of the query: Headroom adds them",
    )


def in_parts(steps: Steps, most: int, ask: Callable[[Steps], Counted]) -> Counted:
    """Return the answers to as many questions as it takes to ask for ``most`` steps at once."""
    numbers: list[Fraction | None] = []
    lacking: dict[str, None] = {}
    for part in _parts(steps, most):
        counted = ask(part)
        numbers += counted.numbers
        lacking |= dict.fromkeys(counted.lacking)
    return Counted(numbers=tuple(numbers), lacking=tuple(lacking))


@contextmanager
def shaped(source: str, product: str) -> Iterator[None]:
    """Turn what reading an answer of another shape raises into ``SourceUnavailable``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
        raise SourceUnavailable(
            f"{source}: the answer does not have the shape of {product}",
            source=source,
            hint="check the source's url, including its path",
        ) from None


def _parts(steps: Steps, most: int) -> Iterator[Steps]:
    for first in range(0, steps.count, most):
        start = instant(steps.start_ms + first * steps.step.milliseconds)
        yield Steps(start=start, step=steps.step, count=min(most, steps.count - first))
