"""How many requests a sampled span stands for.

Told, in this order, by the OpenTelemetry entry of the W3C trace state: ``ot=th:…`` (consistent
probability sampling by a threshold T: the probability is 1 - T/2^56) or the older ``ot=p:…``
(2^-p); then by attributes: ``sampling.threshold`` (as ``th``), ``sampling.probability`` (0 to 1),
``SampleRate`` (one in so many). A span without any of them stands for itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

_DIGITS = 14
_ALL = 1 << 4 * _DIGITS
_MOST = 1e9
_NEVER = 63
_LONGEST = 512  # what W3C asks to be carried


def weight_of(trace_state: str, attributes: Mapping[str, object]) -> float:
    """Return how many requests a span stands for, 1 or more."""
    found = _of_trace_state(trace_state) if 0 < len(trace_state) <= _LONGEST else None
    if found is None and not _KEYS.isdisjoint(attributes):
        found = _of_attributes(attributes)
    return 1.0 if found is None else found


@lru_cache(maxsize=1024)
def _of_trace_state(text: str) -> float | None:
    for member in text.split(","):
        vendor, _, value = member.strip().partition("=")
        if vendor == "ot":
            entries = dict(each.partition(":")[::2] for each in value.split(";"))
            if "th" in entries:
                return _of_threshold(entries["th"])
            if "p" in entries:
                return _of_power(entries["p"])
    return None


def _of_threshold(text: object) -> float | None:
    if not isinstance(text, str) or not 1 <= len(text) <= _DIGITS or not _HEX.issuperset(text):
        return None
    return _bounded(_ALL / (_ALL - int(text.ljust(_DIGITS, "0"), 16)))


def _of_power(text: str) -> float | None:
    number = _number(text) if len(text) <= len(str(_NEVER)) else None
    if number is None or not 0 <= number < _NEVER or not number.is_integer():
        return None
    return _bounded(2.0**number)


def _of_probability(value: object) -> float | None:
    number = _number(value)
    return None if number is None or not 0 < number <= 1 else _bounded(1 / number)


def _of_rate(value: object) -> float | None:
    number = _number(value)
    return None if number is None or number < 1 else _bounded(number)


def _of_attributes(attributes: Mapping[str, object]) -> float | None:
    for key, read in _ATTRIBUTES:
        found = read(attributes[key]) if key in attributes else None
        if found is not None:
            return found
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _bounded(weight: float) -> float | None:
    """Leave out weights that would let one forged span outweigh all others."""
    return weight if weight <= _MOST else None


_HEX = frozenset("0123456789abcdef")
_ATTRIBUTES = (
    ("sampling.threshold", _of_threshold),
    ("sampling.probability", _of_probability),
    ("SampleRate", _of_rate),
)
_KEYS = frozenset(key for key, _ in _ATTRIBUTES)
