"""The clauses of the query language, in the few forms that are needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from collectors.readers.telemetry import TimeRange

Clause = dict[str, Any]

EVERYTHING: Clause = {"match_all": {}}
NOTHING: Clause = {"match_none": {}}

_MILLISECOND = 1_000_000


def all_of(clauses: Iterable[Clause]) -> Clause:
    """What meets every clause."""
    found = [each for each in clauses if each != EVERYTHING]
    if NOTHING in found:
        return NOTHING
    if not found:
        return EVERYTHING
    return found[0] if len(found) == 1 else {"bool": {"filter": found}}


def any_of(clauses: Iterable[Clause]) -> Clause:
    """What meets at least one clause."""
    found = [each for each in clauses if each != NOTHING]
    if EVERYTHING in found:
        return EVERYTHING
    if not found:
        return NOTHING
    if len(found) == 1:
        return found[0]
    return {"bool": {"should": found, "minimum_should_match": 1}}


def none_of(clauses: Sequence[Clause]) -> Clause:
    """What meets no clause."""
    found = [each for each in clauses if each != NOTHING]
    if EVERYTHING in found:
        return NOTHING
    return {"bool": {"must_not": found}} if found else EVERYTHING


def within(field: str, span: TimeRange) -> Clause:
    """What a field of dates says is in a range, to the millisecond.

    Dates are cut to milliseconds where they are indexed, unless the field keeps nanoseconds; a
    bound between two milliseconds moves to the one inside the range.
    """
    first, last = -(-span.start // _MILLISECOND), (span.end - 1) // _MILLISECOND
    return {"range": {field: {"gte": first, "lte": last, "format": "epoch_millis"}}}


def since(field: str, milliseconds: int) -> Clause:
    """What a field of dates says is not before an instant."""
    return {"range": {field: {"gte": milliseconds, "format": "epoch_millis"}}}
