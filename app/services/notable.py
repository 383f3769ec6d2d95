"""Log patterns worth a place on a timeline: those that are new and tell of trouble."""

from __future__ import annotations

import re

from app.access import Scope
from app.services.patterns import patterns
from app.services.results import Happening
from app.services.world import World
from collectors.readers.telemetry import Answered, Where

MOST = 5
"""How many patterns a timeline shows, the most frequent ones."""

_TROUBLE = frozenset({"warn", "warning", "error", "critical", "fatal"})
_VARIABLE = re.compile(r"<[^<>]*>")
_LONGEST = 120


def notable(world: World, scope: Scope, where: Where) -> Answered[tuple[Happening, ...]]:
    """Return the new patterns of warnings and errors, as they were first seen.

    New is what a range has and as long a time before it has not. Raises ``Forbidden``,
    ``UsageError`` and ``SourceError``.
    """
    found = patterns(world, scope, where)
    happened = []
    for row in found.value.to_dict("records"):
        if not row["new"] or str(row["level"]) not in _TROUBLE:
            continue
        happened.append(
            Happening(
                time=int(row["first_seen"]),
                end=int(row["last_seen"]),
                kind="pattern",
                severity=str(row["level"]),
                title=str(row["pattern"])[:_LONGEST],
                detail=f"{row['count']} lines, not seen before",
                env=where.env,
                link={"tab": "logs", "q": _query(str(row["pattern"]))},
            )
        )
    return found.giving(tuple(happened[:MOST]))


def _query(pattern: str) -> str:
    """The longest part of a pattern that does not vary, as a phrase to search for."""
    fixed = max(_VARIABLE.split(pattern), key=len).strip()
    escaped = fixed.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if escaped else ""
