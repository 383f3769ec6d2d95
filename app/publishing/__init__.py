"""Putting generated artefacts to work: where they run, seen to be running, or taken back."""

from app.publishing.alertmanager import AlertmanagerPublisher
from app.publishing.files import OutputFile, read_alertmanager, read_rules
from app.publishing.mimir import MimirPublisher
from app.publishing.prometheus import PrometheusPublisher
from app.publishing.report import Publisher, PublishRefusedError, PublishReport, Wait
from slo.publishing import AlertmanagerFile, MimirRuler, PublishTarget

__all__ = [
    "OutputFile",
    "PublishRefusedError",
    "PublishReport",
    "Publisher",
    "Wait",
    "publisher",
    "read_alertmanager",
    "read_rules",
]


def publisher(target: PublishTarget) -> Publisher:
    """Return what publishes to a target."""
    if isinstance(target, MimirRuler):
        return MimirPublisher(target)
    if isinstance(target, AlertmanagerFile):
        return AlertmanagerPublisher(target)
    return PrometheusPublisher(target)
