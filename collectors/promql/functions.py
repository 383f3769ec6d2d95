"""Functions of numbers and of times, which know nothing of series."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from collectors.promql.values import Floats, Mask

Elementwise = Callable[[Floats], Floats]
Clamping = Callable[[Floats, Sequence[Floats]], tuple[Floats, Mask]]

ELEMENTWISE: dict[str, Elementwise] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "sgn": np.sign,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "deg": np.degrees,
    "rad": np.radians,
}
"""Functions of one number."""

_LAST_SECOND = 2.0**62 / 1e3


def _parts(seconds: Floats) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(seconds) & (np.abs(seconds) < _LAST_SECOND)
    whole = np.trunc(np.where(known, seconds, 0)).astype(np.int64)
    return whole, known


def _of_day(unit: int, most: int) -> Elementwise:
    def part(seconds: Floats) -> Floats:
        whole, known = _parts(seconds)
        return np.where(known, whole // unit % most, np.nan)

    return part


def _of_calendar(pick: Callable[[np.ndarray], np.ndarray]) -> Elementwise:
    def part(seconds: Floats) -> Floats:
        whole, known = _parts(seconds)
        return np.where(known, pick(whole.astype("datetime64[s]").astype("datetime64[D]")), np.nan)

    return part


def _days(count: np.ndarray) -> np.ndarray:
    days: np.ndarray = count.astype(np.int64)
    return days


def _day_of_month(days: np.ndarray) -> np.ndarray:
    return _days(days - days.astype("datetime64[M]").astype("datetime64[D]")) + 1


def _day_of_year(days: np.ndarray) -> np.ndarray:
    return _days(days - days.astype("datetime64[Y]").astype("datetime64[D]")) + 1


def _day_of_week(days: np.ndarray) -> np.ndarray:
    # 1970 began on a Thursday; Sunday is 0.
    return (_days(days) + 4) % 7


def _days_in_month(days: np.ndarray) -> np.ndarray:
    month = days.astype("datetime64[M]")
    return _days((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]"))


def _month(days: np.ndarray) -> np.ndarray:
    return _days(days.astype("datetime64[M]")) % 12 + 1


def _year(days: np.ndarray) -> np.ndarray:
    return _days(days.astype("datetime64[Y]")) + 1970


CALENDAR: dict[str, Elementwise] = {
    "minute": _of_day(60, 60),
    "hour": _of_day(3600, 24),
    "day_of_week": _of_calendar(_day_of_week),
    "day_of_month": _of_calendar(_day_of_month),
    "day_of_year": _of_calendar(_day_of_year),
    "days_in_month": _of_calendar(_days_in_month),
    "month": _of_calendar(_month),
    "year": _of_calendar(_year),
}
"""Functions of a time in Unix seconds, in UTC."""


def _clamp(values: Floats, limits: Sequence[Floats]) -> tuple[Floats, Mask]:
    low, high = limits
    clamped = np.maximum(low, np.minimum(high, values))
    return clamped, np.broadcast_to(~(low > high), values.shape)


def _clamp_min(values: Floats, limits: Sequence[Floats]) -> tuple[Floats, Mask]:
    return np.maximum(limits[0], values), np.ones(values.shape, bool)


def _clamp_max(values: Floats, limits: Sequence[Floats]) -> tuple[Floats, Mask]:
    return np.minimum(limits[0], values), np.ones(values.shape, bool)


def _round(values: Floats, limits: Sequence[Floats]) -> tuple[Floats, Mask]:
    # The inverse keeps decimal steps exact, as Prometheus does it.
    inverse = 1.0 / (limits[0] if limits else np.ones(1))
    return np.floor(values * inverse + 0.5) / inverse, np.ones(values.shape, bool)


WITH_SCALARS: dict[str, Clamping] = {
    "clamp": _clamp,
    "clamp_min": _clamp_min,
    "clamp_max": _clamp_max,
    "round": _round,
}
"""Functions of a number and of scalars; the mask says what is kept."""
