"""Which part of a shared thing a record is about.

A component's ``share`` names a part, such as ``{backend: ticketing}``. For each name below, the
first attribute that a record carries is compared, exactly; all of a share must match. A name that
is not listed is the attribute's own name. ``-`` and ``_`` in names, and their case, do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping

from collectors.joining.facts import DESTINATION, Facts

SHARES: Mapping[str, tuple[str, ...]] = {
    "backend": (
        "haproxy.backend",
        "haproxy.backend_name",
        "haproxy.proxy_name",
        "nginx.upstream.name",
        "envoy.cluster.name",
        "envoy_cluster_name",
        "upstream_cluster",
        "upstream",
        "backend",
        "backend_name",
        "proxy",
    ),
    "targetgroup": (
        "aws.lb.target_group",
        "dimension_TargetGroup",
        "TargetGroup",
        "target_group",
        "targetgroup",
    ),
    "listener": ("listener", "envoy.listener.name", "dimension_Listener", "frontend"),
    "frontend": ("haproxy.frontend", "frontend", "listener"),
    "vhost": (
        "messaging.rabbitmq.vhost",
        "rabbitmq.vhost.name",
        "vhost",
        "server_name",
        "url.domain",
        "http.host",
    ),
    "domain": ("url.domain", "http.host", "server_name", "domain", "server.address"),
    "schema": (
        "postgresql.schema.name",
        "db.schema",
        "schemaname",
        "schema",
        "db.namespace",
        "db.name",
    ),
    "database": (
        "postgresql.database.name",
        "datname",
        "database",
        "db.namespace",
        "db.name",
    ),
    "keyspace": ("db.cassandra.keyspace", "keyspace", "db.namespace", "db.name"),
    "collection": ("db.collection.name", "db.mongodb.collection", "collection"),
    "user": ("db.user", "usename", "user"),
    "topic": (*DESTINATION, "messaging.kafka.topic", "topic"),
    "queue": (*DESTINATION, "rabbitmq.queue.name", "queue"),
    "exchange": ("messaging.rabbitmq.exchange", *DESTINATION, "exchange"),
    "consumergroup": (
        "messaging.consumer.group.name",
        "messaging.kafka.consumer.group",
        "consumergroup",
        "group",
    ),
    "bucket": ("aws.s3.bucket", "bucket"),
}

# PostgreSQL's db.namespace is "database|schema" since version 1.26 of the conventions.
_NAMESPACE = "db.namespace"


def share_keys(name: str) -> tuple[str, ...]:
    """The attributes that may hold a part of that name, the surest first."""
    plain = name.lower().replace("-", "").replace("_", "")
    return SHARES.get(plain, (name,))


def holds(share: Mapping[str, str], facts: Facts) -> bool:
    """Whether a record is about this part; an empty share is no part."""
    return bool(share) and all(_value(name, facts) == wanted for name, wanted in share.items())


def _value(name: str, facts: Facts) -> str | None:
    fact = facts.subject(share_keys(name))
    if fact is None:
        return None
    if fact.key == _NAMESPACE and "|" in fact.value:
        database, _, schema = fact.value.partition("|")
        return schema if name.lower() == "schema" else database
    return fact.value
