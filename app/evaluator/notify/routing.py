"""Who hears of an alert, and when: the routes of the generated Alertmanager configuration."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.alertmanager.destinations import DEFAULT_RECEIVER, Directory
from alerts.alertmanager.routes import TIMING, Timing
from slo.model import AlertSeverity
from slo.naming import APP, IDENTITY_LABELS, SEVERITY, TEAM
from slo.units import Duration

OTHERS = Timing(
    wait=Duration.parse("30s"), interval=Duration.parse("5m"), repeat=Duration.parse("4h")
)
"""The timing of alerts that are neither page nor ticket: Alertmanager's own defaults."""


def receiver_of(labels: Mapping[str, str], directory: Directory) -> str:
    """Return the name of the receiver of an alert; it may be the default one, who is nobody."""
    severity = severity_of(labels)
    if not labels.get(APP) or severity is None:
        return DEFAULT_RECEIVER
    team = next((each for each in directory.teams if each.name == labels.get(TEAM)), None)
    usual = None if team is None else team.usual.of(severity)
    if team is None or usual is None:
        return DEFAULT_RECEIVER
    return team.exceptions(severity).get(labels[APP], usual)


def timing_of(labels: Mapping[str, str]) -> Timing:
    """Return how the alerts of a severity are timed."""
    severity = severity_of(labels)
    return OTHERS if severity is None else TIMING[severity]


def group_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return what the alerts of one notification have in common: their service level."""
    return {name: labels[name] for name in IDENTITY_LABELS if name in labels}


def severity_of(labels: Mapping[str, str]) -> AlertSeverity | None:
    """Return the severity of an alert, where it is one that has routes of its own."""
    try:
        return AlertSeverity(labels.get(SEVERITY, ""))
    except ValueError:
        return None
