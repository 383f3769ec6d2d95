"""The life of an alert, as Prometheus 3 lives it: pending, firing, resolved. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from alerts.prometheus.rules import Alerting
from slo.records import dataclass
from slo.units import Duration

RETAINED = Duration.parse("31m")
"""How long a resolved alert is remembered: twice as long as the news of a ticket may have to wait.

Whoever missed its end still hears of it then.
"""

Labels = Mapping[str, str]
Key = tuple[tuple[str, str], ...]


class Stage(StrEnum):
    """How far an alert has come."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of one rule; times are Unix milliseconds.

    ``kept_since`` is when its condition ended although it still fires.
    """

    labels: Labels
    annotations: Labels
    value: float
    stage: Stage
    active_at: int
    fired_at: int | None = None
    kept_since: int | None = None
    resolved_at: int | None = None

    @property
    def key(self) -> Key:
        """What tells it from other alerts."""
        return key_of(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A sample that an alerting rule's expression gave, with the labels and words of its alert."""

    labels: Labels
    annotations: Labels
    value: float


def key_of(labels: Labels) -> Key:
    """Return labels in their order."""
    return tuple(sorted(labels.items()))


def advance(
    rule: Alerting, before: Mapping[Key, Alert], found: Iterable[Found], at_ms: int
) -> dict[Key, Alert]:
    """Return a rule's alerts after an evaluation.

    Source: ``AlertingRule.Eval`` of Prometheus 3.
    """
    now = {key_of(each.labels): each for each in found}
    after: dict[Key, Alert] = {}
    for key, each in now.items():
        known = before.get(key)
        if known is None or known.stage is Stage.RESOLVED:
            known = Alert(
                labels=each.labels,
                annotations=each.annotations,
                value=each.value,
                stage=Stage.PENDING,
                active_at=at_ms,
            )
        known = replace(known, value=each.value, annotations=each.annotations, kept_since=None)
        after[key] = _fired(known, rule, at_ms)
    for key, known in before.items():
        if key not in now:
            ended = _ended(known, rule, at_ms)
            if ended is not None:
                after[key] = ended
    return after


def resolved(known: Alert, at_ms: int) -> Alert | None:
    """Return what is left of an alert whose rule has gone."""
    if known.stage is Stage.FIRING:
        return replace(known, stage=Stage.RESOLVED, resolved_at=at_ms, kept_since=None)
    if known.stage is Stage.PENDING or known.resolved_at is None:
        return None
    return known if at_ms - known.resolved_at <= RETAINED.milliseconds else None


def _fired(known: Alert, rule: Alerting, at_ms: int) -> Alert:
    wait = 0 if rule.wait is None else rule.wait.milliseconds
    if known.stage is Stage.PENDING and at_ms - known.active_at >= wait:
        return replace(known, stage=Stage.FIRING, fired_at=at_ms)
    return known


def _ended(known: Alert, rule: Alerting, at_ms: int) -> Alert | None:
    if known.stage is Stage.FIRING and rule.keep_firing is not None:
        since = at_ms if known.kept_since is None else known.kept_since
        if at_ms - since < rule.keep_firing.milliseconds:
            return replace(known, kept_since=since)
    return resolved(known, at_ms)
