"""Rules and groups as data, before any file format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from slo.records import dataclass
from slo.units import Duration

MAX_RULES = 20
"""The most rules a group may hold: Mimir's default limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording rule: ``record`` is the series it writes."""

    record: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """An alerting rule."""

    alert: str
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    wait: Duration | None = None
    keep_firing: Duration | None = None


Rule = Recording | Alerting


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated one after the other, at one instant and one interval.

    ``reads_raw`` says that it touches the application's own series and not only recorded ones.
    Raises ``ValueError`` past ``MAX_RULES``.
    """

    name: str
    interval: Duration
    rules: tuple[Rule, ...]
    reads_raw: bool = False

    def __post_init__(self) -> None:
        if len(self.rules) > MAX_RULES:
            raise ValueError(f"group {self.name} has {len(self.rules)} rules")
