"""Counts of service levels that another product keeps, read by queries in its own language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from collectors.readers.external.inquiry import Inquiry, Question, evidence_of
from collectors.readers.external.port import Adapter, Counted, Steps
from collectors.readers.external.timeline import (
    HOUR,
    Slot,
    added,
    begin_of,
    equal_steps,
    floored,
    plan,
    profile_of,
    slots,
    without_idleness,
)
from collectors.readers.prometheus.answers import instant, milliseconds
from collectors.readers.prometheus.clock import Clock, Deadline
from collectors.readers.prometheus.outcome import (
    Asked,
    Outcome,
    counts,
    failed,
    history_note,
    nothing,
    slots_since,
)
from collectors.readers.prometheus.profile import Profile, known_span, step_of
from collectors.readers.prometheus.raw import MODE
from slo.errors import SourceError, SourceUnavailable
from slo.model import External, ServiceLevel, SloKey
from slo.ports import Evidence, NoData, NoDataReason, Reading
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT


class ExternalCounts:
    """A `CountReader` over one product, for indicators in its own language.

    Numbers younger than ``lag`` are not read. ``timeout`` bounds the answer to one question,
    ``deadline`` one reading of all levels.
    """

    def __init__(
        self,
        adapter: Adapter,
        *,
        lag: Duration,
        timeout: Duration,
        deadline: Duration | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._adapter = adapter
        self._lag = lag
        self._timeout = timeout
        self._deadline = deadline
        self._clock = clock or Clock()

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        """Return one reading for every level; one that cannot be asked fails alone."""
        until = Deadline(self._clock, self._deadline)
        asked = Asked(windows=tuple(dict.fromkeys(windows)), at=at, until=until)
        wanted = [
            _Wanted(level=each, measure=each.slo.indicator.measure, steps=self._plan(each, asked))
            for each in levels
            if isinstance(each.slo.indicator.measure, External)
        ]
        answers = self._inquiry(until).answers(q for each in wanted for q in each.questions)
        readings = {each.level.key: self._reading(each, answers, asked).made() for each in wanted}
        missing = NoData(
            reason=NoDataReason.UNSUPPORTED,
            detail=f"{self._adapter.reference} answers queries in its own language only",
        )
        for level in levels:
            if level.key not in readings:
                readings[level.key] = nothing(level, asked, missing, mode=MODE)
        return readings

    def profiles(
        self,
        levels: Sequence[ServiceLevel],
        readings: Mapping[SloKey, Reading],
        at: datetime,
        *,
        steps: int,
    ) -> Mapping[SloKey, Profile]:
        """Return counts per step of the known period, oldest first; what fails is left out."""
        until = Deadline(self._clock, self._deadline)
        found: dict[SloKey, Profile] = {}
        for level in levels:
            span = known_span(readings[level.key], level.slo.window)
            end = self._end(level, at)
            try:
                counted = without_idleness(self._slots(level, plan(end, span), until))
            except SourceError:
                continue
            step = step_of(span, steps)
            most = -(-span.milliseconds // step.milliseconds)
            found[level.key] = profile_of(counted, end, step, most)
        return found

    def series(
        self,
        level: ServiceLevel,
        at: datetime,
        *,
        span: Duration,
        step: Duration,
        whole: bool = False,
    ) -> Profile:
        """Count per step of a span up to ``at``, oldest first; steps without numbers are None.

        The last step ends with the last whole slot, however late numbers still come: that is for
        the caller to know. Steps older than the first with numbers are left out. Raises
        ``SourceError``, with ``whole`` also for an answer that lacks something, and ``ValueError``
        for a step that is not of whole slots.
        """
        if step.milliseconds % LEDGER_SLOT.milliseconds:
            raise ValueError(f"{step} is not a whole number of {LEDGER_SLOT}")
        offset = level.slo.indicator.offset
        end = floored(milliseconds(at) - (offset.milliseconds if offset else 0), LEDGER_SLOT)
        most = -(-span.milliseconds // step.milliseconds)
        whole_hours = not step.milliseconds % HOUR.milliseconds and end == floored(end, HOUR)
        fineness = HOUR if whole_hours else LEDGER_SLOT
        asked = equal_steps(end - most * step.milliseconds, end, fineness)
        until = Deadline(self._clock, self._deadline)
        found = self._slots(level, (asked,), until, whole=whole)
        return profile_of(found, end, step, most)

    def _inquiry(self, until: Deadline) -> Inquiry:
        return Inquiry(self._adapter, timeout=self._timeout, until=until)

    def _end(self, level: ServiceLevel, at: datetime) -> int:
        offset = level.slo.indicator.offset
        late = self._lag.milliseconds + (0 if offset is None else offset.milliseconds)
        return floored(milliseconds(at) - late, LEDGER_SLOT)

    def _plan(self, level: ServiceLevel, asked: Asked) -> tuple[Steps, ...]:
        return plan(self._end(level, asked.at), max((level.slo.window, *asked.windows)))

    def _slots(
        self,
        level: ServiceLevel,
        steps: tuple[Steps, ...],
        until: Deadline,
        *,
        whole: bool = False,
    ) -> tuple[Slot, ...]:
        measure = level.slo.indicator.measure
        assert isinstance(measure, External), "the caller has seen to it"
        wanted = _Wanted(level=level, measure=measure, steps=steps)
        answers = self._inquiry(until).answers(wanted.questions)
        for each in answers.values():
            if isinstance(each, SourceError):
                raise each
            if whole and each.lacking:
                name = self._adapter.reference
                raise SourceUnavailable(f"{name}: {'; '.join(each.lacking)}", source=name)
        return wanted.slots({key: a for key, a in answers.items() if isinstance(a, Counted)})

    def _reading(
        self, wanted: _Wanted, answers: Mapping[Question, Counted | SourceError], asked: Asked
    ) -> _Reading:
        return _Reading(
            reference=self._adapter.reference,
            wanted=wanted,
            answers={question: answers[question] for question in wanted.questions},
            asked=asked,
            end=self._end(wanted.level, asked.at),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One level, and the steps that its queries are asked for, oldest first."""

    level: ServiceLevel
    measure: External
    steps: tuple[Steps, ...]

    @property
    def part(self) -> str:
        """The query of bad or of good events, or of their share."""
        found = self.measure.good if self.measure.bad is None else self.measure.bad
        assert found is not None, "the loader wants one of the two"
        return found

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything to ask."""
        queries = (self.part,) if self.measure.total is None else (self.measure.total, self.part)
        return tuple(Question(query=each, steps=one) for one in self.steps for each in queries)

    def slots(self, answers: Mapping[Question, Counted]) -> tuple[Slot, ...]:
        """What the answers amount to, oldest first."""
        found: list[Slot] = []
        for steps in self.steps:
            total = self.measure.total
            whole = None if total is None else answers[Question(query=total, steps=steps)]
            part = answers[Question(query=self.part, steps=steps)]
            found += slots(self.measure, steps, whole, part)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The answers for one level; ``end`` is where all windows end, in Unix milliseconds."""

    reference: str
    wanted: _Wanted
    answers: Mapping[Question, Counted | SourceError]
    asked: Asked
    end: int

    def made(self) -> Reading:
        """Return what is known, or why nothing is."""
        for answer in self.answers.values():
            if isinstance(answer, SourceError):
                return self._nothing(failed(answer))
        given = {key: each for key, each in self.answers.items() if isinstance(each, Counted)}
        lacking = tuple(dict.fromkeys(text for each in given.values() for text in each.lacking))
        found = without_idleness(self.wanted.slots(given))
        period = self.wanted.level.slo.window
        inside = self._within(period, found)
        known = [each for each in inside if each.counts is not None]
        total = added(inside)
        if total is None or all(each.silent for each in inside):
            return self._nothing(self._silence(lacking, found))
        excess = sum((each.excess for each in inside), Fraction(0))
        doubt = counts(total.total, total.bad - excess)
        if isinstance(doubt, NoData):
            return self._nothing(doubt)
        oldest = known[0].start
        begin = begin_of(period, self.end)
        reach = self.end - max(begin, oldest)
        history = slots_since(oldest, self.end - 1, period)
        return Reading(
            key=self.wanted.level.key,
            at=self.asked.at,
            period=total,
            windows={each: self._window(each, found) for each in self.asked.windows},
            mode=MODE,
            coverage=Fraction(sum(each.end - each.start for each in known), reach),
            observed_at=instant(known[-1].end),
            since=instant(oldest) if oldest > begin else None,
            unproven=self._is_unproven(given),
            partial=(self.reference,) if lacking else (),
            warnings=lacking,
            evidence=self._evidence,
            notes=history_note(history, period),
        )

    def _within(self, window: Duration, found: Sequence[Slot]) -> list[Slot]:
        begin = begin_of(window, self.end)
        return [each for each in found if each.start >= begin]

    def _window(self, window: Duration, found: Sequence[Slot]) -> Outcome:
        total = added(self._within(window, found))
        if total is not None:
            return total
        detail = f"{self.reference} has no numbers for the last {window}"
        return NoData(reason=NoDataReason.LOST, detail=detail)

    def _silence(self, lacking: Sequence[str], found: Sequence[Slot]) -> NoData:
        if lacking:
            detail = f"{self.reference}: {'; '.join(lacking)}"
            return NoData(reason=NoDataReason.SOURCE_FAILED, detail=detail)
        lost = any(not each.silent for each in found)
        return NoData(
            reason=NoDataReason.LOST if lost else NoDataReason.NEVER,
            detail=f"{self.reference} has no numbers for the whole {self.wanted.level.slo.window}"
            " window; is the query right?",
        )

    def _nothing(self, missing: NoData) -> Reading:
        return nothing(self.wanted.level, self.asked, missing, mode=MODE, evidence=self._evidence)

    def _is_unproven(self, given: Mapping[Question, Counted]) -> bool:
        """Whether a query of bad events has never given a number at all."""
        if self.wanted.measure.bad is None or self.wanted.level.slo.indicator.proven:
            return False
        answers = [each for key, each in given.items() if key.query == self.wanted.part]
        return all(number is None for each in answers for number in each.numbers)

    @property
    def _evidence(self) -> tuple[Evidence, ...]:
        return tuple(
            evidence_of(self.reference, question, answer)
            for question, answer in self.answers.items()
        )
