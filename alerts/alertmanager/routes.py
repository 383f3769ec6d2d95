"""The routing tree: severity, then team, then the applications that differ from their team."""

from collections.abc import Mapping
from types import MappingProxyType

from alerts.alertmanager.destinations import DEFAULT_RECEIVER, Directory, Team
from alerts.alertmanager.matchers import SEVERITY, equals, present
from slo.model import AlertSeverity
from slo.naming import APP, IDENTITY_LABELS, TEAM
from slo.records import dataclass
from slo.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a group of alerts waits for company, how soon news of it follow, and repeats."""

    wait: Duration
    interval: Duration
    repeat: Duration


def _timing(wait: str, interval: str, repeat: str) -> Timing:
    return Timing(
        wait=Duration.parse(wait), interval=Duration.parse(interval), repeat=Duration.parse(repeat)
    )


TIMING: Mapping[AlertSeverity, Timing] = MappingProxyType(
    {
        # A page waits just long enough for the other pairs of the same SLO to join it.
        AlertSeverity.PAGE: _timing("10s", "1m", "1h"),
        AlertSeverity.TICKET: _timing("5m", "15m", "1d"),
    }
)
"""The timing of each severity; one notification per SLO holds all its pairs."""


def root_route(directory: Directory) -> dict[str, object]:
    """Return the root of the tree; alerts that name no app never leave it."""
    return {
        "receiver": DEFAULT_RECEIVER,
        "group_by": [*IDENTITY_LABELS, "alertname"],
        "routes": [
            {
                "matchers": [present(APP)],
                # One notification per SLO holds all its pairs.
                "group_by": list(IDENTITY_LABELS),
                "routes": [_severity(severity, directory) for severity in AlertSeverity],
            }
        ],
    }


def _severity(severity: AlertSeverity, directory: Directory) -> dict[str, object]:
    branches = (_team(team, severity) for team in directory.teams)
    teams = [branch for branch in branches if branch is not None]
    timing = TIMING[severity]
    route: dict[str, object] = {
        "matchers": [equals(SEVERITY, severity)],
        "group_wait": str(timing.wait),
        "group_interval": str(timing.interval),
        "repeat_interval": str(timing.repeat),
    }
    return {**route, "routes": teams} if teams else route


def _team(team: Team, severity: AlertSeverity) -> dict[str, object] | None:
    usual = team.usual.of(severity)
    if usual is None:
        return None
    route: dict[str, object] = {"matchers": [equals(TEAM, team.name)], "receiver": usual}
    apps = [
        {"matchers": [equals(APP, app)], "receiver": receiver}
        for app, receiver in team.exceptions(severity).items()
    ]
    return {**route, "routes": apps} if apps else route
