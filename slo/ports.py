"""What the domain asks of the outside: Protocols that readers implement, and their answers.

Every call takes its time explicitly. An answer carries where it came from and how complete it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from slo.model import ServiceLevel, SloKey
from slo.records import dataclass
from slo.units import Duration


class NoDataReason(StrEnum):
    """Why a number could not be found out; never expressed as a number."""

    SOURCE_FAILED = "source_failed"
    LOST = "lost"
    NEVER = "never"
    INCOMPLETE = "incomplete"
    ZERO_TRAFFIC = "zero_traffic"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoData:
    """The absence of a number, with its reason and a sentence for people."""

    reason: NoDataReason
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events of a window: ``0 <= bad``, ``0 <= total``; ``bad`` may exceed ``total`` by noise.

    Counts of rules are fractions of events because rates are interpolated between scrapes.
    """

    total: Fraction
    bad: Fraction

    def __add__(self, other: Counts) -> Counts:
        return Counts(total=self.total + other.total, bad=self.bad + other.bad)

    @property
    def error_ratio(self) -> Fraction | None:
        """The share of bad events, 0 to 1; ``None`` without any events."""
        if self.total <= 0:
            return None
        return _within(self.bad / self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The share of bad events of a window, 0 to 1, from a source that keeps no counts for it.

    Shares of several sources can never be put together.
    """

    ratio: Fraction

    @property
    def error_ratio(self) -> Fraction:
        """The share of bad events, 0 to 1, whatever noise a source records."""
        return _within(self.ratio)


def _within(ratio: Fraction) -> Fraction:
    """A ratio between nothing and all, whichever it overstepped."""
    if ratio.numerator <= 0:
        return Fraction(0)
    return ratio if ratio.numerator <= ratio.denominator else Fraction(1)


class EvidenceStatus(StrEnum):
    """What became of one query."""

    OK = "ok"
    STALE = "stale"
    MISSING = "missing"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One question that was put to a source and a digest of its answer."""

    source: str
    query: str
    start: datetime
    end: datetime
    observed_at: datetime | None
    status: EvidenceStatus
    sha256: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionChange:
    """The objective or the query changed inside the window: since when the present one holds."""

    revision: str
    since: datetime
    previous: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything a source says of one service level at one instant.

    ``windows`` has an entry for each window that was asked for; ``period`` is the SLO's own
    window. ``coverage`` is the share of the period's slots that were recorded, 0 to 1, ``None``
    when not even that is known. ``since`` is when the known slots begin, ``None`` when they fill
    the period. ``mode`` says how it was read: ``recorded`` or ``raw``.
    ``partial`` names the clusters or sources that are missing from the sums.
    """

    key: SloKey
    at: datetime
    period: Counts | NoData
    windows: Mapping[Duration, Counts | Share | NoData]
    mode: str
    coverage: Fraction | None = None
    observed_at: datetime | None = None
    since: datetime | None = None
    unproven: bool = False
    revision: RevisionChange | None = None
    partial: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    notes: tuple[str, ...] = field(default=())


class CountReader(Protocol):
    """Answers how many events were good and bad, for many service levels at once."""

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        """One reading for every level asked for; a source that fails is a reading of no data."""
        ...
