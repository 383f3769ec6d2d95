"""The airline: its services, their routes and databases, and how much traffic they have.

Rates are requests per second from outside, both clusters together, on average over a week. Medians
are seconds. What one service asks of another follows from the routes' ``calls``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from slo.records import dataclass

ENVIRONMENT = "prod"
CLUSTERS: Mapping[str, float] = {"eu-1": 1.0, "us-1": -6.0}
"""The clusters, and how many hours their customers' clocks are from UTC."""

PODS = 2
"""How many pods a service has in each cluster."""

BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""The boundaries of all request histograms, in seconds; the app files name them as well."""

LOAD_BALANCER = "lb-shared.internal"
KAFKA = "kafka.internal"
TOPIC = "bookings"
RENDERER = "pdf-renderer"
LEGACY_HOST = "old-fares-7"
OWN_HOST = "tick-host-1"
PROBED = "https://check-in.example.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database server and the part of it that a service uses."""

    address: str
    namespace: str
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a request asks of another service once it has read its database."""

    service: str
    route: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route of a service.

    ``median`` and ``sigma`` describe log-normal durations. ``refused`` and ``failing`` are the
    shares of outside requests that end with ``refusal`` or with 500 on an ordinary day; where a
    ``partner`` outside of the airline is asked, it is the partner that fails.
    """

    method: str
    path: str
    rate: float
    median: float
    sigma: float = 0.5
    status: int = 200
    query: str | None = None
    calls: Call | None = None
    partner: str | None = None
    publishes: str | None = None
    refused: float = 0.0
    refusal: int = 404
    failing: float = 0.0

    @property
    def name(self) -> str:
        """The name of its spans."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version, and how many hours before the end of the history it was deployed."""

    version: str
    hours: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of an app; its releases are in order, the first one was there before.

    ``idle_counter`` is a counter of requests, by outcome, that never come.
    """

    app: str
    name: str
    team: str
    tier: str
    language: str
    releases: tuple[Release, ...]
    routes: tuple[Route, ...] = ()
    database: Database | None = None
    consumes: str | None = None
    idle_counter: str | None = None
    failures: tuple[str, ...] = field(default=())

    def route(self, name: str) -> Route:
        """The route of that name; raises ``KeyError``."""
        found = {route.name: route for route in self.routes}
        return found[name]


CONFIRM = "POST /bookings/{id}/confirm"
CHARGE = "POST /charges"
BALANCE = "GET /members/{id}/balance"

SERVICES: tuple[Service, ...] = (
    Service(
        app="ticketing",
        name="ticketing-api",
        team="bookings",
        tier="1",
        language="python",
        # Deploys stand at hours that begin a chunk: see `app.demo.timeline`.
        releases=(
            Release(version="2.13.1"),
            Release(version="2.14.0", hours=384),
            Release(version="2.14.3", hours=120),
            Release(version="2.15.0", hours=9),
        ),
        database=Database(address="pg-shared.internal", namespace="airline|ticketing", shared=True),
        routes=(
            Route(method="GET", path="/flights/search", rate=2.0, median=0.12, failing=0.0002),
            Route(
                method="GET",
                path="/bookings/{id}",
                rate=1.3,
                median=0.06,
                query="SELECT bookings",
                refused=0.012,
                failing=0.0002,
            ),
            Route(
                method="POST",
                path="/bookings",
                rate=1.1,
                median=0.16,
                status=201,
                query="INSERT bookings",
                calls=Call(service="loyalty-api", route=BALANCE),
                failing=0.0003,
            ),
            Route(
                method="POST",
                path="/bookings/{id}/confirm",
                rate=1.6,
                median=0.19,
                query="UPDATE bookings",
                calls=Call(service="payments-api", route=CHARGE),
                publishes=TOPIC,
                failing=0.0003,
            ),
        ),
        failures=(
            "upstream closed the connection while reading the response of flight {flight}",
            "deadlock detected while saving booking {booking}, giving up after 3 attempts",
        ),
    ),
    Service(
        app="cargo",
        name="cargo-api",
        team="freight",
        tier="2",
        language="java",
        releases=(
            Release(version="1.8.0"),
            Release(version="1.8.1", hours=264),
            Release(version="1.9.0", hours=30),
        ),
        database=Database(address="pg-shared.internal", namespace="airline|cargo", shared=True),
        routes=(
            Route(
                method="GET",
                path="/shipments/{id}",
                rate=1.5,
                median=0.07,
                query="SELECT shipments",
                refused=0.02,
                failing=0.0004,
            ),
            Route(
                method="POST",
                path="/shipments",
                rate=0.6,
                median=0.18,
                status=201,
                query="INSERT shipments",
                calls=Call(service="payments-api", route=CHARGE),
                failing=0.0005,
            ),
            Route(
                method="GET",
                path="/quotes",
                rate=0.9,
                median=0.14,
                query="SELECT tariffs",
                failing=0.0004,
            ),
        ),
        failures=(
            "java.lang.IllegalStateException: no tariff for lane {lane}",
            "weight certificate of shipment {shipment} could not be parsed",
        ),
    ),
    Service(
        app="check-in",
        name="check-in-api",
        team="airport",
        tier="1",
        language="go",
        releases=(Release(version="4.2.0"), Release(version="4.2.1", hours=192)),
        database=Database(address="pg-seats.internal", namespace="seats"),
        routes=(
            Route(
                method="POST",
                path="/check-in",
                rate=1.1,
                median=0.11,
                query="UPDATE seats",
                refused=0.015,
                refusal=409,
                failing=0.0005,
            ),
            Route(
                method="GET",
                path="/boarding-passes/{id}",
                rate=1.0,
                median=0.05,
                query="SELECT passes",
                failing=0.0004,
            ),
            Route(
                method="GET",
                path="/seats/{flight}",
                rate=0.4,
                median=0.04,
                query="SELECT seats",
                failing=0.0003,
            ),
        ),
        failures=("seat map of flight {flight} is locked by another agent",),
    ),
    Service(
        app="crew",
        name="crew-api",
        team="operations",
        tier="3",
        language="java",
        releases=(Release(version="0.9.2"),),
        idle_counter="crew.roster.requests",
    ),
    Service(
        app="loyalty",
        name="loyalty-api",
        team="miles",
        tier="2",
        language="nodejs",
        releases=(Release(version="3.0.4"), Release(version="3.1.0", hours=480)),
        database=Database(address="pg-members.internal", namespace="members"),
        routes=(
            Route(
                method="GET",
                path="/members/{id}/balance",
                rate=1.2,
                median=0.055,
                query="SELECT accounts",
                failing=0.0001,
            ),
            Route(
                method="POST",
                path="/members/{id}/redeem",
                rate=0.8,
                median=0.21,
                query="UPDATE accounts",
                partner="awards.partner.example",
                failing=0.0075,
            ),
        ),
        failures=("partner gateway answered 502 for member {member}: award not reserved",),
    ),
    Service(
        app="loyalty",
        name="loyalty-worker",
        team="miles",
        tier="2",
        language="nodejs",
        releases=(Release(version="3.0.4"), Release(version="3.1.0", hours=480)),
        consumes=TOPIC,
    ),
    Service(
        app="payments",
        name="payments-api",
        team="payments",
        tier="1",
        language="java",
        releases=(Release(version="5.1.0"), Release(version="5.2.0", hours=312)),
        database=Database(address="pg-payments.internal", namespace="charges"),
        routes=(
            Route(
                method="POST",
                path="/charges",
                rate=0.3,
                median=0.068,
                status=201,
                query="INSERT charges",
                failing=0.0001,
            ),
            Route(
                method="GET",
                path="/charges/{id}",
                rate=0.4,
                median=0.03,
                query="SELECT charges",
                failing=0.0001,
            ),
        ),
        failures=("card network did not answer for charge {charge} within 900 ms",),
    ),
)
"""Every service; one that is called comes after those that call it."""

OUTCOMES = ("ok", "error")
"""What an idle counter tells apart."""

BY_NAME: Mapping[str, Service] = {service.name: service for service in SERVICES}
APPS: tuple[str, ...] = tuple(dict.fromkeys(service.app for service in SERVICES))
