"""What rounds of evaluation did, and how every rule fared."""

from __future__ import annotations

from dataclasses import field

from app.evaluator.alerting import Alert
from app.evaluator.head import Sample
from slo.model import SloKey
from slo.records import dataclass

RuleId = tuple[str, int]
"""The group's name and the rule's place in it; -1 is what is counted before the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHealth:
    """How a rule fared the last time; ``error`` is ``None`` when it was well."""

    key: SloKey
    group: str
    rule: str
    at_ms: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What one round of evaluation did; ``unsaved`` samples wait for the store to take them."""

    groups: int = 0
    rules: int = 0
    failures: int = 0
    samples: int = 0
    unsaved: int = 0
    missed: int = 0
    changed: tuple[Alert, ...] = field(default=())


@dataclass(slots=True, kw_only=True)
class Round:
    """What a tick has done so far."""

    groups: int = 0
    rules: int = 0
    failures: int = 0
    missed: int = 0
    samples: list[Sample] = field(default_factory=list)
    changed: list[Alert] = field(default_factory=list)

    def told(self, unsaved: int) -> Tick:
        """Return the round as it ended."""
        return Tick(
            groups=self.groups,
            rules=self.rules,
            failures=self.failures,
            samples=len(self.samples),
            unsaved=unsaved,
            missed=self.missed,
            changed=tuple(self.changed),
        )
