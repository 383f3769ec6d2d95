"""Times as JSON logs write them, in Unix nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION = re.compile(r"([T ]\d\d:?\d\d:?\d\d)[.,](\d{1,30})")
_UNITS = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""Below this size a number counts units of so many nanoseconds: seconds until the year 5138,
then milliseconds, microseconds, and nanoseconds above."""

_SECOND = 10**9
_MOST = 2**63
_LONGEST = 64


def nanoseconds(value: object) -> int:
    """Read a time: ISO 8601, or a number of seconds, ms, µs or ns since 1970 told by its size.

    A time without a zone is in UTC. Raises ``ValueError`` for what is no time that fits 64 bits.
    """
    if isinstance(value, str):
        text = value.strip()[:_LONGEST]
        found = _of_number(text) if _is_number(text) else _of_text(text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found = _of_number(repr(value))
    else:
        raise ValueError("the time is neither a text nor a number")  # noqa: TRY004 - bad input
    if not -_MOST <= found < _MOST:
        raise ValueError("the time does not fit 64 bits of nanoseconds")
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.lstrip("-").replace(".", "", 1).isdecimal()


def _of_number(text: str) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError("the time is no number") from error
    if not number.is_finite() or abs(number) >= _MOST:
        raise ValueError("the time does not fit 64 bits of nanoseconds")
    unit = next((unit for bound, unit in _UNITS if abs(number) < bound), 1)
    return int(number * unit)


def _of_text(text: str) -> int:
    match = _FRACTION.search(text)
    fraction = match.group(2) if match else ""
    if match:
        text = text[: match.end(1)] + text[match.end() :]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no time") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        since = moment - _EPOCH
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is no time") from error
    return since // timedelta(seconds=1) * _SECOND + int(fraction[:9].ljust(9, "0"))
