"""Units of scraping: what is found and asked together, and the labels it carries."""

from __future__ import annotations

from collectors.tagging.endpoints import Endpoint, infrastructure_place
from collectors.tagging.engines import Engine
from collectors.tagging.model import Convention, Stream
from collectors.tagging.relabeling import Rule, static
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pods:
    """Pods of a workload, by its kind and name, by labels, or all of the namespaces."""

    namespaces: tuple[str, ...]
    kind: str | None
    workload: str | None
    labels: tuple[tuple[str, str], ...]

    @property
    def wide(self) -> bool:
        """Whether these are all pods of the namespaces."""
        return self.workload is None and not self.labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is scraped together and belongs to the same components.

    ``name`` is unique in the plan and made of lowercase letters, digits and ``-``. Only the share
    of each member is tagged when ``shared``. ``job`` is the label of that name.
    """

    name: str
    job: str
    members: tuple[Stream, ...]
    shared: bool
    engine: Engine | None
    endpoints: tuple[Endpoint, ...] = ()
    pods: Pods | None = None
    pod_rules: tuple[Rule, ...] = ()
    metric_rules: tuple[Rule, ...] = ()

    @property
    def labels(self) -> dict[str, str]:
        """The labels of its targets: of the owner, or of the thing that several share."""
        first = self.members[0]
        tags = first.tags(Convention.LABEL)
        if self.shared:
            tags = {"env": tags["env"]}
        elif len(self.members) > 1:
            tags.pop("service", None)
        known = {"job": self.job, **tags}
        if self.engine is None:
            return known
        if self.engine.name == "node" and len(self.endpoints) == 1:
            host = self.endpoints[0].address.rpartition(":")[0]
            return {**known, "infra_kind": "host", "infra_id": host}
        place = next(filter(None, map(infrastructure_place, self.members)), None)
        known["infra_kind"] = self.engine.name
        if place is not None:
            known["infra_id"] = place.host if place.port is None else f"{place.host}:{place.port}"
        elif len(self.endpoints) == 1:
            known["infra_id"] = self.endpoints[0].address
        return known

    @property
    def owner_rules(self) -> tuple[Rule, ...]:
        """The same labels as rules, for targets that are discovered."""
        return tuple(static(label, value) for label, value in self.labels.items())
