"""The facts of a record that can tell whose it is, under the names that conventions give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slo.naming import TAGS
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What was found, and the key it stood under."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


def _tag(concept: str, *older: str) -> tuple[str, ...]:
    tag = next(each for each in TAGS if each.concept == concept)
    names = (tag.otel, *older, tag.ecs, tag.label)
    return tuple(dict.fromkeys(name for name in names if name is not None))


APP_TAG = _tag("app")
ENVIRONMENT_TAG = _tag("environment", "deployment.environment")
SERVICE_NAME = _tag("component")
CLUSTER = ("k8s.cluster.name", "orchestrator.cluster.name", "cluster")
NAMESPACE = ("k8s.namespace.name", "kubernetes.namespace", "namespace")
POD = ("k8s.pod.name", "kubernetes.pod.name", "pod")
HOST = ("host.name", "host.hostname", "host")
POD_LABEL = ("k8s.pod.label.", "k8s.pod.labels.", "kubernetes.labels.")
CONTAINER = ("container.id", "k8s.pod.uid", "kubernetes.pod.uid", "container_id")
WORKLOADS: Mapping[str, tuple[str, ...]] = {
    "deployment": ("k8s.deployment.name", "kubernetes.deployment.name", "deployment"),
    "statefulset": ("k8s.statefulset.name", "kubernetes.statefulset.name", "statefulset"),
    "daemonset": ("k8s.daemonset.name", "kubernetes.daemonset.name", "daemonset"),
    "cronjob": ("k8s.cronjob.name", "kubernetes.cronjob.name", "cronjob"),
    "job": ("k8s.job.name", "kubernetes.job.name", "job_name"),
    "rollout": ("k8s.rollout.name", "rollout"),
}
DATABASE_SYSTEM = ("db.system.name", "db.system")
MESSAGING_SYSTEM = ("messaging.system",)
ADDRESSES = (
    ("server.address", "server.port"),
    ("net.peer.name", "net.peer.port"),
    ("network.peer.address", "network.peer.port"),
    ("server", None),
)
"""Where a database or queue answers: the key of the host, and of the port when it is apart."""

DOMAINS = ("url.domain", "http.host", "server.address", "net.host.name", "load_balancer", "target")
INSTANCE = ("instance", "service.instance.id")
SCRAPED = ("job", "instance")
"""Labels that only what Prometheus scraped has."""

DESTINATION = ("messaging.destination.name", "messaging.destination")

_LISTS: tuple[Iterable[str], ...] = (
    APP_TAG,
    ENVIRONMENT_TAG,
    SERVICE_NAME,
    CLUSTER,
    NAMESPACE,
    POD,
    HOST,
    CONTAINER,
    *WORKLOADS.values(),
    DATABASE_SYSTEM,
    MESSAGING_SYSTEM,
    (key for pair in ADDRESSES for key in pair if key is not None),
    DOMAINS,
    INSTANCE,
    SCRAPED,
    DESTINATION,
)
KEYS: frozenset[str] = frozenset(key for keys in _LISTS for key in keys)
"""Every key that the ladder looks at whatever the catalogue holds."""

_LABELS: Mapping[str, tuple[str, ...]] = {
    "app": APP_TAG,
    "env": ENVIRONMENT_TAG,
    "service": SERVICE_NAME,
    "cluster": CLUSTER,
    "namespace": NAMESPACE,
    "pod": POD,
    "host": HOST,
    "node": ("k8s.node.name", "node"),
    "container": ("k8s.container.name", "container"),
}


def keys_of_label(label: str) -> tuple[str, ...]:
    """The keys under which a Prometheus label may have been sent, the label itself included."""
    known = _LABELS.get(label)
    return known if known is not None else (label, label.replace("_", "."))


class Facts:
    """The facts of one record; texts that are empty count as absent.

    What says whose a record is comes from its resource first, since that is who sent it; what
    says which thing a record is about comes from its own attributes first.
    """

    __slots__ = ("attributes", "resource")

    def __init__(self, resource: Mapping[str, str], attributes: Mapping[str, str]) -> None:
        self.resource = resource
        self.attributes = attributes

    def sender(self, keys: Iterable[str]) -> Fact | None:
        """The first of these facts that tells who sent the record."""
        return _first(keys, self.resource) or _first(keys, self.attributes)

    def subject(self, keys: Iterable[str]) -> Fact | None:
        """The first of these facts that tells what the record is about."""
        return _first(keys, self.attributes) or _first(keys, self.resource)

    def tags(self, keys: Iterable[str]) -> list[Fact]:
        """All tags of a kind that the sender carries, or else the record's own."""
        for source in (self.resource, self.attributes):
            if found := [Fact(key=key, value=source[key]) for key in keys if source.get(key)]:
                return found
        return []

    def app_tag_name(self) -> str:
        """How the application's tag is called in the convention that the record follows."""
        otel, ecs, label = APP_TAG
        names = self.resource.keys() | self.attributes.keys()
        if not names.isdisjoint(SCRAPED) and "service.name" not in names:
            return label
        return ecs if "service.environment" in names else otel


def _first(keys: Iterable[str], source: Mapping[str, str]) -> Fact | None:
    for key in keys:
        if value := source.get(key):
            return Fact(key=key, value=value)
    return None


_LONGEST = 600  # no text of a catalogue is as long


def reduced(values: Mapping[str, object], keys: frozenset[str]) -> dict[str, str]:
    """Keep the texts and whole numbers among these keys, as texts."""
    return {
        key: value[:_LONGEST] if isinstance(value, str) else str(value)
        for key, value in values.items()
        if key in keys and isinstance(value, str | int) and not isinstance(value, bool)
    }
