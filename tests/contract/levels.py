"""Service levels for tests of readers, made without files."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from slo.model import (
    AlertSettings,
    App,
    Cluster,
    Environment,
    Events,
    Indicator,
    Measure,
    Objective,
    ServiceLevel,
    Slo,
)
from slo.promql import Query, parse_query
from slo.units import Duration
from slo.workspace import PrometheusSource

TOTAL = 'http_requests_total{job="api"}'
BAD = 'http_requests_total{job="api",code=~"5.."}'


def query(text: str) -> Query:
    """Parse a query that has no mistakes."""
    found = parse_query(text)
    assert isinstance(found, Query), found
    return found


def events(total: str = TOTAL, bad: str = BAD) -> Events:
    """Count requests by their code."""
    return Events(total=query(total), bad=query(bad))


def level(
    slo: str = "availability",
    *,
    app: str = "ticketing",
    env: str = "prod",
    objective: str = "99",
    window: str = "30d",
    measure: Measure | None = None,
    clusters: Sequence[Cluster] = (Cluster(name="main"),),
    absent_for: str | None = "10m",
    scrape: str = "30s",
    **indicator: Any,
) -> ServiceLevel:
    """Make one service level of an application of its own."""
    made = Slo(
        name=slo,
        objective=Objective(text=objective, percent=Decimal(objective)),
        window=Duration.parse(window),
        indicator=Indicator(
            measure=measure or events(), scrape_interval=Duration.parse(scrape), **indicator
        ),
        alerts=AlertSettings(absent_for=None if absent_for is None else Duration.parse(absent_for)),
    )
    environment = Environment(name=env, clusters=tuple(clusters), slos=(made,))
    owner = App(name=app, team="bookings", title=app, environments=(environment,))
    return ServiceLevel(app=owner, environment=environment, slo=made)


def source(url: str, name: str = "eu", *, timeout: str = "5s", **more: Any) -> PrometheusSource:
    """Make a source for a server's address."""
    return PrometheusSource(name=name, url=url, timeout=Duration.parse(timeout), **more)


def windows(*texts: str) -> tuple[Duration, ...]:
    """Parse durations."""
    return tuple(map(Duration.parse, texts))


Labels = Mapping[str, str]
