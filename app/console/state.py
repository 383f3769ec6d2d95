"""What a page shows, and how its address says so: pure, in both directions.

``View.read(view.query())`` is the same view, so a pasted link shows the same picture. An address
that makes no sense in part is read as far as it does, and the rest is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from enum import StrEnum

from collectors.readers.telemetry import TimeRange, TraceOrder
from slo.errors import HeadroomError
from slo.records import dataclass
from slo.units import Duration, UnitError, parse_time

SECOND = 1_000_000_000
LONGEST = 200
"""The most characters a name in an address may have; a log query may have more."""

LONGEST_QUERY = 4096

RANGES = ("1h", "6h", "24h", "7d", "30d")
"""The relative ranges that are offered."""

REFRESHES = (0, 15, 60)
"""How often a page may read itself again, in seconds; 0 is never."""

SLICES = ("", "route", "pod", "version", "component")
"""What rates and durations are broken down by; an empty one is not at all."""

SEVERITIES: Mapping[str, int] = {"debug": 5, "info": 9, "warn": 13, "error": 17, "fatal": 21}
"""The least severities that can be asked for, as OpenTelemetry numbers them."""


class Tab(StrEnum):
    """The tabs of the App page."""

    OVERVIEW = "overview"
    WHY = "why"
    METRICS = "metrics"
    TRACES = "traces"
    LOGS = "logs"
    DEPLOYS = "deploys"


class AddressError(HeadroomError):
    """A part of an address makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything that is chosen on a page.

    The range is ``length`` up to now, unless ``start`` and ``end`` (Unix seconds) are set.
    ``route``, ``pod``, ``version`` and ``dependency`` filter; ``at_least`` and ``below`` bound
    durations in milliseconds; ``part_start`` and ``part_end`` (Unix seconds) select a part of the
    range; ``trace``, ``span``, ``pattern``, ``record``, ``event`` and ``node`` are selected;
    ``part`` is a page of spans.
    """

    app: str | None = None
    tab: Tab = Tab.OVERVIEW
    env: str | None = None
    slo: str | None = None
    length: Duration = Duration(milliseconds=86_400_000)
    start: int | None = None
    end: int | None = None
    refresh: int = 0
    team: str | None = None
    tier: str | None = None
    by: str = ""
    failed: bool = False
    order: TraceOrder = TraceOrder.NEWEST
    at_least: int | None = None
    below: int | None = None
    part_start: int | None = None
    part_end: int | None = None
    text: str = ""
    level: str | None = None
    tail: bool = False
    pattern: str | None = None
    record: str | None = None
    event: str | None = None
    route: str | None = None
    pod: str | None = None
    version: str | None = None
    dependency: str | None = None
    trace: str | None = None
    span: str | None = None
    node: str | None = None
    part: int = 1

    @property
    def absolute(self) -> bool:
        """Whether the range has fixed ends."""
        return self.start is not None and self.end is not None

    def but(self, changes: Mapping[str, object]) -> View:
        """The same view with other values in the fields that are named."""
        return replace(self, **changes)  # type: ignore[arg-type]  # by field

    def range(self, now: datetime) -> TimeRange:
        """The range as of an instant; a relative one ends at a round second, for caches."""
        if self.start is not None and self.end is not None:
            return TimeRange(start=self.start * SECOND, end=self.end * SECOND)
        step = max(1, min(15, self.length.milliseconds // 720_000))
        end = (int(now.timestamp()) // step + 1) * step
        return TimeRange(
            start=(end * 1000 - self.length.milliseconds) * (SECOND // 1000), end=end * SECOND
        )

    def selected(self, now: datetime) -> TimeRange:
        """The part of the range that is selected, or all of it."""
        if self.part_start is None or self.part_end is None:
            return self.range(now)
        return TimeRange(start=self.part_start * SECOND, end=self.part_end * SECOND)

    def query(self) -> dict[str, str]:
        """The address's query, without what stands for itself."""
        found = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                found[_NAMES[each.name]] = _written(value)
        return found

    @classmethod
    def read(cls, query: Mapping[str, str]) -> tuple[View, tuple[str, ...]]:
        """What an address says, and sentences about the parts that make no sense."""
        found: dict[str, object] = {}
        mistakes = []
        for name, key in _NAMES.items():
            if key not in query:
                continue
            try:
                found[name] = _READERS.get(name, _name)(query[key])
            except (AddressError, UnitError) as problem:
                mistakes.append(f"{key}: {problem}")
        for first, last in (("start", "end"), ("part_start", "part_end")):
            if (first in found) != (last in found) or not _ordered(found, first, last):
                keys = f"{_NAMES[first]} and {_NAMES[last]}"
                mistakes.append(f"{keys}: a range has a start before its end")
                found.pop(first, None)
                found.pop(last, None)
        return cls().but(found), tuple(mistakes)


_NAMES: Mapping[str, str] = {
    **{each.name: each.name for each in fields(View)},
    "length": "range",
    "start": "from",
    "end": "to",
    "text": "q",
    "at_least": "min",
    "below": "max",
    "part_start": "sel_from",
    "part_end": "sel_to",
    "part": "page",
}
"""What fields are called in an address."""


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def _ordered(found: Mapping[str, object], first: str, last: str) -> bool:
    start, end = found.get(first), found.get(last)
    return not (isinstance(start, int) and isinstance(end, int)) or start < end


def _name(text: str) -> str:
    if not text or len(text) > LONGEST:
        raise AddressError(f"has 1 to {LONGEST} characters")
    return text


def _line(text: str) -> str:
    if len(text) > LONGEST_QUERY:
        raise AddressError(f"has {LONGEST_QUERY} characters at most")
    return text


def _flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise AddressError("is 0 or 1")
    return text == "1"


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise AddressError("is a whole number")
    return int(text)


def _positive(text: str) -> int:
    found = _whole(text)
    if found < 1:
        raise AddressError("counts from 1")
    return found


def _seconds(text: str) -> int:
    """An instant in whole Unix seconds, from them or from RFC 3339."""
    return int(parse_time(text).timestamp())


def _length(text: str) -> Duration:
    found = Duration.parse(text)
    if found > Duration.of(days=366):
        raise AddressError("is a year at most")
    return found


def _one_of(choices: tuple[str, ...]) -> str:
    return f"is one of {', '.join(each for each in choices if each)}"


def _tab(text: str) -> Tab:
    if text not in set(Tab):
        raise AddressError(_one_of(tuple(Tab)))
    return Tab(text)


def _order(text: str) -> TraceOrder:
    if text not in set(TraceOrder):
        raise AddressError(_one_of(tuple(TraceOrder)))
    return TraceOrder(text)


def _slice(text: str) -> str:
    if text not in SLICES:
        raise AddressError(_one_of(SLICES))
    return text


def _level(text: str) -> str:
    if text not in SEVERITIES:
        raise AddressError(_one_of(tuple(SEVERITIES)))
    return text


def _refresh(text: str) -> int:
    found = _whole(text)
    if found not in REFRESHES:
        raise AddressError(_one_of(tuple(str(each) for each in REFRESHES)))
    return found


_READERS = {
    "tab": _tab,
    "length": _length,
    "start": _seconds,
    "end": _seconds,
    "part_start": _seconds,
    "part_end": _seconds,
    "refresh": _refresh,
    "by": _slice,
    "failed": _flag,
    "tail": _flag,
    "order": _order,
    "at_least": _whole,
    "below": _whole,
    "text": _line,
    "pattern": _line,
    "route": _line,
    "level": _level,
    "part": _positive,
}


def around(time: int, seconds: int) -> tuple[int, int]:
    """A range of whole seconds that holds an instant (nanoseconds) with room on both sides."""
    middle = time // SECOND
    return middle - seconds, middle + seconds + 1


def from_datetime(time: datetime) -> int:
    """Whole Unix seconds of a date and time; one without a zone is meant in UTC."""
    zoned = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return int(zoned.timestamp())
