"""The rules that ``generate`` writes, evaluated on the embedded store as a Prometheus would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from alerts.prometheus.groups import RuleSettings
from alerts.prometheus.rules import Alerting, Recording, Rule
from app.evaluator.book import AlertBook
from app.evaluator.counting import Counting, beat
from app.evaluator.head import Front, Head, Sample
from app.evaluator.outcomes import alerted, recorded, samples_of
from app.evaluator.plan import Turn, alert_rules, recorded_names, turns
from app.evaluator.rounds import Round, RuleHealth, RuleId, Tick
from app.evaluator.rows import Rows, digest, digest_of_series
from app.evaluator.shared import SharedReads
from collectors.promql import STALE, Samples, Vector, evaluate_instant
from collectors.readers.store import StoreCounts
from collectors.readers.store.asking import Asker
from collectors.readers.store.samples import StoredSamples
from collectors.signals import Signal
from slo import naming
from slo.errors import SourceError, StoreError
from slo.model import ServiceLevel, SloKey
from slo.units import Duration

if TYPE_CHECKING:
    from collectors.store import StoreReader, StoreWriter

SETTLING = Duration.parse("10s")
"""How long an instant lies back when it is evaluated: what was sent on time has arrived by then.

A sample that came later would be missing from the slot it belongs to and from the next one.
"""

_QUESTION_SECONDS = 20.0
_MOST_UNSAVED = 500_000
_COUNTED = "counted"


class Evaluator:
    """Evaluates the rules of service levels whose telemetry is in one store.

    The ledger of a level is evaluated once it is ``ready``: a beginning without its history would
    look like a period with next to no events. ``alone`` reads without what one tick shares.
    ``done`` has the last instant of each group, and ``trouble`` says why the store took no
    samples the last time. One thread ticks at a time; alerts
    and health may be asked for by any.
    """

    def __init__(
        self,
        levels: Sequence[ServiceLevel],
        settings: RuleSettings,
        *,
        reader: StoreReader,
        writer: StoreWriter,
        settling: Duration = SETTLING,
        book: AlertBook | None = None,
        external_url: str = "",
    ) -> None:
        self.levels = tuple(levels)
        self.reader = reader
        self.turns = turns(levels, settings)
        self.book = book or AlertBook()
        stored = StoredSamples(Asker(reader, deadline=_QUESTION_SECONDS))
        self.shared = SharedReads(stored)
        periods = [level.slo.window for level in levels]
        self.stored = stored
        self.head = Head(stored, period=max(periods, default=settling))
        self.counting = Counting(reader, StoreCounts(reader, default_source=None))
        self.alone = Front(self.head, stored)
        self.ready: set[SloKey] = set()
        self.trouble: StoreError | None = None
        self._source = Front(self.head, self.shared)
        self._writer = writer
        self._rows = Rows()
        self._settling_ms = settling.milliseconds
        self._external_url = external_url
        self.done: dict[str, int] = {}
        self._before: dict[RuleId, frozenset[tuple[tuple[str, str], ...]]] = {}
        self._unsaved: list[Sample] = []
        self._lock = Lock()
        self._health: dict[RuleId, RuleHealth] = {}

    @property
    def health(self) -> tuple[RuleHealth, ...]:
        """How every rule fared, in the order of evaluation."""
        with self._lock:
            return tuple(self._health.values())

    @property
    def failing(self) -> tuple[RuleHealth, ...]:
        """The rules that failed the last time."""
        return tuple(each for each in self.health if each.error is not None)

    def instant(self, now_ms: int) -> int:
        """Return the newest instant that may be evaluated."""
        return now_ms - self._settling_ms

    def load(self, now_ms: int) -> int:
        """Read what was recorded before; return the number of samples.

        Groups go on after the last instant that they recorded. Raises ``SourceError``.
        """
        found = self.head.load(recorded_names(self.turns), self.instant(now_ms))
        for turn in self.turns:
            last = self._last_recorded(turn)
            if last is not None:
                self.done[turn.group.name] = last
        self._retire(self.instant(now_ms))
        return found

    def tick(self, now_ms: int) -> Tick:
        """Evaluate the groups that are due, each at an instant that its interval divides."""
        self.shared.begin()
        self.counting.begin()
        round_ = Round()
        for turn in self.turns:
            at_ms = self.newest(turn, now_ms)
            interval, last = turn.group.interval.milliseconds, self.done.get(turn.group.name)
            if (last is not None and at_ms <= last) or self.waits(turn):
                continue
            if last is not None:
                round_.missed += (at_ms - last) // interval - 1
            self._evaluate(turn, at_ms, round_)
            self.done[turn.group.name] = at_ms
        if round_.groups:
            self.head.trim(self.instant(now_ms))
            self._retire(self.instant(now_ms))
        self.save(round_.samples)
        return round_.told(len(self._unsaved))

    def save(self, samples: Sequence[Sample]) -> None:
        """Store samples; those that the disk refuses are stored with the next ones."""
        waiting = [*self._unsaved, *samples]
        if not waiting:
            return
        table = self._rows.table(waiting)
        try:
            self._writer.append(Signal.METRICS, table, batch=digest(waiting))
        except StoreError as error:
            self._unsaved, self.trouble = waiting[-_MOST_UNSAVED:], error
        else:
            self._unsaved, self.trouble = [], None
        if len(self._rows) > 2 * len(self.head):
            self._rows.forget()

    def adopt(self, series: Sequence[Samples]) -> None:
        """Take in what was computed of one level's past, and store it in one piece.

        Whoever reads the store sees all of it or nothing.
        """
        series = [each for each in series if len(each.times)]
        if not series:
            return
        self.head.merge(series)
        batch = digest_of_series(series)
        try:
            self._writer.append(Signal.METRICS, self._rows.of_series(series), batch=batch)
        except StoreError as error:
            self._unsaved = [*self._unsaved, *samples_of(series)][-_MOST_UNSAVED:]
            self.trouble = error

    def query(self, query: str, at_ms: int) -> list[Vector]:
        """Evaluate an expression at an instant over recorded and raw series."""
        return evaluate_instant(self._source, query, at_ms)

    def newest(self, turn: Turn, now_ms: int) -> int:
        """Return the newest instant at which a group may be evaluated."""
        interval = turn.group.interval.milliseconds
        return self.instant(now_ms) // interval * interval

    def waits(self, turn: Turn) -> bool:
        """Tell whether a group waits for its level to be ready."""
        return turn.is_ledger and turn.level.key not in self.ready

    def _retire(self, at_ms: int) -> None:
        """End the alerts of rules that there are no more, since nobody else does."""
        rules = ((turn.group.name, rule) for turn, rule in alert_rules(self.turns))
        self.book.retire(rules, at_ms)

    def _ask(self, at_ms: int) -> Callable[[str], list[float]]:
        """What gives the values of a query's answer at an instant, for templates."""

        def values(query: str) -> list[float]:
            try:
                return [float(each.values[-1]) for each in self.query(query, at_ms)]
            except SourceError as error:
                raise ValueError(str(error)) from error

        return values

    def _last_recorded(self, turn: Turn) -> int | None:
        identity = naming.identity(turn.level.key)
        names = [rule.record for rule in turn.group.rules if isinstance(rule, Recording)]
        if turn.counted is not None:
            names.append(turn.counted.total)
        times = [self.head.times(name, identity) for name in names]
        return max((int(each[-1]) for each in times if len(each)), default=None)

    def _evaluate(self, turn: Turn, at_ms: int, round_: Round) -> None:
        round_.groups += 1
        if turn.counted is not None:
            self._attempt(turn, (turn.group.name, -1), _COUNTED, at_ms, round_, self._count)
        for place, rule in enumerate(turn.group.rules):
            run = self._record if isinstance(rule, Recording) else self._alert
            name = rule.record if isinstance(rule, Recording) else rule.alert
            self._attempt(turn, (turn.group.name, place), name, at_ms, round_, run, rule)

    def _attempt(
        self,
        turn: Turn,
        rule_id: RuleId,
        name: str,
        at_ms: int,
        round_: Round,
        run: Callable[..., None],
        *rule: Rule,
    ) -> None:
        error = None
        round_.rules += 1
        try:
            run(turn, rule_id, at_ms, round_, *rule)
        except SourceError as cause:
            error = str(cause)
        except Exception as cause:  # noqa: BLE001 - no rule may keep others from being evaluated
            error = f"{type(cause).__name__}: {cause}"
        round_.failures += error is not None
        health = RuleHealth(
            key=turn.level.key, group=turn.group.name, rule=name, at_ms=at_ms, error=error
        )
        with self._lock:
            self._health[rule_id] = health

    def _count(self, turn: Turn, rule_id: RuleId, at_ms: int, round_: Round) -> None:
        assert turn.counted is not None, "only what is counted is counted"
        samples = self.counting.base(turn.level, turn.counted, at_ms)
        if turn.is_ledger:
            samples = (*samples, beat(turn.level, at_ms))
        self._keep(rule_id, samples, at_ms, round_)

    def _record(
        self, turn: Turn, rule_id: RuleId, at_ms: int, round_: Round, rule: Recording
    ) -> None:
        del turn
        samples = recorded(rule, self.query(rule.expr, at_ms))
        self._keep(rule_id, samples, at_ms, round_)

    def _keep(self, rule_id: RuleId, samples: Sequence[Sample], at_ms: int, round_: Round) -> None:
        """Add samples, and the end of the series that the rule gave before and does not give now.

        Without an end, selectors would see them for five minutes more.
        """
        now = frozenset(tuple(each.labels.items()) for each in samples)
        gone = self._before.get(rule_id, frozenset()) - now
        self._before[rule_id] = now
        ends = [Sample(labels=dict(labels), time_ms=at_ms, value=STALE) for labels in sorted(gone)]
        self.head.add([*samples, *ends])
        round_.samples += [*samples, *ends]

    def _alert(
        self, turn: Turn, rule_id: RuleId, at_ms: int, round_: Round, rule: Alerting
    ) -> None:
        del rule_id
        answer = self.query(rule.expr, at_ms)
        found = alerted(rule, answer, self._ask(at_ms), self._external_url)
        round_.changed += self.book.advance(turn.group.name, rule, found, at_ms)
