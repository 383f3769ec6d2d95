"""Engines: how each is scraped, and which label of its series names an application's share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from collectors.joining.shares import share_keys
from slo.records import dataclass

_METRIC = "[a-zA-Z0-9_:]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLabel:
    """A label that names a share; ``metrics`` is a regular expression of the metrics it counts on.

    ``None`` means every metric that has the label.
    """

    name: str
    metrics: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A product and its exporter.

    ``shared_path`` has the series of single shares where the usual path only has sums. ``always``
    says that it serves everyone: its series are told apart by namespace, never by who declared it.
    """

    name: str
    exporter: str
    port: int
    prefix: str
    path: str = "/metrics"
    shared_path: str | None = None
    shares: Mapping[str, tuple[ShareLabel, ...]] = field(default_factory=dict)
    always: bool = False


def _plain(*names: str) -> tuple[ShareLabel, ...]:
    return tuple(ShareLabel(name=name) for name in names)


_NAMESPACE = {"namespace": _plain("namespace")}
# A frontend and a backend of HAProxy may have one name, and both stand in the label `proxy`.
_HAPROXY_BACKEND = (
    ShareLabel(name="proxy", metrics=f"haproxy_(backend|server){_METRIC}"),
    ShareLabel(name="backend", metrics=f"haproxy_{_METRIC}"),
)
_HAPROXY_FRONTEND = (
    ShareLabel(name="proxy", metrics=f"haproxy_(frontend|listener){_METRIC}"),
    ShareLabel(name="frontend", metrics=f"haproxy_{_METRIC}"),
)
_ENGINES = (
    Engine(
        name="postgresql",
        exporter="postgres_exporter",
        port=9187,
        prefix="pg_",
        shares={
            "database": _plain("datname"),
            "schema": _plain("schemaname"),
            "user": _plain("usename"),
        },
    ),
    Engine(
        name="mysql",
        exporter="mysqld_exporter",
        port=9104,
        prefix="mysql_",
        shares={"database": _plain("schema"), "schema": _plain("schema"), "user": _plain("user")},
    ),
    Engine(
        name="mongodb",
        exporter="mongodb_exporter",
        port=9216,
        prefix="mongodb_",
        shares={"database": _plain("database", "db"), "collection": _plain("collection", "coll")},
    ),
    Engine(
        name="redis",
        exporter="redis_exporter",
        port=9121,
        prefix="redis_",
        shares={"database": _plain("db"), "db": _plain("db")},
    ),
    Engine(
        name="rabbitmq",
        exporter="rabbitmq_prometheus",
        port=15692,
        prefix="rabbitmq_",
        shared_path="/metrics/per-object",
        shares={
            "vhost": _plain("vhost"),
            "queue": _plain("queue"),
            "exchange": _plain("exchange"),
        },
    ),
    Engine(
        name="kafka",
        exporter="kafka_exporter",
        port=9308,
        prefix="kafka_",
        shares={"topic": _plain("topic"), "consumergroup": _plain("consumergroup")},
    ),
    Engine(
        name="haproxy",
        exporter="haproxy's own",
        port=8405,
        prefix="haproxy_",
        shares={
            "backend": _HAPROXY_BACKEND,
            "frontend": _HAPROXY_FRONTEND,
            "listener": _HAPROXY_FRONTEND,
        },
    ),
    Engine(
        name="nginx",
        exporter="nginx-prometheus-exporter",
        port=9113,
        prefix="nginx",
        shares={
            "backend": _plain("upstream"),
            "upstream": _plain("upstream"),
            "vhost": _plain("server_zone", "host"),
            "domain": _plain("server_zone", "host"),
        },
    ),
    Engine(name="node", exporter="node_exporter", port=9100, prefix="node_"),
    Engine(
        name="kube-state-metrics",
        exporter="kube-state-metrics",
        port=8080,
        prefix="kube_",
        shares=_NAMESPACE,
        always=True,
    ),
    Engine(
        name="cadvisor",
        exporter="cAdvisor",
        port=8080,
        prefix="container_",
        shares=_NAMESPACE,
        always=True,
    ),
)
ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in _ENGINES}
"""Every engine by the name that components give it."""

_ALIASES = {
    "postgres": "postgresql",
    "pg": "postgresql",
    "mariadb": "mysql",
    "mongo": "mongodb",
    "valkey": "redis",
    "nodeexporter": "node",
    "kubestatemetrics": "kube-state-metrics",
    "ksm": "kube-state-metrics",
}


def engine_of(name: str | None) -> Engine | None:
    """The engine a component names, in any case and spelling; ``None`` for those not known."""
    if name is None:
        return None
    plain = _plain_name(name)
    return ENGINES.get(_ALIASES.get(plain, plain))


def share_labels(engine: Engine | None, share: str) -> tuple[ShareLabel, ...]:
    """The labels that may name this share in the engine's series, any of which is enough."""
    known = {} if engine is None else engine.shares
    found = known.get(_plain_name(share))
    return found or _plain(*(key for key in share_keys(share) if key.isidentifier()))


def _plain_name(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
