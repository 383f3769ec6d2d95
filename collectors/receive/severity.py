"""Severities written as words or as the numbers of other conventions, on OpenTelemetry's scale."""

from __future__ import annotations

from collections.abc import Mapping

LOWEST, HIGHEST = 1, 24

_WORDS: Mapping[int, tuple[str, ...]] = {
    1: ("trace", "trc", "finest", "all", "verbose"),
    5: ("debug", "dbg", "fine", "d"),
    9: ("info", "information", "informational", "inf", "config", "i", "default"),
    10: ("notice",),
    13: ("warn", "warning", "wrn", "w"),
    17: ("error", "err", "severe", "e"),
    18: ("critical", "crit"),
    19: ("alert",),
    21: ("fatal", "panic", "emergency", "emerg", "dpanic", "ftl", "f"),
}
_NUMBERS = {word: number for number, words in _WORDS.items() for word in words}
_NUMBERS.update(
    {
        f"{word}{step}": first + step - 1
        for word, first in {
            "trace": 1,
            "debug": 5,
            "info": 9,
            "warn": 13,
            "error": 17,
            "fatal": 21,
        }.items()
        for step in (2, 3, 4)
    }
)

WORDS: Mapping[str, int] = _NUMBERS
"""Every word that is known, in lower case, and the severity it means."""

_TENS: Mapping[int, int] = {10: 1, 20: 5, 30: 9, 40: 13, 50: 17, 60: 21}
"""The levels of pino and bunyan."""


def number_of(text: str) -> int | None:
    """The severity that a word means, None for words that mean none."""
    return _NUMBERS.get(text.strip().lower())


def number_of_level(level: object) -> int | None:
    """The severity of a JSON log's level: a word, or a number of pino's and bunyan's scale."""
    if isinstance(level, str):
        found = number_of(level)
        return _TENS.get(int(level)) if found is None and level in _DIGITS else found
    if isinstance(level, int) and not isinstance(level, bool):
        return _TENS.get(level)
    return None


_DIGITS = frozenset(str(each) for each in _TENS)
