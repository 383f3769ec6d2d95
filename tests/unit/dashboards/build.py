"""Applications made by hand, for tests of what is drawn from them."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from slo.model import (
    AlertSeverity,
    App,
    Cluster,
    Environment,
    Events,
    Indicator,
    Logs,
    Measure,
    Objective,
    Probe,
    Slo,
)
from slo.promql import Query, parse_query
from slo.units import Duration
from slo.windows import Catalogue, CataloguePair

SCRAPE = Duration.parse("30s")

CATALOGUE = Catalogue(
    pairs=tuple(
        CataloguePair(
            severity=severity,
            long=Duration.parse(long),
            short=Duration.parse(short),
            budget=Fraction(percent, 100),
        )
        for severity, long, short, percent in (
            (AlertSeverity.PAGE, "1h", "5m", 2),
            (AlertSeverity.PAGE, "6h", "30m", 5),
            (AlertSeverity.TICKET, "1d", "2h", 10),
            (AlertSeverity.TICKET, "3d", "6h", 10),
        )
    )
)
"""The pairs of the Site Reliability Workbook."""


def query(text: str) -> Query:
    """A selector that is known to be right."""
    parsed = parse_query(text)
    assert isinstance(parsed, Query), parsed
    return parsed


def slo(
    name: str, objective: str = "99.9", window: str = "30d", measure: Measure | None = None
) -> Slo:
    """An SLO over HTTP requests unless a measure is given."""
    return Slo(
        name=name,
        objective=Objective(text=objective, percent=Decimal(objective)),
        window=Duration.parse(window),
        indicator=Indicator(measure=measure or requests(), scrape_interval=SCRAPE),
    )


def requests() -> Events:
    """Requests that fail with a 5xx."""
    return Events(
        total=query('http_requests_total{job="ticketing-api"}'),
        bad=query('http_requests_total{code=~"5..",job="ticketing-api"}'),
    )


def probe() -> Probe:
    """A probe that is good or bad minute by minute."""
    return Probe(selector=query('probe_success{job="ticketing-web"}'), slice=Duration.parse("1m"))


def logs() -> Logs:
    """Records that Prometheus never sees."""
    return Logs(query="event:booking", bad="event:booking and outcome:failure")


def app(slos: Sequence[Slo], *, runbook: str | None = None) -> App:
    """The ticketing application with these SLOs in production."""
    production = Environment(
        name="prod", clusters=(Cluster(name="eu", match={"env": "prod"}),), slos=tuple(slos)
    )
    return App(
        name="ticketing",
        team="bookings",
        title="Ticketing",
        environments=(production,),
        runbook=runbook,
    )


def ticketing() -> App:
    """An application with an SLO over events and one over time."""
    return app(
        (slo("availability"), slo("reachability", "99.5", "7d", probe())),
        runbook="https://runbooks.example.com/ticketing",
    )
