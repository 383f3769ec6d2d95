"""Which times of OTLP are taken: Unix nanoseconds that can be times of telemetry."""

from __future__ import annotations

EARLIEST = 10**17
"""March 1973. Anything before it is a time in seconds, milliseconds or microseconds."""

LATEST = 2**63 - 1
"""April 2262, the last one that fits 64 bits with a sign."""

_UNITS = ((10**11, "seconds"), (10**14, "milliseconds"), (EARLIEST, "microseconds"))


def checked(time: int, what: str) -> int:
    """Return a time that can be stored; raises ``ValueError`` for others, 0 included."""
    if EARLIEST <= time <= LATEST:
        return time
    raise ValueError(_problem(time, what))


def _problem(time: int, what: str) -> str:
    if time == 0:
        return f"{what} is missing"
    if time > LATEST:
        return f"{what} is after April 2262, the last time that can be stored"
    unit = next(name for bound, name in _UNITS if time < bound)
    return f"{what} is not in nanoseconds but looks like {unit}"
