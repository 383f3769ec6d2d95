"""Slots of the ledger that nobody recorded at their time, computed from raw telemetry afterwards.

A slot is filled only where the total's expression gives a sample: a gap in telemetry stays one.
Each level's past is computed in long pieces and stored as one: half of a ledger, which would look
like a period with few events, is never seen.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from alerts.prometheus.rules import Recording
from app.evaluator.backfill import oldest_record
from app.evaluator.counting import beats, pairs
from app.evaluator.engine import Evaluator
from app.evaluator.head import Front, Head
from app.evaluator.outcomes import recorded_series
from app.evaluator.plan import Turn
from app.evaluator.shared import Kept
from collectors.promql import Samples, evaluate_instant, evaluate_range
from slo import naming
from slo.errors import SourceError
from slo.model import SloKey
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, SHORT

PIECE_SAMPLES = 14_400
"""How many samples of each series are read at a time; the evaluator ticks in between."""

HOLE = Duration.parse("6h")
"""How far apart instants may lie that are computed together, with all those between them."""

_LOG = logging.getLogger("headroom.evaluator")
_SLOT = LEDGER_SLOT.milliseconds
_LEDGER = frozenset(
    {naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.LEDGER_SLOT, naming.UNPAIRED}
)
_PAIR = frozenset({naming.TOTAL_RATE, naming.BAD_RATE})

Progress = Callable[[int, int], None]
"""Is told how many slots were looked at, of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Instants of one group that nobody recorded, the oldest first; milliseconds."""

    turn: Turn
    records: frozenset[str]
    pieces: tuple[tuple[int, ...], ...]

    @property
    def instants(self) -> int:
        """How many there are."""
        return sum(len(each) for each in self.pieces)


class CatchUp:
    """Fills what is missing of one evaluator's levels.

    What could not be filled is not tried again until ``again``, or until time has moved on.
    ``piece`` is how many samples of each series are read at a time, about.
    ``filling`` are the levels whose first history is under way; any thread may ask for it.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        progress: Progress | None = None,
        *,
        piece: int = PIECE_SAMPLES,
    ) -> None:
        self.filling: frozenset[SloKey] = frozenset()
        self._evaluator = evaluator
        self._progress = progress
        self._piece = piece
        self._asked: dict[SloKey, int] = {}
        self._awake: set[SloKey] = set()
        self._due: frozenset[SloKey] = frozenset()
        self._tried: dict[tuple[SloKey, frozenset[str]], NDArray[np.int64]] = {}

    def again(self) -> None:
        """Try everything that is missing once more: older telemetry has arrived."""
        self._tried.clear()

    def is_needed(self, now_ms: int) -> bool:
        """Tell whether slots have passed unevaluated, or a level without a ledger has events now.

        The history of the latter is computed before its first tick.
        """
        evaluator, due = self._evaluator, set()
        for turn in evaluator.turns:
            at_ms, last = evaluator.newest(turn, now_ms), evaluator.done.get(turn.group.name)
            if not turn.is_ledger:
                continue
            if not evaluator.waits(turn):
                if last is not None and at_ms - last > _SLOT:
                    due.add(turn.level.key)
            elif self._asked.get(turn.level.key) != at_ms:
                self._asked[turn.level.key] = at_ms
                if self._has_events(turn, at_ms):
                    due.add(turn.level.key)
        self._due = frozenset(due)
        return bool(due)

    def steps(self, now_ms: int, *, due: bool = False) -> Generator[int, None, None]:
        """Fill what is missing up to the newest slot, which is the next tick's.

        With ``due`` only of the levels that ``is_needed`` has found: more of the others' past may
        be on its way.

        Yields the number of samples after each piece of work. A level that has a ledger by then is
        ready to be evaluated.
        """
        turns = [t for t in self._evaluator.turns if not due or t.level.key in self._due]
        work = self._work(turns, self._evaluator.instant(now_ms))
        total, done = sum(each.instants for each in work), 0
        ledgers = {each.turn.level.key for each in work if each.turn.is_ledger}
        self.filling = frozenset(ledgers - self._evaluator.ready)
        self._told(0, total)
        for each in work:
            found: list[Samples] = []
            scratch = Head(self._evaluator.stored, period=each.turn.level.slo.window)
            for piece in each.pieces:
                made = self._fill(each, piece, scratch)
                found += made
                done += len(piece)
                self._told(done, total)
                yield sum(len(one.times) for one in made)
            self._evaluator.adopt(found)
            if each.turn.is_ledger:
                self._is_filled(each.turn)
        for turn in turns:
            if turn.is_ledger:
                self._is_filled(turn)
        self._told(total, total)

    def _is_filled(self, turn: Turn) -> None:
        key = turn.level.key
        if len(self._beats(turn)) or key in self._awake:
            self._evaluator.ready.add(key)
        self.filling -= {key}

    def _told(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._progress(done, total)

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

    def _work(self, turns: Sequence[Turn], at_ms: int) -> list[_Work]:
        work: list[_Work] = []
        oldest = oldest_record(self._evaluator.reader)
        if oldest is None:
            return work
        for turn in turns:
            if turn.is_ledger:
                newest = at_ms // _SLOT * _SLOT
                missing = self._missing(turn, _LEDGER, newest, turn.level.slo.window, _SLOT)
                work.append(_planned(turn, _LEDGER, missing[missing >= oldest], self._piece))
            elif turn.counted is None and _records(turn, _PAIR):
                step = turn.group.interval.milliseconds
                missing = self._missing(turn, _PAIR, at_ms // step * step, SHORT, step)
                work.append(_planned(turn, _PAIR, missing[missing >= oldest], self._piece))
        return [each for each in work if each.pieces]

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

    def _fill(self, work: _Work, piece: Sequence[int], scratch: Head) -> list[Samples]:
        try:
            if work.turn.counted is not None:
                return self._counted(work.turn, piece)
            return self._computed(work, piece, scratch)
        except Exception as error:  # noqa: BLE001 - one level must not keep others without history
            _LOG.warning("%s: slots cannot be filled: %s", work.turn.group.name, error)
            return []

    def _computed(self, work: _Work, piece: Sequence[int], scratch: Head) -> list[Samples]:
        """Evaluate the base rules, each seeing what the one before it has recorded."""
        source = Front(scratch, Kept(self._evaluator.stored))
        step = work.turn.group.interval.milliseconds
        known: NDArray[np.int64] | None = None
        kept: list[Samples] = []
        for rule in work.turn.group.rules:
            if not isinstance(rule, Recording) or rule.record not in work.records:
                continue
            found = evaluate_range(source, rule.expr, piece[0], piece[-1], step)
            wanted = np.array(piece, dtype=np.int64) if known is None else known
            series = [_at(each, wanted) for each in recorded_series(rule, found)]
            if known is None:
                known = np.unique(np.concatenate([wanted[:0], *(each.times for each in series)]))
            scratch.merge(series)
            kept += series
        return kept

    def _counted(self, turn: Turn, piece: Sequence[int]) -> list[Samples]:
        what = turn.counted
        assert what is not None, "only what is counted is counted"
        slots = self._evaluator.counting.slots(turn.level, piece[0], piece[-1])
        known = {at_ms: slots[at_ms] for at_ms in piece if at_ms in slots}
        if not known:
            return []
        return [*pairs(turn.level, what, known), beats(turn.level, known)]


def _at(one: Samples, wanted: NDArray[np.int64]) -> Samples:
    """Return the samples of a series at some instants alone."""
    here = np.isin(one.times, wanted)
    return Samples(labels=one.labels, times=one.times[here], values=one.values[here])


def _records(turn: Turn, names: frozenset[str]) -> bool:
    return any(isinstance(rule, Recording) and rule.record in names for rule in turn.group.rules)


def _planned(
    turn: Turn, records: frozenset[str], missing: NDArray[np.int64], samples: int
) -> _Work:
    """Cut instants where a hole lies between them, and where a piece is full."""
    step = turn.group.interval.milliseconds
    # What is counted is counted by the store: a piece may be the whole.
    scrape = turn.level.slo.indicator.scrape_interval.milliseconds
    most = max(1, samples * scrape // step) if turn.counted is None else len(missing)
    edges = np.flatnonzero(np.diff(missing) > HOLE.milliseconds) + 1
    pieces = [
        tuple(missing[start : min(start + most, last)].tolist())
        for first, last in pairwise([0, *edges.tolist(), len(missing)])
        for start in range(first, last, max(1, most))
    ]
    return _Work(turn=turn, records=records, pieces=tuple(each for each in pieces if each))
