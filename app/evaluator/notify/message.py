"""What a notification says, in the words that the generated Alertmanager configuration uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from app.evaluator.alerting import Alert, Stage
from slo.naming import ALERT_NAME, SEVERITY
from slo.records import dataclass

FIRING, RESOLVED = "firing", "resolved"
NEVER = "0001-01-01T00:00:00Z"
"""How Go writes a time that there is none of."""

_FNV_OFFSET, _FNV_PRIME, _64_BITS = 14695981039346656037, 1099511628211, 2**64 - 1
_APART = b"\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """News of the alerts of one group for one receiver."""

    receiver: str
    group_key: str
    group_labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    external_url: str = ""

    @property
    def status(self) -> str:
        """``firing`` while any of its alerts is."""
        return FIRING if any(is_firing(each) for each in self.alerts) else RESOLVED

    @property
    def common_labels(self) -> dict[str, str]:
        """The labels that all alerts share."""
        return _common([each.labels for each in self.alerts])

    @property
    def common_annotations(self) -> dict[str, str]:
        """The annotations that all alerts share."""
        return _common([each.annotations for each in self.alerts])

    @property
    def title(self) -> str:
        """One line: how urgent, how it stands, about what."""
        severity = self.common_labels.get(SEVERITY, "")
        about = " ".join(text for _, text in sorted(self.group_labels.items()))
        return f"[{severity} {self.status}] {about}"

    @property
    def text(self) -> str:
        """A summary for each alert, then the links."""
        lines = [each.annotations.get("summary") or each.labels[ALERT_NAME] for each in self.alerts]
        common = sorted(self.common_annotations.items())
        lines += [f"{name}: {link}" for name, link in common if name.endswith("_url")]
        return "".join(f"{line}\n" for line in lines)

    @property
    def body(self) -> dict[str, object]:
        """The notification as Alertmanager's webhooks send it, version 4."""
        return {
            "version": "4",
            "groupKey": self.group_key,
            "truncatedAlerts": 0,
            "status": self.status,
            "receiver": self.receiver,
            "groupLabels": dict(self.group_labels),
            "commonLabels": self.common_labels,
            "commonAnnotations": self.common_annotations,
            "externalURL": self.external_url,
            "alerts": [_alert(each) for each in self.alerts],
        }


def is_firing(alert: Alert) -> bool:
    """Tell whether an alert fires now."""
    return alert.stage is Stage.FIRING


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Prometheus's fingerprint of labels: FNV-1a over them in their order, 64 bits."""
    digest = _FNV_OFFSET
    for name, value in sorted(labels.items()):
        for byte in b"".join((name.encode(), _APART, value.encode(), _APART)):
            digest = (digest ^ byte) * _FNV_PRIME & _64_BITS
    return f"{digest:016x}"


def rfc3339(time_ms: int | None) -> str:
    """Write Unix milliseconds as Go's JSON does, which knows a time that never was."""
    if time_ms is None:
        return NEVER
    seconds, rest = divmod(time_ms, 1000)
    text = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{text}.{rest:03d}Z" if rest else f"{text}Z"


def _alert(alert: Alert) -> dict[str, object]:
    return {
        "status": FIRING if is_firing(alert) else RESOLVED,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.fired_at),
        "endsAt": rfc3339(alert.resolved_at),
        "generatorURL": alert.annotations.get("console_url", ""),
        "fingerprint": fingerprint(alert.labels),
    }


def _common(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    shared: Iterable[tuple[str, str]] = each[0].items() if each else ()
    return {
        name: value for name, value in shared if all(other.get(name) == value for other in each[1:])
    }
