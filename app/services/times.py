"""Instants as Unix nanoseconds, the way records and frames hold them, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nanoseconds(at: datetime) -> int:
    """Return an instant as Unix nanoseconds."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def instant(unix_nanoseconds: int) -> datetime:
    """Return Unix nanoseconds as an instant, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=unix_nanoseconds // 1000)
