"""The routing tree: severity, then team, then the applications that differ from their team."""

from alerts.alertmanager.destinations import DEFAULT_RECEIVER, Directory, Team
from alerts.alertmanager.matchers import SEVERITY, equals, present
from slo.model import AlertSeverity
from slo.naming import APP, IDENTITY_LABELS, TEAM

_TIMING = {
    # A page waits just long enough for the other pairs of the same SLO to join it.
    AlertSeverity.PAGE: {"group_wait": "10s", "group_interval": "1m", "repeat_interval": "1h"},
    AlertSeverity.TICKET: {"group_wait": "5m", "group_interval": "15m", "repeat_interval": "1d"},
}


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
    route: dict[str, object] = {"matchers": [equals(SEVERITY, severity)], **_TIMING[severity]}
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
