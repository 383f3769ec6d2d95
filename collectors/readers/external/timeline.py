"""Which steps a product is asked for, and what its numbers amount to, slot by slot.

The newest hours are asked in steps of five minutes, what is older in whole hours: products keep
fine numbers for a short time and limit how many come at once. A window that is longer than the
fine part therefore begins at a full hour, at most 55 minutes early.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

from collectors.readers.external.port import Counted, Steps
from collectors.readers.prometheus.answers import instant
from slo.model import External
from slo.ports import Counts
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

HOUR = Duration.of(hours=1)
FINE = Duration.of(hours=6)
"""How long before the end steps are of five minutes; a full hour begins them."""

IDLE = Duration.of(hours=1)
"""How long a product may have no number before that means more than no traffic."""

_ZERO = Fraction(0)
_NOTHING = Counts(total=_ZERO, bad=_ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One step of the past; times are Unix milliseconds, ``counts`` is ``None`` if not known.

    ``silent`` says that the product has no number of any kind for it. ``excess`` is by how much
    good events exceed all events.
    """

    start: int
    end: int
    counts: Counts | None
    silent: bool = False
    excess: Fraction = _ZERO


def floored(at_ms: int, step: Duration) -> int:
    """The last full step's end up to a moment, in Unix milliseconds."""
    return at_ms - at_ms % step.milliseconds


def begin_of(window: Duration, end_ms: int) -> int:
    """Where a window that ends at a slot's end begins: at a full hour if it is a long one."""
    begin = floored(end_ms - window.milliseconds, LEDGER_SLOT)
    return begin if window <= FINE else floored(begin, HOUR)


def plan(end_ms: int, longest: Duration) -> tuple[Steps, ...]:
    """What to ask for, so that every window up to the longest can be told; oldest first."""
    begin = begin_of(longest, end_ms)
    border = max(begin, floored(end_ms, HOUR) - FINE.milliseconds)
    if longest <= FINE:
        return (equal_steps(begin, end_ms, LEDGER_SLOT),)
    fine = equal_steps(border, end_ms, LEDGER_SLOT)
    return (fine,) if begin == border else (equal_steps(begin, border, HOUR), fine)


def equal_steps(start_ms: int, end_ms: int, step: Duration) -> Steps:
    """The steps from one moment to another."""
    count = (end_ms - start_ms) // step.milliseconds
    return Steps(start=instant(start_ms), step=step, count=count)


def slots(measure: External, steps: Steps, total: Counted | None, part: Counted) -> Iterator[Slot]:
    """Yield what each step amounts to; ``total`` is missing where every second counts the same."""
    length = steps.step.milliseconds
    for place in range(steps.count):
        start = steps.start_ms + place * length
        whole = None if total is None else total.numbers[place]
        some = part.numbers[place]
        empty = Slot(start=start, end=start + length, counts=None)
        if some is None and whole is None:
            yield replace(empty, silent=True)
        elif measure.share:
            weight = Fraction(length, 1000) if total is None else whole
            yield _shared(empty, measure, weight, some)
        else:
            yield _counted(empty, measure, whole, some)


def without_idleness(found: Sequence[Slot]) -> tuple[Slot, ...]:
    """The same slots, where a silence of up to an hour means that nothing happened."""
    settled: list[Slot] = []
    for silent, run in groupby(found, key=lambda slot: slot.silent):
        together = list(run)
        short = together[-1].end - together[0].start <= IDLE.milliseconds
        idle = silent and short
        settled += [replace(each, counts=_NOTHING) if idle else each for each in together]
    return tuple(settled)


def added(found: Iterable[Slot]) -> Counts | None:
    """The sum of what is known; ``None`` where nothing is."""
    known = [each.counts for each in found if each.counts is not None]
    if not known:
        return None
    return Counts(
        total=sum((each.total for each in known), _ZERO),
        bad=sum((each.bad for each in known), _ZERO),
    )


def profile_of(
    found: Sequence[Slot], end: int, step: Duration, most: int
) -> tuple[Counts | None, ...]:
    """Counts per step, oldest first; what a first hour has before the span is in the first."""
    by_place: dict[int, list[Slot]] = {}
    for each in found:
        if each.counts is not None:
            place = min(most - 1, (end - each.end) // step.milliseconds)
            by_place.setdefault(place, []).append(each)
    oldest = max(by_place, default=-1)
    return tuple(
        added(by_place[place]) if place in by_place else None
        for place in reversed(range(oldest + 1))
    )


def _counted(slot: Slot, measure: External, total: Fraction | None, part: Fraction | None) -> Slot:
    some = max(_ZERO, part or _ZERO)
    if total is None:
        # Bad events are events, whatever became of the number of all; good ones alone say nothing.
        bad = measure.bad is not None
        return replace(slot, counts=Counts(total=some, bad=some)) if bad else slot
    whole = max(_ZERO, total)
    if measure.bad is not None:
        return replace(slot, counts=Counts(total=whole, bad=some))
    left = whole - some
    return replace(slot, counts=Counts(total=whole, bad=max(_ZERO, left)), excess=max(_ZERO, -left))


def _shared(slot: Slot, measure: External, weight: Fraction | None, share: Fraction | None) -> Slot:
    """A share of what a step weighs.

    Without a share nothing was bad, as products give no number for a quotient of nothing; that
    nothing was good cannot be told from that.
    """
    if weight is None:
        return slot
    whole = max(_ZERO, weight)
    if share is None and measure.bad is None and whole:
        return slot
    clamped = min(Fraction(1), max(_ZERO, share or _ZERO))
    bad = clamped if measure.bad is not None else 1 - clamped
    return replace(slot, counts=Counts(total=whole, bad=whole * bad))
