"""What a catalogue declares, by the keys under which records name it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from collectors.joining.facts import CONTAINER, KEYS, POD_LABEL, keys_of_label
from collectors.joining.pods import pods_of
from collectors.joining.shares import SHARES, share_keys
from slo.model import App, Catalog, Component, ComponentKind
from slo.records import dataclass

_AT_AN_ADDRESS = {ComponentKind.DATABASE, ComponentKind.QUEUE, ComponentKind.LOAD_BALANCER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A component that a record may belong to.

    ``others`` are further applications that declare the same thing under names of their own.
    """

    app: App
    component: Component
    others: tuple[str, ...] = ()
    pods: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A host and port; either port absent means any."""

    host: str
    port: str | None

    def meets(self, other: Place) -> bool:
        """Whether both may be the same place."""
        ports = {self.port, other.port}
        return self.host == other.host and (None in ports or len(ports) == 1)


class Index:
    """The components of a catalogue by every key; built once and never changed."""

    def __init__(self, catalog: Catalog) -> None:
        self.apps = {app.name: app for app in catalog.apps}
        self.services: dict[str, list[Candidate]] = defaultdict(list)
        self.workloads: dict[str | None, list[Candidate]] = defaultdict(list)
        self.hosts: dict[str, list[Candidate]] = defaultdict(list)
        self.places: dict[str, list[tuple[Place, Candidate]]] = defaultdict(list)
        self.endpoints: dict[str, list[Candidate]] = defaultdict(list)
        self.queues: list[Candidate] = []
        self.dimensions: list[Candidate] = []
        self.shared: set[tuple[str, str | None]] = set()
        """Components that are, or may be, another application's as well."""
        declared = [(app, component) for app in catalog.apps for component in app.components]
        for app, component in declared:
            self._add(_candidate(app, component, declared))
        self.keys = KEYS | _own_keys(catalog)

    def _add(self, candidate: Candidate) -> None:
        component = candidate.component
        if component.share or candidate.others:
            self.shared.add((candidate.app.name, component.name))
        for name in {component.name, component.service} - {None}:
            self.services[str(name)].append(candidate)
        if component.namespace or component.workload or component.pod_labels:
            self.workloads[component.namespace].append(candidate)
        for host in component.hosts:
            self.hosts[host.lower()].append(candidate)
        if component.kind in _AT_AN_ADDRESS and component.address:
            found = place(component.address)
            self.places[found.host].append((found, candidate))
        for endpoint in component.metrics:
            self.endpoints[_endpoint(endpoint)].append(candidate)
        if component.kind is ComponentKind.QUEUE and component.share:
            self.queues.append(candidate)
        if component.cloudwatch_dimensions:
            self.dimensions.append(candidate)


def place(address: str, port: str | None = None) -> Place:
    """Read an address: a host, ``host:port``, ``[v6]:port`` or a URL."""
    text = address.strip().lower()
    if "://" in text:
        text = text.split("://", 1)[1]
    text = text.split("/", 1)[0].rsplit("@", 1)[-1]
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return Place(host=host, port=rest.lstrip(":") or port)
    host, colon, own = text.rpartition(":")
    if colon and own.isdigit() and ":" not in host:
        return Place(host=host.rstrip("."), port=own)
    return Place(host=text.rstrip("."), port=port)


def dimension_keys(name: str) -> tuple[str, ...]:
    """The labels under which a CloudWatch dimension arrives: of its exporter, or plain."""
    return (f"dimension_{name}", name)


def _endpoint(text: str) -> str:
    found = place(text)
    return found.host if found.port is None else f"{found.host}:{found.port}"


def _candidate(
    app: App, component: Component, declared: Sequence[tuple[App, Component]]
) -> Candidate:
    others = {
        other.name
        for other, theirs in declared
        if other.name != app.name and _same_thing(component, theirs)
    }
    return Candidate(
        app=app, component=component, others=tuple(sorted(others)), pods=_pods(component)
    )


def _same_thing(one: Component, other: Component) -> bool:
    if one.kind not in _AT_AN_ADDRESS or other.kind not in _AT_AN_ADDRESS:
        return False
    if not one.address or not other.address:
        return False
    return place(one.address).meets(place(other.address))


def _pods(component: Component) -> re.Pattern[str] | None:
    return None if component.workload is None else pods_of(component.workload)


def _own_keys(catalog: Catalog) -> set[str]:
    """The keys that only this catalogue makes interesting."""
    keys: set[str] = {key for names in SHARES.values() for key in names}
    keys.update(CONTAINER)
    for app in catalog.apps:
        for environment in app.environments:
            for cluster in environment.clusters:
                keys.update(key for label in cluster.match for key in keys_of_label(label))
        for component in app.components:
            for label in component.pod_labels:
                keys.update(f"{prefix}{label}" for prefix in POD_LABEL)
            for name in component.share:
                keys.update(share_keys(name))
            for name in component.cloudwatch_dimensions:
                keys.update(dimension_keys(name))
    return keys
