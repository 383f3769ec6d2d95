"""Counts of service levels out of the embedded store.

Indicators over metrics are read with the ledger's own expressions, exactly as from a Prometheus
that has never seen our rules. Log records and spans are counted one by one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from collectors.readers.prometheus.answers import milliseconds
from collectors.readers.prometheus.outcome import (
    Asked,
    failed,
    history_note,
    nothing,
    slots_in,
    slots_since,
)
from collectors.readers.prometheus.profile import (
    Profile,
    ProfileReader,
    known_span,
    step_of,
)
from collectors.readers.prometheus.raw import MODE
from collectors.readers.prometheus.reader import PromqlReader, ReadMode
from collectors.readers.prometheus.recorded import RecordedReader
from collectors.readers.prometheus.recorded_state import MODE as RECORDED
from collectors.readers.store.asking import REFERENCE, Asker, Question, instant, shown
from collectors.readers.store.conditions import (
    Parameters,
    bad_span,
    counted_spans,
    log_condition,
)
from collectors.readers.store.metrics import StoreMetrics
from collectors.readers.telemetry import Badness, TimeRange
from collectors.signals import Signal
from collectors.store import StoreReader
from slo.errors import SourceError
from slo.model import Logs, ServiceLevel, SloKey, Spans
from slo.ports import Counts, Evidence, EvidenceStatus, NoData, NoDataReason, Reading
from slo.records import dataclass
from slo.units import Duration
from slo.windows import FRESHNESS, LEDGER_SLOT

_MILLISECOND = 1_000_000
_SLOT = LEDGER_SLOT.milliseconds * _MILLISECOND


class StoreCounts:
    """A `CountReader` over the embedded store; ``deadline`` bounds one reading of all levels.

    ``mode`` is as of any source: what the evaluator recorded is read where it is fresh.
    """

    def __init__(
        self,
        store: StoreReader,
        *,
        default_source: str | None,
        deadline: Duration | None = None,
        metrics: StoreMetrics | None = None,
        mode: str = "auto",
    ) -> None:
        self._store = store
        self._metrics = metrics or StoreMetrics(store)
        self._default = default_source
        self._deadline = deadline
        self._mode = mode

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        """Return one reading for every level."""
        until = self._metrics.deadline(self._deadline)
        asked = Asked(windows=tuple(dict.fromkeys(windows)), at=at, until=until)
        counted = [each for each in levels if isinstance(_measure(each), Logs | Spans)]
        others = [each for each in levels if not isinstance(_measure(each), Logs | Spans)]
        readings = self._evaluated(others, windows, at)
        readings |= self._recorded(counted, asked)
        for level in counted:
            if level.key not in readings:
                readings[level.key] = self._count(level, asked)
        return readings

    def _recorded(self, levels: Sequence[ServiceLevel], asked: Asked) -> dict[SloKey, Reading]:
        """Read what the evaluator has counted of records, where its ledger is whole and fresh."""
        if not levels or self._mode == ReadMode.RAW:
            return {}
        found = RecordedReader(
            client=self._metrics.remembering(asked.until),
            counting=lambda _: False,
            default_source=self._default,
            only_fresh=True,
        ).read(levels, asked)
        return {
            level.key: found.readings[level.key]
            for level in levels
            if level.key not in found.unusable and _is_whole(found.readings[level.key])
        }

    def _evaluated(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> dict[SloKey, Reading]:
        """Read indicators over metrics; a ledger that is still being filled is not read."""
        if not levels:
            return {}
        readings = dict(self._reader(self._mode).read(levels, windows, at))
        if self._mode == ReadMode.AUTO:
            filling = [each for each in levels if _is_being_filled(readings[each.key])]
            if filling:
                readings |= self._reader(ReadMode.RAW).read(filling, windows, at)
        return readings

    def _reader(self, mode: str) -> PromqlReader:
        until = self._metrics.deadline(self._deadline)
        return PromqlReader(
            self._metrics.remembering(until),
            mode=mode,
            default_source=self._default,
            deadline=self._deadline,
            # A store that nobody serves has no rules, which is nothing to mend.
            expects_rules=False,
        )

    def profiles(
        self,
        levels: Sequence[ServiceLevel],
        readings: Mapping[SloKey, Reading],
        at: datetime,
        *,
        steps: int,
    ) -> Mapping[SloKey, Profile]:
        """Return counts per step of the known period, oldest first; see `ProfileReader`."""
        asked = Asked(windows=(), at=at, until=self._metrics.deadline(self._deadline))
        counted = [each for each in levels if isinstance(_measure(each), Logs | Spans)]
        others = [each for each in levels if not isinstance(_measure(each), Logs | Spans)]
        reader = ProfileReader(
            client=self._metrics.remembering(asked.until), default_source=self._default
        )
        found = dict(reader.read(others, readings, at, steps=steps)) if others else {}
        for level in counted:
            span = known_span(readings[level.key], level.slo.window)
            try:
                found[level.key] = self._counting(level, asked).profile(span, step_of(span, steps))
            except SourceError:
                continue
        return found

    def series(
        self, level: ServiceLevel, at: datetime, *, span: Duration, step: Duration
    ) -> Profile:
        """Count the records of a `logs` or `spans` indicator per step of a span up to ``at``.

        Oldest first; steps without records are ``None``, and older ones than the first are left
        out.
        """
        asked = Asked(windows=(), at=at, until=self._metrics.deadline(self._deadline))
        return self._counting(level, asked).profile(span, step)

    def _count(self, level: ServiceLevel, asked: Asked) -> Reading:
        try:
            return self._counting(level, asked).reading()
        except SourceError as error:
            return nothing(level, asked, failed(error), mode=MODE)

    def _counting(self, level: ServiceLevel, asked: Asked) -> _Counting:
        left = asked.until.remaining()
        asker = Asker(self._store, deadline=left if left < float("inf") else None)
        return _Counting(asker=asker, level=level, asked=asked)


def _is_being_filled(reading: Reading) -> bool:
    """Whether the newest slots were recorded and the whole period was not yet.

    The evaluator catches up with history before its rules say how much of it there is.
    """
    counted = isinstance(reading.period, Counts)
    return counted and reading.mode == RECORDED and reading.coverage is None


def _is_whole(reading: Reading) -> bool:
    return isinstance(reading.period, Counts) and not _is_being_filled(reading)


def _measure(level: ServiceLevel) -> object:
    return level.slo.indicator.measure


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counting:
    """One level whose records are counted."""

    asker: Asker
    level: ServiceLevel
    asked: Asked

    def reading(self) -> Reading:
        """Count every window with one question."""
        period, end = self.level.slo.window, self._end
        longest = max(period, *self.asked.windows, FRESHNESS)
        question = self._question(longest, end)
        snapshot, table = self.asker.table(question)
        row = table.to_pylist()[0]
        evidence = (self._evidence(question, row),)
        if not row["total_0"]:
            missing = self._absence(end - period.milliseconds * _MILLISECOND)
            if missing is not None:
                return nothing(self.level, self.asked, missing, mode=MODE, evidence=evidence)
            return self._idle(evidence)
        first, at = row["oldest"] // _MILLISECOND, milliseconds(self.asked.at)
        known = slots_since(first, at, period)
        coverage, newest = self._arrivals(row["oldest"], known)
        lost = snapshot.unreadable
        return Reading(
            key=self.level.key,
            at=self.asked.at,
            period=_counts(row, 0),
            windows={
                window: _counts(row, place) for place, window in enumerate(self.asked.windows, 1)
            },
            mode=MODE,
            coverage=coverage,
            observed_at=newest,
            since=instant(row["oldest"]) if known < slots_in(period) else None,
            unproven=not row["bad_0"] and not self.level.slo.indicator.proven,
            partial=(REFERENCE,) if lost else (),
            warnings=(f"{len(lost)} files of the store cannot be read",) if lost else (),
            evidence=evidence,
            notes=history_note(known, period),
        )

    def _idle(self, evidence: tuple[Evidence, ...]) -> Reading:
        """Nothing happened, and it is known that nothing did."""
        zero = Counts(total=Fraction(0), bad=Fraction(0))
        period = self.level.slo.window
        start = self._end - period.milliseconds * _MILLISECOND
        coverage, newest = self._arrivals(start, slots_in(period))
        return Reading(
            key=self.level.key,
            at=self.asked.at,
            period=zero,
            windows=dict.fromkeys(self.asked.windows, zero),
            mode=MODE,
            coverage=coverage,
            observed_at=newest,
            evidence=evidence,
            notes=(f"{self._signal} of {self.level.app.name} arrive; the indicator selects none",),
        )

    def _arrivals(self, start: int, expected: int) -> tuple[Fraction | None, datetime | None]:
        """The share of slots in which the signal arrived at all, whoever sent it, and until when.

        An app that is idle while others send is covered; a store that nobody reached is not.
        """
        _, table = self.asker.table(
            Question(
                signal=self._signal,
                sql=f"SELECT count(DISTINCT ({self._end - 1} - time) // {_SLOT}) AS slots, "
                "max(time) AS newest FROM records",
                parameters=Parameters(),
                apps=None,
                range=TimeRange(start=start, end=self._end),
            )
        )
        row = table.to_pylist()[0]
        if row["newest"] is None:
            return None, None
        return min(Fraction(1), Fraction(row["slots"], expected)), instant(row["newest"])

    @property
    def _signal(self) -> Signal:
        return Signal.LOGS if isinstance(_measure(self.level), Logs) else Signal.SPANS

    def profile(self, span: Duration, step: Duration) -> Profile:
        """Count every step of a span that ends at the instant asked for."""
        parameters = Parameters()
        signal, counted, bad, weight = self._conditions(parameters)
        width, end = step.milliseconds * _MILLISECOND, self._end
        places = -(-span.milliseconds // step.milliseconds)
        _, table = self.asker.table(
            Question(
                signal=signal,
                sql=f"SELECT ({end - 1} - time) // {width} AS place, sum({weight}) AS total_0, "
                f"coalesce(sum({weight}) FILTER ({bad}), 0) AS bad_0 FROM records "
                f"WHERE {counted} AND {self._env(parameters)} GROUP BY ALL",
                parameters=parameters,
                apps=(self.level.app.name,),
                range=TimeRange(start=end - places * width, end=end),
            )
        )
        by_place = {row["place"]: _counts(row, 0) for row in table.to_pylist()}
        oldest = max(by_place, default=-1)
        return tuple(by_place.get(place) for place in reversed(range(oldest + 1)))

    @property
    def _end(self) -> int:
        offset = self.level.slo.indicator.offset
        shift = 0 if offset is None else offset.milliseconds
        return (milliseconds(self.asked.at) - shift) * _MILLISECOND + 1

    def _question(self, longest: Duration, end: int) -> Question:
        parameters = Parameters()
        signal, counted, bad, weight = self._conditions(parameters)
        spans = [self.level.slo.window, *self.asked.windows]
        sums = []
        for place, window in enumerate(spans):
            inside = f"time >= {end - window.milliseconds * _MILLISECOND}"
            sums.append(f"coalesce(sum({weight}) FILTER ({inside}), 0) AS total_{place}")
            sums.append(f"coalesce(sum({weight}) FILTER ({inside} AND {bad}), 0) AS bad_{place}")
        begin = end - self.level.slo.window.milliseconds * _MILLISECOND
        return Question(
            signal=signal,
            sql=f"SELECT {', '.join(sums)}, min(time) FILTER (time >= {begin}) AS oldest, "
            f"max(time) AS newest FROM records WHERE {counted} AND {self._env(parameters)}",
            parameters=parameters,
            apps=(self.level.app.name,),
            range=TimeRange(start=end - longest.milliseconds * _MILLISECOND, end=end),
        )

    def _conditions(self, parameters: Parameters) -> tuple[Signal, str, str, str]:
        """The signal, what counts, what of it is bad, and how much each record stands for."""
        from slo.logquery import parse  # noqa: PLC0415 - only indicators over logs need it

        measure = self.level.slo.indicator.measure
        if isinstance(measure, Logs):
            total = f"({log_condition(parse(measure.query), parameters)})"
            return Signal.LOGS, total, f"({log_condition(parse(measure.bad), parameters)})", "1"
        assert isinstance(measure, Spans), "the caller has seen to it"
        condition = Badness.of(measure)
        total = counted_spans(condition, parameters)
        # Exact: a sum of floats depends on the order in which threads add them.
        weight = "CAST(weight AS DECIMAL(18, 6))"
        return Signal.SPANS, total, bad_span(condition, parameters), weight

    def _env(self, parameters: Parameters) -> str:
        """What belongs to the environment; of an only one, also what does not say which."""
        mine = f"env = {parameters.bind(self.level.environment.name)}"
        return f"({mine} OR env IS NULL)" if len(self.level.app.environments) == 1 else mine

    def _absence(self, since: int) -> NoData | None:
        """Tell records that stopped or never came from those that the indicator left out."""
        signal, app = self._signal, self.level.app.name
        bounds = self.asker.store.snapshot().bounds(signal, apps=(app,), before=self._end)
        if bounds is None:
            return NoData(
                reason=NoDataReason.NEVER, detail=f"no {signal} of {app} have ever been stored"
            )
        if bounds[1] < since:
            return NoData(
                reason=NoDataReason.LOST,
                detail=f"the newest {signal} of {app} are older than the window",
            )
        return None

    def _evidence(self, question: Question, row: Mapping[str, object]) -> Evidence:
        span, newest = question.range, row["newest"]
        assert span is not None, "counting always has a range"
        return Evidence(
            source=REFERENCE,
            query=shown(question),
            start=instant(span.start),
            end=self.asked.at,
            observed_at=instant(newest) if isinstance(newest, int) else None,
            status=EvidenceStatus.MISSING if newest is None else EvidenceStatus.OK,
            sha256=hashlib.sha256(
                json.dumps(row, sort_keys=True, default=str).encode()
            ).hexdigest(),
        )


def _counts(row: Mapping[str, object], place: int) -> Counts:
    total, bad = row[f"total_{place}"], row[f"bad_{place}"]
    return Counts(total=_exact(total), bad=_exact(bad))


def _exact(value: object) -> Fraction:
    return Fraction(value) if isinstance(value, int | float) else Fraction(str(value))
