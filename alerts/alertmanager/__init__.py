"""The Alertmanager configuration of an installation, made from its applications and receivers.

Severity is the outermost branch of the routes, so that each timing is said once; below it every
team has its receiver, and an application is named only where its own differs.
"""

from collections.abc import Mapping

from alerts.alertmanager.checks import problems
from alerts.alertmanager.destinations import Directory
from alerts.alertmanager.inhibition import inhibit_rules
from alerts.alertmanager.receivers import receiver_configs
from alerts.alertmanager.routes import root_route
from alerts.alertmanager.text import render
from slo.model import Catalog
from slo.workspace import Workspace

__all__ = ["FILE", "alertmanager_config", "problems", "render"]

FILE = "alertmanager/alertmanager.yaml"
"""Where the configuration stands below the output folder."""


def alertmanager_config(catalog: Catalog, workspace: Workspace) -> Mapping[str, object]:
    """Return the configuration as plain data, valid also where `problems` finds some.

    A contact that leads nowhere counts as absent; a team without any falls to the default receiver.
    """
    directory = Directory.of(catalog, workspace)
    return {
        "route": root_route(directory),
        "inhibit_rules": inhibit_rules(),
        "receivers": receiver_configs(directory),
    }
