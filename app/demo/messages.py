"""The words of the demo's log lines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

INFO, WARN = 9, 13

DEFECT_LINES = (
    "KeyError: 'fare_family' in fare rule set {rules} while confirming booking {booking}",
    "confirmation of booking {booking} failed: KeyError: 'fare_family' (rule set {rules})",
)
"""What ticketing logs for each confirmation that the new version fails."""

LINE_OF_DEFECT = "rule set {rules} has no fare_family, falling back to the legacy parser"
"""A line that is new with that version, and rare."""

TIMEOUT_LINE = "psycopg.errors.QueryCanceled: canceling statement due to statement timeout: {query}"

HOUSEKEEPING: tuple[tuple[int, str], ...] = (
    (INFO, "cache refreshed: {count} entries in {small} ms"),
    (INFO, "connection pool: {small} connections in use, 20 at most"),
    (INFO, "health check passed"),
    (INFO, "garbage collection took {small} ms"),
    (INFO, "configuration is unchanged since revision {count}"),
    (WARN, "clock differs by {small} ms from the time server"),
    (INFO, "feature flags fetched: {small} flags"),
)
"""What every service says now and then: severity and text."""

LEGACY: tuple[str, ...] = (
    "IMPORT fares file=FARES_{count}.DAT rows={number} rc=0",
    "IMPORT fares waiting for file FARES_{count}.DAT",
    "ABEND U0456 step LOADFARE restarting record {number}",
)
"""What a host says that nobody has tagged."""

RENDERED = "rendered document {number} with {small} pages"


class Words:
    """Made-up names and numbers to put into lines, a set for each of ``size`` lines."""

    def __init__(self, random: np.random.Generator, size: int) -> None:
        self._numbers: list[int] = random.integers(10_000, 99_999, size).tolist()
        self._smalls: list[int] = random.integers(2, 97, size).tolist()

    def number(self, i: int) -> int:
        """A number of five digits."""
        return self._numbers[i]

    def pick(self, i: int, choices: int) -> int:
        """One of so many choices."""
        return self._numbers[i] % choices

    def fill(self, text: str, i: int) -> str:
        """Put words into the places of a line."""
        number, small = self._numbers[i], self._smalls[i]
        words: Mapping[str, object] = {
            "booking": f"BK-{number}",
            "charge": f"ch_{number * 7919:x}",
            "count": 100 + number % 1900,
            "flight": f"HR{100 + number % 700}",
            "lane": f"{_AIRPORTS[number % 7]}-{_AIRPORTS[(number + small) % 7]}",
            "member": f"M{number}{small:02d}",
            "number": number,
            "rules": f"FR-{2200 + number % 24}",
            "shipment": f"AWB-{number}",
            "small": small,
        }
        return text.format_map(words)


_AIRPORTS = ("FCO", "JFK", "LHR", "GRU", "NRT", "CDG", "DXB")
