"""What a rule finds, what that amounts to, and what would turn it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from fractions import Fraction

from slo.ports import Evidence
from slo.records import dataclass

Datum = Fraction | int | str | bool | None
"""A piece of exact data behind a sentence."""


class Outcome(StrEnum):
    """What a rule found; the later matters more."""

    SKIPPED = "skipped"
    PASS = "pass"  # noqa: S105 - no password
    INSUFFICIENT_DATA = "insufficient_data"
    WARN = "warn"
    EXEMPT = "exempt"
    NO_DATA = "no_data"
    ERROR = "error"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        """How much it matters, for choosing the worst of several."""
        return tuple(Outcome).index(self)


class Effect(StrEnum):
    """What a finding amounts to, and a decision with it; the later outranks the earlier."""

    ALLOW = "allow"
    WARN = "warn"
    INDETERMINATE = "indeterminate"
    DENY = "deny"

    @property
    def rank(self) -> int:
        """Its place in the order of precedence."""
        return tuple(Effect).index(self)


def worst(*effects: Effect) -> Effect:
    """The effect that prevails; ``allow`` without any."""
    return max(effects, key=lambda effect: effect.rank, default=Effect.ALLOW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of the facts that would turn a finding, in a sentence and in exact data."""

    text: str
    data: Mapping[str, Datum] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule found about one SLO, or about the whole when ``slo`` is ``None``.

    ``observed`` and ``threshold`` are exact and in ``unit``. ``reason`` says in one word why data
    is missing. ``known`` is what numbers that may not be relied on would have said. A ``firm``
    finding of missing data is indeterminate whatever the policy says of missing data.
    """

    outcome: Outcome
    message: str
    slo: str | None = None
    observed: Fraction | None = None
    threshold: Fraction | None = None
    unit: str | None = None
    reason: str | None = None
    known: Outcome | None = None
    firm: bool = False
    remediation: str | None = None
    change: Change | None = None
    data: Mapping[str, Datum] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    effect: Effect = Effect.ALLOW
