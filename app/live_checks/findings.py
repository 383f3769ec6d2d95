"""Findings of single clusters, put together into one problem for each cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from slo.problems import Problem, Severity, Span, in_order

_MOST_PLACES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What is wrong, wherever it is: findings that are equal here are one problem."""

    id: str
    severity: Severity
    message: str
    span: Span | None
    hint: str | None = None
    related: tuple[tuple[Span, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class Findings:
    """Causes with the places (environments and clusters) where each was seen."""

    _seen: dict[Cause, list[str]] = field(default_factory=dict)

    def add(self, cause: Cause, place: str) -> None:
        """Note that a cause was seen in a place."""
        places = self._seen.setdefault(cause, [])
        if place not in places:
            places.append(place)

    def problems(self) -> tuple[Problem, ...]:
        """Return one problem for each cause, its places named, in order."""
        return in_order(
            Problem(
                id=cause.id,
                severity=cause.severity,
                message=f"{cause.message} ({listing(places, _MOST_PLACES)})",
                span=cause.span,
                hint=cause.hint,
                related=cause.related,
            )
            for cause, places in self._seen.items()
        )


def listing(texts: Sequence[str], most: int) -> str:
    """Return texts with commas, and how many were left out."""
    left = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {left} more" if left > 0 else "")
