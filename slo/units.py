"""Durations, percentages and instants, read exactly from text."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Self

from slo.records import dataclass

_UNITS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_PARTS = "".join(f"(?:([0-9]{{1,16}}){unit})?" for unit in _UNITS)
_DURATION = re.compile(_PARTS)

DURATION_PATTERN = r"^(?=[0-9])" + "".join(f"([0-9]{{1,16}}{unit})?" for unit in _UNITS) + "$"
"""The form of a duration as a regular expression that JSON Schema understands."""

# Prometheus keeps durations as 64-bit nanoseconds.
_LONGEST = (2**63 - 1) // 1_000_000

PERCENT_PATTERN = r"^[1-9][0-9]?(\.[0-9]{1,10})?$"
"""The form of an objective as a regular expression that JSON Schema understands."""
_PERCENT = re.compile(PERCENT_PATTERN)
_SIGNED_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")

_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ZONELESS = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9:.]{5,18})?")
_UNIX = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,9})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_YEAR = 2199
_END = Decimal((datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC) - _EPOCH).days * 86_400)


class UnitError(ValueError):
    """Text that is not the quantity it should be; `hint` says what to write instead."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Duration:
    """A length of time in whole milliseconds, never negative."""

    milliseconds: int

    def __post_init__(self) -> None:
        if not 0 <= self.milliseconds <= _LONGEST:
            raise ValueError(f"{self.milliseconds} ms is no duration that Prometheus can hold")

    @classmethod
    def parse(cls, text: str, *, allow_zero: bool = False) -> Self:
        """Read a duration in Prometheus' notation: `30d`, `1h30m`, `300ms`.

        Raises `UnitError`.
        """
        match = _DURATION.fullmatch(text)
        if match is None or not text:
            raise UnitError(
                "a duration is a number with a unit, such as 5m or 1h30m",
                hint=_duration_hint(text),
            )
        total = sum(
            int(amount) * size
            for amount, size in zip(match.groups(), _UNITS.values(), strict=True)
            if amount is not None
        )
        if total == 0 and not allow_zero:
            raise UnitError("the duration must be longer than zero")
        if total > _LONGEST:
            raise UnitError("the duration is longer than Prometheus can hold, 292 years")
        return cls(milliseconds=total)

    @classmethod
    def of(cls, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: int = 0) -> Self:
        """Return the duration of so many days, hours, minutes and seconds."""
        return cls(milliseconds=(((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)

    @property
    def seconds(self) -> Decimal:
        """Return the exact number of seconds."""
        return Decimal(self.milliseconds) / 1000

    @property
    def timedelta(self) -> timedelta:
        """Return the duration for arithmetic with instants."""
        return timedelta(milliseconds=self.milliseconds)

    @property
    def text(self) -> str:
        """Return the one way to write this duration, in days and smaller units."""
        return _in_units(self.milliseconds)

    @property
    def promql(self) -> str:
        """Return the duration as PromQL takes it in a range or an offset."""
        return self.text

    def __str__(self) -> str:
        return self.text


# Rules and queries name the same few windows again and again.
@lru_cache(maxsize=512)
def _in_units(milliseconds: int) -> str:
    rest, parts = milliseconds, []
    for unit in ("d", "h", "m", "s", "ms"):
        amount, rest = divmod(rest, _UNITS[unit])
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def parse_percent(text: str) -> Decimal:
    """Read an objective in percent, keeping its digits: `99.90` stays 99.90.

    Objectives stand from 1 to below 100; smaller numbers are ratios written by mistake.
    Raises `UnitError`.
    """
    if _PERCENT.fullmatch(text):
        return Decimal(text)
    if not _SIGNED_NUMBER.fullmatch(text):
        raise UnitError("an objective is a percentage such as 99.9", hint=_percent_hint(text))
    value = Decimal(text)
    if value == 100:  # noqa: PLR2004 - all of a hundred percent
        raise UnitError(
            "an objective of 100 can never be met: its error budget is zero",
            hint="choose an objective below 100, such as 99.9",
        )
    if not 0 < value < 100:  # noqa: PLR2004 - the bounds of a percentage
        raise UnitError("an objective lies between 0 and 100 percent", hint="write it as in 99.9")
    if value < 1:
        ratio = (value * 100).normalize()
        raise UnitError(
            "an objective below 1 percent is no objective",
            hint=f"objective is in percent; did you mean {ratio:f}?",
        )
    raise UnitError(
        "an objective is written as plain digits, at most ten of them after the point",
        hint="write it as in 99.9",
    )


def parse_time(text: str) -> datetime:
    """Read an instant as RFC 3339 with a zone, or as Unix seconds; the result is in UTC.

    Years from 1970 to 2199 are taken. Digits past the microsecond are dropped.
    Raises `UnitError`.
    """
    if _UNIX.fullmatch(text):
        return _from_unix(text)
    match = _RFC3339.fullmatch(text)
    if match is None:
        hint = "add a zone, such as Z for UTC" if _ZONELESS.fullmatch(text) else None
        raise UnitError(
            "a time is RFC 3339, such as 2026-11-23T04:10:00Z, or Unix seconds", hint=hint
        )
    day, clock, fraction, zone = match.groups()
    digits = (fraction or "0")[:6].ljust(6, "0")
    try:
        local = datetime.fromisoformat(f"{day}T{clock}.{digits}{zone.upper()}")
        instant = local.astimezone(UTC)
    except (ValueError, OverflowError) as cause:
        raise UnitError("there is no such time", hint=str(cause)) from cause
    if not _EPOCH.year <= instant.year <= _LAST_YEAR:
        raise UnitError(f"a time lies between the years {_EPOCH.year} and {_LAST_YEAR}")
    return instant


def _from_unix(text: str) -> datetime:
    seconds = Decimal(text)
    if seconds < _END:
        return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))
    hint = None
    for name, scale in (("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)):
        if seconds / scale < _END:
            hint = f"this looks like {name}; did you mean {int(seconds) // scale}?"
            break
    raise UnitError(f"a Unix time lies before the year {_LAST_YEAR + 1}", hint=hint)


def _duration_hint(text: str) -> str | None:
    squeezed = text.replace(" ", "").lower()[:60]
    if text.startswith("-"):
        return "a duration cannot be negative"
    if re.fullmatch(r"[0-9]+", text):
        return f'add a unit: "{text[:20]}s" for seconds, "{text[:20]}m" for minutes'
    if re.fullmatch(r"[0-9]+\.[0-9]+[a-z]+", squeezed):
        return "write whole numbers and smaller units: 1h30m, not 1.5h"
    squeezed = re.sub(r"(?<=[0-9])(d|h|m|s|y|w)[a-z]+", _first_letter, squeezed)
    if squeezed != text and squeezed and _DURATION.fullmatch(squeezed):
        return f'did you mean "{squeezed}"?'
    if re.fullmatch(r"(?:[0-9]+(?:ms|[ywdhms]))+", text):
        return "write each unit once, the larger before the smaller: 1h30m"
    return None


def _first_letter(match: re.Match[str]) -> str:
    return "ms" if match[0] in {"ms", "msec", "millis", "milliseconds"} else match[1]


def _percent_hint(text: str) -> str | None:
    if re.fullmatch(r"[0-9]{1,3},[0-9]{1,10}", text):
        return f"use a point: {text.replace(',', '.')}"
    if re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,10})? ?%", text):
        return f"leave out the percent sign: {text.rstrip('% ')}"
    return None
