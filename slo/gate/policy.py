"""The policy model: which rules an application has to meet to ship, and what may excuse it."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar

from slo.gate.facts import Facts
from slo.gate.findings import Finding
from slo.gate.subject import ChangeType
from slo.problems import Span
from slo.records import dataclass
from slo.units import Duration

BUILT_IN = "built-in"
"""The name of the policy that applies where no other does."""


class Mode(StrEnum):
    """What a decision does: nothing, a warning at most, or all that it says."""

    OBSERVE = "observe"
    WARN = "warn"
    ENFORCE = "enforce"


class OnMissingData(StrEnum):
    """What missing data amounts to; a back end that failed is indeterminate whatever this says."""

    DENY = "deny"
    WARN = "warn"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ABC):
    """One condition for shipping.

    With ``only_warns`` a failure of the rule is a warning. ``reads_data`` tells the rules that
    judge what SLOs measured from those that do not.
    """

    type: ClassVar[str]
    reads_data: ClassVar[bool] = False

    id: str
    only_warns: bool = False
    span: Span | None = None

    @abstractmethod
    def judge(self, facts: Facts, policy: GatePolicy) -> tuple[Finding, ...]:
        """What the rule finds: one finding for each SLO it covers, or one for all."""

    def covers(self, slo: str) -> bool:
        """Whether the rule judges the SLO of that name."""
        del slo
        return False

    @property
    def windows(self) -> tuple[Duration, ...]:
        """The windows that judging needs to have been read, besides the SLO's own."""
        return ()

    def next_turn(self, at: datetime) -> datetime | None:
        """The next instant at which the rule is certain to find something else, if there is one."""
        del at
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a policy is for: every key that is set must agree; without any it is for all."""

    environments: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def specificity(self) -> tuple[int, int, int, int]:
        """How narrow the match is; the greater of two is the more specific."""
        return (bool(self.apps), bool(self.teams), len(self.labels), bool(self.environments))


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackExemption:
    """A return to what ran before; ``rules`` are the ids it excuses, or ``None`` for the usual."""

    max_age: Duration = field(default_factory=lambda: Duration.of(days=30))
    rules: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityFixExemption:
    """A change that mends: it needs a ticket. ``approvers`` are the people who can vouch for it."""

    approvers: tuple[str, ...] = ()
    rules: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDeployExemption:
    """A deploy before which there was neither data nor a decision that let anything through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemptions:
    """The changes that a policy excuses from rules that read data; ``None`` excuses none."""

    rollback: RollbackExemption | None = field(default_factory=RollbackExemption)
    reliability_fix: ReliabilityFixExemption | None = field(default_factory=ReliabilityFixExemption)
    first_deploy: FirstDeployExemption | None = field(default_factory=FirstDeployExemption)

    @property
    def change_types(self) -> tuple[ChangeType, ...]:
        """The change types that may be excused."""
        present = {
            ChangeType.ROLLBACK: self.rollback,
            ChangeType.RELIABILITY_FIX: self.reliability_fix,
            ChangeType.FIRST_DEPLOY: self.first_deploy,
        }
        return tuple(kind for kind, exemption in present.items() if exemption is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """The conditions for shipping.

    ``min_coverage`` is the share of an SLO's slots, since its first recorded one, that must have
    been recorded, 0 to 1. ``exempt_never`` are ids of rules that no exemption excuses.
    """

    name: str
    rules: tuple[Rule, ...]
    match: Match = field(default_factory=Match)
    mode: Mode = Mode.ENFORCE
    on_missing_data: OnMissingData = OnMissingData.DENY
    max_data_age: Duration = field(default_factory=lambda: Duration.of(minutes=15))
    evaluation_timeout: Duration = field(default_factory=lambda: Duration.of(seconds=8))
    min_coverage: Fraction = Fraction(1, 2)
    exempt: Exemptions = field(default_factory=Exemptions)
    exempt_never: tuple[str, ...] = ()
    span: Span | None = None

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of what the policy says, wherever it stands."""
        text = json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def windows(self) -> tuple[Duration, ...]:
        """The windows its rules need to have been read, shortest first."""
        return tuple(sorted({window for rule in self.rules for window in rule.windows}))


def _plain(value: object) -> object:
    """Return a model as JSON data; numbers are texts, so that none loses a digit."""
    match value:
        case Rule():
            plain: object = {"type": value.type, **_fields(value)}
        case Duration():
            plain = value.text
        case Mapping():
            plain = {str(key): _plain(item) for key, item in value.items()}
        case tuple():
            plain = [_plain(item) for item in value]
        case Decimal() | Fraction():
            plain = str(Fraction(value))
        case None | str() | bool() | int():
            plain = value
        case _:
            plain = _fields(value) if is_dataclass(value) else str(value)
    return plain


def _fields(value: object) -> dict[str, object]:
    assert is_dataclass(value)
    return {
        each.name: _plain(getattr(value, each.name))
        for each in fields(value)
        if each.name != "span"
    }
