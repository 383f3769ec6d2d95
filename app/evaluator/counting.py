"""The base series of indicators over logs and spans, counted record by record in the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np

from app.evaluator.head import NAME, Sample
from app.evaluator.plan import Counted
from collectors.promql import Samples
from collectors.readers.store import StoreCounts
from collectors.readers.store.asking import instant
from collectors.signals import Signal
from collectors.store import StoreReader
from slo import naming
from slo.model import Logs, ServiceLevel
from slo.ports import Counts
from slo.units import Duration
from slo.windows import LEDGER_SLOT

QUIET = Duration.parse("1h")
"""For how long an application that sends no record at all counts as one without events.

After that its indicator is absent: nobody knows whether it is idle or silent.
"""

_MS = 1_000_000
_ENDS = "SELECT app, env, max(time) AS newest FROM records GROUP BY app, env"

Slots = Mapping[int, Counts]
"""Counts by when their slot ended, in milliseconds."""


class Counting:
    """Counts records for the evaluator; each instant asks once who sends records at all."""

    def __init__(self, store: StoreReader, counts: StoreCounts) -> None:
        self._store = store
        self._counts = counts
        self._newest: dict[Signal, dict[tuple[str | None, str | None], int]] = {}

    def begin(self) -> None:
        """Forget who was there at the instant before."""
        self._newest.clear()

    def base(self, level: ServiceLevel, what: Counted, at_ms: int) -> tuple[Sample, ...]:
        """Return the pair at an instant, nothing for a level whose records are absent.

        Raises ``SourceError``.
        """
        found = self._counts.series(level, _at(at_ms), span=what.window, step=what.window)
        counted = found[-1] if found else None
        if counted is None and not self._is_there(level, at_ms):
            return ()
        counted = counted or Counts(total=Fraction(0), bad=Fraction(0))
        share = 1 / Fraction(what.window.seconds) if what.per_second else Fraction(1)
        return pair(level, what, at_ms, counted, share)

    def slots(self, level: ServiceLevel, first_ms: int, last_ms: int) -> Slots:
        """Return what is known of the ledger's slots that end between two instants, both included.

        Raises ``SourceError``.
        """
        step = LEDGER_SLOT.milliseconds
        quiet = QUIET.milliseconds // step
        places = (last_ms - first_ms) // step + 1
        span = Duration(milliseconds=places * step)
        found = self._counts.series(level, _at(last_ms), span=span, step=LEDGER_SLOT)
        nothing = Counts(total=Fraction(0), bad=Fraction(0))
        slots: dict[int, Counts] = {}
        silent = quiet
        for place, counted in enumerate(found):
            ends = last_ms - (len(found) - 1 - place) * step
            silent = 0 if counted is not None else silent + 1
            if silent < quiet:
                slots[ends] = counted or nothing
        return slots

    def _is_there(self, level: ServiceLevel, at_ms: int) -> bool:
        logs = isinstance(level.slo.indicator.measure, Logs)
        signal = Signal.LOGS if logs else Signal.SPANS
        if signal not in self._newest:
            start, end = (at_ms - QUIET.milliseconds) * _MS, at_ms * _MS + 1
            rows = self._store.query(signal, _ENDS, start=start, end=end).to_pylist()
            self._newest[signal] = {(row["app"], row["env"]): row["newest"] for row in rows}
        app, env = level.app.name, level.environment.name
        alone = len(level.app.environments) == 1
        newest = self._newest[signal]
        return (app, env) in newest or (alone and (app, None) in newest)


def pair(
    level: ServiceLevel, what: Counted, at_ms: int, counted: Counts, share: Fraction | int
) -> tuple[Sample, Sample]:
    """Return total and bad as samples."""
    identity = naming.identity(level.key)
    total, bad = (
        Sample(labels={NAME: name, **identity}, time_ms=at_ms, value=float(number * share))
        for name, number in ((what.total, counted.total), (what.bad, counted.bad))
    )
    return total, bad


def beat(level: ServiceLevel, at_ms: int) -> Sample:
    """Return the heartbeat of a slot."""
    labels = {NAME: naming.LEDGER_SLOT, **naming.identity(level.key)}
    return Sample(labels=labels, time_ms=at_ms, value=1.0)


def pairs(level: ServiceLevel, what: Counted, slots: Slots) -> tuple[Samples, Samples]:
    """Return total and bad of slots as series."""
    identity = naming.identity(level.key)
    times = sorted(slots)
    total, bad = (
        Samples(
            labels={NAME: name, **identity},
            times=np.array(times, dtype=np.int64),
            values=np.array(values, dtype=np.float64),
        )
        for name, values in (
            (what.total, [float(slots[at_ms].total) for at_ms in times]),
            (what.bad, [float(slots[at_ms].bad) for at_ms in times]),
        )
    )
    return total, bad


def beats(level: ServiceLevel, slots: Slots) -> Samples:
    """Return the heartbeats of slots as a series."""
    times = np.array(sorted(slots), dtype=np.int64)
    labels = {NAME: naming.LEDGER_SLOT, **naming.identity(level.key)}
    return Samples(labels=labels, times=times, values=np.ones(len(times)))


def _at(at_ms: int) -> datetime:
    return instant(at_ms * _MS).astimezone(UTC)
