"""What recorded and raw reading have in common: the pieces that a reading is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime
from fractions import Fraction

from collectors.readers.prometheus.answers import Answer
from collectors.readers.prometheus.clock import Deadline
from collectors.readers.telemetry import MetricReader
from slo.errors import SourceError
from slo.model import ServiceLevel
from slo.ports import Counts, Evidence, EvidenceStatus, NoData, NoDataReason, Reading, Share
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

Outcome = Counts | Share | NoData
"""What a window may hold."""

_FULL = Fraction(99, 100)
_NOISE = Fraction(5, 100)
_NOISE_EVENTS = Fraction(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reader was asked for, and how long it may take."""

    windows: tuple[Duration, ...]
    at: datetime
    until: Deadline


@dataclass(slots=True, kw_only=True)
class Trail:
    """The queries of one piece of work: evidence, warnings, and whether anything is missing."""

    client: MetricReader
    asked: Asked
    evidence: list[Evidence] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    partial: bool = False

    def query(self, query: str) -> Answer:
        """Ask for an instant and remember it; raises ``SourceError``."""
        at = self.asked.at
        try:
            return self._keep(self.client.query(query, at, self.asked.until))
        except SourceError as error:
            self._failed(query, at, at, error)
            raise

    def query_range(self, query: str, start: datetime, end: datetime, step: Duration) -> Answer:
        """Ask for a range and remember it; raises ``SourceError``."""
        try:
            return self._keep(self.client.query_range(query, start, end, step, self.asked.until))
        except SourceError as error:
            self._failed(query, start, end, error)
            raise

    def stamped(self, reading: Reading, place: str = "") -> Reading:
        """Return a reading with the warnings of all its queries, partial if one of them was."""
        if not self.warnings and not self.partial:
            return reading
        missing = (place or self.client.reference,) if self.partial else ()
        return replace(
            reading,
            warnings=tuple(dict.fromkeys((*reading.warnings, *self.warnings))),
            partial=tuple(dict.fromkeys((*reading.partial, *missing))),
        )

    def _keep(self, answer: Answer) -> Answer:
        self.evidence.append(answer.evidence)
        self.warnings += [text for text in answer.warnings if text not in self.warnings]
        self.partial = self.partial or answer.partial
        return answer

    def _failed(self, query: str, start: datetime, end: datetime, error: SourceError) -> None:
        self.evidence.append(
            Evidence(
                source=self.client.reference,
                query=query,
                start=start,
                end=end,
                observed_at=None,
                status=EvidenceStatus.ERROR,
                detail=str(error),
            )
        )


def failed(error: SourceError) -> NoData:
    """Return the absence of a number because a source gave none."""
    return NoData(reason=NoDataReason.SOURCE_FAILED, detail=str(error))


def nothing(
    level: ServiceLevel,
    asked: Asked,
    missing: NoData,
    *,
    mode: str,
    evidence: Sequence[Evidence] = (),
    notes: Sequence[str] = (),
) -> Reading:
    """Return a reading that has the same reason everywhere."""
    return Reading(
        key=level.key,
        at=asked.at,
        period=missing,
        windows=dict.fromkeys(asked.windows, missing),
        mode=mode,
        evidence=tuple(evidence),
        notes=tuple(notes),
    )


def counts(total: Fraction, bad: Fraction) -> Counts | NoData:
    """Return counts without what interpolation makes negative.

    Good events that clearly exceed all events are no success: something is counted wrongly.
    """
    if bad < -max(_NOISE_EVENTS, _NOISE * total):
        return NoData(
            reason=NoDataReason.INCOMPLETE,
            detail="more good events were counted than events; does good select a part of total?",
        )
    return Counts(total=max(Fraction(0), total), bad=max(Fraction(0), bad))


def slots_in(period: Duration) -> int:
    """Return how many slots of the ledger a period has, at least one."""
    return max(1, period.milliseconds // LEDGER_SLOT.milliseconds)


def slots_since(first_ms: int, at_ms: int, period: Duration) -> int:
    """Return how many slots a ledger should have that began with its first slot."""
    return min(slots_in(period), max(1, (at_ms - first_ms) // LEDGER_SLOT.milliseconds + 1))


def history_note(slots: int, period: Duration) -> tuple[str, ...]:
    """Say how much of a period there can be data for, unless that is practically all of it."""
    share = Fraction(slots, slots_in(period))
    if share >= _FULL:
        return ()
    return (f"history covers {_percent(share)} of the {period} window",)


def age(seconds: Fraction) -> str:
    """Return how long ago something was, in its two largest units."""
    whole = max(0, int(seconds))
    days, hours, minutes = whole // 86400, whole % 86400 // 3600, whole % 3600 // 60
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(parts[:2]) or f"{whole} s"


def _percent(share: Fraction) -> str:
    percent = float(share * 100)
    return f"{percent:.0f} %" if percent >= 1 else "less than 1 %"
