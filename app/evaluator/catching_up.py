"""Slots of the ledger that nobody recorded at their time, computed from raw telemetry afterwards.

A slot is filled only where the total's expression gives a sample: a gap in telemetry stays one.
Newest days come first, because alerts look back from now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from alerts.prometheus.rules import Recording
from app.evaluator.backfill import oldest_record
from app.evaluator.counting import beat, pair
from app.evaluator.engine import Evaluator
from app.evaluator.head import Sample
from app.evaluator.outcomes import recorded
from app.evaluator.plan import Turn
from collectors.promql import evaluate_instant, evaluate_range
from slo import naming
from slo.errors import SourceError
from slo.model import SloKey
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, SHORT

CHUNK = Duration.parse("1d")
"""How much is computed at a time; the evaluator ticks in between."""

_LOG = logging.getLogger("headroom.evaluator")
_SLOT = LEDGER_SLOT.milliseconds
_LEDGER = frozenset(
    {naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.LEDGER_SLOT, naming.UNPAIRED}
)
_PAIR = frozenset({naming.TOTAL_RATE, naming.BAD_RATE})

Progress = Callable[[int, int], None]
"""Is told how many slots were looked at, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Instants of one group that nobody recorded, all within a chunk; milliseconds."""

    turn: Turn
    records: frozenset[str]
    instants: tuple[int, ...]


class CatchUp:
    """Fills what is missing of one evaluator's levels.

    What could not be filled is not tried again until ``again``, or until time has moved on.
    """

    def __init__(self, evaluator: Evaluator, progress: Progress | None = None) -> None:
        self._evaluator = evaluator
        self._progress = progress
        self._asked: dict[SloKey, int] = {}
        self._awake: set[SloKey] = set()
        self._tried: dict[tuple[SloKey, frozenset[str]], NDArray[np.int64]] = {}

    def again(self) -> None:
        """Try everything that is missing once more: older telemetry has arrived."""
        self._tried.clear()

    def is_needed(self, now_ms: int) -> bool:
        """Tell whether slots have passed unevaluated, or a level without a ledger has events now.

        The history of the latter is computed before its first tick.
        """
        evaluator = self._evaluator
        for turn in evaluator.turns:
            at_ms, last = evaluator.newest(turn, now_ms), evaluator.done.get(turn.group.name)
            if not turn.is_ledger:
                continue
            if not evaluator.waits(turn):
                if last is not None and at_ms - last > _SLOT:
                    return True
            elif self._asked.get(turn.level.key) != at_ms:
                self._asked[turn.level.key] = at_ms
                if self._has_events(turn, at_ms):
                    return True
        return False

    def steps(self, now_ms: int) -> Generator[int, None, None]:
        """Fill what is missing up to the newest slot, which is the next tick's.

        Yields the number of samples after each piece of work. Levels that have a ledger by then
        are ready to be evaluated.
        """
        jobs = self._jobs(self._evaluator.instant(now_ms))
        total, done = sum(len(each.instants) for each in jobs), 0
        for job in jobs:
            filled = self._fill(job)
            done += len(job.instants)
            if self._progress is not None:
                self._progress(done, total)
            yield filled
        for turn in self._evaluator.turns:
            if turn.is_ledger and (len(self._beats(turn)) or turn.level.key in self._awake):
                self._evaluator.ready.add(turn.level.key)

    def _has_events(self, turn: Turn, at_ms: int) -> bool:
        try:
            if turn.counted is not None:
                found = bool(self._evaluator.counting.base(turn.level, turn.counted, at_ms))
            else:
                source = self._evaluator.alone
                found = any(
                    evaluate_instant(source, rule.expr, at_ms)
                    for rule in turn.group.rules
                    if isinstance(rule, Recording) and rule.record == naming.TOTAL_INCREASE
                )
        except SourceError:
            return False
        if found:
            self._awake.add(turn.level.key)
        return found

    def _jobs(self, at_ms: int) -> list[_Job]:
        jobs: list[_Job] = []
        oldest = oldest_record(self._evaluator.reader)
        if oldest is None:
            return jobs
        for turn in self._evaluator.turns:
            if turn.is_ledger:
                newest = at_ms // _SLOT * _SLOT
                missing = self._missing(turn, _LEDGER, newest, turn.level.slo.window, _SLOT)
                jobs += _cut(turn, _LEDGER, missing[missing >= oldest])
            elif turn.counted is None and _records(turn, _PAIR):
                step = turn.group.interval.milliseconds
                missing = self._missing(turn, _PAIR, at_ms // step * step, SHORT, step)
                jobs += _cut(turn, _PAIR, missing[missing >= oldest])
        return sorted(jobs, key=lambda job: job.instants[-1], reverse=True)

    def _missing(
        self, turn: Turn, records: frozenset[str], newest: int, window: Duration, step: int
    ) -> NDArray[np.int64]:
        """Return the instants before the newest one that nobody recorded or tried to."""
        first = newest - window.milliseconds // step * step
        wanted = np.arange(first, newest, step, dtype=np.int64)
        name = naming.LEDGER_SLOT if records is _LEDGER else naming.TOTAL_RATE
        seen = self._evaluator.head.times(name, naming.identity(turn.level.key))
        # Whoever recorded at other instants has each slot once, too.
        before = np.searchsorted(seen, wanted - step, side="right")
        missing: NDArray[np.int64] = wanted[np.searchsorted(seen, wanted, side="right") == before]
        key = turn.level.key, records
        tried = self._tried.get(key)
        self._tried[key] = wanted
        if tried is not None:
            missing = missing[~np.isin(missing, tried)]
        return missing

    def _beats(self, turn: Turn) -> NDArray[np.int64]:
        identity = naming.identity(turn.level.key)
        return self._evaluator.head.times(naming.LEDGER_SLOT, identity)

    def _fill(self, job: _Job) -> int:
        try:
            samples = self._counted(job) if job.turn.counted is not None else self._computed(job)
        except Exception as error:  # noqa: BLE001 - one level must not keep others without history
            _LOG.warning("%s: slots cannot be filled: %s", job.turn.group.name, error)
            return 0
        self._evaluator.save(samples)
        return len(samples)

    def _computed(self, job: _Job) -> list[Sample]:
        """Evaluate the base rules, each seeing what the one before it has recorded."""
        instants = frozenset(job.instants)
        step = job.turn.group.interval.milliseconds
        known: frozenset[int] | None = None
        kept: list[Sample] = []
        for rule in job.turn.group.rules:
            if not isinstance(rule, Recording) or rule.record not in job.records:
                continue
            source = self._evaluator.alone
            found = evaluate_range(source, rule.expr, job.instants[0], job.instants[-1], step)
            wanted = instants if known is None else known
            samples = [each for each in recorded(rule, found) if each.time_ms in wanted]
            known = frozenset(each.time_ms for each in samples) if known is None else known
            self._evaluator.head.add(samples)
            kept += samples
        return kept

    def _counted(self, job: _Job) -> list[Sample]:
        turn, what = job.turn, job.turn.counted
        assert what is not None, "only what is counted is counted"
        level = turn.level
        slots = self._evaluator.counting.slots(level, job.instants[0], job.instants[-1])
        samples = [
            sample
            for at_ms in job.instants
            if at_ms in slots
            for sample in (*pair(level, what, at_ms, slots[at_ms], 1), beat(level, at_ms))
        ]
        self._evaluator.head.add(samples)
        return samples


def _records(turn: Turn, names: frozenset[str]) -> bool:
    return any(isinstance(rule, Recording) and rule.record in names for rule in turn.group.rules)


def _cut(turn: Turn, records: frozenset[str], missing: NDArray[np.int64]) -> list[_Job]:
    """Cut instants where others lie between them, and where a chunk is full."""
    step = turn.group.interval.milliseconds
    most = max(1, CHUNK.milliseconds // step)
    edges = np.flatnonzero(np.diff(missing) != step) + 1
    jobs = []
    for first, last in pairwise([0, *edges.tolist(), len(missing)]):
        for end in range(last, first, -most):
            piece: Sequence[int] = missing[max(first, end - most) : end].tolist()
            jobs.append(_Job(turn=turn, records=records, instants=tuple(piece)))
    return jobs
