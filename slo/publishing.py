"""Where generated artefacts are put to work: the servers' folders, files and rule stores."""

from __future__ import annotations

from enum import StrEnum

from slo.records import dataclass
from slo.workspace import PrometheusSource

NAMESPACE_PREFIX = "headroom."
"""What the namespaces of a ruler begin with that are ours to change and remove."""


class RulerFlavor(StrEnum):
    """Whose paths a ruler's API has."""

    MIMIR = "mimir"
    CORTEX = "cortex"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusFolder:
    """A folder that the ``rule_files`` of a Prometheus name, and the server to reload.

    Without a server the files are put there and nobody is told.
    """

    folder: str
    server: PrometheusSource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MimirRuler:
    """The rule store of a Mimir or Cortex; the server's address is without ``/prometheus``.

    Two workspaces that publish to one tenant need different prefixes, or each removes the
    other's rules.
    """

    server: PrometheusSource
    flavor: RulerFlavor = RulerFlavor.MIMIR
    prefix: str = NAMESPACE_PREFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertmanagerFile:
    """The configuration file of an Alertmanager, and the server to reload."""

    path: str
    server: PrometheusSource | None = None


PublishTarget = PrometheusFolder | MimirRuler | AlertmanagerFile
