"""What the services do that a trace shows: the name, kind and attributes of each kind of span."""

from __future__ import annotations

from collections.abc import Mapping

from app.demo.airline import KAFKA, Route, Service
from app.demo.traffic import BAD, Outcome
from slo.records import dataclass

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = range(1, 6)
"""The kinds of spans, as OTLP numbers them."""

TIMEOUT = "canceling statement due to statement timeout"
DEFECT = "KeyError: 'fare_family'"
PARTNER = "partner gateway answered 502"

Said = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A kind of span; ``error`` is the message of one that failed."""

    name: str
    kind: int
    attributes: Said
    error: str | None = None


def server(service: Service, route: Route, outcome: Outcome, status: int) -> Operation:
    """A service answers a request."""
    said: dict[str, str | int] = {
        **request_attributes(route, status),
        "url.scheme": "https",
        "network.protocol.version": "1.1",
    }
    error = _error_of(service, route, outcome)
    return Operation(name=route.name, kind=SERVER, attributes=said, error=error)


def request_attributes(route: Route, status: int) -> dict[str, str | int]:
    """What metrics, spans and logs of a request all say of it."""
    said: dict[str, str | int] = {
        "http.request.method": route.method,
        "http.route": route.path,
        "http.response.status_code": status,
    }
    if status >= 500:  # noqa: PLR2004 - as HTTP has it
        said["error.type"] = str(status)
    return said


def query(service: Service, statement: str, error: str | None = None) -> Operation:
    """A service asks its database."""
    database = service.database
    assert database is not None, service.name
    verb, _, table = statement.partition(" ")
    said: dict[str, str | int] = {
        "db.system.name": "postgresql",
        "db.namespace": database.namespace,
        "db.operation.name": verb,
        "db.collection.name": table,
        "db.query.summary": statement,
        "server.address": database.address,
        "server.port": 5432,
    }
    if error is not None:
        said["error.type"] = "57014"  # PostgreSQL's query_canceled
    return Operation(name=statement, kind=CLIENT, attributes=said, error=error)


def call(target: Service, route: Route) -> Operation:
    """A service asks another one of the airline."""
    said: dict[str, str | int] = {
        "http.request.method": route.method,
        "url.template": route.path,
        "http.response.status_code": route.status,
        "server.address": f"{target.name}.{target.app}.svc",
        "server.port": 8080,
        "service.peer.name": target.name,
    }
    return Operation(name=route.name, kind=CLIENT, attributes=said)


def partner(address: str, outcome: Outcome) -> Operation:
    """A service asks somebody outside."""
    failed = outcome is Outcome.FAILURE
    said: dict[str, str | int] = {
        "http.request.method": "POST",
        "url.template": "/awards",
        "http.response.status_code": 502 if failed else 201,
        "server.address": address,
        "server.port": 443,
    }
    if failed:
        said["error.type"] = "502"
    error = PARTNER if failed else None
    return Operation(name="POST /awards", kind=CLIENT, attributes=said, error=error)


def message(topic: str, kind: int) -> Operation:
    """A message is sent or processed."""
    verb = "send" if kind == PRODUCER else "process"
    said: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "messaging.operation.type": verb,
        "server.address": KAFKA,
        "server.port": 9092,
    }
    if kind == CONSUMER:
        said["messaging.consumer.group.name"] = "loyalty"
    return Operation(name=f"{verb} {topic}", kind=kind, attributes=said)


def fare_rules() -> Operation:
    """What the new version of ticketing fails at."""
    return Operation(
        name="fare_rules.evaluate",
        kind=INTERNAL,
        attributes={"fare.rule_set": "FR-2215"},
        error=DEFECT,
    )


def _error_of(service: Service, route: Route, outcome: Outcome) -> str | None:
    match outcome:
        case Outcome.DEFECT:
            return DEFECT
        case Outcome.TIMEOUT:
            return TIMEOUT
        case Outcome.FAILURE:
            return PARTNER if route.partner else service.failures[0].partition(" {")[0]
    assert outcome not in BAD
    return None
