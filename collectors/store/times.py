"""Unix nanoseconds as people and programs read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000_000


def rfc3339(nanoseconds: int) -> str:
    """An instant in UTC, with as many decimals as it has."""
    seconds, rest = divmod(nanoseconds, _SECOND)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{whole}{decimals}Z"


def nanoseconds(instant: datetime) -> int:
    """An instant as Unix nanoseconds, exactly."""
    passed = instant - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * _SECOND + passed.microseconds * 1_000
