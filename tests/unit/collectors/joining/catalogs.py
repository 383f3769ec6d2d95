"""Catalogues for tests, made of applications that share things."""

from collections.abc import Mapping, Sequence
from typing import Any

from slo.model import App, Catalog, Cluster, Component, ComponentKind, Environment


def component(name: str, kind: str = "service", **more: Any) -> Component:
    return Component(name=name, kind=ComponentKind(kind), **more)


def app(
    name: str,
    *components: Component,
    environments: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
) -> App:
    """An application; ``environments`` holds the matchers of each one's clusters."""
    declared = {"default": ({},)} if environments is None else environments
    return App(
        name=name,
        team="bookings",
        title=name.capitalize(),
        components=components,
        environments=tuple(
            Environment(
                name=env,
                clusters=tuple(
                    Cluster(name=f"{env}-{place}", match=match)
                    for place, match in enumerate(matches)
                ),
                slos=(),
            )
            for env, matches in declared.items()
        ),
    )


PROD_AND_STAGING = {
    "prod": ({"cluster": "eu-1", "namespace": "ticketing"},),
    "staging": ({"cluster": "eu-1", "namespace": "ticketing-stg"},),
}

TICKETING = app(
    "ticketing",
    component("api", service="ticketing-api", namespace="ticketing", workload="deployment/api"),
    component("worker", namespace="ticketing", pod_labels={"app": "ticketing-worker"}),
    component("legacy", "host", hosts=("tick-host-1", "shared-host")),
    component(
        "orders-db",
        "database",
        engine="postgresql",
        address="pg-shared.internal:5432",
        share={"schema": "ticketing"},
    ),
    component("seats-db", "database", engine="mysql", address="seats.internal"),
    component(
        "front", "load_balancer", address="lb-shared.internal", share={"backend": "ticketing"}
    ),
    component(
        "bookings-topic",
        "queue",
        engine="kafka",
        address="kafka.internal:9092",
        share={"topic": "bookings"},
    ),
    component(
        "alb",
        "load_balancer",
        cloudwatch_namespace="AWS/ApplicationELB",
        cloudwatch_dimensions={"TargetGroup": "tg/ticketing"},
    ),
    component("exporter", metrics=("http://tick-exporter:9100/metrics",)),
    environments=PROD_AND_STAGING,
)
CARGO = app(
    "cargo",
    component("api", service="cargo-api", namespace="cargo", workload="deployment/api"),
    component("jobs", namespace="cargo", workload="cronjob/nightly"),
    component("store", namespace="cargo", workload="statefulset/store"),
    component("legacy", "host", hosts=("shared-host",)),
    component(
        "freight-db",
        "database",
        engine="postgres",
        address="pg-shared.internal:5432",
        share={"schema": "cargo"},
    ),
    component("edge", "load_balancer", address="lb-shared.internal", share={"backend": "cargo"}),
    component(
        "freight-topic",
        "queue",
        engine="kafka",
        address="kafka.internal:9092",
        share={"topic": "freight"},
    ),
)
AIRLINE = Catalog(apps=(CARGO, TICKETING))
