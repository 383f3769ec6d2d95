"""Model objects for tests, made from the text a user would write."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from slo.loader.windows import default_catalogue
from slo.model import (
    AlertGuard,
    AlertSettings,
    App,
    Cluster,
    Environment,
    Events,
    Indicator,
    Latency,
    Measure,
    Objective,
    ServiceLevel,
    Slo,
)
from slo.promql import Query, QueryProblem, parse_query
from slo.units import Duration
from slo.windows import Catalogue

CATALOGUE: Catalogue = default_catalogue()


def query(text: str) -> Query:
    """A query that parses."""
    parsed = parse_query(text)
    assert not isinstance(parsed, QueryProblem), parsed
    return parsed


def objective(text: str = "99.9") -> Objective:
    return Objective(text=text, percent=Decimal(text))


def events(
    total: str = 'http_requests_total{job="api"}',
    *,
    bad: str | None = None,
    good: str | None = None,
) -> Events:
    """Counters; without a part, errors are the 5xx of ``http_requests_total{job="api"}``."""
    if bad is None and good is None:
        bad = 'http_requests_total{job="api",code=~"5.."}'
    return Events(
        total=query(total),
        bad=None if bad is None else query(bad),
        good=None if good is None else query(good),
    )


def latency(
    threshold: str = "300ms", *, selector: str = 'http_request_duration_seconds{job="api"}'
) -> Latency:
    return Latency(histogram=query(selector), threshold=Duration.parse(threshold))


def slo(
    measure: Measure | None = None,
    *,
    name: str = "availability",
    target: str = "99.9",
    window: str = "30d",
    scrape: str = "15s",
    alerts: AlertSettings | None = None,
    proven: bool = True,
    offset: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Slo:
    return Slo(
        name=name,
        title=name.capitalize(),
        objective=objective(target),
        window=Duration.parse(window),
        indicator=Indicator(
            measure=measure or events(),
            scrape_interval=Duration.parse(scrape),
            proven=proven,
            offset=None if offset is None else Duration.parse(offset),
        ),
        alerts=alerts or AlertSettings(absent_for=Duration.parse("10m")),
        labels=labels or {},
    )


def level(
    one: Slo | None = None,
    *,
    app: str = "ticketing",
    env: str = "prod",
    match: Mapping[str, str] | None = None,
    clusters: Sequence[Cluster] | None = None,
) -> ServiceLevel:
    """A service level of an application with this SLO only."""
    where = Environment(
        name=env,
        clusters=tuple(clusters or (Cluster(name=env, match=match or {}),)),
        slos=(one or slo(),),
    )
    owner = App(name=app, team="bookings", title=app.capitalize(), environments=(where,))
    return owner.levels()[0]


def guard(*, min_events: int | None = None, min_bad: int | None = None) -> AlertGuard:
    return AlertGuard(min_events=min_events, min_bad=min_bad)
