"""What a decoder gives back, and how it refuses a whole batch."""

from __future__ import annotations

import pyarrow as pa

from collectors.signals import Signal
from slo.errors import HeadroomError
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The records of a batch that could be taken, and how many could not.

    ``reason`` says why the first ones were rejected; empty when none was. ``rejected`` counts
    what the signal's answer counts: log records, spans or data points.
    """

    signal: Signal
    table: pa.Table
    rejected: int = 0
    reason: str = ""


class Refused(HeadroomError):  # noqa: N818 - says what happened
    """A body that cannot be taken at all; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Rejects:
    """Counts the rejected records of one batch and keeps the first few reasons."""

    __slots__ = ("_reasons", "count")

    _MOST = 3
    _LONGEST = 200

    def __init__(self) -> None:
        self.count = 0
        self._reasons: dict[str, int] = {}

    def add(self, reason: object, count: int = 1) -> None:
        """Count records that were rejected for a reason."""
        self.count += count
        text = str(reason)[: self._LONGEST]
        if text in self._reasons or len(self._reasons) < self._MOST:
            self._reasons[text] = self._reasons.get(text, 0) + count

    @property
    def reason(self) -> str:
        """The reasons with how often each was met, the first ones first."""
        text = "; ".join(f"{reason} ({count})" for reason, count in self._reasons.items())
        others = self.count - sum(self._reasons.values())
        return f"{text}; other reasons ({others})" if others else text
