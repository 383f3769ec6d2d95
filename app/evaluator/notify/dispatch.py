"""Notifications from alerts: grouped, timed and told once, as an Alertmanager would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from threading import Lock

from alerts.alertmanager.destinations import Directory
from alerts.alertmanager.inhibition import inhibits
from app.evaluator.alerting import Alert, Stage
from app.evaluator.notify.message import Notification, fingerprint, is_firing
from app.evaluator.notify.routing import group_labels, receiver_of, severity_of, timing_of
from slo.records import dataclass

GroupKey = tuple[str, str, tuple[tuple[str, str], ...]]
"""Receiver, severity and the labels that all alerts of the group have."""

Deliver = Callable[[Notification, Callable[[bool], None]], bool]
"""Takes a notification and what wants to know whether it arrived; false when it is not taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a receiver was told the last time: the alerts that fired, and those that had ended."""

    at_ms: int
    firing: frozenset[str]
    resolved: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Alerts that are told together; ``next_ms`` is when they are looked at again."""

    next_ms: int
    told: Told | None = None


class Dispatcher:
    """Decides what to tell whom; it is asked every few seconds. Threads may share it.

    Source of what is told when: ``DedupStage.needsUpdate`` of Alertmanager.
    """

    def __init__(self, directory: Directory, deliver: Deliver, *, external_url: str = "") -> None:
        self._directory = directory
        self._deliver = deliver
        self._external_url = external_url
        self._lock = Lock()
        self._groups: dict[GroupKey, Group] = {}
        self._under_way: set[GroupKey] = set()

    def run(self, alerts: Sequence[Alert], now_ms: int) -> int:
        """Tell what is due of the alerts that fire or have ended; return how many were ordered."""
        sorted_ = self._sorted(alerts)
        firing = [each for each in alerts if is_firing(each)]
        ordered = 0
        for key, members in sorted_.items():
            with self._lock:
                group = self._group(key, members, now_ms)
                if group is None or group.next_ms > now_ms or key in self._under_way:
                    continue
                pause = timing_of(members[0].labels).interval.milliseconds
                self._groups[key] = replace(group, next_ms=now_ms + pause)
            loud = [each for each in members if not _is_quiet(each, firing)]
            if _is_news(group.told, loud, now_ms, timing_of(members[0].labels).repeat.milliseconds):
                ordered += self._order(key, loud, now_ms)
        self._end(sorted_)
        return ordered

    def dumped(self) -> list[dict[str, object]]:
        """Return who was told what, as plain data."""
        with self._lock:
            return [_dumped(key, group) for key, group in self._groups.items()]

    def restore(self, data: Iterable[Mapping[str, object]]) -> None:
        """Take back what ``dumped`` gave; raises ``KeyError``, ``TypeError`` or ``ValueError``."""
        groups = dict(map(_restored, data))
        with self._lock:
            self._groups = groups

    def _sorted(self, alerts: Sequence[Alert]) -> dict[GroupKey, list[Alert]]:
        found: dict[GroupKey, list[Alert]] = {}
        for each in alerts:
            if each.stage is not Stage.PENDING:
                severity = severity_of(each.labels)
                receiver = receiver_of(each.labels, self._directory)
                labels = tuple(sorted(group_labels(each.labels).items()))
                key = (receiver, "" if severity is None else severity.value, labels)
                found.setdefault(key, []).append(each)
        return found

    def _group(self, key: GroupKey, members: Sequence[Alert], now_ms: int) -> Group | None:
        """The group of alerts; a new one begins with an alert that fires."""
        group = self._groups.get(key)
        if group is None and any(map(is_firing, members)):
            began = min(each.fired_at for each in members if each.fired_at is not None)
            due = began + timing_of(members[0].labels).wait.milliseconds
            group = self._groups[key] = Group(next_ms=max(now_ms, due))
        return group

    def _order(self, key: GroupKey, alerts: Sequence[Alert], now_ms: int) -> bool:
        receiver, severity, labels = key
        notification = Notification(
            receiver=receiver,
            group_key=f'{{severity="{severity}"}}:{dict(labels)}',
            group_labels=dict(labels),
            alerts=tuple(sorted(alerts, key=lambda each: (not is_firing(each), each.key))),
            external_url=self._external_url,
        )
        told = Told(at_ms=now_ms, firing=_firing(alerts), resolved=_resolved(alerts))
        with self._lock:
            self._under_way.add(key)
        taken = self._deliver(
            notification, lambda arrived: self._arrived(key, told, arrived=arrived)
        )
        if not taken:
            with self._lock:
                self._under_way.discard(key)
        return taken

    def _arrived(self, key: GroupKey, told: Told, *, arrived: bool) -> None:
        with self._lock:
            self._under_way.discard(key)
            if arrived and key in self._groups:
                self._groups[key] = replace(self._groups[key], told=told)

    def _end(self, current: Mapping[GroupKey, object]) -> None:
        """Forget groups whose alerts have all been forgotten."""
        with self._lock:
            for key in [key for key in self._groups if key not in current]:
                if key not in self._under_way:
                    del self._groups[key]


def _is_quiet(alert: Alert, firing: Sequence[Alert]) -> bool:
    return any(inhibits(each.labels, alert.labels) for each in firing)


def _is_news(told: Told | None, alerts: Sequence[Alert], now_ms: int, repeat_ms: int) -> bool:
    firing, resolved = _firing(alerts), _resolved(alerts)
    if told is None:
        return bool(firing)
    if not firing <= told.firing:
        return True
    if not firing:
        return bool(told.firing) and bool(alerts)
    return not resolved <= told.resolved or now_ms - told.at_ms >= repeat_ms


def _firing(alerts: Iterable[Alert]) -> frozenset[str]:
    return frozenset(fingerprint(each.labels) for each in alerts if is_firing(each))


def _resolved(alerts: Iterable[Alert]) -> frozenset[str]:
    return frozenset(fingerprint(each.labels) for each in alerts if not is_firing(each))


def _dumped(key: GroupKey, group: Group) -> dict[str, object]:
    receiver, severity, labels = key
    told = group.told
    return {
        "receiver": receiver,
        "severity": severity,
        "labels": dict(labels),
        "next": group.next_ms,
        "told": None
        if told is None
        else {
            "at": told.at_ms,
            "firing": sorted(told.firing),
            "resolved": sorted(told.resolved),
        },
    }


def _restored(data: Mapping[str, object]) -> tuple[GroupKey, Group]:
    labels, told = data["labels"], data["told"]
    if not isinstance(labels, dict) or not isinstance(told, dict | None):
        raise TypeError("a group has no labels")
    key = (
        str(data["receiver"]),
        str(data["severity"]),
        tuple(sorted((str(name), str(text)) for name, text in labels.items())),
    )
    if told is None:
        return key, Group(next_ms=int(str(data["next"])))
    past = Told(
        at_ms=int(str(told["at"])),
        firing=frozenset(map(str, told["firing"])),
        resolved=frozenset(map(str, told["resolved"])),
    )
    return key, Group(next_ms=int(str(data["next"])), told=past)
