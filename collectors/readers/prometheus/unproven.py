"""Which bad selectors match nothing: no failures, or a selector with a mistake in it."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.readers.prometheus.legs import PART, tagged, union
from collectors.readers.prometheus.outcome import Trail
from slo.errors import SourceError
from slo.ledger import Expressions, Part, expressions
from slo.model import ServiceLevel, SloKey
from slo.promql import Matcher

_LEVELS_PER_QUERY = 50


def expressions_here(
    level: ServiceLevel,
    source: str,
    default_source: str | None,
    extra: Sequence[Matcher] = (),
) -> Expressions | None:
    """Return a level's expressions over what one source holds.

    An indicator with a source of its own takes every cluster from there.
    """
    if level.slo.indicator.source is not None:
        return expressions(level, extra=extra)
    return expressions(level, source=source, default_source=default_source, extra=extra)


def unproven_levels(
    levels: Sequence[ServiceLevel], trail: Trail, default_source: str | None
) -> frozenset[SloKey]:
    """Return those of the levels without failures whose bad selector selects no series now.

    It has to be visible that the server holds the raw series at all: a global ruler does not. A
    question that fails leaves the matter open.
    """
    asked: list[tuple[SloKey, str, str]] = []
    for level in levels:
        found = expressions_here(level, trail.client.reference, default_source)
        if found is not None and may_be_unproven(level, found) and found.part_series is not None:
            asked.append((level.key, found.total_rate, found.part_series))
    missing: set[SloKey] = set()
    for start in range(0, len(asked), _LEVELS_PER_QUERY):
        batch = asked[start : start + _LEVELS_PER_QUERY]
        legs = []
        for place, (_, total, part) in enumerate(batch):
            legs += [tagged(f"({total})", f"total {place}"), tagged(f"({part})", f"part {place}")]
        try:
            answer = trail.query(union(legs))
        except SourceError:
            break
        seen = {series.labels.get(PART, "") for series in answer.series}
        missing |= {
            key
            for place, (key, _, _) in enumerate(batch)
            if f"total {place}" in seen and f"part {place}" not in seen
        }
    return frozenset(missing)


def may_be_unproven(level: ServiceLevel, found: Expressions) -> bool:
    """Tell whether a part that yields nothing would be a reason to doubt its selector."""
    return found.part is Part.BAD and not level.slo.indicator.proven
