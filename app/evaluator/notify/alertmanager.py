"""Handing alerts to an Alertmanager, as a Prometheus does: it groups, routes and repeats them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from app.evaluator.alerting import Alert, Key, Stage
from app.evaluator.notify.message import is_firing, rfc3339
from app.evaluator.notify.senders import post
from slo.units import Duration

PATH = "/api/v2/alerts"
RESEND = Duration.parse("1m")
"""How often an alert is sent again while it fires, and for a while after its end."""

VALID = Duration.parse("4m")
"""For how long an Alertmanager believes that an alert fires when it hears no more of it."""

_AT_ONCE = 64

Deliver = Callable[[Callable[[], None], Callable[[bool], None]], bool]
"""Takes what to do and what wants to know whether it was done; false when it is not taken."""


class AlertmanagerFeed:
    """Keeps one Alertmanager informed; asked every few seconds. Threads may share it."""

    def __init__(self, url: str, deliver: Deliver) -> None:
        self._url = url.rstrip("/") + PATH
        self._deliver = deliver
        self._lock = Lock()
        self._sent: dict[tuple[Key, int], tuple[Stage, int]] = {}
        self._busy = False

    def run(self, alerts: Sequence[Alert], now_ms: int) -> int:
        """Send what is due of the alerts that fire or have ended; return how many are sent."""
        known = [each for each in alerts if each.stage is not Stage.PENDING]
        with self._lock:
            if self._busy:
                return 0
            current = {_identity(each) for each in known}
            self._sent = {key: sent for key, sent in self._sent.items() if key in current}
            due = [each for each in known if self._is_due(each, now_ms)]
            self._busy = bool(due)
        if not due:
            return 0
        taken = self._deliver(
            lambda: self._post(due, now_ms),
            lambda arrived: self._done(due, now_ms, arrived=arrived),
        )
        if not taken:
            self._done((), now_ms, arrived=False)
        return len(due) if taken else 0

    def _is_due(self, alert: Alert, now_ms: int) -> bool:
        sent = self._sent.get(_identity(alert))
        return sent is None or sent[0] is not alert.stage or now_ms - sent[1] >= RESEND.milliseconds

    def _post(self, alerts: Sequence[Alert], now_ms: int) -> None:
        for start in range(0, len(alerts), _AT_ONCE):
            post(self._url, [body(each, now_ms) for each in alerts[start : start + _AT_ONCE]])

    def _done(self, alerts: Sequence[Alert], now_ms: int, *, arrived: bool) -> None:
        with self._lock:
            self._busy = False
            if arrived:
                self._sent |= {_identity(each): (each.stage, now_ms) for each in alerts}


def body(alert: Alert, now_ms: int) -> dict[str, object]:
    """Write an alert as API version 2 takes it."""
    ends = now_ms + VALID.milliseconds if is_firing(alert) else alert.resolved_at
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.fired_at),
        "endsAt": rfc3339(ends),
        "generatorURL": alert.annotations.get("console_url", ""),
    }


def _identity(alert: Alert) -> tuple[Key, int]:
    return alert.key, alert.active_at
