"""The alerts of all rules, kept so that a restart neither repeats nor forgets any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from threading import Lock

from alerts.prometheus.rules import Alerting
from app.evaluator.alerting import Alert, Found, Key, Stage, advance, key_of, resolved

RuleKey = tuple[str, Key]
"""The group's name, and the labels that the rule gives its alerts."""


class AlertBook:
    """Every alert that is pending, fires, or has ended a short while ago; threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._alerts: dict[RuleKey, dict[Key, Alert]] = {}

    def alerts(self, *stages: Stage) -> tuple[Alert, ...]:
        """Return the alerts in any of these stages, or all of them, by their labels."""
        with self._lock:
            every = [each for alerts in self._alerts.values() for each in alerts.values()]
        chosen = [each for each in every if not stages or each.stage in stages]
        return tuple(sorted(chosen, key=lambda each: (each.key, each.active_at)))

    def advance(
        self, group: str, rule: Alerting, found: Sequence[Found], at_ms: int
    ) -> tuple[Alert, ...]:
        """Take in what a rule has found; return the alerts that began to fire or to be resolved."""
        key = _rule_key(group, rule)
        with self._lock:
            before = self._alerts.get(key, {})
            after = advance(rule, before, found, at_ms)
            if after:
                self._alerts[key] = after
            else:
                self._alerts.pop(key, None)
        return tuple(
            each
            for place, each in after.items()
            if each.stage is not Stage.PENDING and _stage(before.get(place)) is not each.stage
        )

    def retire(self, rules: Iterable[tuple[str, Alerting]], at_ms: int) -> None:
        """Resolve the alerts of all rules but these: their rules are no longer evaluated."""
        live = {_rule_key(group, rule) for group, rule in rules}
        with self._lock:
            for key in [key for key in self._alerts if key not in live]:
                ended = {k: resolved(each, at_ms) for k, each in self._alerts[key].items()}
                kept = {k: each for k, each in ended.items() if each is not None}
                if kept:
                    self._alerts[key] = kept
                else:
                    del self._alerts[key]

    def dumped(self) -> list[dict[str, object]]:
        """Return all of it as plain data."""
        with self._lock:
            return [
                {"group": group, "rule": dict(own), **_dumped(each)}
                for (group, own), alerts in self._alerts.items()
                for each in alerts.values()
            ]

    def restore(self, data: Iterable[Mapping[str, object]]) -> None:
        """Take back what ``dumped`` gave; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        alerts: dict[RuleKey, dict[Key, Alert]] = {}
        for each in data:
            key = str(each["group"]), key_of(_texts(each["rule"]))
            alert = _restored(each)
            alerts.setdefault(key, {})[alert.key] = alert
        with self._lock:
            self._alerts = alerts


def _rule_key(group: str, rule: Alerting) -> RuleKey:
    return group, key_of({**rule.labels, "alertname": rule.alert})


def _stage(alert: Alert | None) -> Stage:
    # Nobody has heard of one that was only pending.
    return Stage.PENDING if alert is None else alert.stage


def _dumped(alert: Alert) -> dict[str, object]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "value": repr(alert.value),
        "stage": alert.stage.value,
        "activeAt": alert.active_at,
        "firedAt": alert.fired_at,
        "keptSince": alert.kept_since,
        "resolvedAt": alert.resolved_at,
    }


def _restored(data: Mapping[str, object]) -> Alert:
    active = _time(data["activeAt"])
    if active is None:
        raise ValueError("an alert has no beginning")
    return Alert(
        labels=_texts(data["labels"]),
        annotations=_texts(data["annotations"]),
        value=float(str(data["value"])),
        stage=Stage(str(data["stage"])),
        active_at=active,
        fired_at=_time(data["firedAt"]),
        kept_since=_time(data["keptSince"]),
        resolved_at=_time(data["resolvedAt"]),
    )


def _time(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("a time is no whole number")


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError("labels are no mapping")
    return {str(name): str(text) for name, text in value.items()}
