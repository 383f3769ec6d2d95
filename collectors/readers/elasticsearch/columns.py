"""The places in documents where a column's value may stand, and how it is written there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from slo.records import dataclass


class Unit(StrEnum):
    """How a field writes its value."""

    TEXT = "text"
    TIME = "time"
    NANOSECONDS = "ns"
    MICROSECONDS = "us"
    NUMBER = "number"
    LEVEL = "level"


NANOSECONDS_IN: Mapping[Unit, int] = {Unit.NANOSECONDS: 1, Unit.MICROSECONDS: 1000}
"""How many nanoseconds one of a field's units is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place: a path with dots, or the entry of a list of keys and values.

    ``named`` are what the list's entries call the two. ``mapped`` are the spellings of each value
    that a column may have; other values are none.
    """

    path: str
    unit: Unit = Unit.TEXT
    key: str | None = None
    named: tuple[str, str] = ("key", "value")
    mapped: Mapping[str, tuple[str, ...]] | None = None


Column = tuple[Place, ...]
"""The places of a column, the surest first."""


def column(
    *paths: str,
    unit: Unit = Unit.TEXT,
    key: str | None = None,
    named: tuple[str, str] = ("key", "value"),
    mapped: Mapping[str, tuple[str, ...]] | None = None,
) -> Column:
    """Places that write their value alike."""
    return tuple(Place(path=path, unit=unit, key=key, named=named, mapped=mapped) for path in paths)


def words(spellings: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Values by their spellings, in every case that senders use."""
    return {
        value: tuple(dict.fromkeys(each for word in known for each in cases(word)))
        for value, known in spellings.items()
    }


def cases(word: str) -> tuple[str, ...]:
    """A word as it stands, in lower case, in upper case, and with a capital."""
    return tuple(dict.fromkeys((word, word.lower(), word.upper(), word.capitalize())))
