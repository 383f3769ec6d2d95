"""What a log query says, once read."""

from __future__ import annotations

from decimal import Decimal

from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The message holds this text, whatever its case; ``*`` in it stands for anything."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Is:
    """A field has a value. ``*`` in ``value`` stands for anything unless it was ``quoted``."""

    field: str
    value: str
    quoted: bool = False

    @property
    def wildcard(self) -> bool:
        """Whether the value is a pattern."""
        return not self.quoted and "*" in self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """A field is there."""

    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """A field holds a number that compares so; ``operator`` is one of ``< <= > >=``."""

    field: str
    operator: str
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The inner expression does not hold."""

    inner: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class And:
    """All hold; of none, everything does."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Or:
    """At least one holds."""

    parts: tuple[Expression, ...]


Expression = Words | Is | Has | Compare | Not | And | Or
